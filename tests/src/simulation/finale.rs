//! The end of a simulation: the weather clears, what is on its way arrives, what broke off is repeated. Then all must be as if
//! nothing had ever gone wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;

use super::{
    World,
    job::{Change, End, Errand, Held, Job},
    model::must,
    oracle::{generations, number, text},
    schedule,
};
use crate::{
    Answer,
    proxy::{Item, Weather},
};

/// Longer than any call may take to arrive, or any fault to be felt.
const CLEARING: Duration = Duration::from_secs(60);

impl World {
    pub(super) async fn finish(&mut self) -> Result<(), String> {
        self.proxy.set(Weather::new(schedule::fair()));
        self.note(|| "the weather clears".to_owned());
        self.clearing = true;
        tokio::time::sleep(CLEARING).await;
        self.together(Vec::new()).await?;
        self.counted()?;
        let there = self.model.keys.iter().filter(|(_, key)| key.now().is_some() && !key.withdrawn);
        let ids: Vec<String> = there.map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.repeat(&id).await?;
            self.surely(Job::Show(id.clone())).await?;
            self.usable(&id).await?;
            self.whole(&id).map_err(|wrong| format!("{id}: {wrong}"))?;
            self.audited(&id).map_err(|wrong| format!("{id}: {wrong}"))?;
        }
        self.counted()
    }

    /// Does one job on a good day, which must come to an answer.
    async fn surely(&mut self, job: Job) -> Result<Errand, String> {
        let what = format!("{job:?}");
        let errands = self.together(vec![(job, Duration::ZERO, None)]).await?;
        let errand = errands.into_iter().next().ok_or("no sandbox")?;
        must!(errand.is_certain(), "no answer on a good day: {what}");
        Ok(errand)
    }

    /// Repeats the last change of each kind if nobody knows what became of it.
    async fn repeat(&mut self, id: &str) -> Result<(), String> {
        let mut last = BTreeMap::new();
        for errand in self.model.errands.values() {
            if let Job::Change(of, change, _) = &errand.job
                && of == id
            {
                last.insert(change.action(), errand.clone());
            }
        }
        let unknown = |errand: &Errand| !errand.is_certain() && matches!(&errand.job, Job::Change(of, ..) if of == id);
        let revoked = self.now(id).is_some_and(|item| text(item, "status") == "revoked");
        if revoked && self.model.errands.values().any(unknown) {
            // Nothing else can be repeated on it; without this, the daily job finds what is left.
            self.surely(Job::Change(id.to_owned(), Change::Revoke, None)).await?;
        }
        for errand in last.into_values().filter(|errand| !errand.is_certain()) {
            self.tally.count("repeated changes");
            let job = match errand.job {
                // What was meant to expire then may have, meanwhile.
                Job::Change(id, Change::Update(_), _) => Job::Change(id, Change::Update(json!({ "name": "repeated" })), None),
                Job::Change(id, Change::Rotate(_), _) => Job::Change(id, Change::Rotate(json!({ "expires_at": null })), None),
                Job::Change(id, change, _) => Job::Change(id, change, None),
                job => job,
            };
            self.surely(job).await?;
        }
        Ok(())
    }

    /// An administrator can rotate every key that isn't revoked, and what it is answered with works.
    async fn usable(&mut self, id: &str) -> Result<(), String> {
        let body = json!({ "force": true, "expires_at": null });
        let rotated = self.surely(Job::Change(id.to_owned(), Change::Rotate(body), None)).await?;
        let End::Reply { status, body } = &rotated.end else { return Err("no reply".to_owned()) };
        let revoked = self.now(id).is_some_and(|item| text(item, "status") == "revoked");
        if revoked {
            must!(*status == 409, "a revoked key was rotated");
            for held in self.held(id) {
                let refused = self.surely(Job::Use { held, method: "GET", address: "203.0.113.7" }).await?;
                must!(matches!(refused.end, End::Verdict { answer: Answer::Unauthorized, .. }), "a revoked key works");
            }
            return Ok(());
        }
        must!(*status == 200, "a key could not be rotated: {body}");
        let enabled = self.surely(Job::Change(id.to_owned(), Change::Enable, None)).await?;
        must!(enabled.is_done(), "a key could not be enabled");
        let held = self.held(id).pop().ok_or("no secret")?;
        // Of two sandboxes, one may have refused it a moment ago.
        tokio::time::sleep(Duration::from_secs(6)).await;
        self.surely(Job::Use { held, method: "GET", address: "203.0.113.7" }).await?;
        Ok(())
    }

    fn held(&self, id: &str) -> Vec<Held> {
        self.model.held.iter().filter(|held| held.key.as_deref() == Some(id)).cloned().collect()
    }

    fn now(&self, id: &str) -> Option<&Item> {
        self.model.keys.get(id).and_then(super::model::Key::now)
    }

    /// Promise 9, for each request and for each key.
    fn counted(&self) -> Result<(), String> {
        for errand in self.model.errands.values() {
            let charges = self.model.charges.get(&errand.id).map_or(0, Vec::len) as u64;
            if let End::Verdict { answer, uncertain, .. } = &errand.end {
                let allowed = u64::from(*answer == Answer::Allowed);
                must!((allowed..=allowed + uncertain).contains(&charges), "counted {charges} times: {errand:?}");
            }
            let commits = self.model.commits.get(&errand.id).map_or(0, Vec::len);
            // Disabling always wins: when its answer is lost and somebody enables the key, it strikes once more before it answers.
            let persistent = matches!(errand.job, Job::Change(_, Change::Disable, _));
            must!(commits <= 1 || persistent, "in force {commits} times: {errand:?}");
        }
        Ok(())
    }

    /// All that is stored of a key fits together, and to what was answered.
    fn whole(&self, id: &str) -> Result<(), String> {
        let Some(hot) = self.now(id) else { return Ok(()) };
        let key = &self.model.keys[id];
        let stored = self.proxy.scan(&self.table("KeysTable"));
        let about = stored.iter().find(|item| text(item, "pk") == id && text(item, "sk") == "about").ok_or("no about item")?;
        must!(number(about, "version") == number(hot, "version"), "the about item stayed behind");
        must!(text(about, "name") == text(hot, "name"), "the about item has another name");
        must!(text(about, "env_status") == format!("live#{}", text(hot, "status")), "the about item has another status");
        must!(number(about, "ttl") == number(hot, "ttl"), "the about item ends at another time");
        let notes = about["secrets"]["M"].as_object().ok_or("no secrets")?;
        let revoked = text(hot, "status") == "revoked";
        let live = generations(hot);
        for generation in &live {
            must!(notes.contains_key(&generation.tag), "nothing is known of generation {}", generation.number);
            let answered = key.answered.contains(&generation.tag) || generation.grace.is_some() || revoked;
            must!(answered, "generation {} was never answered nor replaced", generation.number);
            let aliases: Vec<_> =
                stored.iter().filter(|item| text(item, "key") == id && text(item, "tag") == generation.tag).collect();
            let over = generation.grace.is_some() || revoked;
            must!(over || !aliases.is_empty(), "no alias of generation {}", generation.number);
            let peppers: BTreeSet<_> = aliases.iter().map(|alias| number(alias, "pepper")).collect();
            must!(peppers.len() == aliases.len(), "two aliases of generation {} under one pepper", generation.number);
            must!(aliases.iter().all(|alias| alias.contains_key("ttl") == over), "an alias ends, or doesn't, and shouldn't");
        }
        let orphans = stored.iter().filter(|item| text(item, "key") == id && text(item, "sk") == "alias");
        let orphans = orphans.filter(|item| !live.iter().any(|generation| generation.tag == text(item, "tag")));
        for orphan in orphans {
            must!(
                orphan.contains_key("ttl"),
                "the alias of a secret that isn't the key's stays for ever: {}",
                text(orphan, "tag")
            );
        }
        self.days(id, hot)
    }

    /// Every use is in exactly one day: in its attribute, or folded into history.
    fn days(&self, id: &str, hot: &Item) -> Result<(), String> {
        let is_day =
            |name: &String| name.len() == 9 && name.starts_with('d') && name[1..].bytes().all(|byte| byte.is_ascii_digit());
        let mut days: BTreeMap<String, u64> =
            hot.keys().filter(|name| is_day(name)).map(|name| (name[1..].to_owned(), number(hot, name).unwrap_or(0))).collect();
        for item in self.proxy.scan(&self.table("UsageTable")) {
            if text(&item, "pk") == id {
                days.entry(text(&item, "sk").to_owned()).or_insert(number(&item, "count").unwrap_or(0));
            }
        }
        let (total, sum) = (number(hot, "total").unwrap_or(0), days.values().sum::<u64>());
        must!(total == sum || self.model.usage_removed, "{total} uses, but {sum} in {days:?}");
        Ok(())
    }

    /// Every change has its intent, every answered one its outcome; what has none is what nobody got an answer to.
    fn audited(&self, id: &str) -> Result<(), String> {
        let records = self.proxy.scan(&self.table("AuditTable"));
        let of = |action: &str, suffix: &str| {
            let of_key = records.iter().filter(|item| text(item, "key") == id && text(item, "action") == action);
            of_key.filter(|item| text(item, "sk").ends_with(suffix)).map(|item| text(item, "outcome")).collect::<Vec<_>>()
        };
        let issued = |errand: &Errand| matches!(&errand.end, End::Reply { status: 201, body } if body["id"] == id);
        let answered = self.model.errands.values().any(issued);
        must!(of("issue", "#intent").len() == 1, "no intent of issuing it");
        let outcomes = of("issue", "#outcome");
        must!(outcomes == ["done"] || (!answered && outcomes.is_empty()), "issuing it was not audited: {outcomes:?}");
        let actions: BTreeSet<&str> = ["update", "rotate", "disable", "enable", "revoke"].into();
        for action in actions {
            let errands: Vec<&Errand> = self
                .model
                .errands
                .values()
                .filter(|errand| matches!(&errand.job, Job::Change(of, change, _) if of == id && change.action() == action))
                .collect();
            let committed = errands.iter().filter(|errand| self.model.commits.contains_key(&errand.id)).count();
            let done = errands.iter().filter(|errand| errand.is_done()).count();
            let unknown = errands.iter().filter(|errand| !errand.is_certain()).count();
            let (intents, outcomes) = (of(action, "#intent").len(), of(action, "#outcome"));
            let finished = outcomes.iter().filter(|outcome| **outcome == "done").count();
            must!((done..=done + unknown).contains(&finished), "{action}: {done} answered as done, {finished} audited as done");
            must!(intents >= committed, "{action}: {committed} in force, {intents} intents");
            must!(
                intents >= outcomes.len() && intents <= outcomes.len() + unknown,
                "{action}: {intents} intents, {} outcomes, {unknown} unknown",
                outcomes.len()
            );
        }
        Ok(())
    }

    pub(super) fn table(&self, logical_id: &str) -> String {
        self.template
            .tables
            .iter()
            .find(|table| table.logical_id == logical_id)
            .map(|table| table.name.clone())
            .unwrap_or_default()
    }
}
