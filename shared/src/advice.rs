//! Advice on a key, from how it was used: what it could do without.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use crate::{
    old_secret::OldSecret,
    path::NormalPath,
    record::Record,
    scope::Scope,
    store::{attempts::Copied, copies::is_cut},
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

/// The uses of a key that are known of.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// These.
    pub uses: &'a [Copied],
    /// Whether there were no others in the time that is looked at. If there were, nothing is said to be unused.
    pub complete: bool,
}

/// Advice on `record` at `now`, from the uses that were `seen`, of which whoever shows it says since when; and from how its `old`
/// secret is used, if it has one. `created_at` is when the key was issued. There is none on a key that has ended.
#[must_use]
pub fn advice(record: &Record, seen: Seen<'_>, old: Option<OldSecret>, created_at: Timestamp, now: Timestamp) -> Vec<Advice> {
    let mut advice = Vec::new();
    if record.end_of_life().is_some_and(|end| end <= now) {
        return advice;
    }
    if seen.complete && !seen.uses.is_empty() {
        let unused = unused_scopes(record, seen.uses);
        advice.extend((!unused.is_empty()).then_some(Advice::UnusedScopes(unused)));
        advice.extend(allowlist(seen.uses).filter(|networks| narrower(networks, &record.networks)).map(Advice::Allowlist));
    }
    let idle = record.last_used_at.unwrap_or(created_at).until(now) / DAY;
    advice.extend((idle >= IDLE_DAYS).then_some(Advice::Idle(idle)));
    advice.extend(old.filter(|old| old.uses > 0).map(Advice::OldSecret));
    advice
}

/// Scopes that no use needed: without them, another scope would have allowed all the same.
fn unused_scopes(record: &Record, uses: &[Copied]) -> Vec<String> {
    let needed =
        |scope: &Scope| uses.iter().any(|attempt| scope.allows(&attempt.method, NormalPath::parse(&attempt.path).as_ref()));
    // Of a path that is known in part, nobody can tell which endpoint it was.
    let paths_are_whole = !uses.iter().any(|attempt| is_cut(&attempt.path));
    let judged = record.scopes.iter().filter(|scope| match scope {
        // What lets a key manage others, or itself, isn't told by an API's paths.
        Scope::Admin | Scope::SelfRotate => false,
        Scope::Endpoint(_) => paths_are_whole,
        Scope::Read | Scope::Write | Scope::Delete => true,
    });
    judged.filter(|scope| !needed(scope)).map(|scope| scope.as_str().to_owned()).collect()
}

/// The fewest networks, a handful at most, that cover the addresses of all uses and little more.
fn allowlist(uses: &[Copied]) -> Option<Vec<IpNet>> {
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{audit::attempt::ALLOWED, sample};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn used(method: &str, path: &str, address: &str) -> Copied {
        Copied {
            id: Uuid::nil(),
            at_millis: NOW.secs() * 1000,
            outcome: ALLOWED.to_owned(),
            generation: Some(1),
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

    fn all(uses: &[Copied]) -> Seen<'_> {
        Seen { uses, complete: true }
    }

    #[test]
    fn scopes_that_nothing_needed_are_named() {
        let uses = [used("GET", "/reports/7", "203.0.113.7")];
        assert_eq!(advice(&record(), all(&uses), None, NOW, NOW)[0], Advice::UnusedScopes(vec!["write".to_owned()]));
        assert_eq!(advice(&record(), all(&[]), None, NOW, NOW), [], "no use says nothing");
        let seen = Seen { uses: &uses, complete: false };
        assert_eq!(advice(&record(), seen, None, NOW, NOW), [], "what wasn't seen may have needed them");
    }

    #[test]
    fn an_endpoint_is_not_called_unused_beside_a_path_that_is_known_in_part() {
        let scopes = |uses: &[Copied]| unused_scopes(&record(), uses);
        let long = format!("/{}…", "x".repeat(200));
        assert_eq!(scopes(&[used("GET", "/x", "203.0.113.7")]), ["write", "GET /reports/{id}"]);
        assert_eq!(scopes(&[used("GET", "/x", "203.0.113.7"), used("GET", &long, "203.0.113.7")]), ["write"]);
    }

    #[test]
    fn a_key_that_has_ended_gets_no_advice() {
        let idle = Record { last_used_at: Some(NOW.minus(40 * DAY)), ..record() };
        let uses = [used("GET", "/x", "203.0.113.7")];
        let of = |record: &Record| advice(record, all(&uses), None, NOW, NOW);
        assert!(of(&idle).contains(&Advice::Idle(40)) && of(&idle).len() == 3);
        assert_eq!(of(&Record { status: sample::revoked(NOW), ..idle.clone() }), []);
        let mut expired = idle;
        for generation in &mut expired.generations {
            generation.expires_at = Some(NOW);
        }
        assert_eq!(of(&expired), []);
    }

    #[test]
    fn an_allowlist_covers_all_uses_and_is_proposed_only_if_it_is_narrower() {
        let proposed = |addresses: &[String], networks: &[&str]| {
            let mut record = record();
            record.networks = networks.iter().map(|network| network.parse().unwrap()).collect();
            let uses: Vec<_> = addresses.iter().map(|address| used("POST", "/x", address)).collect();
            let networks: Option<Vec<String>> =
                advice(&record, all(&uses), None, NOW, NOW).into_iter().find_map(|advice| match advice {
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
        assert!(advice(&record, all(&[]), None, NOW, NOW).contains(&Advice::Idle(40)));
        record.last_used_at = None;
        assert_eq!(advice(&record, all(&[]), None, NOW.minus(DAY), NOW), [], "a young key needs time");
        record.last_used_at = Some(NOW);
        let old = |uses: &[Copied]| Some(OldSecret::of(1, uses, false));
        let seen = Seen { uses: &[], complete: false };
        let used = [used("POST", "/x", "203.0.113.7")];
        assert_eq!(advice(&record, seen, old(&used), NOW, NOW), [Advice::OldSecret(OldSecret::of(1, &used, false))]);
        assert_eq!(advice(&record, seen, old(&[]), NOW, NOW), []);
    }
}
