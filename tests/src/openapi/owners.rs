//! What belongs to all keys of an owner: the limits that they share, and their end.

use serde_json::json;
use shared::error::Code;

use super::{
    Described, Named,
    operation::Operation,
    parameters::{limit, shared},
    schema::{Object, about, list, named, text, whole},
    values::{moment, next_cursor, principal},
};

const TAG: &str = "Owners";

pub(super) fn routes() -> Vec<Described> {
    let of_owner = |id, summary| {
        Operation::admin(TAG, id, summary).takes([shared("OwnerType"), shared("OwnerId")]).refuses([Code::InvalidField])
    };
    vec![
        (
            "get",
            "/v1/owners/{type}/{id}/limits",
            of_owner("getOwnerLimits", "Show the limits that an owner's keys share")
                .answers(200, "The limits, and what is left of them.", "SharedLimits")
                .refuses([Code::NoSuchLimits]),
        ),
        (
            "put",
            "/v1/owners/{type}/{id}/limits",
            of_owner("putOwnerLimits", "Let an owner's keys share limits")
                .about("Those keys with `shared_limits` count against them, beside their own. They are put whole; an empty list is no limit.")
                .body("SharedLimitsPut", true, json!({ "limits": [{ "requests": 10_000, "per": "day" }] }))
                .answers(200, "The limits, in the place of others.", "SharedLimits")
                .answers(201, "The limits, the first of this owner.", "SharedLimits")
                .refuses([Code::ChangedMeanwhile]),
        ),
        (
            "post",
            "/v1/owners/{type}/{id}/revoke",
            of_owner("revokeOwnerKeys", "Revoke all keys of an owner")
                .about("Page by page, and for good. A page stops after some seconds: follow `next_cursor` to the end, and begin again until \
                        `revoked` is empty on every page.")
                .takes([limit(manage::REVOKED), shared("Cursor")])
                .body("Revoking", true, json!({ "reason": "left the company" }))
                .answers(200, "What became of the keys of this page.", "RevokedKeys")
                .refuses([Code::InvalidCursor]),
        ),
    ]
}

pub(super) fn schemas() -> Vec<Named> {
    let limits = Object::new()
        .with("owner", named("Owner"))
        .with("version", whole(1))
        .with("limits", named("LimitsLeft"))
        .with("put_at", moment())
        .with("put_by", principal());
    let revoked = Object::new()
        .with("revoked", list(named("KeyId")))
        .with("already_revoked", list(named("KeyId")))
        .with("failed", about(list(text()), "What couldn't be revoked and has to be looked at."))
        .with("next_cursor", next_cursor());
    vec![
        ("SharedLimitsPut", Object::new().with("limits", named("Limits")).closed()),
        ("SharedLimits", limits.open()),
        ("RevokedKeys", revoked.open()),
    ]
}
