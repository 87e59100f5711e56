//! The model: every state that every key was ever in, and what that allows functions to do and to answer.
//!
//! Nothing is guessed: the proxy tells which write of whom was applied when. So each write is judged by the state that it met,
//! and each answer by the states that were in force while it was made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::{limit::Window, time::Timestamp};
use tokio::time::{Duration, Instant};

use super::{
    clock::TrueTime,
    job::{Change, End, Errand, Held, Job},
    oracle::{self, generations, number, text},
    sandbox,
};
use crate::{
    Answer,
    proxy::{Applied, Item, Journal},
};

/// How far two clocks may be apart from the truth, in seconds, rounded up.
const SKEW: u64 = 3;

/// How old a refusal's reason may be: a second by the instance's clock, which may step back by four meanwhile.
const STALE: Duration = Duration::from_secs(6);

/// How long a fault may go on to be felt by the same instance: a failed fetch of the peppers is remembered for 2 s by a
/// clock that may step.
const FELT: Duration = Duration::from_secs(10);

/// What is known.
pub struct Model {
    pub(super) time: TrueTime,
    retention: u64,
    /// Every key, by id.
    pub keys: BTreeMap<String, Key>,
    /// Every secret that reached a caller.
    pub held: Vec<Held>,
    /// Every errand that has ended.
    pub errands: BTreeMap<u64, Errand>,
    pub(super) charges: BTreeMap<u64, Vec<Instant>>,
    pub(super) commits: BTreeMap<u64, Vec<(Instant, u64)>>,
    sandboxes: BTreeMap<u64, usize>,
    struck: BTreeMap<usize, Instant>,
    struck_errands: BTreeSet<u64>,
    /// Whether DynamoDB has removed any closed day.
    pub usage_removed: bool,
}

/// A key's hot item through time.
#[derive(Default)]
pub struct Key {
    states: Vec<(Instant, Option<Item>)>,
    /// The tags of secrets that a function has answered with.
    pub answered: BTreeSet<String>,
    /// The metadata that each version came with, if it came with any.
    metadata: BTreeMap<u64, Value>,
}

impl Key {
    /// The item as it is.
    #[must_use]
    pub fn now(&self) -> Option<&Item> {
        self.states.last().and_then(|(_, item)| item.as_ref())
    }

    /// The states that were in force at some time between the two.
    fn between(&self, from: Instant, to: Instant) -> impl Iterator<Item = Option<&Item>> {
        let first = self.states.iter().rposition(|(at, _)| *at <= from).unwrap_or(0);
        self.states[first..].iter().filter(move |(at, _)| *at <= to).map(|(_, item)| item.as_ref())
    }

    /// DynamoDB has removed it after its end.
    pub fn removed(&mut self, at: Instant) {
        self.states.push((at, None));
    }
}

macro_rules! must {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}
pub(super) use must;

impl Model {
    /// Of a system without keys. Ended items are kept for `retention` seconds.
    #[must_use]
    pub const fn new(time: TrueTime, retention: u64) -> Self {
        Self {
            time,
            retention,
            keys: BTreeMap::new(),
            held: Vec::new(),
            errands: BTreeMap::new(),
            charges: BTreeMap::new(),
            commits: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            struck: BTreeMap::new(),
            struck_errands: BTreeSet::new(),
            usage_removed: false,
        }
    }

    /// What is done under that number is done by that sandbox.
    pub fn assign(&mut self, errand: u64, sandbox: usize) {
        self.sandboxes.insert(errand, sandbox);
    }

    /// Compares what has happened with what may happen.
    ///
    /// # Errors
    /// What should not have happened.
    pub fn step(&mut self, errands: Vec<Errand>, journal: Journal) -> Result<(), String> {
        for errand in &errands {
            self.errands.insert(errand.id, errand.clone());
        }
        for (errand, _) in journal.struck {
            self.struck_errands.insert(errand);
            if let Some(sandbox) = self.sandboxes.get(&errand) {
                self.struck.insert(*sandbox, Instant::now());
            }
        }
        for applied in &journal.applied {
            let errand = self.errands.get(&applied.errand).cloned();
            let what = |wrong| format!("{wrong}\n  by {errand:?}\n  before {:?}\n  after {:?}", applied.before, applied.after);
            self.write(applied).map_err(what)?;
        }
        for errand in &errands {
            self.answer(errand).map_err(|wrong| format!("{wrong}\n  {errand:?}"))?;
        }
        Ok(())
    }

