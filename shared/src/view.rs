//! Keys as the management API shows them. Nothing secret is in here: hints, and no digests or hashes.

use serde_json::{Map, Value, json};

use crate::{
    change::Key,
    decision::Refusal,
    key::Environment,
    limit::{Limit, Remaining},
    owner::Owner,
    plan::{Plan, PlanName},
    record::{Generation, Record, Status},
    scope::Scope,
    shared_limits::SharedLimits,
    store::list::Summary,
    time::Timestamp,
};

/// A key in full.
#[must_use]
pub fn key(key: &Key, now: Timestamp) -> Value {
    let Key { record, about } = key;
    let mut view = json!({
        "id": record.id,
        "version": record.version,
        "name": record.name,
        "owner": { "type": record.owner.kind.as_str(), "id": record.owner.id() },
        "environment": record.environment.as_str(),
        "status": record.status.as_str(),
        "scopes": scopes(&record.scopes),
        "ip_allowlist": record.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "limits": left(&record.remaining(now)),
        "shared_limits": record.shared_limits,
        "metadata": about.metadata,
        "rotate_every_days": about.rotate_every_days,
        "plan": about.plan.as_ref().map(PlanName::as_str),
        "created_at": about.created_at,
        "created_by": about.created_by,
        "expires_at": record.expires_at(),
        "last_used_at": record.last_used_at,
        "total_uses": record.counters.total,
        "generations": record.generations.iter().map(|generation| show_generation(key, generation, now)).collect::<Vec<_>>(),
    });
    if let (Status::Revoked(revocation), Some(view)) = (&record.status, view.as_object_mut()) {
        view.insert("revocation".to_owned(), json!({ "at": revocation.at, "by": revocation.by, "reason": revocation.reason }));
    }
    view
}

/// A key in full with the secret that this one answer hands out.
#[must_use]
pub fn key_with_secret(key: &Key, secret: &crate::key::Secret, now: Timestamp) -> Value {
    let mut view = self::key(key, now);
    if let Some(view) = view.as_object_mut() {
        view.insert("secret".to_owned(), json!(secret.expose()));
    }
    view
}

/// Scopes, as they are sent.
#[must_use]
pub fn scopes(scopes: &[Scope]) -> Value {
    scopes.iter().map(Scope::as_str).collect()
}

/// Limits, as they are sent.
#[must_use]
pub fn limits(limits: &[Limit]) -> Value {
    limits.iter().map(|limit| json!({ "requests": limit.requests, "per": limit.period.as_str() })).collect()
}

/// A plan.
#[must_use]
pub fn plan(name: &PlanName, plan: &Plan) -> Value {
    let (at, by) = &plan.put;
    let mut view = Value::Object(plan_policy(plan));
    view["name"] = json!(name.as_str());
    view["put_at"] = json!(at);
    view["put_by"] = json!(by);
    view
}

/// What a plan gives to keys.
#[must_use]
pub fn plan_policy(plan: &Plan) -> Map<String, Value> {
    Map::from_iter([
        ("scopes".to_owned(), scopes(&plan.scopes)),
        ("limits".to_owned(), limits(&plan.limits)),
        ("rotate_every_days".to_owned(), json!(plan.rotate_every_days)),
    ])
}

/// A key in a list.
#[must_use]
pub fn summary(summary: &Summary) -> Value {
    let (environment, status) = summary.env_status.split_once('#').unwrap_or_default();
    // One damaged item is no reason to list none, nor to say of it what nobody knows.
    let owner = Owner::parse(&summary.owner).map(|owner| json!({ "type": owner.kind.as_str(), "id": owner.id() }));
    json!({
        "id": summary.position.id,
        "name": summary.name,
        "owner": owner,
        "environment": Environment::parse(environment).map(Environment::as_str),
        "status": Status::NAMES.into_iter().find(|name| *name == status),
        "hint": summary.hint,
        "created_at": summary.position.created_at,
        "expires_at": summary.expires_at,
    })
}

/// What the keys of an owner share.
#[must_use]
pub fn shared_limits(limits: &SharedLimits, now: Timestamp) -> Value {
    let SharedLimits { owner, version, put: (at, by), .. } = limits;
    json!({
        "owner": { "type": owner.kind.as_str(), "id": owner.id() },
        "version": version,
        "limits": left(&limits.remaining(now)),
        "put_at": at,
        "put_by": by,
    })
}

