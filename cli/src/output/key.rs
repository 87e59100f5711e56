//! A key, for people.

use serde_json::Value;

use super::{Clock, Table, text, words};

/// What a key is.
pub(crate) fn key(key: &Value, clock: Clock) -> Table {
    let mut table = Table::bare();
    let owner = format!("{}:{}", text(&key["owner"]["type"]), text(&key["owner"]["id"]));
    table.row(["key", &text(&key["id"])]);
    table.row(["name", &text(&key["name"])]);
    table.row(["owner", &owner]);
    table.row(["environment", &text(&key["environment"])]);
    table.row(["status", &status(key, clock)]);
    table.row(["scopes", &words(&key["scopes"], "none")]);
    table.row(["addresses", &words(&key["ip_allowlist"], "any")]);
    if key["shared_limits"] == true {
        table.row(["shares", "its owner's limits"]);
    }
    for (name, member) in [("plan", "plan"), ("metadata", "metadata")] {
        let value = &key[member];
        if !value.is_null() && value.as_object().is_none_or(|members| !members.is_empty()) {
            table.row([name, &text(value)]);
        }
    }
    if let Some(days) = key["rotate_every_days"].as_u64() {
        table.row(["rotate every", &format!("{days} d")]);
    }
    if key.get("version").is_some() {
        table.row(["version", &text(&key["version"])]);
        table.row(["created", &format!("{} by {}", clock.show(&key["created_at"], ""), text(&key["created_by"]))]);
        table.row(["expires", &clock.show(&key["expires_at"], "never")]);
        table.row(["last used", &clock.show(&key["last_used_at"], "never")]);
        table.row(["uses", &text(&key["total_uses"])]);
    }
    table
}

fn status(key: &Value, clock: Clock) -> String {
    let revocation = &key["revocation"];
    let mut status = text(&key["status"]);
    if revocation.is_object() {
        let (at, by) = (clock.show(&revocation["at"], ""), text(&revocation["by"]));
        status.push_str(&format!(", {at} by {by}: {}", text(&revocation["reason"])));
    }
    status
}

/// What is left of limits. None if there are none.
pub(crate) fn limits(limits: &Value) -> Option<Table> {
    let limits = limits.as_array().filter(|limits| !limits.is_empty())?;
    let mut table = Table::new(&["limit", "left", "resets in"]);
    for limit in limits {
        let resets = limit["resets_in_seconds"].as_u64().map(|seconds| format!("{seconds} s"));
        let spelled = format!("{}/{}", text(&limit["requests"]), text(&limit["per"]));
        table.row([spelled, text(&limit["remaining"]), resets.unwrap_or_default()]);
    }
    Some(table)
}

/// The secrets of a key, by what may be shown of them.
pub(crate) fn generations(generations: &Value, clock: Clock) -> Option<Table> {
    let generations = generations.as_array().filter(|generations| !generations.is_empty())?;
    let mut table = Table::new(&["secret", "hint", "live", "created", "ends", "uses"]);
    for generation in generations {
        let ends = [&generation["grace_ends_at"], &generation["expires_at"]];
        let ends = ends.into_iter().filter(|end| end.is_string()).min_by_key(|end| text(end)).unwrap_or(&Value::Null);
        let live = if generation["live"] == true { "yes" } else { "no" };
        let first_use = if generation["until_first_use"] == true { " or when the next is used" } else { "" };
        let (created, ends) = (clock.show(&generation["created_at"], ""), clock.show(ends, "never"));
        let uses = text(&generation["uses"]);
        table.row([text(&generation["number"]), text(&generation["hint"]), live.to_owned(), created, ends + first_use, uses]);
    }
    Some(table)
}
