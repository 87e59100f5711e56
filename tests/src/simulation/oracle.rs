//! What a stored key means, said once more and as simply as possible: straight from the item, and for no purpose but to
//! compare.

use serde_json::Value;
use shared::time::Timestamp;

use super::job::Held;
use crate::proxy::Item;

/// A number of an item.
#[must_use]
pub fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}

/// A text of an item.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default()
}

/// A generation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub number: u64,
    /// Its tag.
    pub tag: String,
    /// When it expires.
    pub expires: Option<u64>,
    /// When its grace ends.
    pub grace: Option<u64>,
    /// Whether its successor's first use ends it.
    pub yields: bool,
}

impl Stored {
    /// When it ends, if it does.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.expires.unwrap_or(u64::MAX).min(self.grace.unwrap_or(u64::MAX))
    }
}

/// The generations of a key.
#[must_use]
pub fn generations(item: &Item) -> Vec<Stored> {
    let read = |value: &Value| {
        let number = |name: &str| value["M"][name]["N"].as_str()?.parse().ok();
        let tag = value["M"]["tag"]["S"].as_str().unwrap_or_default().to_owned();
        let yields = value["M"]["yields"]["BOOL"].as_bool().unwrap_or(false);
        Stored { number: number("n").unwrap_or(0), tag, expires: number("expires"), grace: number("grace"), yields }
    };
    item.get("generations").and_then(|list| list["L"].as_array()).into_iter().flatten().map(read).collect()
}

/// Whether a key shares limits with others of its owner.
#[must_use]
pub fn shares(item: &Item) -> bool {
    item.get("shared").is_some_and(|shared| shared["BOOL"] == true)
}

/// Whether a window of the limits of an item is full at `now`.
#[must_use]
pub fn full(item: &Item, now: u64) -> bool {
    limits(item, now).into_iter().any(|(window, limit)| number(item, &window).unwrap_or(0) >= limit)
}

/// The names of the windows at `now` of every limit, and the limits.
#[must_use]
pub fn limits(item: &Item, now: u64) -> Vec<(String, u64)> {
    let limits = item.get("limits").and_then(|map| map["M"].as_object()).into_iter().flatten();
    limits.filter_map(|(period, limit)| Some((window(period, now), limit["N"].as_str()?.parse().ok()?))).collect()
}

/// The name of the day's counter at `now`.
#[must_use]
pub fn day(now: u64) -> String {
    window("day", now)
}

fn window(period: &str, now: u64) -> String {
    let date = Timestamp::from_secs(now).iso_day().replace('-', "");
    match period {
        "second" => format!("s{now}"),
        "minute" => format!("m{}", now / 60),
        "hour" => format!("h{}", now / 3600),
        "day" => format!("d{date}"),
        _ => format!("M{}", &date[..6]),
    }
}

/// What a request with `held` gets from a key that is `item`, at `now`: `allowed`, or the code of a refusal.
#[must_use]
pub fn verdict(item: Option<&Item>, held: &Held, (method, address): (&str, &str), now: u64) -> &'static str {
    match standing(item, held, now) {
        "works" => {}
        refusal => return refusal,
    }
    let Some(item) = item else { return "unknown_key" };
    let texts = |name: &str| {
        let list = item.get(name).and_then(|list| list["L"].as_array());
        list.into_iter().flatten().filter_map(|text| text["S"].as_str()).collect::<Vec<_>>()
    };
    let networks = texts("networks");
    // All networks here are single addresses.
    if !networks.is_empty() && !networks.iter().any(|network| network.split('/').next() == Some(address)) {
        return "address_not_allowed";
    }
    let needed = if method == "GET" { "read" } else { "write" };
    if !texts("scopes").contains(&needed) {
        return "scope_not_allowed";
    }
    if full(item, now) { "rate_limited" } else { "allowed" }
}

/// Whether a secret works at all: `works`, or the code of a refusal.
#[must_use]
pub fn standing(item: Option<&Item>, held: &Held, now: u64) -> &'static str {
    let Some(item) = item else { return "unknown_key" };
    match text(item, "status") {
        "active" => {}
        "disabled" => return "disabled_key",
        _ => return "revoked_key",
    }
    let generations = generations(item);
    let newest = generations.iter().map(|generation| generation.number).max().unwrap_or(0);
    let Some(generation) = generations.iter().find(|generation| generation.number == held.number) else {
        return if held.number < newest { "replaced_key" } else { "unknown_key" };
    };
    let successor_used = generation.number < newest && item.contains_key(&format!("g{newest}"));
    match generation {
        _ if generation.tag != held.tag => "unknown_key",
        _ if generation.expires.is_some_and(|end| end <= now) => "expired_key",
        _ if generation.grace.is_some_and(|end| end <= now) => "replaced_key",
        _ if generation.yields && successor_used => "replaced_key",
        _ => "works",
    }
}
