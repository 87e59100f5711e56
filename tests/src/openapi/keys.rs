//! Keys: issued, imported, shown, changed, switched off and on, and revoked.

use serde_json::{Value, json};
use shared::{
    error::Code,
    input::MOST_ROTATE_DAYS,
    key::{FEWEST_IMPORTED, MOST_IMPORTED},
    record::Status,
};

use super::{
    Described, Named,
    operation::Operation,
    parameters::{self, limit, query, shared},
    schema::{Object, about, between, boolean, list, named, nullable, one_of, text, whole},
    values::{expiry, hint, metadata, moment, next_cursor, principal, rotate_every_days, secret, shared_limits},
};

const TAG: &str = "Keys";

/// The fewest characters of an accepted prefix.
const SHORTEST_PREFIX: usize = 3;

pub(super) fn routes() -> Vec<Described> {
    let order = json!({
        "name": "reports", "owner": { "type": "user", "id": "ann" }, "environment": "test", "scopes": ["read"],
        "limits": [{ "requests": 100, "per": "minute" }],
    });
    let import = json!({
        "secret": "acme_example-and-no-real-secret", "name": "moved", "owner": { "type": "user", "id": "ann" }, "environment": "live",
        "scopes": ["read"],
    });
    let change = |id, summary| Operation::admin(TAG, id, summary).takes([shared("KeyId")]).refuses([Code::NoSuchKey]);
    let versioned = [Code::KeyRevoked, Code::ChangedMeanwhile, Code::PreconditionFailed, Code::InvalidField];
    let repeated = [Code::IdempotencyKeyReused, Code::ChangedMeanwhile, Code::NoSuchKey];
    vec![
        (
            "post",
            "/v1/keys",
            Operation::admin(TAG, "issueKey", "Issue a key")
                .about("Makes a key and hands out its secret, once. What isn't sent is as the plan has it, and otherwise no restriction.")
                .takes([shared("IdempotencyKey")])
                .body("Order", true, order)
                .answers_key(201, "The key, with its secret.", "KeyWithSecret")
                .refuses([Code::PolicyTooLarge, Code::SecretInUse, Code::KeyRevoked])
                .refuses(repeated),
        ),
        (
            "get",
            "/v1/keys",
            Operation::admin(TAG, "listKeys", "List keys")
                .about("Newest first: those of an owner, or those of an environment by status. Send either `owner_type` and `owner_id`, or \
                        `environment` and perhaps `status`. The list follows changes within moments.")
                .takes([shared("OwnerTypeSought"), shared("OwnerIdSought"), shared("EnvironmentSought")])
                .takes([
                    query("status", "A status, together with `environment`; `active` without one.", one_of(Status::NAMES)),
                    limit(manage::LISTED),
                    shared("Cursor"),
                ])
                .answers(200, "A page of keys.", "Keys")
                .refuses([Code::InvalidField, Code::UnknownField, Code::InvalidCursor]),
        ),
        (
            "post",
            "/v1/keys/import",
            Operation::admin(TAG, "importKey", "Import a key")
                .about("Makes a key whose secret was made elsewhere, with a prefix that the stack's parameter `ImportPrefixes` accepts. \
                        The secret isn't shown again.")
                .takes([shared("IdempotencyKey")])
                .body("Import", true, import)
                .answers_key(201, "The key.", "Key")
                .refuses([Code::PolicyTooLarge, Code::SecretExists])
                .refuses(repeated),
        ),
        (
            "get",
            "/v1/keys/{id}",
            change("getKey", "Show a key")
                .about("With its counters, and with who still uses a secret that was replaced.")
                .answers_key(200, "The key.", "KeyInUse"),
        ),
        (
            "patch",
            "/v1/keys/{id}",
            change("updateKey", "Change a key")
                .about("What is sent is changed, everything else stays. `expires_at` is that of the newest secret.")
                .takes([shared("IfMatch")])
                .body("Update", false, json!({ "name": "reports of the north", "rotate_every_days": 90 }))
                .answers_key(200, "The key as it is now.", "Key")
                .refuses([Code::PolicyTooLarge])
                .refuses(versioned),
        ),
        (
            "post",
            "/v1/keys/{id}/disable",
            change("disableKey", "Switch a key off")
                .about("From the answer on, every request with it is refused, until it is enabled.")
                .body("Nothing", false, json!({}))
                .answers_key(200, "The disabled key.", "Key")
                .refuses([Code::KeyRevoked]),
        ),
        (
            "post",
            "/v1/keys/{id}/enable",
            change("enableKey", "Switch a key on again")
                .takes([shared("IfMatch")])
                .body("Nothing", false, json!({}))
                .answers_key(200, "The active key.", "Key")
                .refuses(versioned),
        ),
        (
            "post",
            "/v1/keys/{id}/revoke",
            change("revokeKey", "Revoke a key")
                .about("For good: from the answer on, every request with it is refused. Revoking twice is no error.")
                .body("Revoking", true, json!({ "reason": "no longer needed" }))
                .answers_key(200, "The revoked key.", "Key"),
        ),
    ]
}

