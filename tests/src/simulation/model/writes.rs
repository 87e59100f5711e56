//! Each write is judged by the state that it met.

use serde_json::{Value, json};
use shared::{limit::Window, time::Timestamp};
use tokio::time::Instant;

use super::{Model, SKEW, must};
use crate::{
    proxy::{Applied, Item},
    simulation::{
        job::{Change, End, Errand, Held, Job},
        oracle::{self, generations, number, text},
    },
};

impl Model {
    pub(super) fn write(&mut self, applied: &Applied) -> Result<(), String> {
        let Applied { place, before, after, .. } = applied;
        if place.pk.starts_with("owner#") {
            return self.shared_write(applied);
        }
        if !place.pk.starts_with("key_") || place.sk != "key" {
            return Ok(());
        }
        let errand = self.errands.get(&applied.errand).cloned().ok_or("a write of nobody")?;
        let late = errand.is_certain() && applied.at > errand.ended;
        match (before, after) {
            (Some(before), Some(after)) => {
                must!(number(before, "swept") <= number(after, "swept"), "swept never falls");
                if number(before, "version") != number(after, "version") {
                    must!(!late, "a change took effect after it was answered");
                    self.commit(&errand, applied.at, before, after)?;
                } else if number(before, "total") != number(after, "total") {
                    must!(
                        !late || matches!(&errand.end, End::Verdict { uncertain: 1.., .. }),
                        "a use was counted after it was answered"
                    );
                    self.charge(&errand, before, after)?;
                    self.charges.entry(errand.id).or_default().push(applied.at);
                } else {
                    tidied(before, after, &[])?;
                }
            }
            (None, Some(after)) => {
                must!(matches!(errand.job, Job::Issue(_)), "only issuing makes keys");
                must!(!late, "a key was made after its answer");
                must!(number(after, "version") == Some(1), "a new key's version is 1");
                self.commits.entry(errand.id).or_default().push((applied.at, 1));
            }
            (_, None) => return Err("nobody removes keys".to_owned()),
        }
        must!(self.ttl(after.as_ref()), "its ttl is not the end of its life");
        self.keys.entry(place.pk.clone()).or_default().states.push((applied.at, after.clone()));
        Ok(())
    }

    /// A use: the key as it was must allow it, and exactly what it counts must be counted.
    fn charge(&self, errand: &Errand, before: &Item, after: &Item) -> Result<(), String> {
        let Job::Use { held, method, address } = &errand.job else { return Err("only uses count".to_owned()) };
        let now = number(after, "last_used_at").unwrap_or(0);
        let (began, ended) = (self.time.seconds(errand.began), self.time.seconds(errand.ended));
        must!((began.saturating_sub(SKEW)..=ended + SKEW).contains(&now), "it counts for {now}, but ran from {began} to {ended}");
        must!(before.get("last_request") != after.get("last_request"), "a try that followed its own copy was counted again");
        let verdict = oracle::verdict(Some(before), held, (method, address), now);
        must!(verdict == "allowed", "{verdict}, but it was counted");
        must!(!oracle::shares(before) || self.shared_charges.contains(&errand.id), "counted at the key and not for its owner");
        let mut counters = vec!["total".to_owned(), oracle::day(now), format!("g{}", held.number)];
        counters.extend(oracle::limits(before, now).into_iter().map(|(window, _)| window));
        counters.sort();
        counters.dedup();
        tidied(before, after, &counters)
    }

    fn commit(&mut self, errand: &Errand, at: Instant, before: &Item, after: &Item) -> Result<(), String> {
        let Job::Change(_, change, if_match) = &errand.job else { return Err("no change was asked for".to_owned()) };
        let version = number(after, "version").unwrap_or(0);
        must!(number(before, "version") == Some(version - 1), "versions grow by one");
        let conditional = !matches!(change, Change::Disable | Change::Revoke);
        must!(
            !conditional || if_match.is_none_or(|named| named == version - 1),
            "changed on top of a version that it didn't name"
        );
        must!(text(before, "status") != "revoked", "a revoked key was changed");
        let mut expected = before.clone();
        for name in ["version", "change", "ttl"] {
            match after.get(name) {
                Some(value) => expected.insert(name.to_owned(), value.clone()),
                None => expected.remove(name),
            };
        }
        let mut set = |name: &str, value: Value| expected.insert(name.to_owned(), value);
        match change {
            Change::Enable => drop(set("status", json!({ "S": "active" }))),
            Change::Disable => drop(set("status", json!({ "S": "disabled" }))),
            Change::Revoke => {
                set("status", json!({ "S": "revoked" }));
                for name in ["revoked_at", "revoked_by", "reason"] {
                    set(name, after.get(name).cloned().unwrap_or_default());
                }
            }
            Change::Update(body) => {
                if let (Some(metadata), Some(key)) = (body.get("metadata"), self.keys.get_mut(text(before, "pk"))) {
                    key.metadata.insert(version, metadata.clone());
                }
                if let Some(name) = body["name"].as_str() {
                    set("name", json!({ "S": name }));
                }
                for (asked, stored) in
                    [("limits", "limits"), ("scopes", "scopes"), ("ip_allowlist", "networks"), ("expires_at", "generations")]
                {
                    if body.get(asked).is_some() {
                        set(stored, after.get(stored).cloned().unwrap_or_default());
                    }
                }
                if let Some(shares) = body["shared_limits"].as_bool() {
                    must!(oracle::shares(after) == shares, "it shares, or doesn't, and shouldn't");
                    for name in ["shared", "schema"] {
                        expected.remove(name);
                        expected.extend(after.get(name).map(|value| (name.to_owned(), value.clone())));
                    }
                }
            }
            Change::Rotate(body) => {
                self.rotation(errand, body, before, after)?;
                expected.retain(|name, _| !name.starts_with('g') || name == "generations" || after.contains_key(name));
                expected.insert("generations".to_owned(), after.get("generations").cloned().unwrap_or_default());
            }
        }
        for name in expected.keys().chain(after.keys()) {
            must!(expected.get(name) == after.get(name), "{} changed {name} as well", change.action());
        }
        self.commits.entry(errand.id).or_default().push((at, version));
        Ok(())
    }

