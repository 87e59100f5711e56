//! Records for unit tests.

use std::collections::BTreeMap;

use crate::{
    id::KeyId,
    key::Environment,
    owner::{Owner, OwnerType},
    record::{Counters, Generation, Record, Revocation, Status},
    scope::Scope,
    store::about::{About, SecretNote},
    time::Timestamp,
};

/// An active key with the scope `read`, no limits and one secret that never expires.
pub(crate) fn record() -> Record {
    Record {
        id: KeyId::parse("key_0123456789abcdefghijkl").unwrap(),
        version: 1,
        status: Status::Active,
        environment: Environment::Live,
        name: "sample".to_owned(),
        owner: Owner::new(OwnerType::User, "42").unwrap(),
        scopes: vec![Scope::Read],
        networks: Vec::new(),
        limits: Vec::new(),
        shared_limits: false,
        generations: vec![Generation {
            number: 1,
            tag: "tag1".to_owned(),
            expires_at: None,
            replaced_at: None,
            grace_ends_at: None,
            until_first_use: false,
        }],
        swept: Timestamp::EPOCH,
        counters: Counters::default(),
        last_used_at: None,
        change: None,
        last_request: None,
    }
}

/// What is known of it, issued at `now`.
pub(crate) fn about(record: &Record, now: Timestamp) -> About {
    let note = SecretNote {
        hint: "mbk_live_Ab3C…".to_owned(),
        digests: BTreeMap::from([(1, "d".repeat(43))]),
        noted_at: now,
        created_at: now,
        created_by: "iam".to_owned(),
    };
    About {
        version: record.version,
        created_at: now,
        created_by: "iam".to_owned(),
        metadata: serde_json::Map::new(),
        plan: None,
        rotate_every_days: None,
        secrets: BTreeMap::from([(record.generations[0].tag.clone(), note)]),
        staged: BTreeMap::new(),
    }
}

/// A revocation at `at`.
pub(crate) fn revoked(at: Timestamp) -> Status {
    Status::Revoked(Revocation { at, by: "iam".to_owned(), reason: "a test".to_owned() })
}
