//! Peppers: numbered, from one Secrets Manager secret, and never believed without their fingerprints.
//!
//! A pepper that isn't the one that secrets were issued with would make every key "unknown". So a set of peppers is used
//! only if it has all that the table has recorded; any other set is our own fault, and refuses nobody with a 401.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use serde_json::Value;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{
    error::Fault,
    key::{Digest, Pepper, Secret},
    store::{Store, fingerprints::Recorded},
    time::Timestamp,
};

/// How long a fetched set may answer "unknown", in seconds.
pub const FRESH_SECONDS: u64 = 300;

/// How long a failed fetch is remembered, in seconds: while Secrets Manager is down, a flood must not press on it.
pub const PAUSE_SECONDS: u64 = 2;

/// How long a new pepper is known before secrets depend on it, in seconds: twice as long as any instance's set stays fresh.
pub const SETTLING_SECONDS: u64 = 600;

/// The peppers of one moment.
#[derive(Clone, Debug)]
pub struct Peppers {
    issue_with: u32,
    by_number: BTreeMap<u32, Pepper>,
    recorded: BTreeMap<u32, Recorded>,
    fetched_at: Timestamp,
}

impl Peppers {
    /// Whether this set may still answer "unknown" at `now`. A clock that has stepped back makes it stale.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now >= self.fetched_at && self.fetched_at.until(now) < FRESH_SECONDS
    }

    /// The digests that `secret` may be stored under, with the numbers of their peppers: the current one's first.
    #[must_use]
    pub fn digests(&self, secret: &Secret) -> Vec<(u32, Digest)> {
        let current = self.by_number.get_key_value(&self.issue_with).into_iter();
        let others = self.by_number.iter().filter(|(number, _)| **number != self.issue_with);
        current.chain(others).map(|(number, pepper)| (*number, secret.digest(pepper))).collect()
    }

    /// The number of the pepper that secrets may depend on at `now`; none if it isn't recorded, and so may yet be lost unnoticed.
    #[must_use]
    pub fn dependable(&self, now: Timestamp) -> Option<u32> {
        Some(self.settled(now)).filter(|number| self.recorded.contains_key(number))
    }

    /// Whether `other` holds the same peppers in the same roles.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let fingerprints = |set: &Self| set.by_number.iter().map(|(n, pepper)| (*n, pepper.fingerprint())).collect::<Vec<_>>();
        self.issue_with == other.issue_with && fingerprints(self) == fingerprints(other)
    }

    /// The number of the pepper that a secret made at `now` depends on: `issue_with` once every instance knows it. The very first one
    /// needs no time; which one that was, clocks that differ can't tell, so it is the one beside which no other is recorded.
    fn settled(&self, now: Timestamp) -> u32 {
        let is_settled = |recorded: &Recorded| recorded.since.until(now) >= SETTLING_SECONDS;
        let others = || self.recorded.iter().filter(|(number, _)| **number != self.issue_with);
        if self.recorded.get(&self.issue_with).is_some_and(is_settled) {
            return self.issue_with;
        }
        let newest = others().filter(|(_, recorded)| is_settled(recorded)).max_by_key(|(_, recorded)| recorded.since);
        let former = newest.or_else(|| others().min_by_key(|(_, recorded)| recorded.since));
        former.map_or(self.issue_with, |(number, _)| *number)
    }
}

/// Reads the secret's JSON: `{"issue_with": "1", "1": "<64 characters>"}`.
///
/// # Errors
/// A [`Fault`] that says what is wrong and repeats nothing of it.
fn parse(json: &str) -> Result<(u32, BTreeMap<u32, Pepper>), Fault> {
    let invalid = |what: &str| Fault::new("pepper.invalid", format_args!("the pepper secret {what}"));
    let Ok(Value::Object(fields)) = serde_json::from_str(json) else {
        return Err(invalid("is not a JSON object"));
    };
    let fields: BTreeMap<String, Zeroizing<String>> = fields
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, Zeroizing::new(text))),
            _ => Err(invalid("holds something else than texts")),
        })
        .collect::<Result<_, _>>()?;
    let mut by_number = BTreeMap::new();
    for (name, value) in fields.iter().filter(|(name, _)| *name != "issue_with") {
        let number = name.parse().map_err(|_| invalid("has a field that is neither issue_with nor a number"))?;
        by_number.insert(number, Pepper::new(value).ok_or_else(|| invalid("has a pepper of fewer than 32 characters"))?);
    }
    let issue_with =
        fields.get("issue_with").and_then(|number| number.parse().ok()).ok_or_else(|| invalid("has no issue_with"))?;
    if !by_number.contains_key(&issue_with) {
        return Err(invalid("has no pepper of the number issue_with"));
    }
    Ok((issue_with, by_number))
}

