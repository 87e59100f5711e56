//! Each answer is judged by the states that were in force while it was made.

use serde_json::{Value, json};

use super::{FELT, Key, Model, SKEW, STALE, must};
use crate::{
    Answer,
    proxy::Item,
    simulation::{
        job::{Change, End, Errand, Held, Job},
        oracle::{self, generations, number, text},
        sandbox,
    },
};

impl Model {
    pub(super) fn answer(&mut self, errand: &Errand) -> Result<(), String> {
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
        let known = held.key.as_ref().and_then(|id| self.keys.get(id)).filter(|_| !self.forgotten.contains(&held.tag));
        let Some(key) = known else {
            must!(outcome == "unknown_key" || self.forgotten.contains(&held.tag), "it was never issued");
            return Ok(());
        };
        let (began, ended) = (self.time.seconds(errand.began), self.time.seconds(errand.ended));
        let possible = |item: Option<&Item>| {
            (began.saturating_sub(SKEW)..=ended + SKEW).any(|now| oracle::verdict(item, held, (method, address), now) == outcome)
        };
        // Revoked is final: who knows it once needs no other look, not even when DynamoDB has removed the key.
        if outcome == "revoked_key" && key.was_revoked(errand.ended) {
            return Ok(());
        }
        let from = errand.began.checked_sub(STALE).unwrap_or(errand.began);
        if outcome == "rate_limited" && self.shared_was_full(key, (held, method, address), (from, errand)) {
            return Ok(());
        }
        must!(key.between(from, errand.ended).any(possible), "{outcome}, but it should be {:?}", {
            let item = key.now();
            oracle::verdict(item, held, (method, address), ended)
        });
        Ok(())
    }

    fn reply(&mut self, errand: &Errand, status: u64, body: &Value) -> Result<(), String> {
        let commits = self.commits.get(&errand.id).cloned().unwrap_or_default();
        let code = body["code"].as_str().unwrap_or_default();
        let removed = |id: &String| {
            let gone = |key: &Key| key.withdrawn || key.between(errand.began, errand.ended).any(|item| item.is_none());
            self.keys.get(id).is_none_or(gone)
        };
        match &errand.job {
            Job::List => must!(status == 200, "lists answer"),
            Job::Show(id) if status == 404 => must!(removed(id), "known keys are shown"),
            Job::Show(id) => {
                must!(status == 200, "known keys are shown");
                self.shown(id, body)?;
            }
            Job::Share(_) => {
                let done = matches!(status, 200 | 201) && commits.len() == 1;
                must!(done || (code == "changed_meanwhile" && commits.is_empty()), "what is shared can be put");
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
}
