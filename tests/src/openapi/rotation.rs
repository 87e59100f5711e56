//! Rotation, by an administrator and by a key itself.

use rotate::LONGEST_GRACE;
use serde_json::{Value, json};
use shared::error::Code;

use super::{
    Described, Named,
    operation::{Access, Operation},
    parameters::shared,
    schema::{Object, about, between, boolean, named, nullable, whole},
    values::{expiry, moment, secret},
};

pub(super) fn routes() -> Vec<Described> {
    let codes = [
        Code::NoSuchKey,
        Code::KeyRevoked,
        Code::ChangedMeanwhile,
        Code::RotationInProgress,
        Code::SecretInUse,
        Code::PreconditionFailed,
        Code::IdempotencyKeyReused,
    ];
    let headers = || [shared("IfMatch"), shared("IdempotencyKey")];
    let example = json!({ "grace_seconds": 3600 });
    vec![
        (
            "post",
            "/v1/keys/{id}/rotate",
            Operation::admin("Keys", "rotateKey", "Give a key a new secret")
                .about("The old secret works on through its grace; id, limits and counts stay. The owner is told. If the answer is lost, rotate \
                        again: the secret that nobody has seen is replaced.")
                .takes([shared("KeyId")])
                .takes(headers())
                .body("Rotation", false, example.clone())
                .answers_key(200, "The key, with its new secret.", "KeyWithSecret")
                .refuses(codes),
        ),
        (
            "post",
            "/v1/self/rotate",
            Operation::new(Access::Rotator, "Self", "rotateSelf", "Give the calling key a new secret")
                .about("Needs the scope `self:rotate`, which nothing implies. The old secret works on through its grace, and the owner is told.")
                .takes(headers())
                .body("OwnRotation", false, example)
                .answers_key(200, "The new secret.", "OwnSecret")
                .refuses(codes),
        ),
    ]
}

fn rotation() -> Object {
    Object::new()
        .may(
            "grace_seconds",
            about(between(0, LONGEST_GRACE), "How long the old secret works on; by default as the stack says, which is a day."),
        )
        .may("until_first_use", about(boolean(), "Whether the first use of the new secret ends the old one."))
}

pub(super) fn schemas() -> Vec<Named> {
    let all = rotation()
        .may(
            "expires_at",
            expiry("When the new secret ends, in the future; `null`: never. Without it, when the old one was meant to."),
        )
        .may("force", about(boolean(), "Whether to end the oldest secret now, if two are in use."));
    vec![("Rotation", all.closed()), ("OwnRotation", rotation().closed()), ("OwnSecret", own_secret())]
}

fn own_secret() -> Value {
    let replaced = Object::new().with("generation", whole(1)).with("ends_at", nullable(moment())).open();
    Object::new()
        .with("id", named("KeyId"))
        .with("secret", secret())
        .with("generation", whole(1))
        .with("expires_at", nullable(moment()))
        .with("replaced", nullable(replaced))
        .open()
}
