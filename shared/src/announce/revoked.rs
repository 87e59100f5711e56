//! A key doesn't work any more.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Announcement, Told, command::Command, hint};
use crate::{
    change::Key,
    record::{Record, Status},
    time::Timestamp,
    view,
};

/// A key that was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When, which is earlier than the announcement if that finishes a revocation which was interrupted.
    pub at: Timestamp,
    /// The principal that did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What may be shown of its secrets.
    pub hints: Vec<String>,
    /// The policy that a key in its place would have, as issuing takes it.
    policy: Map<String, Value>,
}

impl Revoked {
    /// The revocation of `key`; none if it isn't revoked.
    #[must_use]
    pub fn of(key: &Key) -> Option<Self> {
        let Key { record, .. } = key;
        let Status::Revoked(revocation) = &record.status else { return None };
        Some(Self {
            at: revocation.at,
            by: revocation.by.clone(),
            reason: revocation.reason.clone(),
            hints: record.generations.iter().filter_map(|generation| hint(key, generation)).collect(),
            policy: policy(record),
        })
    }
}

/// What of `record` an order for another key like it names beside name, owner and environment.
fn policy(record: &Record) -> Map<String, Value> {
    let mut policy = Map::from_iter([("scopes".to_owned(), view::scopes(&record.scopes))]);
    if !record.networks.is_empty() {
        let networks: Vec<_> = record.networks.iter().map(ToString::to_string).collect();
        policy.insert("ip_allowlist".to_owned(), json!(networks));
    }
    if !record.limits.is_empty() {
        policy.insert("limits".to_owned(), view::limits(&record.limits));
    }
    if record.shared_limits {
        policy.insert("shared_limits".to_owned(), json!(true));
    }
    policy
}

impl Told for Revoked {
    fn event(&self) -> &'static str {
        "key.revoked"
    }

    fn occasion(&self) -> String {
        String::new()
    }

    fn verb(&self) -> Cow<'static, str> {
        "revoked".into()
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("revocation", json!({ "at": self.at, "by": self.by, "reason": self.reason })), ("ended", json!(self.hints))]
    }

    fn headline(&self) -> Cow<'static, str> {
        "is revoked".into()
    }

    fn rows(&self, _: &Announcement) -> Vec<(&'static str, String)> {
        let mut rows = vec![("Revoked", format!("{}, by {}", self.at, self.by)), ("Reason", self.reason.clone())];
        if !self.hints.is_empty() {
            rows.push(("Ended", self.hints.join(", ")));
        }
        rows
    }

    fn to_do(&self, of: &Announcement) -> String {
        let mut order = json!({
            "name": of.name,
            "owner": { "type": of.owner.kind.as_str(), "id": of.owner.id() },
            "environment": of.environment.as_str(),
        });
        if let Some(order) = order.as_object_mut() {
            order.extend(self.policy.clone());
        }
        format!(
            "Every request with one of its secrets is refused from that moment on. That can't be undone.\n\nWho still needs a key gets \
             another one, which may do the same, by\n\n{}",
            Command::issue(&order),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        announce::News,
        limit::{Limit, Period},
        sample,
    };

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn the_text_says_why_and_how_to_get_another_key_that_may_do_no_more() {
        let limits = vec![Limit { requests: 5, period: Period::Minute }];
        let networks = vec!["10.0.0.0/8".parse().unwrap()];
        let record = Record { status: sample::revoked(NOW), name: "Ann's".to_owned(), limits, networks, ..sample::record() };
        let key = Key { about: sample::about(&record, NOW), record };
        let revoked = Revoked::of(&key).unwrap();
        let announcement = Announcement::of(&key, "key_admin", NOW.plus(9), News::Revoked(revoked));
        let document = announcement.document();
        let revocation = json!({ "at": "2027-01-15T08:00:00Z", "by": "iam", "reason": "a test" });
        assert_eq!((&document["revocation"], &document["ended"]), (&revocation, &json!(["mbk_live_Ab3C…"])));
        let text = announcement.text();
        let order = r#"'{"name":"Ann'\''s","owner":{"type":"user","id":"42"},"environment":"live","scopes":["read"],"ip_allowlist":["10.0.0.0/8"],"limits":[{"requests":5,"per":"minute"}]}'"#;
        for part in [
            "  Revoked       2027-01-15T08:00:00Z, by iam\n",
            "  Reason        a test\n",
            "  Ended         mbk_live_Ab3C…\n",
            order,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_key_that_is_not_revoked_has_no_revocation() {
        let record = sample::record();
        assert_eq!(Revoked::of(&Key { about: sample::about(&record, NOW), record }), None);
    }
}
