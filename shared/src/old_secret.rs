//! Who still uses a secret that was replaced, from where and how often.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    audit::copies::Copies,
    error::Fault,
    record::{Generation, Record, Status},
    store::{Store, attempts::Copied, budget::Budget},
    time::{self, Timestamp},
};

/// The most users that are named: those that use it most. An answer has an end, and nobody reads further.
const MOST_USERS: usize = 100;

/// How a secret is used that was replaced and hasn't ended: since then, for what it did before is no news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldSecret {
    /// Its generation.
    pub generation: u32,
    /// How often, as far as is known.
    pub uses: u64,
    /// By whom, most uses first; at most the hundred that use it most.
    pub used_by: Vec<User>,
    /// Whether every use is known of. If not, it may be in use although nobody is named.
    pub complete: bool,
}

/// Whoever is behind an address and says of itself to be one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The address.
    pub source_ip: Option<String>,
    /// What it says it is, perhaps cut short.
    pub user_agent: String,
    /// How often it has used the secret.
    pub uses: u64,
    /// When last, in milliseconds since the epoch.
    pub last_used_millis: u64,
}

impl OldSecret {
    /// How the older secret of `record` is used at `now`; none if it has no such secret that works. Reads at most what `budget`
    /// allows.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn find(
        store: &Store,
        record: &Record,
        copies: Copies,
        now: Timestamp,
        budget: &Budget,
    ) -> Result<Option<Self>, Fault> {
        let Some(old) = replaced(record, now) else { return Ok(None) };
        let since = old.replaced_at.unwrap_or(Timestamp::EPOCH).max(copies.kept_since(now));
        let (uses, all) = store.uses(&record.id, Some(old.number), since, now, budget).await?;
        let complete = all && old.replaced_at.is_some_and(|replaced_at| copies.have_uses(replaced_at, now));
        Ok(Some(Self::of(old.number, &uses, complete)))
    }

    /// Of its `uses`, and whether those are all.
    #[must_use]
    pub fn of(generation: u32, uses: &[Copied], complete: bool) -> Self {
        let mut users = BTreeMap::<_, (u64, u64)>::new();
        for attempt in uses {
            let (times, last) = users.entry((&attempt.source_ip, &attempt.user_agent)).or_default();
            *times += 1;
            *last = (*last).max(attempt.at_millis);
        }
        let user = |((source_ip, user_agent), (uses, last_used_millis)): ((&Option<String>, &String), _)| User {
            source_ip: source_ip.clone(),
            user_agent: user_agent.clone(),
            uses,
            last_used_millis,
        };
        let mut used_by: Vec<User> = users.into_iter().map(user).collect();
        let uses = used_by.iter().map(|user| user.uses).sum();
        used_by.sort_by_key(|user| std::cmp::Reverse((user.uses, user.last_used_millis)));
        used_by.truncate(MOST_USERS);
        Self { generation, uses, used_by, complete }
    }

    /// As answers show it.
    #[must_use]
    pub fn show(&self) -> Value {
        let used_by = self.used_by.iter().map(|user| {
            json!({
                "source_ip": user.source_ip,
                "user_agent": user.user_agent,
                "uses": user.uses,
                "last_used_at": time::rfc3339_millis(user.last_used_millis),
            })
        });
        json!({
            "generation": self.generation,
            "uses": self.uses,
            "used_by": used_by.collect::<Vec<_>>(),
            "complete": self.complete,
        })
    }
}

/// The secret of `record` that was replaced and still works, if there is one. None of a revoked key does.
fn replaced(record: &Record, now: Timestamp) -> Option<&Generation> {
    let older = |generation: &&Generation| generation.number < record.newest() && generation.is_live(now);
    record.generations.iter().find(older).filter(|_| !matches!(record.status, Status::Revoked(_)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{audit::attempt::ALLOWED, sample};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn used(address: &str, user_agent: &str, at_millis: u64) -> Copied {
        Copied {
            id: Uuid::nil(),
            at_millis,
            outcome: ALLOWED.to_owned(),
            generation: Some(1),
            hint: None,
            method: "GET".to_owned(),
            path: "/x".to_owned(),
            source_ip: Some(address.to_owned()),
            user_agent: user_agent.to_owned(),
            request_id: String::new(),
            duration_ms: None,
        }
    }

    #[test]
    fn users_are_told_apart_by_address_and_by_what_they_say_they_are() {
        let uses =
            [used("10.0.0.1", "curl", 1), used("10.0.0.1", "cron", 5), used("10.0.0.2", "curl", 3), used("10.0.0.1", "curl", 2)];
        let old = OldSecret::of(1, &uses, true);
        let told: Vec<_> = old.used_by.iter().map(|user| (user.user_agent.as_str(), user.uses, user.last_used_millis)).collect();
        assert_eq!((old.uses, told), (4, vec![("curl", 2, 2), ("cron", 1, 5), ("curl", 1, 3)]));
        let crowd: Vec<_> = (0..250).map(|n| used("10.0.0.1", &format!("agent {n}"), n)).collect();
        let old = OldSecret::of(1, &crowd, true);
        assert_eq!((old.uses, old.used_by.len()), (250, MOST_USERS));
    }

    #[test]
    fn a_secret_is_old_once_it_was_replaced_and_until_it_ends() {
        let mut record = sample::record();
        record.generations.truncate(1);
        assert_eq!(replaced(&record, NOW), None);
        record.generations[0].grace_ends_at = Some(NOW.plus(5));
        let newer = Generation { number: record.newest() + 1, grace_ends_at: None, ..record.generations[0].clone() };
        record.generations.push(newer);
        assert_eq!(replaced(&record, NOW), Some(&record.generations[0]));
        assert_eq!(replaced(&record, NOW.plus(5)), None);
        record.status = sample::revoked(NOW);
        assert_eq!(replaced(&record, NOW), None);
    }
}
