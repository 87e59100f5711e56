//! The local system with a month behind it: owners, keys and what they were used for, to look at the console with.
//! `cargo run -p tests --bin demo`

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

/// How many days are behind it.
const DAYS: u64 = 30;

/// A day, in milliseconds.
const DAY_MILLIS: u64 = 86_400_000;

/// So many attempts are copied to the audit table before it is waited for: more of them would be lost.
const AT_ONCE: usize = 800;

/// A local system with a month behind it, on 127.0.0.1.
#[derive(Debug, Parser)]
struct Options {
    /// Port; 0 takes any that is free
    #[arg(long, default_value_t = 3000)]
    port: u16,
}

/// The operating system's clock, some time ago.
struct Behind {
    real: Arc<dyn Clock>,
    millis: AtomicU64,
}

impl Clock for Behind {
    fn millis(&self) -> u64 {
        self.real.millis() - self.millis.load(Ordering::SeqCst)
    }
}

/// A key, how often it is used on a working day, and by whom.
struct Used {
    order: Value,
    daily: u64,
    path: &'static str,
    agent: &'static str,
    address: [u8; 4],
}

fn keys() -> Vec<Used> {
    let key = |name: &str, owner: &str, environment: &str, policy: Value, daily, path, agent, address| {
        let (kind, id) = owner.split_once(':').unwrap_or_default();
        let mut order = json!({ "name": name, "owner": { "type": kind, "id": id }, "environment": environment });
        if let (Some(order), Value::Object(policy)) = (order.as_object_mut(), policy) {
            order.extend(policy);
        }
        Used { order, daily, path, agent, address }
    };
    let reports = json!({ "scopes": ["read", "GET /reports/{id}"], "metadata": { "team": "data", "ticket": "OPS-2214" },
        "limits": [{ "requests": 40, "per": "minute" }, { "requests": 20_000, "per": "month" }], "rotate_every_days": 90 });
    let hooks = json!({ "scopes": ["POST /example/hooks"], "ip_allowlist": ["198.51.100.0/24"],
        "limits": [{ "requests": 25, "per": "day" }] });
    vec![
        key(
            "Nightly export",
            "service:warehouse",
            "live",
            reports,
            34,
            "/example/reports/7",
            "warehouse-sync/4.2",
            [203, 0, 113, 24],
        ),
        key(
            "Billing dashboard",
            "service:billing",
            "live",
            json!({ "plan": "business" }),
            21,
            "/example/invoices",
            "Mozilla/5.0 (X11; Linux x86_64)",
            [203, 0, 113, 61],
        ),
        key("Shop webhooks", "service:shop", "live", hooks, 23, "/example/hooks", "shop-hooks/1.9", [198, 51, 100, 12]),
        key(
            "iOS app",
            "service:mobile",
            "live",
            json!({ "plan": "business", "shared_limits": true }),
            27,
            "/example/feed",
            "ExampleApp/7.1 CFNetwork/1494",
            [192, 0, 2, 140],
        ),
        key(
            "Android app",
            "service:mobile",
            "live",
            json!({ "plan": "business", "shared_limits": true }),
            31,
            "/example/feed",
            "okhttp/4.12.0",
            [192, 0, 2, 141],
        ),
        key(
            "Android app, beta",
            "service:mobile",
            "test",
            json!({ "plan": "trial" }),
            6,
            "/example/feed",
            "okhttp/5.0.0-alpha",
            [192, 0, 2, 150],
        ),
        key(
            "Release pipeline",
            "service:ci",
            "live",
            json!({ "scopes": ["read", "write", "self:rotate"] }),
            8,
            "/example/releases",
            "curl/8.11.1",
            [203, 0, 113, 90],
        ),
        key(
            "Partner: Nordlicht",
            "user:nordlicht",
            "live",
            json!({ "plan": "partner" }),
            15,
            "/example/catalog",
            "nordlicht/2.0",
            [198, 51, 100, 77],
        ),
        key(
            "Partner: Blue Harbour",
            "user:blue-harbour",
            "live",
            json!({ "plan": "partner" }),
            5,
            "/example/catalog",
            "python-requests/2.32",
            [198, 51, 100, 78],
        ),
        key(
            "Ann's notebook",
            "user:ann",
            "test",
            json!({ "plan": "trial" }),
            3,
            "/example/reports/2",
            "python-httpx/0.28",
            [203, 0, 113, 7],
        ),
        key("Bob's scripts", "user:bob", "test", json!({ "plan": "trial" }), 0, "/example", "curl/8.11.1", [203, 0, 113, 8]),
        key(
            "Old importer",
            "service:legacy",
            "live",
            json!({ "scopes": ["read", "write", "delete"] }),
            0,
            "/example",
            "Java/1.8",
            [203, 0, 113, 9],
        ),
    ]
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let plain = output::host(tracing::Level::WARN);
    let behind = Arc::new(Behind { real: Arc::clone(&plain.clock), millis: AtomicU64::new(DAYS * DAY_MILLIS) });
    let system = System::start(stack::template(), None, Host { clock: Arc::clone(&behind) as Arc<dyn Clock>, ..plain }).await?;
    let admin = issue(
        &system,
        &json!({ "name": "operations", "owner": { "type": "user", "id": "maria" }, "environment": "live",
        "scopes": ["admin"] }),
    )
    .await?;
    live(&system, &behind, &admin).await?;
    println!("API keys on http://{}\n\n    ADMIN={}\n\nRequests:", listener.local_addr()?, secret(&admin));
    let log: server::Log = Arc::new(|line| println!("{line}"));
    server::serve(listener, Arc::clone(&system.gateway), log, std::future::pending()).await;
    Ok(())
}