pub(super) fn schemas() -> Vec<Named> {
    let mut order = order().closed();
    order["anyOf"] = json!([{ "required": ["scopes"] }, { "required": ["plan"] }]);
    let foreign = json!({
        "type": "string",
        "description": "With an accepted prefix, and at least 16 bytes after it.",
        "pattern": "^[!-~]+$",
        "minLength": SHORTEST_PREFIX + FEWEST_IMPORTED,
        "maxLength": MOST_IMPORTED,
        "examples": ["acme_example-and-no-real-secret"],
    });
    let mut import = self::order().with("secret", foreign).closed();
    import["anyOf"] = order["anyOf"].clone();
    let update = Object::new()
        .may("name", named("Name"))
        .may("scopes", named("Scopes"))
        .may("ip_allowlist", named("Networks"))
        .may("limits", named("Limits"))
        .may("shared_limits", shared_limits())
        .may("expires_at", expiry("When the newest secret ends, in the future; `null`: never."))
        .may("metadata", metadata())
        .may("rotate_every_days", rotate_every_days());
    vec![
        ("Order", order),
        ("Import", import),
        ("Update", update.closed()),
        ("Nothing", Object::new().about("No fields.").closed()),
        ("Revoking", Object::new().with("reason", named("Reason")).closed()),
        ("Key", key().open()),
        ("KeyWithSecret", key().with("secret", secret()).open()),
        ("KeyInUse", key().may("old_secret", named("OldSecret")).open()),
        ("Keys", Object::new().with("keys", list(named("KeySummary"))).with("next_cursor", next_cursor()).open()),
        ("KeySummary", summary()),
        ("Generation", generation()),
        ("Revocation", Object::new().with("at", moment()).with("by", principal()).with("reason", text()).open()),
        ("OldSecret", old_secret().about("How a replaced secret that still works was used since.").open()),
        (
            "User",
            Object::new()
                .about("An address, and what whoever is behind it says it is.")
                .with("source_ip", nullable(text()))
                .with("user_agent", text())
                .with("uses", whole(1))
                .with("last_used_at", moment())
                .open(),
        ),
    ]
}

fn order() -> Object {
    Object::new()
        .with("name", named("Name"))
        .with("owner", named("Owner"))
        .with("environment", named("Environment"))
        .may("scopes", named("Scopes"))
        .may("limits", named("Limits"))
        .may("shared_limits", shared_limits())
        .may("ip_allowlist", named("Networks"))
        .may("expires_at", expiry("When the secret ends, in the future; `null`: never."))
        .may("rotate_every_days", rotate_every_days())
        .may("metadata", metadata())
        .may("plan", about(parameters::plan_name(), "A plan, for what isn't sent."))
}

/// A key in full.
fn key() -> Object {
    Object::new()
        .with("id", named("KeyId"))
        .with("version", about(whole(0), "Grows with every change, never by use."))
        .with("name", text())
        .with("owner", named("Owner"))
        .with("environment", named("Environment"))
        .with("status", named("Status"))
        .with("scopes", list(named("Scope")))
        .with("ip_allowlist", list(named("Network")))
        .with("limits", named("LimitsLeft"))
        .with("shared_limits", boolean())
        .with("metadata", metadata())
        .with("rotate_every_days", nullable(between(1, MOST_ROTATE_DAYS)))
        .with("plan", about(nullable(text()), "The plan that it was issued with."))
        .with("created_at", moment())
        .with("created_by", principal())
        .with("expires_at", about(nullable(moment()), "When its last secret ends; `null`: never."))
        .with("last_used_at", nullable(moment()))
        .with("total_uses", whole(0))
        .with(
            "generations",
            about(list(named("Generation")), "Its secrets, oldest first: one, or two while a rotation's grace lasts."),
        )
        .may("revocation", named("Revocation"))
}

fn summary() -> Value {
    Object::new()
        .about("A key in a list. What is stored of it and can't be read is `null`.")
        .with("id", named("KeyId"))
        .with("name", text())
        .with("owner", nullable(named("Owner")))
        .with("environment", nullable(named("Environment")))
        .with("status", nullable(named("Status")))
        .with("hint", nullable(hint()))
        .with("created_at", moment())
        .with("expires_at", nullable(moment()))
        .open()
}

fn generation() -> Value {
    Object::new()
        .about("One secret of a key.")
        .with("number", whole(1))
        .with("hint", nullable(hint()))
        .with("created_at", nullable(moment()))
        .with("created_by", nullable(principal()))
        .with("expires_at", nullable(moment()))
        .with("replaced_at", nullable(moment()))
        .with("grace_ends_at", nullable(moment()))
        .with("until_first_use", about(boolean(), "Whether the first use of the newer secret ends it."))
        .with("live", boolean())
        .with("uses", whole(0))
        .open()
}

/// How a replaced secret is used.
pub(super) fn old_secret() -> Object {
    Object::new()
        .with("generation", whole(1))
        .with("uses", whole(0))
        .with("used_by", about(list(named("User")), "Most uses first; at most a hundred."))
        .with("complete", about(boolean(), "Whether every use is known of."))
}
