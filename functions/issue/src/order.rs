//! The body of `POST /v1/keys`, and what `POST /v1/keys/import` takes beside a secret.

use ipnet::IpNet;
use serde_json::{Map, Value};
use shared::{
    error::Rejection,
    input::{self, Fields},
    key::Environment,
    limit::Limit,
    owner::Owner,
    plan::{Plan, PlanName},
    scope::Scope,
    time::Timestamp,
};

/// What is ordered.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) name: String,
    pub(crate) owner: Owner,
    pub(crate) environment: Environment,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) networks: Vec<IpNet>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) shared_limits: bool,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) rotate_every_days: Option<u32>,
    pub(crate) plan: Option<PlanName>,
}

impl Order {
    /// Reads it, with the plan that it names. Name, owner and environment are required; so are scopes without a plan. What isn't
    /// sent is as the plan has it, and otherwise no restriction.
    pub(crate) fn read(mut fields: Fields, plan: Option<(PlanName, Plan)>, now: Timestamp) -> Result<Self, Rejection> {
        let (plan, planned) = plan.unzip();
        let name = fields.required("name", input::name)?;
        let owner = fields.required("owner", input::owner)?;
        let environment = fields.required("environment", |path, value| input::environment(path, value.as_str()))?;
        let scopes = match (fields.optional("scopes", input::scopes)?, &planned) {
            (Some(scopes), _) => scopes,
            (None, Some(plan)) => plan.scopes.clone(),
            (None, None) => return Err(Rejection::field("scopes", "is required, unless a plan is named")),
        };
        let limits = fields.optional("limits", input::limits)?;
        let rotate_every_days = fields.nullable("rotate_every_days", input::rotate_every_days)?;
        let order = Self {
            name,
            owner,
            environment,
            scopes,
            networks: fields.optional("ip_allowlist", input::networks)?.unwrap_or_default(),
            limits: limits.or_else(|| planned.as_ref().map(|plan| plan.limits.clone())).unwrap_or_default(),
            shared_limits: fields.optional("shared_limits", input::boolean)?.unwrap_or(false),
            expires_at: fields.nullable("expires_at", |path, value| input::future(path, &value, now))?.flatten(),
            metadata: fields.optional("metadata", input::metadata)?.unwrap_or_default(),
            rotate_every_days: rotate_every_days.unwrap_or_else(|| planned.and_then(|plan| plan.rotate_every_days)),
            plan,
        };
        fields.finish()?;
        Ok(order)
    }
}