    fn write(&mut self, applied: &Applied) -> Result<(), String> {
        let Applied { place, before, after, .. } = applied;
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
        let verdict = oracle::verdict(Some(before), held, (method, address), now);
        must!(verdict == "allowed", "{verdict}, but it was counted");
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

    fn answer(&mut self, errand: &Errand) -> Result<(), String> {
        match &errand.end {
            End::Killed => Ok(()),
            End::Verdict { answer, outcome, .. } => {
                must!(sandbox::agrees(answer, outcome), "the answer and its line disagree");
                self.verdict(errand, answer, outcome)
            }
            End::Reply { status: 500.., .. } => self.excused(errand),
            End::Reply { status, body } => self.reply(errand, *status, body),
        }
    }

    fn verdict(&self, errand: &Errand, answer: &Answer, outcome: &str) -> Result<(), String> {
        let Job::Use { held, method, address } = &errand.job else { return Err("not asked to decide".to_owned()) };
        let counted = self.charges.get(&errand.id).is_some_and(|times| times.iter().any(|at| *at <= errand.ended));
        match answer {
            Answer::Fault => return self.excused(errand),
            Answer::Allowed => {
                must!(counted, "allowed, but not counted");
                return Ok(());
            }
            _ => {}
        }
        let Some(key) = held.key.as_ref().and_then(|id| self.keys.get(id)) else {
            must!(outcome == "unknown_key", "it was never issued");
            return Ok(());
        };
        let (began, ended) = (self.time.seconds(errand.began), self.time.seconds(errand.ended));
        let possible = |item: Option<&Item>| {
            (began.saturating_sub(SKEW)..=ended + SKEW).any(|now| oracle::verdict(item, held, (method, address), now) == outcome)
        };
        let from = errand.began.checked_sub(STALE).unwrap_or(errand.began);
        must!(key.between(from, errand.ended).any(possible), "{outcome}, but it should be {:?}", {
            let item = key.now();
            oracle::verdict(item, held, (method, address), ended)
        });
        Ok(())
    }

    fn reply(&mut self, errand: &Errand, status: u64, body: &Value) -> Result<(), String> {
        let commits = self.commits.get(&errand.id).cloned().unwrap_or_default();
        let code = body["code"].as_str().unwrap_or_default();
        let removed =
            |id: &String| self.keys.get(id).is_none_or(|key| key.between(errand.began, errand.ended).any(|item| item.is_none()));
        match &errand.job {
            Job::List => must!(status == 200, "lists answer"),
            Job::Show(id) if status == 404 => must!(removed(id), "known keys are shown"),
            Job::Show(id) => {
                must!(status == 200, "known keys are shown");
                self.shown(id, body)?;
            }
            Job::Issue(_) => {
                must!(status == 201 && commits.len() == 1, "an issued key is there");
                let id = body["id"].as_str().unwrap_or_default().to_owned();
                self.hand_out(&id, 1, body)?;
            }
            Job::Change(id, change, if_match) => {
                if status != 200 {
                    // Disabled with a lost answer and revoked by somebody else before the next try: the refusal is true as well.
                    let outdone = *change == Change::Disable && code == "key_revoked";
                    must!(commits.is_empty() || outdone, "refused, but in force");
                    let possible = match (change, code) {
                        (_, "no_such_key") => removed(id),
                        (Change::Revoke, _) => false,
                        (Change::Update(_) | Change::Enable | Change::Rotate(_), "precondition_failed") => {
                            self.had_other_version(id, errand, *if_match)
                        }
                        (_, "key_revoked") => self.was(id, errand, "revoked"),
                        (Change::Disable, _) => false,
                        (Change::Rotate(_), "invalid_field") => body["field"] == json!("expires_at"),
                        (Change::Rotate(_), "rotation_in_progress" | "changed_meanwhile") => true,
                        (Change::Update(_) | Change::Enable, "changed_meanwhile") => true,
                        _ => false,
                    };
                    must!(possible, "no reason to refuse");
                    return Ok(());
                }
                match change {
                    Change::Revoke => must!(self.was(id, errand, "revoked"), "answered, but not revoked"),
                    Change::Disable => must!(self.was(id, errand, "disabled"), "answered, but not disabled"),
                    Change::Enable => must!(self.was(id, errand, "active"), "answered, but not active"),
                    Change::Update(_) | Change::Rotate(_) => {}
                }
                if matches!(change, Change::Update(_) | Change::Enable | Change::Rotate(_)) {
                    must!(commits.len() == 1, "in force {} times", commits.len());
                    must!(body["version"] == json!(commits[0].1), "another version was answered than committed");
                }
                self.shown(id, body)?;
                if matches!(change, Change::Rotate(_)) {
                    self.hand_out(id, commits[0].1, body)?;
                }
            }
            Job::Use { .. } => return Err("not a management function's".to_owned()),
        }
        Ok(())
    }

    /// A version is never shown with older metadata than it came with. With newer it may be, when the change that brings them is
    /// made in this moment: its caller has then named a version that is over.
    fn shown(&self, id: &str, body: &Value) -> Result<(), String> {
        let Some(version) = body["version"].as_u64() else { return Err("no version".to_owned()) };
        let metadata = self.keys.get(id).map(|key| &key.metadata);
        let (own, none) = (metadata.and_then(|all| all.range(..=version).next_back()), json!({}));
        let own = own.map_or(&none, |(_, metadata)| metadata);
        let newer = metadata.into_iter().flat_map(|all| all.range(version + 1..)).any(|(_, newer)| *newer == body["metadata"]);
        must!(newer || body["metadata"] == *own, "version {version} came with {own}");
        Ok(())
    }

    /// Whether the key had another version than the one that was named while the errand ran.
    fn had_other_version(&self, id: &str, errand: &Errand, named: Option<u64>) -> bool {
        let states = self.keys.get(id).map(|key| key.between(errand.began, errand.ended));
        named.is_some() && states.into_iter().flatten().flatten().any(|item| number(item, "version") != named)
    }

    fn hand_out(&mut self, id: &str, version: u64, body: &Value) -> Result<(), String> {
        let key = self.keys.get_mut(id).ok_or("answered with a key that isn't there")?;
        let made = key.states.iter().filter_map(|(_, item)| item.as_ref()).find(|item| number(item, "version") == Some(version));
        let newest = made.and_then(|item| generations(item).into_iter().max_by_key(|generation| generation.number));
        let newest = newest.ok_or("a key without a generation")?;
        key.answered.insert(newest.tag.clone());
        let secret = body["secret"].as_str().ok_or("no secret")?.to_owned();
        self.held.push(Held { secret, key: Some(id.to_owned()), number: newest.number, tag: newest.tag });
        Ok(())
    }

    /// Whether the key had that status at some time while the errand ran.
    fn was(&self, id: &str, errand: &Errand, status: &str) -> bool {
        let states = self.keys.get(id).map(|key| key.between(errand.began, errand.ended));
        states.into_iter().flatten().any(|item| item.is_none_or(|item| text(item, "status") == status))
    }

    /// Nobody is at fault without a fault.
    fn excused(&self, errand: &Errand) -> Result<(), String> {
        let recently = self.struck.get(&errand.sandbox).is_some_and(|at| *at + FELT >= errand.began);
        must!(recently || self.struck_errands.contains(&errand.id), "a fault of ours without a reason");
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
fn tidied(before: &Item, after: &Item, counters: &[String]) -> Result<(), String> {
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
                must!(!counters.is_empty() || before.get(name) == after.get(name), "no use, but {name}")
            }
            _ => must!(
                before.get(name) == after.get(name) || (!after.contains_key(name) && ended(name)),
                "{name} was changed by a use"
            ),
        }
    }
    Ok(())
}
