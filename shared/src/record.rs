//! A key as the hot item holds it: what every decision reads and every change writes, and its counters.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::{
    id::KeyId,
    key::Environment,
    limit::{self, Limit, Remaining, Window},
    owner::Owner,
    scope::Scope,
    time::Timestamp,
};

/// The version of the stored form that this code writes, unless the next one is needed.
pub const SCHEMA: u64 = 1;

/// The version of the form of keys that share limits, and the newest that this code reads. Code that doesn't know of them refuses
/// such a key as a fault of ours, and doesn't let it pass without its shared limits.
pub const SHARING_SCHEMA: u64 = 2;

/// Characters of a generation's tag. Tags of another length are damage, so it can't be changed for those that are stored.
pub const TAG_LENGTH: usize = 6;

/// The highest number of a generation: no key is rotated that often.
pub const MOST_GENERATIONS: u32 = 1_000_000_000;

/// Whether a key works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Active,
    /// Not for now.
    Disabled,
    /// Never again.
    Revoked(Revocation),
}

impl Status {
    /// What they are called.
    pub const NAMES: [&'static str; 3] = ["active", "disabled", "revoked"];

    /// `active`, `disabled` or `revoked`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked(_) => "revoked",
        }
    }
}

/// When, by whom and why a key was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// The principal that did it.
    pub by: String,
    /// The reason that it gave.
    pub reason: String,
}

/// One secret's place in a key's life. Numbers grow with every rotation and are never reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number; the first is 1.
    pub number: u32,
    /// Random text that its alias carries too. An alias that a broken-off rotation left behind has the number of the
    /// next attempt, but not its tag, and so never comes alive.
    pub tag: String,
    /// When it was meant to expire, from the day that it was issued; none: never.
    pub expires_at: Option<Timestamp>,
    /// When a rotation has replaced it, if one has: from then on its holder should use the newer one.
    pub replaced_at: Option<Timestamp>,
    /// When a rotation ends it, if one does.
    pub grace_ends_at: Option<Timestamp>,
    /// Whether the first use of its successor ends it as well.
    pub until_first_use: bool,
}

impl Generation {
    /// The moment from which it is refused: the earlier of its expiry and the end of its grace period.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        match (self.expires_at, self.grace_ends_at) {
            (Some(expiry), Some(grace)) => Some(expiry.min(grace)),
            (expiry, grace) => expiry.or(grace),
        }
    }

    /// Whether it has not ended by `now`, as far as time decides.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at().is_none_or(|end| now < end)
    }
}

/// What uses have counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Uses by window: of every limit, and of every day that isn't folded yet.
    pub windows: BTreeMap<Window, u64>,
    /// All uses ever.
    pub total: u64,
    /// Uses by generation, of those that the key still has.
    pub generations: BTreeMap<u32, u64>,
}

/// The hot item.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The key's id.
    pub id: KeyId,
    /// Grows by one with every change of what is below, down to `generations`; never by use.
    pub version: u64,
    /// Whether it works.
    pub status: Status,
    /// Live or test.
    pub environment: Environment,
    /// Its name, for backends and people.
    pub name: String,
    /// Whom it belongs to.
    pub owner: Owner,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; empty: anywhere.
    pub networks: Vec<IpNet>,
    /// How often it may be used; at most one a period.
    pub limits: Vec<Limit>,
    /// Whether its uses count against its owner's shared limits as well.
    pub shared_limits: bool,
    /// One or two secrets, oldest first. Ended ones stay until the next rotation drops them.
    pub generations: Vec<Generation>,
    /// The moment up to which ended windows may have been removed. Never falls.
    pub swept: Timestamp,
    /// What uses have counted.
    pub counters: Counters,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// The nonce of the last change but those of status alone; none on a key that was never changed otherwise.
    pub change: Option<String>,
    /// The nonce of the last use, by which a repeated write recognises itself.
    pub last_request: Option<String>,
}

impl Record {
    /// From when on nobody needs the alias of the secret of that tag, as far as is known at `now`; none: not yet.
    #[must_use]
    pub fn alias_ends_at(&self, tag: &str, now: Timestamp) -> Option<Timestamp> {
        if let Status::Revoked(revocation) = &self.status {
            return Some(revocation.at);
        }
        let generation = self.generations.iter().find(|generation| generation.tag == tag);
        generation.map_or(Some(now), |generation| generation.grace_ends_at)
    }

    /// The generation of that number, if the key has it.
    #[must_use]
    pub fn generation(&self, number: u32) -> Option<&Generation> {
        self.generations.iter().find(|generation| generation.number == number)
    }

    /// The highest generation number; every key has one.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.generations.iter().map(|generation| generation.number).max().unwrap_or(0)
    }

    /// Uses of `window` so far.
    #[must_use]
    pub fn count(&self, window: Window) -> u64 {
        self.counters.windows.get(&window).copied().unwrap_or(0)
    }

    /// Whether generation `number` was ever used.
    #[must_use]
    pub fn was_used(&self, number: u32) -> bool {
        self.counters.generations.contains_key(&number)
    }

    /// When the last of its generations ends; none if one never does.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let ends: Option<Vec<_>> = self.generations.iter().map(Generation::ends_at).collect();
        ends.and_then(|ends| ends.into_iter().max())
    }

    /// The end of its life, after which nothing of it is ever needed again but for looking back: its revocation, or the
    /// end of its last generation; none while it may live for ever.
    #[must_use]
    pub fn end_of_life(&self) -> Option<Timestamp> {
        match &self.status {
            Status::Revoked(revocation) => Some(revocation.at),
            Status::Active | Status::Disabled => self.expires_at(),
        }
    }

    /// What is left of each limit at `now`.
    #[must_use]
    pub fn remaining(&self, now: Timestamp) -> Vec<Remaining> {
        limit::remaining(&self.limits, |window| self.count(window), now)
    }
}
