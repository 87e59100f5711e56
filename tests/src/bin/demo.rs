//! The local system with a month behind it: owners, keys and what they were used for, to look at the console with. Everything in it
//! was done through the API, at a clock that was set back.
//!
//! `cargo run -p tests --bin demo`
#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use clap::Parser;
use http::{Method, Request};
use local::{output, server, system::System};
use serde_json::{Value, json};
use shared::host::{Clock, Host};
use tests::stack;
use tokio::net::TcpListener;

/// Who has which keys, since which day, and how often each is used on a working day.
const STORY: &str = include_str!("../../fixtures/demo.json");

/// How many days are behind it.
const DAYS: u64 = 30;

/// A day, in milliseconds.
const DAY_MILLIS: u64 = 86_400_000;

/// So many attempts are made before their copies are waited for: more would be lost.
const AT_ONCE: usize = 800;

/// How long copies of attempts take to be written, and refusals to be forgotten.
const PAUSE: Duration = Duration::from_millis(1_500);

/// A local system with a month behind it, on 127.0.0.1.
#[derive(Debug, Parser)]
struct Options {
    /// Port; 0 takes any that is free
    #[arg(long, default_value_t = 3000)]
    port: u16,
}

/// A clock that is behind another.
struct Behind {
    of: Arc<dyn Clock>,
    millis: AtomicU64,
}

impl Clock for Behind {
    fn millis(&self) -> u64 {
        self.of.millis().saturating_sub(self.millis.load(Ordering::SeqCst))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let plain = output::host(tracing::Level::WARN);
    let clock = Arc::new(Behind { of: Arc::clone(&plain.clock), millis: AtomicU64::new(DAYS * DAY_MILLIS) });
    let host = Host { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..plain };
    let system = System::start(stack::template(), None, host).await?;
    let order = json!({ "name": "operations", "owner": { "type": "user", "id": "maria" }, "environment": "live",
        "scopes": ["admin"] });
    let people = People { admin: secret(&system.invoke("issue", order).await?)?, system: &system };
    people.live(&clock).await?;
    println!("API keys on http://{}\n\n    ADMIN={}\n\nRequests:", listener.local_addr()?, people.admin);
    let log: server::Log = Arc::new(|line| println!("{line}"));
    server::serve(listener, Arc::clone(&system.gateway), log, std::future::pending()).await;
    Ok(())
}

/// Whoever asks the API.
struct People<'a> {
    system: &'a System,
    admin: String,
}

impl People<'_> {
    async fn live(&self, clock: &Behind) -> Result<(), Box<dyn std::error::Error>> {
        let story: Value = serde_json::from_str(STORY)?;
        for (name, plan) in story["plans"].as_object().into_iter().flatten() {
            self.ask(Method::PUT, &format!("/v1/plans/{name}"), plan).await?;
        }
        for (path, limits) in story["shared_limits"].as_object().into_iter().flatten() {
            self.ask(Method::PUT, path, limits).await?;
        }
        let keys = story["keys"].as_array().ok_or("the story has no keys")?;
        let mut issued: Vec<(&Value, Value)> = Vec::new();
        let mut attempts = 0;
        for day in 0..=DAYS {
            clock.millis.store((DAYS - day) * DAY_MILLIS, Ordering::SeqCst);
            for key in keys.iter().filter(|key| key["since"] == day) {
                issued.push((key, self.ask(Method::POST, "/v1/keys", &key["order"]).await?));
            }
            for (key, document) in &issued {
                for _ in 0..uses(key["daily"].as_u64().unwrap_or_default(), day) {
                    self.call(key, &secret(document)?, None).await;
                    attempts += 1;
                    if attempts % AT_ONCE == 0 {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                // Now and then somebody tries what the key may not.
                if key["daily"] != 0 && day % 9 == 4 {
                    self.call(key, &secret(document)?, Some(Method::DELETE)).await;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
        self.today(&issued).await
    }

    /// A rotation whose old secret is still used, a key that is switched off, one that is revoked.
    async fn today(&self, issued: &[(&Value, Value)]) -> Result<(), Box<dyn std::error::Error>> {
        let named = |name: &str| {
            let found = issued.iter().find(|(key, _)| key["order"]["name"] == name);
            found.ok_or_else(|| format!("the story has no key {name}"))
        };
        let path = |key: &Value, what| format!("/v1/keys/{}/{what}", key["id"].as_str().unwrap_or_default());
        let (key, old) = named("Nightly export")?;
        let new = self.ask(Method::POST, &path(old, "rotate"), &json!({ "grace_seconds": 604_800 })).await?;
        self.ask(Method::POST, &path(&named("Bob's scripts")?.1, "disable"), &json!({})).await?;
        let reason = json!({ "reason": "replaced by the new importer" });
        self.ask(Method::POST, &path(&named("Old importer")?.1, "revoke"), &reason).await?;
        tokio::time::sleep(PAUSE).await;
        for (document, agent, address, times) in [
            (&new, "warehouse-sync/4.3", "203.0.113.24", 9),
            (old, "warehouse-sync/4.2", "203.0.113.25", 3),
            (old, "cron on build-7", "203.0.113.90", 1),
        ] {
            let mut key = (*key).clone();
            (key["agent"], key["address"]) = (agent.into(), address.into());
            for _ in 0..times {
                self.call(&key, &secret(document)?, None).await;
            }
        }
        self.call(key, &secret(old)?, Some(Method::DELETE)).await;
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, Box<dyn std::error::Error>> {
        let request = Request::builder().method(method).uri(path).header("x-api-key", &self.admin);
        let request = request.body(Bytes::from(body.to_string()))?;
        let (response, _) = self.system.gateway.handle(request, IpAddr::from(Ipv4Addr::LOCALHOST)).await;
        let document: Value = serde_json::from_slice(response.body())?;
        if response.status().is_success() { Ok(document) } else { Err(format!("{path}: {document}").into()) }
    }

    async fn call(&self, key: &Value, secret: &str, method: Option<Method>) {
        let text = |name: &str| key[name].as_str().unwrap_or_default();
        let own = if text("path").ends_with("hooks") { Method::POST } else { Method::GET };
        let request = Request::builder().method(method.unwrap_or(own)).uri(text("path"));
        let request = request.header("x-api-key", secret).header("user-agent", text("agent")).body(Bytes::new());
        if let (Ok(request), Ok(address)) = (request, text("address").parse()) {
            self.system.gateway.handle(request, address).await;
        }
    }
}

/// Less on two days of seven, and more as time goes by.
const fn uses(daily: u64, day: u64) -> u64 {
    let share = if day % 7 >= 5 { 40 } else { 100 };
    daily * share * (70 + day) / 10_000 + daily * (day * 7 % 5) / 20
}

fn secret(key: &Value) -> Result<String, String> {
    key["secret"].as_str().map(ToOwned::to_owned).ok_or_else(|| format!("no secret was issued: {key}"))
}
