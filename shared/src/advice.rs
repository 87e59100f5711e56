//! Advice on a key, from how it was used: what it could do without.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;

use crate::{
    audit::attempt::ALLOWED,
    path::NormalPath,
    record::{Generation, Record},
    scope::Scope,
    store::attempts::Copied,
    time::{DAY, Timestamp},
};

/// The most networks of an allowlist that is proposed: one that nobody could read is no advice.
const MOST_NETWORKS: usize = 10;

/// How many days without a use make a key worth a question.
const IDLE_DAYS: u64 = 30;

/// What could be done about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Nothing needed these scopes.
    UnusedScopes(Vec<String>),
    /// All uses came from these networks, and others are allowed.
    Allowlist(Vec<IpNet>),
    /// Nobody has used it for so many whole days.
    Idle(u64),
    /// A secret that was replaced is still used.
    OldSecret(OldSecret),
}

/// How a secret is used that was replaced and hasn't ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldSecret {
    /// Its generation.
    pub generation: u32,
    /// How often since then, by address.
    pub uses: BTreeMap<String, u64>,
    /// When last, in milliseconds since the epoch.
    pub last_used_millis: u64,
}

/// Advice on `record` at `now`, from the attempts that are known of: whoever shows it says which. `created_at` is when the key
/// was issued.
#[must_use]
pub fn advice(record: &Record, attempts: &[Copied], created_at: Timestamp, now: Timestamp) -> Vec<Advice> {
    let uses: Vec<&Copied> = attempts.iter().filter(|attempt| attempt.outcome == ALLOWED).collect();
    let mut advice = Vec::new();
    if !uses.is_empty() {
        let unused = unused_scopes(record, &uses);
        advice.extend((!unused.is_empty()).then_some(Advice::UnusedScopes(unused)));
        advice.extend(allowlist(&uses).filter(|networks| narrower(networks, &record.networks)).map(Advice::Allowlist));
    }
    let idle = record.last_used_at.unwrap_or(created_at).until(now) / DAY;
    advice.extend((idle >= IDLE_DAYS).then_some(Advice::Idle(idle)));
    advice.extend(old_secret(record, attempts, now).map(Advice::OldSecret));
    advice
}

/// Scopes that no use needed: without them, another scope would have allowed all the same.
fn unused_scopes(record: &Record, uses: &[&Copied]) -> Vec<String> {
    let needed =
        |scope: &Scope| uses.iter().any(|attempt| scope.allows(&attempt.method, NormalPath::parse(&attempt.path).as_ref()));
    // What lets a key manage others, or itself, isn't told by an API's paths.
    let judged = record.scopes.iter().filter(|scope| !matches!(scope, Scope::Admin | Scope::SelfRotate));
    judged.filter(|scope| !needed(scope)).map(|scope| scope.as_str().to_owned()).collect()
}

/// The fewest networks, a handful at most, that cover the addresses of all uses and little more.
fn allowlist(uses: &[&Copied]) -> Option<Vec<IpNet>> {
    let addresses: Option<BTreeSet<IpAddr>> = uses.iter().map(|attempt| attempt.source_ip.as_deref()?.parse().ok()).collect();
    let addresses = addresses?;
    // Single addresses if they are few; else the networks that providers give to one customer.
    for (v4, v6) in [(32, 128), (28, 64), (24, 56), (20, 48)] {
        let network = |address: &IpAddr| IpNet::new(*address, if address.is_ipv4() { v4 } else { v6 }).map(|net| net.trunc());
        let networks: Vec<IpNet> = addresses.iter().filter_map(|address| network(address).ok()).collect();
        let networks = IpNet::aggregate(&networks);
        if networks.len() <= MOST_NETWORKS {
            return Some(networks);
        }
    }
    None
}

/// Whether `proposed` leaves out anything that `allowed` takes; no network at all allows every address.
fn narrower(proposed: &[IpNet], allowed: &[IpNet]) -> bool {
    allowed.is_empty() || allowed.iter().any(|allowed| !proposed.iter().any(|proposed| proposed.contains(allowed)))
}

/// How the older secret of `record` is used, if it is, as far as `attempts` tell.
#[must_use]
pub fn old_secret(record: &Record, attempts: &[Copied], now: Timestamp) -> Option<OldSecret> {
    let old = replaced(record, now)?;
    // What it did before it was replaced is no news.
    let since = old.replaced_at.unwrap_or(Timestamp::EPOCH).secs() * 1000;
    let is_news =
        |attempt: &&Copied| attempt.outcome == ALLOWED && attempt.generation == Some(old.number) && attempt.at_millis >= since;
    let mut found = OldSecret { generation: old.number, uses: BTreeMap::new(), last_used_millis: 0 };
    for attempt in attempts.iter().filter(is_news) {
        *found.uses.entry(attempt.source_ip.clone().unwrap_or_default()).or_default() += 1;
        found.last_used_millis = found.last_used_millis.max(attempt.at_millis);
    }
    (!found.uses.is_empty()).then_some(found)
}

