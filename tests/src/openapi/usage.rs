//! Usage, of a key and of all keys of an owner.

use serde_json::{Value, json};
use shared::{error::Code, usage::Granularity};

use super::{
    Described, Named,
    operation::Operation,
    parameters::{limit, query, shared},
    schema::{Object, about, boolean, list, named, nullable, one_of, text, whole},
    values::{day, next_cursor},
};

const TAG: &str = "Usage";

/// The days that are asked for.
fn days() -> [Value; 3] {
    [
        query("from", "The first UTC day; by default, thirty days are shown, or the last two months.", day()),
        query("to", "The last UTC day, by default today.", day()),
        query("granularity", "By day, or by calendar month.", {
            let mut schema = one_of(Granularity::ALL.map(Granularity::as_str));
            schema["default"] = json!(Granularity::Day.as_str());
            schema
        }),
    ]
}

pub(super) fn routes() -> Vec<Described> {
    vec![
        (
            "get",
            "/v1/keys/{id}/usage",
            Operation::admin(TAG, "getKeyUsage", "Show how often a key was used")
                .about("What was allowed is counted with each use, and exact. What was refused is counted from the audit, and approximate.")
                .takes([shared("KeyId")])
                .takes(days())
                .answers(200, "Uses by day or month.", "KeyUsage")
                .or_table(200, "key, day or month, and uses")
                .refuses([Code::InvalidField, Code::UnknownField, Code::NoSuchKey]),
        ),
        (
            "get",
            "/v1/owners/{type}/{id}/usage",
            Operation::admin(TAG, "getOwnerUsage", "Show how often each of an owner's keys was used")
                .about("Page by page. Before `complete_from`, keys are missing that have ended since. A table comes whole or not at all.")
                .takes([shared("OwnerType"), shared("OwnerId")])
                .takes(days())
                .takes([limit(insights::BILLED), shared("Cursor")])
                .answers(200, "Uses by key, and by day or month.", "OwnerUsage")
                .or_table(200, "key, name, day or month, and uses")
                .refuses([Code::InvalidField, Code::UnknownField, Code::InvalidCursor]),
        ),
    ]
}

/// How often requests were refused, by code.
fn refused() -> Value {
    json!({
        "type": "object",
        "description": "How often, by code.",
        "propertyNames": { "enum": Code::ALL.map(Code::as_str) },
        "additionalProperties": whole(1),
    })
}

/// Of a day or of a month.
fn periods(more: impl Fn(Object) -> Object) -> Value {
    let month = json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$", "examples": ["2026-11"] });
    let period = |name, schema| more(Object::new().with(name, schema).with("allowed", whole(0))).open();
    list(json!({ "oneOf": [period("day", day()), period("month", month)] }))
}

pub(super) fn schemas() -> Vec<Named> {
    let granularity = || one_of(Granularity::ALL.map(Granularity::as_str));
    let exact = Object::new().with("allowed", boolean()).with("refused", boolean()).open();
    let key = Object::new()
        .with("key", named("KeyId"))
        .with("from", day())
        .with("to", day())
        .with("granularity", granularity())
        .with("usage", periods(|period| period.with("refused", refused())))
        .with("total", Object::new().with("allowed", whole(0)).with("refused", refused()).open())
        .with("exact", exact)
        .with("refusals_cut_off", about(boolean(), "Whether there may be more refusals than were counted."));
    let of_owner = Object::new()
        .with("key", named("KeyId"))
        .with("name", text())
        .with("allowed", about(nullable(whole(0)), "`null` if it can't be told; the key is in `left_out` then."))
        .with("usage", periods(|period| period));
    let owner = Object::new()
        .with("from", day())
        .with("to", day())
        .with("complete_from", about(day(), "From this day on, no key is missing."))
        .with("granularity", granularity())
        .with("keys", list(of_owner.open()))
        .with("usage", about(periods(|period| period), "Of the keys on this page together."))
        .with("total", Object::new().with("allowed", whole(0)).open())
        .with("left_out", about(list(named("KeyId")), "Keys whose usage can't be told."))
        .with("next_cursor", next_cursor());
    vec![("KeyUsage", key.open()), ("OwnerUsage", owner.open())]
}
