//! The key that calls, as the service that it calls sees it: typed, and the same in process and behind API Gateway.

use lambda_http::{Request, RequestExt, request::RequestContext};
use serde_json::Value;

use crate::{
    decision::Route,
    id::KeyId,
    key::Environment,
    limit::{Limit, Period, Remaining},
    owner::Owner,
    path::NormalPath,
    scope::Scope,
};

/// An authenticated key: whose it is, what it may do, and what is left of its limits after this use.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyContext {
    /// Its id, which outlives every rotation.
    pub key: KeyId,
    /// What it is called. Chosen by people: escape it like any other text.
    pub name: String,
    /// Whom it belongs to.
    pub owner: Owner,
    /// Live or test.
    pub environment: Environment,
    /// What it may do. Those that this version doesn't know are left out: they grant nothing here.
    pub scopes: Vec<Scope>,
    /// Which of its secrets was presented.
    pub generation: u32,
    /// What is left of its own limits.
    pub limits: Vec<Remaining>,
    /// What is left of those that it shares with its owner's other keys.
    pub owner_limits: Vec<Remaining>,
}

impl KeyContext {
    /// Reads the fields of an authorizer's context, whose values API Gateway may have made texts of. None if they don't say
    /// which key it is and whose: then nothing is known of the caller.
    pub fn read<'a>(field: impl Fn(&str) -> Option<&'a Value>) -> Option<Self> {
        let text = |name: &str| field(name).and_then(Value::as_str);
        let number = |name: &str| field(name).and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
        let limits = |whose: &str| {
            let left = |period: Period| {
                let number = |what: &str| number(&format!("{whose}{what}_{}", period.as_str()));
                let limit = Limit { requests: number("limit")?, period };
                Some(Remaining { limit, remaining: number("remaining")?, reset_seconds: number("reset")? })
            };
            Period::ALL.into_iter().filter_map(left).collect()
        };
        Some(Self {
            key: KeyId::parse(text("keyId")?)?,
            name: text("name")?.to_owned(),
            owner: Owner::parse(text("owner")?)?,
            environment: Environment::parse(text("environment")?)?,
            scopes: text("scopes")?.split(',').filter_map(|scope| Scope::parse(scope).ok()).collect(),
            generation: u32::try_from(number("generation")?).ok()?,
            limits: limits(""),
            owner_limits: limits("owner_"),
        })
    }

    /// Of a request that API Gateway has handed to a Lambda function behind the authorizer. None without the authorizer.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let context = request.request_context_ref();
        let fields =
            context.as_ref().and_then(|context| RequestContext::authorizer(context)).map(|authorizer| &authorizer.fields)?;
        Self::read(|name| fields.get(name))
    }

    /// Whether it may call a route that asks for that, with `method` on the raw `path`. Asks nothing of its limits.
    #[must_use]
    pub fn permits(&self, route: &Route, method: &str, path: &str) -> bool {
        route.permits(&self.scopes, method, NormalPath::parse(path).as_ref())
    }
}