/// Fails unless every recorded pepper is there and is the one that was recorded.
fn check(by_number: &BTreeMap<u32, Pepper>, recorded: &BTreeMap<u32, Recorded>) -> Result<(), Fault> {
    for (number, recorded) in recorded {
        let found = by_number.get(number).ok_or_else(|| {
            Fault::new(
                "pepper.missing",
                format_args!("pepper {number} is gone from the secret, but keys depend on it: restore it"),
            )
        })?;
        if found.fingerprint() != recorded.fingerprint {
            let what =
                format_args!("pepper {number} is not the one that keys were issued with: restore the secret's former version");
            return Err(Fault::new("pepper.changed", what));
        }
    }
    Ok(())
}

/// Where peppers come from, and the set that this instance has.
#[derive(Debug)]
pub struct PepperSource {
    client: aws_sdk_secretsmanager::Client,
    secret_id: String,
    store: Store,
    set: RwLock<Option<Arc<Peppers>>>,
    // Held across the fetch, so that a flood of requests fetches once. Holds when and why the last one failed.
    fetching: Mutex<Option<(Timestamp, Fault)>>,
}

impl PepperSource {
    /// The peppers of the secret `secret_id`, checked against what `store` has recorded.
    #[must_use]
    pub fn new(client: aws_sdk_secretsmanager::Client, secret_id: String, store: Store) -> Self {
        Self { client, secret_id, store, set: RwLock::new(None), fetching: Mutex::new(None) }
    }

    /// The set that this instance has, however old; fetched if it has none.
    ///
    /// # Errors
    /// A [`Fault`] if there is none to be had.
    pub async fn any(&self, now: Timestamp) -> Result<Arc<Peppers>, Fault> {
        self.get(now, |_| true).await
    }

    /// A set that may answer "unknown" at `now`.
    ///
    /// # Errors
    /// A [`Fault`] if there is none to be had; the older set remains for secrets that it proves.
    pub async fn fresh(&self, now: Timestamp) -> Result<Arc<Peppers>, Fault> {
        self.get(now, |set| set.is_fresh(now)).await
    }

    /// The digest to store a new secret's alias under, and the number of its pepper. The first secret to depend on a pepper records its fingerprint.
    ///
    /// # Errors
    /// A [`Fault`] if there are no peppers, or not the recorded ones.
    pub async fn issue(&self, secret: &Secret, now: Timestamp) -> Result<(u32, Digest), Fault> {
        let mut set = self.fresh(now).await?;
        if let Some(pepper) = set.by_number.get(&set.issue_with).filter(|_| !set.recorded.contains_key(&set.issue_with)) {
            let recorded = Recorded { fingerprint: pepper.fingerprint(), since: now };
            self.store.record_fingerprint(set.issue_with, &recorded).await?;
            // Read back what stands: another function may have recorded its own first.
            set = self.replace(now).await?;
        }
        let number = set.settled(now);
        set.by_number
            .get(&number)
            .map(|pepper| (number, secret.digest(pepper)))
            .ok_or_else(|| Fault::new("pepper.missing", format_args!("pepper {number}")))
    }

    async fn get(&self, now: Timestamp, good: impl Fn(&Peppers) -> bool) -> Result<Arc<Peppers>, Fault> {
        if let Some(set) = self.known().filter(|set| good(set)) {
            return Ok(set);
        }
        let mut failed = self.fetching.lock().await;
        if let Some(set) = self.known().filter(|set| good(set)) {
            return Ok(set);
        }
        if let Some((at, fault)) = failed.as_ref().filter(|(at, _)| now >= *at && at.until(now) < PAUSE_SECONDS) {
            return Err(Fault { detail: format!("{} (at {at})", fault.detail), ..fault.clone() });
        }
        let replaced = self.replace(now).await;
        *failed = replaced.as_ref().err().map(|fault| (now, fault.clone()));
        replaced
    }

