//! Plans.

use serde_json::json;
use shared::{error::Code, input::MOST_ROTATE_DAYS};

use super::{
    Described, Named,
    operation::Operation,
    parameters::{limit, plan_name, shared},
    schema::{Object, between, list, named, nullable, whole},
    values::{moment, next_cursor, principal, rotate_every_days},
};

const TAG: &str = "Plans";

pub(super) fn routes() -> Vec<Described> {
    let plan = json!({ "scopes": ["read"], "limits": [{ "requests": 1000, "per": "day" }], "rotate_every_days": 90 });
    vec![
        (
            "get",
            "/v1/plans",
            Operation::admin(TAG, "listPlans", "List plans")
                .takes([limit(manage::PLANS), shared("Cursor")])
                .answers(200, "A page of plans, by name.", "Plans")
                .refuses([Code::InvalidField, Code::UnknownField, Code::InvalidCursor]),
        ),
        (
            "get",
            "/v1/plans/{name}",
            Operation::admin(TAG, "getPlan", "Show a plan")
                .takes([shared("PlanName")])
                .answers(200, "The plan.", "Plan")
                .refuses([Code::InvalidField, Code::NoSuchPlan]),
        ),
        (
            "put",
            "/v1/plans/{name}",
            Operation::admin(TAG, "putPlan", "Put a plan")
                .about("A plan is put whole. A key has its own copy of what its plan was when it was issued: changing a plan changes no key.")
                .takes([shared("PlanName")])
                .body("PlanPut", true, plan)
                .answers(200, "The plan, in the place of another.", "Plan")
                .answers(201, "The new plan.", "Plan")
                .refuses([Code::ChangedMeanwhile]),
        ),
    ]
}

pub(super) fn schemas() -> Vec<Named> {
    let put = Object::new()
        .with("scopes", named("Scopes"))
        .may("limits", named("Limits"))
        .may("rotate_every_days", rotate_every_days());
    let limit = Object::new().with("requests", whole(1)).with("per", named("Period"));
    let plan = Object::new()
        .with("scopes", list(named("Scope")))
        .with("limits", list(limit.open()))
        .with("rotate_every_days", nullable(between(1, MOST_ROTATE_DAYS)))
        .with("name", plan_name())
        .with("put_at", moment())
        .with("put_by", principal());
    vec![
        ("PlanPut", put.closed()),
        ("Plan", plan.open()),
        ("Plans", Object::new().with("plans", list(named("Plan"))).with("next_cursor", next_cursor()).open()),
    ]
}
