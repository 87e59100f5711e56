//! What an authorizer may answer about a damaged item, if that isn't a fault of ours, and why.

use std::collections::BTreeSet;

use tests::Answer;

/// Which authorizer meets an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// One that has never seen the key, and reads all of it.
    Cold,
    /// One that has: it reads nothing, and writes on condition of what it knows.
    Warm,
}

/// What an authorizer may answer about a damaged item, if that isn't a fault of ours.
pub(super) struct Rule {
    item: &'static str,
    /// The attribute, and what was done to it: `limits` and `limits.minute: removed` begin both.
    damage: &'static str,
    sights: &'static [Sight],
    pub(super) answer: fn() -> Answer,
    /// Why no fault.
    pub(super) why: &'static str,
}

const BOTH: &[Sight] = &[Sight::Cold, Sight::Warm];
const COLD: &[Sight] = &[Sight::Cold];
const WARM: &[Sight] = &[Sight::Warm];

const fn harmless(item: &'static str, damage: &'static str, sights: &'static [Sight], why: &'static str) -> Rule {
    Rule { item, damage, sights, answer: || Answer::Allowed, why }
}

/// Everything else is our own fault.
const RULES: &[Rule] = &[
    harmless("about", "", BOTH, "no decision reads it"),
    harmless("alias", "", WARM, "the secret is proven, and stays so: whether it counts is the record's to say"),
    harmless("alias", "schema: removed", COLD, "from before there were numbers"),
    harmless("alias", "pepper: removed", COLD, "from before it was written down"),
    harmless("alias", "ttl", COLD, "only DynamoDB reads it"),
    harmless("fingerprints", "", WARM, "the peppers have been checked against it"),
    harmless("fingerprints", "schema: removed", COLD, "from before there were numbers"),
    harmless(
        "fingerprints",
        "p1: removed",
        COLD,
        "as before the first key: the alias under its pepper and bcrypt prove the secret",
    ),
    harmless("limits", "schema: removed", BOTH, "there is one form yet"),
    harmless("limits", "change", BOTH, "only whoever puts limits reads it"),
    harmless("limits", "put_by: nonsense", BOTH, "a name may be any text"),
    harmless("limits", "total: removed", WARM, "the use begins it anew; it is no limit"),
    harmless("limits", "last_request: nonsense", BOTH, "a nonce may be any text"),
    harmless("limits", "last_request: removed", BOTH, "of limits that nobody has used yet"),
    harmless("limits", "last_request", WARM, "the use writes it anew"),
    harmless("limits", "s1800000000: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("limits", "m30000000: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("limits", "h500000: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("limits", "d20270115: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("limits", "M202701: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("limits", "limits: emptied", BOTH, "keys that share nothing"),
    harmless("limits", "limits.second: removed", BOTH, "keys that don't share this limit"),
    harmless("limits", "limits.minute: removed", BOTH, "keys that don't share this limit"),
    harmless("limits", "limits.hour: removed", BOTH, "keys that don't share this limit"),
    harmless("limits", "limits.day: removed", BOTH, "keys that don't share this limit"),
    harmless("limits", "limits.month: removed", BOTH, "keys that don't share this limit"),
    harmless("key", "ttl", BOTH, "only DynamoDB reads it"),
    harmless("key", "name: nonsense", BOTH, "a name may be any text"),
    harmless("key", "change: nonsense", BOTH, "a nonce may be any text"),
    harmless("key", "change: removed", BOTH, "of a key that was never changed"),
    harmless("key", "last_request: nonsense", BOTH, "a nonce may be any text"),
    harmless("key", "last_request: removed", BOTH, "of a key that was never used"),
    harmless("key", "last_request", WARM, "the use writes it anew"),
    harmless("key", "last_used_at: removed", BOTH, "of a key that was never used"),
    harmless("key", "last_used_at", WARM, "the use writes it anew"),
    harmless("key", "total: removed", WARM, "the use begins it anew; it is no limit"),
    harmless("key", "s1800000000: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("key", "m30000000: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("key", "h500000: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("key", "d20270115: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("key", "M202701: removed", BOTH, "a window that nothing was counted in yet"),
    harmless("key", "g1: removed", BOTH, "of a secret that was never used"),
    harmless("key", "limits: emptied", BOTH, "a key without limits"),
    harmless("key", "limits.second: removed", BOTH, "a key without this limit"),
    harmless("key", "limits.minute: removed", BOTH, "a key without this limit"),
    harmless("key", "limits.hour: removed", BOTH, "a key without this limit"),
    harmless("key", "limits.day: removed", BOTH, "a key without this limit"),
    harmless("key", "limits.month: removed", BOTH, "a key without this limit"),
    harmless("key", "networks: emptied", BOTH, "a key that may be used from anywhere"),
    harmless("key", "networks.1: removed", BOTH, "a key that may be used from fewer networks, of which this is one"),
    harmless("key", "scopes.1: removed", BOTH, "a key with fewer scopes, of which one is enough"),
    harmless("key", "generations.0.expires: removed", BOTH, "a secret that never expires"),
    harmless("key", "generations.1.expires: removed", BOTH, "a secret that never expires"),
    harmless("key", "generations.0.replaced: removed", BOTH, "from before it was written down"),
    harmless("key", "generations.0.yields: removed", BOTH, "a secret that doesn't end with the first use of the next"),
    Rule {
        item: "key",
        damage: "generations.0: removed",
        sights: BOTH,
        answer: || Answer::Unauthorized,
        why: "a rotation has dropped this secret",
    },
    Rule {
        item: "key",
        damage: "networks.0: removed",
        sights: BOTH,
        answer: || Answer::Denied("address_not_allowed".to_owned()),
        why: "a key that may be used from other networks",
    },
    Rule {
        item: "key",
        damage: "scopes: emptied",
        sights: BOTH,
        answer: || Answer::Denied("scope_not_allowed".to_owned()),
        why: "a key without scopes",
    },
    Rule {
        item: "key",
        damage: "scopes.0: removed",
        sights: BOTH,
        answer: || Answer::Denied("scope_not_allowed".to_owned()),
        why: "a key with other scopes",
    },
];

/// The rules that such a damage falls under, with their numbers.
pub(super) fn rules<'a>(item: &'a str, damage: &'a str, sight: Sight) -> impl Iterator<Item = (usize, &'static Rule)> + 'a {
    let fits = move |rule: &Rule| {
        let rest = damage.strip_prefix(rule.damage);
        let ends = rest.is_some_and(|rest| rule.damage.is_empty() || rest.is_empty() || rest.starts_with([':', '.', ' ']));
        rule.item == item && rule.sights.contains(&sight) && ends
    };
    RULES.iter().enumerate().filter(move |(_, rule)| fits(rule))
}

/// Fails for a rule that no damage falls under: it would allow what nobody has thought of.
pub(super) fn every_rule_is_needed(kind: &str, needed: &BTreeSet<usize>) {
    for (index, rule) in RULES.iter().enumerate().filter(|(_, rule)| rule.item == kind) {
        assert!(needed.contains(&index), "nothing needs the rule of {kind}.{}", rule.damage);
    }
}
