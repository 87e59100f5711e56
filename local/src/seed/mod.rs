//! Keys that everybody knows, one for each outcome, so that recorded events have something to meet. Only for an engine in
//! memory on this machine: whoever has read this file has its admin key.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use shared::host::{Clock, Host};

use crate::functions::{FunctionError, Wiring};
use crate::output;
use crate::system::System;

mod spelled;

use spelled::Spelled;

/// The secret of the seeded admin key.
pub const ADMIN: &str = "mbk_live_admin1admin1admin1admin1admin1ad";

/// A day, in seconds.
const DAY_SECONDS: u64 = 86_400;

/// Why keys were not seeded.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A function can't be started.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// The template has no such function.
    #[error("the template has no function {0}, which seeding needs")]
    Missing(&'static str),
    /// A step went otherwise than it has to.
    #[error("seeding the key {name}: {what}")]
    Step {
        /// The key's name.
        name: &'static str,
        /// What came of it.
        what: String,
    },
}

/// A seeded key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededKey {
    /// Its id.
    pub id: String,
    /// Its first secret.
    pub secret: String,
}

/// The seeded keys, by their names.
pub type Seeded = BTreeMap<&'static str, SeededKey>;

/// Issues the keys, and does to each what its name says.
///
/// # Errors
/// [`SeedError`] that names the key.
pub async fn seed(system: &System) -> Result<Seeded, SeedError> {
    // Two keys are used before they are seen: that takes something to use them on.
    system.template.function("example").ok_or(SeedError::Missing("example"))?;
    let mut seeded = Seeded::new();
    for (name, order) in orders() {
        seeded.insert(name, issue(system, name, order).await?);
    }
    if seeded["admin"].secret != ADMIN {
        let what = "its secret is not the known one: the template's KeyPrefix is another, or keys are made in another way, and then \
                    seed::ADMIN and events/ have to be written anew";
        return Err(SeedError::Step { name: "admin", what: what.to_owned() });
    }
    let step = |name: &'static str, action: &'static str, body: Value| {
        let path = format!("/v1/keys/{}/{action}", seeded[name].id);
        async move { send(system, name, Method::POST, &path, ADMIN, body).await }
    };
    step("revoked", "revoke", json!({ "reason": "seeded as revoked" })).await?;
    step("disabled", "disable", Value::Null).await?;
    step("replaced", "rotate", json!({ "grace_seconds": 0 })).await?;
    // A rotation is in progress when the new secret has been used and the old one still works.
    let rotated = step("rotated", "rotate", json!({ "grace_seconds": 2_592_000 })).await?;
    use_key(system, "rotated", rotated["secret"].as_str().unwrap_or_default()).await?;
    use_key(system, "limited", &seeded["limited"].secret).await?;
    damage(system, &seeded["damaged"]).await?;
    Ok(seeded)
}

/// What each key is issued with, beyond what [`issue`] adds.
fn orders() -> [(&'static str, Value); 13] {
    let read = || json!({ "scopes": ["read"] });
    [
        ("admin", json!({ "scopes": ["admin"], "environment": "live" })),
        ("reader", json!({ "scopes": ["read"], "limits": [{ "requests": 1_000_000, "per": "month" }] })),
        ("office", json!({ "scopes": ["read"], "ip_allowlist": ["198.51.100.0/24"] })),
        ("limited", json!({ "scopes": ["read"], "limits": [{ "requests": 1, "per": "month" }] })),
        ("expired", read()),
        ("revoked", read()),
        ("disabled", read()),
        ("replaced", read()),
        ("rotated", read()),
        ("damaged", read()),
        ("subject", read()),
        ("turning", read()),
        ("leaving", read()),
    ]
}

/// Issues a key through the real function, whose randomness spells the key's name.
async fn issue(system: &System, name: &'static str, mut order: Value) -> Result<SeededKey, SeedError> {
    let failed = |what: String| SeedError::Step { name, what };
    let mut clock = Stopped(Host::system().clock.millis());
    if name == "expired" {
        // What has expired can't be issued: so this one is issued by a clock that is behind.
        order["expires_at"] = json!(clock.now().minus(DAY_SECONDS));
        clock.0 -= 2 * DAY_SECONDS * 1000;
    }
    order["name"] = name.into();
    order["owner"] = json!({ "type": "service", "id": "events" });
    if order["environment"].is_null() {
        order["environment"] = "test".into();
    }
    let quiet = output::host(tracing::Level::ERROR);
    let host = Host { clock: Arc::new(clock), entropy: Arc::new(Spelled::new(name)), ..quiet };
    let block = system.template.function("issue").ok_or(SeedError::Missing("issue"))?;
    let function = Wiring::new(&system.engine, host).function(block).await?;
    let key = function(order).await.map_err(failed)?;
    match (key["id"].as_str(), key["secret"].as_str()) {
        (Some(id), Some(secret)) => Ok(SeededKey { id: id.to_owned(), secret: secret.to_owned() }),
        _ => Err(failed(key.to_string())),
    }
}

async fn use_key(system: &System, name: &'static str, secret: &str) -> Result<(), SeedError> {
    send(system, name, Method::GET, "/example", secret, Value::Null).await.map(|_| ())
}

/// Sends a request through the gateway, as anybody would; anything but 200 is an error.
async fn send(
    system: &System,
    name: &'static str,
    method: Method,
    path: &str,
    secret: &str,
    body: Value,
) -> Result<Value, SeedError> {
    let failed = |what: String| SeedError::Step { name, what };
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = Request::builder().method(method).uri(path).header("x-api-key", secret).body(body);
    let request = request.map_err(|error| failed(error.to_string()))?;
    let (response, _) = system.gateway.handle(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
    if response.status() != StatusCode::OK {
        return Err(failed(format!("{path}: {} {}", response.status(), String::from_utf8_lossy(response.body()))));
    }
    Ok(serde_json::from_slice(response.body()).unwrap_or_default())
}

/// Puts into a record what no function writes.
async fn damage(system: &System, key: &SeededKey) -> Result<(), SeedError> {
    let failed = |what: String| SeedError::Step { name: "damaged", what };
    let table = system.template.tables.iter().find(|table| table.logical_id == "KeysTable");
    let table = table.ok_or_else(|| failed("the template has no KeysTable".to_owned()))?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = system.engine.dynamodb().update_item().table_name(&table.name).key("pk", text(&key.id)).key("sk", text("key"));
    let update = update.update_expression("SET #status = :unheard").expression_attribute_names("#status", "status");
    let update = update.expression_attribute_values(":unheard", text("unheard of"));
    update.send().await.map(|_| ()).map_err(|error| failed(error.to_string()))
}

/// A clock that stands still.
struct Stopped(u64);

impl Clock for Stopped {
    fn millis(&self) -> u64 {
        self.0
    }
}