/// Lives through the days.
async fn live(system: &System, behind: &Behind, admin: &Value) -> Result<(), Box<dyn std::error::Error>> {
    let admin = secret(admin);
    for (name, plan) in [
        (
            "business",
            json!({ "scopes": ["read", "write"], "limits": [{ "requests": 100, "per": "second" }, { "requests": 50_000, "per": "day" }] }),
        ),
        (
            "partner",
            json!({ "scopes": ["GET /example/catalog"], "limits": [{ "requests": 12, "per": "day" }], "rotate_every_days": 180 }),
        ),
        ("trial", json!({ "scopes": ["read"], "limits": [{ "requests": 1_000, "per": "day" }], "rotate_every_days": 30 })),
    ] {
        ask(system, Method::PUT, &format!("/v1/plans/{name}"), &admin, plan).await;
    }
    let limits = json!({ "limits": [{ "requests": 5_000, "per": "day" }, { "requests": 100_000, "per": "month" }] });
    ask(system, Method::PUT, "/v1/owners/service/mobile/limits", &admin, limits).await;
    let mut issued = Vec::new();
    for used in keys() {
        let key = issue(system, &used.order).await?;
        issued.push((used, key));
    }
    let mut attempts = 0;
    for day in 0..=DAYS {
        behind.millis.store((DAYS - day) * DAY_MILLIS, Ordering::SeqCst);
        // Less on two days of seven, and more as time goes by.
        let share = (if day % 7 >= 5 { 40 } else { 100 }) * (70 + day) / 100;
        for (used, key) in &issued {
            let uses = used.daily * share / 100 + (used.daily * (day * 7 % 5)) / 20;
            let method = if used.path.ends_with("hooks") { Method::POST } else { Method::GET };
            for _ in 0..uses {
                call(system, &method, used.path, &secret(key), used.agent, used.address).await;
                attempts += 1;
                if attempts % AT_ONCE == 0 {
                    tokio::time::sleep(Duration::from_millis(1_500)).await;
                }
            }
            // Now and then somebody tries what the key may not.
            if used.daily > 0 && day % 9 == 4 {
                call(system, &Method::DELETE, used.path, &secret(key), used.agent, used.address).await;
            }
        }
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    finish(system, &admin, &issued).await;
    Ok(())
}

/// What was done today: a rotation whose old secret is still used, a key switched off, another revoked.
async fn finish(system: &System, admin: &str, issued: &[(Used, Value)]) {
    let change = |index: usize, what: &'static str, body: Value| async move {
        let id = issued[index].1["id"].as_str().unwrap_or_default();
        ask(system, Method::POST, &format!("/v1/keys/{id}/{what}"), admin, body).await
    };
    let rotated = change(0, "rotate", json!({ "grace_seconds": 604_800 })).await;
    change(10, "disable", json!({})).await;
    change(11, "revoke", json!({ "reason": "replaced by the new importer" })).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (used, key) = &issued[0];
    for (secret, agent, address, times) in [
        (secret(&rotated), "warehouse-sync/4.3", used.address, 9),
        (secret(key), used.agent, [203, 0, 113, 25], 3),
        (secret(key), "cron on build-7", [203, 0, 113, 90], 1),
    ] {
        for _ in 0..times {
            call(system, &Method::GET, used.path, &secret, agent, address).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
}

async fn issue(system: &System, order: &Value) -> Result<Value, String> {
    let key = system.invoke("issue", order.clone()).await?;
    if key["secret"].is_string() { Ok(key) } else { Err(format!("a key was not issued: {key}")) }
}

fn secret(key: &Value) -> String {
    key["secret"].as_str().unwrap_or_default().to_owned()
}

async fn ask(system: &System, method: Method, path: &str, admin: &str, body: Value) -> Value {
    let request = Request::builder().method(method).uri(path).header("x-api-key", admin).body(Bytes::from(body.to_string()));
    let Ok(request) = request else { return Value::Null };
    let (response, _) = system.gateway.handle(request, IpAddr::from(Ipv4Addr::LOCALHOST)).await;
    serde_json::from_slice(response.body()).unwrap_or_default()
}

async fn call(system: &System, method: &Method, path: &str, secret: &str, agent: &str, address: [u8; 4]) {
    let request = Request::builder().method(method).uri(path).header("x-api-key", secret).header("user-agent", agent);
    if let Ok(request) = request.body(Bytes::new()) {
        system.gateway.handle(request, IpAddr::from(address)).await;
    }
}
