//! The body of `POST /v1/keys`.

use ipnet::IpNet;
use serde_json::{Map, Value};
use shared::{
    error::Rejection,
    input::{self, Fields},
    key::Environment,
    limit::Limit,
    owner::Owner,
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
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) rotate_every_days: Option<u32>,
}

impl Order {
    /// Reads it: name, owner, environment and scopes are required; everything else has no restriction as its default.
    pub(crate) fn read(mut fields: Fields, now: Timestamp) -> Result<Self, Rejection> {
        let order = Self {
            name: fields.required("name", input::name)?,
            owner: fields.required("owner", input::owner)?,
            environment: fields.required("environment", |path, value| input::environment(path, value.as_str()))?,
            scopes: fields.required("scopes", input::scopes)?,
            networks: fields.optional("ip_allowlist", input::networks)?.unwrap_or_default(),
            limits: fields.optional("limits", input::limits)?.unwrap_or_default(),
            expires_at: fields.nullable("expires_at", |path, value| input::future(path, &value, now))?.flatten(),
            metadata: fields.optional("metadata", input::metadata)?.unwrap_or_default(),
            rotate_every_days: fields.nullable("rotate_every_days", input::rotate_every_days)?.flatten(),
        };
        fields.finish()?;
        Ok(order)
    }
}
