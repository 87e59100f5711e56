//! What a key may ask about itself.

use serde_json::Value;
use shared::error::Code;

use super::{
    Described, Named,
    operation::{Access, Operation},
    schema::{Object, about, boolean, list, named, nullable, text, whole},
    values::moment,
};

pub(super) fn routes() -> Vec<Described> {
    vec![(
        "get",
        "/v1/self",
        Operation::new(Access::Holder, "Self", "getSelf", "Show the calling key")
            .about("What it is and what it has left. Every key may ask, and each request counts as a use.")
            .answers(200, "The key.", "OwnKey")
            // Where somebody has put another authorizer in front of it, or none.
            .refuses([Code::ScopeNotAllowed])
            // Between the authorizer's look at it and the function's, it may be removed.
            .refuses([Code::UnknownField, Code::NoSuchKey]),
    )]
}

pub(super) fn schemas() -> Vec<Named> {
    vec![("OwnKey", own_key())]
}

fn own_key() -> Value {
    let presented = Object::new()
        .about("The secret that was presented.")
        .with("generation", whole(1))
        .with("newest", boolean())
        .with("replaced_at", nullable(moment()))
        .with("ends_at", nullable(moment()));
    Object::new()
        .with("id", named("KeyId"))
        .with("name", text())
        .with("owner", named("Owner"))
        .with("environment", named("Environment"))
        .with("status", named("Status"))
        .with("scopes", list(named("Scope")))
        .with("ip_allowlist", list(named("Network")))
        .with("limits", named("LimitsLeft"))
        .with("owner_limits", about(nullable(named("LimitsLeft")), "What it shares with its owner's other keys, if it does."))
        .with("presented", presented.open())
        .open()
}