/// The secret of `record` that was replaced and still works, if there is one.
#[must_use]
pub fn replaced(record: &Record, now: Timestamp) -> Option<&Generation> {
    record.generations.iter().find(|generation| generation.number < record.newest() && generation.is_live(now))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sample;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn used(method: &str, path: &str, address: &str, generation: u32) -> Copied {
        Copied {
            id: Uuid::nil(),
            at_millis: NOW.secs() * 1000,
            outcome: ALLOWED.to_owned(),
            generation: Some(generation),
            hint: None,
            method: method.to_owned(),
            path: path.to_owned(),
            source_ip: Some(address.to_owned()),
            user_agent: String::new(),
            request_id: String::new(),
            duration_ms: None,
        }
    }

    fn record() -> Record {
        let scopes = ["read", "write", "GET /reports/{id}", "admin"].map(|text| Scope::parse(text).unwrap()).into();
        Record { scopes, last_used_at: Some(NOW), ..sample::record() }
    }

    #[test]
    fn scopes_that_nothing_needed_are_named() {
        let uses = [used("GET", "/reports/7", "203.0.113.7", 1)];
        assert_eq!(advice(&record(), &uses, NOW, NOW)[0], Advice::UnusedScopes(vec!["write".to_owned()]));
        assert_eq!(advice(&record(), &[], NOW, NOW), [], "no use says nothing");
    }

    #[test]
    fn an_allowlist_covers_all_uses_and_is_proposed_only_if_it_is_narrower() {
        let proposed = |addresses: &[String], networks: &[&str]| {
            let mut record = record();
            record.networks = networks.iter().map(|network| network.parse().unwrap()).collect();
            let uses: Vec<_> = addresses.iter().map(|address| used("POST", "/x", address, 1)).collect();
            let networks: Option<Vec<String>> = advice(&record, &uses, NOW, NOW).into_iter().find_map(|advice| match advice {
                Advice::Allowlist(networks) => Some(networks.iter().map(ToString::to_string).collect()),
                _ => None,
            });
            networks
        };
        let few = ["203.0.113.7", "203.0.113.7", "2001:db8::1"].map(ToOwned::to_owned);
        assert_eq!(proposed(&few, &[]).unwrap(), ["203.0.113.7/32", "2001:db8::1/128"]);
        assert_eq!(proposed(&few, &["203.0.113.7/32", "2001:db8::1/128"]), None);
        assert_eq!(proposed(&few, &["203.0.113.0/24", "2001:db8::/32"]).unwrap().len(), 2);
        let office: Vec<_> = (0..200).step_by(3).map(|n| format!("198.51.100.{n}")).collect();
        assert_eq!(proposed(&office, &[]).unwrap(), ["198.51.100.0/25", "198.51.100.128/26", "198.51.100.192/28"]);
        let everywhere: Vec<_> = (0..200).map(|n| format!("{n}.51.100.1")).collect();
        assert_eq!(proposed(&everywhere, &[]), None, "what covers the world is no advice");
    }

    #[test]
    fn an_idle_key_and_an_old_secret_are_noticed() {
        let mut record = record();
        record.last_used_at = Some(NOW.minus(40 * DAY));
        assert!(advice(&record, &[], NOW, NOW).contains(&Advice::Idle(40)));
        record.last_used_at = None;
        assert_eq!(advice(&record, &[], NOW.minus(DAY), NOW), [], "a young key needs time");
        record.last_used_at = Some(NOW);
        record.generations[0].replaced_at = Some(NOW.minus(5));
        record.generations[0].grace_ends_at = Some(NOW.plus(5));
        record.generations.push(Generation {
            number: 2,
            replaced_at: None,
            grace_ends_at: None,
            ..record.generations[0].clone()
        });
        let before = Copied { at_millis: (NOW.secs() - 9) * 1000, ..used("POST", "/x", "10.0.0.1", 1) };
        let uses = [
            used("POST", "/x", "203.0.113.7", 1),
            used("POST", "/x", "203.0.113.7", 1),
            used("POST", "/x", "10.0.0.2", 2),
            before,
        ];
        let uses_by_address = BTreeMap::from([("203.0.113.7".to_owned(), 2)]);
        let found = OldSecret { generation: 1, uses: uses_by_address, last_used_millis: NOW.secs() * 1000 };
        assert!(advice(&record, &uses, NOW, NOW).contains(&Advice::OldSecret(found)));
    }
}