    /// Promise 5: of what the caller has and what works, something goes on working until its grace ends.
    fn rotation(&self, errand: &Errand, body: &Value, before: &Item, after: &Item) -> Result<(), String> {
        let (old, new) = (generations(before), generations(after));
        let newest = old.iter().map(|generation| generation.number).max().unwrap_or(0);
        must!(
            new.len() == 2 && new.iter().any(|generation| generation.number == newest + 1),
            "a rotation adds the next generation"
        );
        if body["force"] == json!(true) {
            return Ok(());
        }
        // Nobody knows the time to the second: what works until then, and what goes on working from then.
        let (early, late) = (self.time.seconds(errand.began).saturating_sub(SKEW), self.time.seconds(errand.ended) + SKEW);
        let grace = body["grace_seconds"].as_u64().unwrap_or(86_400);
        let id = text(before, "pk");
        let of_key: Vec<_> = self.held.iter().filter(|held| held.key.as_deref() == Some(id)).collect();
        let enabled = |item: &Item| {
            let mut item = item.clone();
            item.insert("status".to_owned(), json!({ "S": "active" }));
            item
        };
        let (enabled_before, enabled_after) = (enabled(before), enabled(after));
        let works = |item: &Item, held: &Held, now: u64| oracle::standing(Some(item), held, now) == "works";
        let end =
            |list: &[oracle::Stored], held: &Held| list.iter().find(|stored| stored.tag == held.tag).map(oracle::Stored::end);
        let goes_on = |held: &&&Held| {
            let promised = end(&old, held).unwrap_or(0).min(early + grace);
            let ends_later = end(&new, held).is_some_and(|end| end >= promised);
            ends_later && works(&enabled_before, held, early) && (grace == 0 || works(&enabled_after, held, early))
        };
        let had_one = of_key.iter().any(|held| works(&enabled_before, held, late));
        must!(!had_one || of_key.iter().any(|held| goes_on(&held)), "nothing that the caller has works on");
        Ok(())
    }

    fn ttl(&self, item: Option<&Item>) -> bool {
        let Some(item) = item else { return true };
        let end = match text(item, "status") {
            "revoked" => number(item, "revoked_at"),
            _ => generations(item).iter().map(oracle::Stored::end).max().filter(|end| *end < u64::MAX),
        };
        number(item, "ttl") == end.map(|end| end + self.retention)
    }
}

/// Whether `after` is `before` but for one more in each of `counters`, and ended windows that were swept.
pub(super) fn tidied(before: &Item, after: &Item, counters: &[String]) -> Result<(), String> {
    let swept = number(after, "swept").unwrap_or(0);
    let ended = |name: &str| Window::parse(name).is_some_and(|window| window.end() <= Timestamp::from_secs(swept));
    for name in counters {
        let count = number(before, name).unwrap_or(0) + 1;
        must!(number(after, name) == Some(count), "{name} should be {count}");
        let swept = Timestamp::from_secs(number(before, "swept").unwrap_or(0));
        must!(Window::parse(name).is_none_or(|window| window.end() > swept), "{name} is over and may have been removed");
    }
    for name in before.keys().chain(after.keys()).filter(|name| !counters.contains(name)) {
        match name.as_str() {
            "swept" => {}
            "last_used_at" | "last_request" => {
                must!(!counters.is_empty() || before.get(name) == after.get(name), "no use, but {name}");
            }
            _ => {
                let removed = !after.contains_key(name) && ended(name);
                must!(removed || before.get(name) == after.get(name), "{name} was changed by a use");
            }
        }
    }
    Ok(())
}