    /// The set that this instance has, if it has one.
    #[must_use]
    pub fn known(&self) -> Option<Arc<Peppers>> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn replace(&self, now: Timestamp) -> Result<Arc<Peppers>, Fault> {
        let fetched = Arc::new(self.fetch(now).await?);
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fetched));
        Ok(fetched)
    }

    async fn fetch(&self, now: Timestamp) -> Result<Peppers, Fault> {
        let answer =
            self.client.get_secret_value().secret_id(&self.secret_id).send().await.map_err(|error| Fault::from_sdk(&error))?;
        let json = answer.secret_string.map(Zeroizing::new);
        let (issue_with, by_number) = parse(json.as_deref().map_or("", String::as_str))?;
        let recorded = self.store.fingerprints().await?;
        check(&by_number, &recorded)?;
        Ok(Peppers { issue_with, by_number, recorded, fetched_at: now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn json(issue_with: u32, numbers: &[u32]) -> String {
        let peppers: String = numbers.iter().map(|n| format!(r#", "{n}": "{}""#, n.to_string().repeat(64))).collect();
        format!(r#"{{"issue_with": "{issue_with}"{peppers}}}"#)
    }

    fn set(issue_with: u32, recorded: &[(u32, u64)]) -> Peppers {
        let (issue_with, by_number) = parse(&json(issue_with, &[1, 2])).unwrap();
        let recorded = recorded.iter().map(|(number, age)| {
            let fingerprint = by_number[number].fingerprint();
            (*number, Recorded { fingerprint, since: NOW.minus(*age) })
        });
        Peppers { issue_with, recorded: recorded.collect(), by_number, fetched_at: NOW }
    }

    #[test]
    fn the_template_generates_a_valid_set() {
        let (issue_with, peppers) = parse(&json(1, &[1])).unwrap();
        assert_eq!((issue_with, peppers.len()), (1, 1));
    }

    #[test]
    fn anything_else_is_our_fault_and_repeats_nothing() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"issue_with": "1"}"#,
            r#"{"issue_with": "1", "1": "sHoRt"}"#,
            r#"{"issue_with": 1}"#,
            &json(3, &[1, 2]),
        ] {
            let fault = parse(bad).unwrap_err();
            assert_eq!(fault.code, "pepper.invalid", "{bad}");
            assert!(!fault.detail.contains("sHoRt"));
        }
        let unnamed = format!(r#"{{"issue_with": "1", "1": "{0}", "old": "{0}"}}"#, "x".repeat(64));
        assert_eq!(parse(&unnamed).unwrap_err().code, "pepper.invalid");
    }

    #[test]
    fn a_changed_or_missing_pepper_is_never_believed() {
        let recorded = set(1, &[(1, 0), (2, 0)]).recorded;
        assert!(check(&set(2, &[]).by_number, &recorded).is_ok());
        let (_, without) = parse(&json(1, &[1])).unwrap();
        assert_eq!(check(&without, &recorded).unwrap_err().code, "pepper.missing");
        let (_, changed) = parse(&json(1, &[1, 2]).replace("2222", "3333")).unwrap();
        assert_eq!(check(&changed, &recorded).unwrap_err().code, "pepper.changed");
    }

    #[test]
    fn a_new_pepper_is_not_used_before_everybody_knows_it() {
        for (issue_with, recorded, expected) in [
            (1, vec![(1, 0)], 1),
            (2, vec![(1, 10_000), (2, 599)], 1),
            (2, vec![(1, 10_000), (2, 600)], 2),
            (2, vec![(1, 100), (2, 50)], 1),
            (2, vec![(1, 50), (2, 52)], 1), // the clock of whoever recorded the first one was ahead
            (2, vec![(2, 0)], 2),
            (1, vec![(1, 10_000), (2, 5_000)], 1),
        ] {
            assert_eq!(set(issue_with, &recorded).settled(NOW), expected, "{issue_with} {recorded:?}");
        }
    }

    #[test]
    fn freshness_ends_after_five_minutes_and_when_the_clock_steps_back() {
        let set = set(1, &[]);
        assert!(set.is_fresh(NOW) && set.is_fresh(NOW.plus(299)));
        assert!(!set.is_fresh(NOW.plus(300)) && !set.is_fresh(NOW.minus(1)));
    }
}