/// A key as its holder sees it, who presents the secret of `generation`; `shared` is what it shares with its owner's other keys.
#[must_use]
pub fn own(record: &Record, generation: u32, shared: Option<&SharedLimits>, now: Timestamp) -> Value {
    let presented = record.generation(generation);
    json!({
        "id": record.id,
        "name": record.name,
        "owner": { "type": record.owner.kind.as_str(), "id": record.owner.id() },
        "environment": record.environment.as_str(),
        "status": record.status.as_str(),
        "scopes": scopes(&record.scopes),
        "ip_allowlist": record.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "limits": left(&record.remaining(now)),
        "owner_limits": shared.map(|limits| left(&limits.remaining(now))),
        "presented": {
            "generation": generation,
            "newest": generation == record.newest(),
            "replaced_at": presented.and_then(|generation| generation.replaced_at),
            "ends_at": presented.and_then(Generation::ends_at),
        },
    })
}

/// The secret that a key has given itself, for the one answer that hands it out.
#[must_use]
pub fn own_secret(record: &Record, secret: &crate::key::Secret) -> Value {
    let newest = record.generation(record.newest());
    let replaced = record.generations.iter().find(|generation| generation.number < record.newest());
    json!({
        "id": record.id,
        "secret": secret.expose(),
        "generation": record.newest(),
        "expires_at": newest.and_then(|generation| generation.expires_at),
        "replaced": replaced.map(|replaced| json!({ "generation": replaced.number, "ends_at": replaced.ends_at() })),
    })
}

fn left(remaining: &[Remaining]) -> Value {
    let left = |left: &Remaining| {
        json!({
            "requests": left.limit.requests,
            "per": left.limit.period.as_str(),
            "remaining": left.remaining,
            "resets_in_seconds": left.reset_seconds,
        })
    };
    remaining.iter().map(left).collect()
}

fn show_generation(key: &Key, generation: &Generation, now: Timestamp) -> Value {
    let note = key.about.note(generation);
    json!({
        "number": generation.number,
        "hint": note.map(|note| &note.hint),
        "created_at": note.map(|note| note.created_at),
        "created_by": note.map(|note| &note.created_by),
        "expires_at": generation.expires_at,
        "replaced_at": generation.replaced_at,
        "grace_ends_at": generation.grace_ends_at,
        "until_first_use": generation.until_first_use,
        "live": generation.is_live(now),
        "uses": key.record.counters.generations.get(&generation.number).copied().unwrap_or(0),
    })
}

/// The sentence for a refusal.
#[must_use]
pub fn detail(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unknown => "There is no such key.".to_owned(),
        Refusal::Revoked => "The key is revoked. Ask its issuer for a new one.".to_owned(),
        Refusal::Disabled => "The key is disabled. Ask its issuer to enable it.".to_owned(),
        Refusal::Expired => "The key has expired. Ask its issuer for a new one.".to_owned(),
        Refusal::Replaced => "The key was rotated and this secret has ended. Use the new one.".to_owned(),
        Refusal::Address => "The key may not be used from this address.".to_owned(),
        Refusal::Scope => "The key's scopes do not allow this request.".to_owned(),
        Refusal::Limited { limit, shared, retry_after_seconds } => {
            format!(
                "The limit of {} requests per {}{} is reached. Try again in {retry_after_seconds} s.",
                limit.requests,
                limit.period.as_str(),
                if *shared { " that the owner's keys share" } else { "" },
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Limit, Period};

    /// API Gateway inserts them into JSON as they are.
    #[test]
    fn details_hold_nothing_that_json_would_escape() {
        let limit = Limit { requests: 5, period: Period::Minute };
        let refusals = [
            Refusal::Unknown,
            Refusal::Revoked,
            Refusal::Disabled,
            Refusal::Expired,
            Refusal::Replaced,
            Refusal::Address,
            Refusal::Scope,
            Refusal::Limited { limit, shared: false, retry_after_seconds: 60 },
            Refusal::Limited { limit, shared: true, retry_after_seconds: 60 },
        ];
        for refusal in refusals {
            let detail = detail(&refusal);
            assert_eq!(json!(detail).to_string(), format!("\"{detail}\""));
        }
    }
}
