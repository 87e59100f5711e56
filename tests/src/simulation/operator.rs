//! The operator, who changes peppers as `docs/runbooks/pepper.md` says: adds one, and gives an old one up when no live secret
//! depends on it any more.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    World,
    model::Key,
    oracle::{generations, number, text},
};
use crate::{proxy::Item, runbook::forget_fingerprint};

/// How long a new pepper must have been known before an old one is given up, in seconds.
const SETTLED: u64 = 3600;

impl World {
    /// The next step of the runbook that can be taken, if one can.
    pub(super) async fn change_peppers(&mut self) {
        let mut peppers = self.peppers().await;
        let (current, others): (Vec<u64>, Vec<u64>) = {
            let issue_with = peppers["issue_with"].as_str().and_then(|number| number.parse().ok()).unwrap_or(0);
            let numbers = peppers.as_object().into_iter().flatten().filter_map(|(name, _)| name.parse::<u64>().ok());
            numbers.partition(|number| *number == issue_with)
        };
        let Some(current) = current.first().copied() else { return };
        if others.is_empty() {
            let next = current + 1;
            peppers[next.to_string()] = json!(pepper(&mut self.rng));
            peppers["issue_with"] = json!(next.to_string());
            self.note(|| format!("pepper {next} is added"));
            self.tally.count("peppers added");
        } else {
            let Some(lost) = self.depending(current) else { return };
            self.model.forgotten.extend(lost);
            for old in &others {
                forget_fingerprint(&self.proxy.engine().dynamodb(), &self.table("KeysTable"), *old).await;
                peppers.as_object_mut().into_iter().for_each(|peppers| drop(peppers.remove(&old.to_string())));
            }
            self.note(|| format!("peppers {others:?} are given up"));
            self.tally.count("peppers given up");
        }
        self.model.peppers_change = others.is_empty();
        let put = self.proxy.engine().secrets().put_secret_value().secret_id(self.secret_id());
        put.secret_string(peppers.to_string()).send().await.expect("an answer of the engine's");
    }

    async fn peppers(&self) -> Value {
        let get = self.proxy.engine().secrets().get_secret_value().secret_id(self.secret_id()).send().await;
        let secret = get.expect("an answer of the engine's").secret_string;
        serde_json::from_str(secret.as_deref().unwrap_or_default()).expect("JSON")
    }

    fn secret_id(&self) -> String {
        self.template.secrets[0].id.clone()
    }

    /// The tags of secrets that nobody can tell from unknown ones any more, once all peppers but `current` are given up: those that are
    /// over, and those that have not been used since it was added. None if it is too early, or there are any of the latter and the
    /// operator is not in a hurry.
    fn depending(&mut self, current: u64) -> Option<BTreeSet<String>> {
        let hurry = self.rng.u8(0..4) == 0;
        let stored = self.proxy.scan(&self.table("KeysTable"));
        let now = self.model.time.seconds(Instant::now());
        let recorded = stored.iter().find(|item| text(item, "sk") == "fingerprints")?;
        let since = recorded.get(&format!("p{current}"))?["M"]["since"]["N"].as_str()?.parse::<u64>().ok()?;
        if now < since + SETTLED {
            return None;
        }
        let aliases = || stored.iter().filter(|item| text(item, "sk") == "alias");
        let kept: BTreeSet<&str> =
            aliases().filter(|alias| number(alias, "pepper") == Some(current)).map(|alias| text(alias, "tag")).collect();
        let lost = || aliases().filter(|alias| !kept.contains(text(alias, "tag")));
        let needed = lost().any(|alias| self.is_needed(alias, now));
        (hurry || !needed).then(|| lost().map(|alias| text(alias, "tag").to_owned()).collect())
    }

    /// As the runbook's command tells: an alias that has no end or whose secret's grace goes on, of a secret that hasn't expired.
    fn is_needed(&self, alias: &Item, now: u64) -> bool {
        let over = number(alias, "ttl").is_some_and(|ttl| ttl <= now + self.model.retention);
        let key = self.model.keys.get(text(alias, "key")).and_then(Key::now);
        let generation = key.and_then(|item| generations(item).into_iter().find(|stored| stored.tag == text(alias, "tag")));
        !over && generation.is_some_and(|generation| generation.expires.is_none_or(|end| end > now))
    }
}

fn pepper(rng: &mut Rng) -> String {
    std::iter::repeat_with(|| rng.alphanumeric()).take(64).collect()
}
