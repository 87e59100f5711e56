//! Work after responses: done while the sandbox is kept awake, and no longer.

use fastrand::Rng;
use serde_json::json;
use tests::{
    event::Call,
    process::Process,
    proxy::{Proxy, port::Port},
    stack,
};

/// By the copies of the audit, which are written after the answer: of a malformed key there is one at the end of a minute, and of a
/// known one at once. What has been written when the extension rests was written while the sandbox was awake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sandbox_is_kept_awake_until_the_work_of_an_invocation_is_done() {
    let template = stack::template();
    let proxy = Proxy::start(&template).await;
    let port = Port::open(&proxy, Rng::with_seed(1)).await;
    let mut issue = Process::start(env!("CARGO_BIN_EXE_process-issue"), "issue", &template, &port).await;
    issue.give(json!({ "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] })).await;
    let secret = issue.take().await["secret"].as_str().expect("a secret").to_owned();

    let mut authorizer = Process::start(env!("CARGO_BIN_EXE_process-authorizer"), "authorizer", &template, &port).await;
    authorizer.rests(1).await;
    let audit = || {
        let table = template.tables.iter().find(|table| table.logical_id == "AuditTable").expect("a table");
        proxy.scan(&table.name).iter().filter(|item| item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("key_"))).count()
    };
    for (events, key) in [secret.as_str(), "mbk_live_x", &secret].into_iter().enumerate() {
        authorizer.give(Call::get(key).rest()).await;
        let _ = authorizer.take().await;
        authorizer.rests(events as u64 + 2).await;
        assert!(audit() > 0, "the first use has its copy when the sandbox may be frozen");
    }
}
