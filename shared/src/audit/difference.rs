//! What a change of a key changes: for the audit, as the management API shows keys.

use serde_json::{Map, Value, json};

use crate::{
    change::Key,
    record::{Generation, Record},
    store::about::AboutChange,
    view,
};

/// All of a key's policy: who may do what with it, for how long.
#[must_use]
pub fn policy(record: &Record) -> Map<String, Value> {
    let generation = |generation: &Generation| {
        json!({
            "number": generation.number,
            "expires_at": generation.expires_at,
            "grace_ends_at": generation.grace_ends_at,
            "until_first_use": generation.until_first_use,
        })
    };
    Map::from_iter([
        ("name".to_owned(), json!(record.name)),
        ("status".to_owned(), json!(record.status.as_str())),
        ("scopes".to_owned(), view::scopes(&record.scopes)),
        ("ip_allowlist".to_owned(), json!(record.networks.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ("limits".to_owned(), view::limits(&record.limits)),
        ("shared_limits".to_owned(), json!(record.shared_limits)),
        ("generations".to_owned(), json!(record.generations.iter().map(generation).collect::<Vec<_>>())),
    ])
}

/// What `after` and `change` make different of `key`, as members `before` and `after`.
#[must_use]
pub fn difference(key: &Key, after: &Record, change: &AboutChange) -> Value {
    let (mut old, mut new) = (policy(&key.record), policy(after));
    if let Some(metadata) = &change.metadata {
        old.insert("metadata".to_owned(), json!(key.about.metadata));
        new.insert("metadata".to_owned(), json!(metadata));
    }
    if let Some(days) = change.rotate_every_days {
        old.insert("rotate_every_days".to_owned(), json!(key.about.rotate_every_days));
        new.insert("rotate_every_days".to_owned(), json!(days));
    }
    let same: Vec<String> =
        old.iter().filter(|(name, value)| new.get(*name) == Some(value)).map(|(name, _)| name.clone()).collect();
    for side in [&mut old, &mut new] {
        side.retain(|name, _| !same.contains(name));
    }
    json!({ "version": after.version, "before": old, "after": new })
}

/// The same of a change of status alone, which is made whatever else the key is; `before` is none if nobody could tell.
#[must_use]
pub fn status(before: Option<&Record>, after: &str) -> Map<String, Value> {
    let before = before.map(|record| json!({ "status": record.status.as_str() }));
    Map::from_iter([("before".to_owned(), json!(before)), ("after".to_owned(), json!({ "status": after }))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample, scope::Scope, time::Timestamp};

    #[test]
    fn only_what_differs_is_told() {
        let record = sample::record();
        let key = Key { about: sample::about(&record, Timestamp::EPOCH), record: record.clone() };
        let after = Record { version: 2, scopes: vec![Scope::Write], ..record.clone() };
        let change = AboutChange { rotate_every_days: Some(Some(30)), ..AboutChange::default() };
        let expected = json!({
            "version": 2,
            "before": { "scopes": ["read"], "rotate_every_days": null },
            "after": { "scopes": ["write"], "rotate_every_days": 30 },
        });
        assert_eq!(difference(&key, &after, &change), expected);
        let same = difference(&key, &record, &AboutChange::default());
        assert_eq!(same, json!({ "version": 1, "before": {}, "after": {} }));
    }
}
