//! What the keys of one owner share: each write of it is judged as those of keys are, and each refusal by it.

use tokio::time::Instant;

use super::{Key, Model, SKEW, must, writes::tidied};
use crate::{
    proxy::{Applied, Item},
    simulation::{
        job::{Errand, Held, Job},
        oracle::{self, number},
    },
};

impl Model {
    pub(super) fn shared_write(&mut self, applied: &Applied) -> Result<(), String> {
        let errand = self.errands.get(&applied.errand).cloned().ok_or("a write of nobody")?;
        let Some(after) = &applied.after else { return Err("nobody removes what is shared".to_owned()) };
        let none = Item::new();
        let before = applied.before.as_ref().unwrap_or(&none);
        let version = number(after, "version").unwrap_or(0);
        if number(before, "version") == Some(version) {
            self.shared_charge(&errand, before, after)?;
            self.shared_charges.insert(errand.id);
        } else {
            must!(matches!(errand.job, Job::Share(_)), "only putting it changes what is shared");
            must!(!errand.is_certain() || applied.at <= errand.ended, "a change took effect after it was answered");
            must!(number(before, "version").unwrap_or(0) + 1 == version, "versions grow by one");
            let counted = |name: &String| !["version", "schema", "limits", "put_at", "put_by", "change"].contains(&name.as_str());
            for name in before.keys().filter(|name| counted(name)) {
                must!(before.get(name) == after.get(name), "putting limits changed {name}");
            }
            self.commits.entry(errand.id).or_default().push((applied.at, version));
        }
        self.shared.push((applied.at, after.clone()));
        Ok(())
    }

    /// A use: of a moment at which no window was full, it is counted in exactly the windows of that moment.
    fn shared_charge(&self, errand: &Errand, before: &Item, after: &Item) -> Result<(), String> {
        must!(matches!(errand.job, Job::Use { .. }), "only uses count");
        must!(number(before, "swept") <= number(after, "swept"), "swept never falls");
        must!(before.get("last_request") != after.get("last_request"), "a try that followed its own copy was counted again");
        let (began, ended) = (self.time.seconds(errand.began), self.time.seconds(errand.ended));
        let fits = |now: u64| {
            let mut counters: Vec<_> = oracle::limits(before, now).into_iter().map(|(window, _)| window).collect();
            counters.push("total".to_owned());
            !oracle::full(before, now) && tidied(before, after, &counters).is_ok()
        };
        must!((began.saturating_sub(SKEW)..=ended + SKEW).any(fits), "beyond what is shared, or not as a use counts");
        Ok(())
    }

    /// Whether a key that would have been allowed shared a window that was full.
    pub(super) fn shared_was_full(
        &self,
        key: &Key,
        (held, method, address): (&Held, &str, &str),
        (from, errand): (Instant, &Errand),
    ) -> bool {
        let (began, ended) = (self.time.seconds(errand.began), self.time.seconds(errand.ended));
        let first = self.shared.iter().rposition(|(at, _)| *at <= from).unwrap_or(0);
        let states = || self.shared[first.min(self.shared.len())..].iter().filter(|(at, _)| *at <= errand.ended);
        let would_pass = |item: Option<&Item>, now: u64| {
            item.is_some_and(oracle::shares) && oracle::verdict(item, held, (method, address), now) == "allowed"
        };
        (began.saturating_sub(SKEW)..=ended + SKEW).any(|now| {
            states().any(|(_, shared)| oracle::full(shared, now))
                && key.between(from, errand.ended).any(|item| would_pass(item, now))
        })
    }
}
