//! The audit table's copy: every attempt with a key has a row, attempts without one are added up, and nothing is lost silently.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use local::template::Template;
use serde_json::{Value, json};
use tests::{
    Answer, Instance, Stack,
    event::Call,
    proxy::{Moment, Proxy, Refused},
    simulation::{
        clock::TrueTime,
        job::{End, Held, Job},
        sandbox::Sandbox,
    },
    stack,
};

type Item = HashMap<String, AttributeValue>;

async fn rows(stack: &Stack, partition: &str) -> Vec<Item> {
    let mut rows = stack.scan("AuditTable").await;
    rows.retain(|row| row["pk"].as_s().unwrap().starts_with(partition));
    rows.sort_by_key(|row| row["sk"].as_s().unwrap().clone());
    rows
}

fn text<'a>(row: &'a Item, name: &str) -> &'a str {
    row.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// How many attempts all lines have announced as lost.
fn announced(lines: &[String]) -> u64 {
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == "audit_lost").map(|line| line["audit_lost"].as_u64().unwrap()).sum()
}

async fn all(instance: &Instance, key: &str, times: usize) {
    for _ in 0..times {
        instance.get(key).await;
    }
}

#[tokio::test]
async fn every_attempt_with_a_key_has_a_row_that_says_what_its_line_says() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"] })).await;
    let instance = stack.instance().await;
    let _ = stack.lines.take();
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    let post = Call { method: "POST", ..Call::get(&key.secret) };
    assert_eq!(instance.call(&post).await, Answer::Denied("scope_not_allowed".to_owned()));
    stack.revoke(&key.id).await;
    assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    instance.close().await;
    let lines: Vec<Value> = stack.lines.take().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let attempts: Vec<_> = lines.iter().filter(|line| line["event"] == "attempt").collect();
    let rows = rows(&stack, &key.id).await;
    assert_eq!((rows.len(), attempts.len()), (3, 3));
    for line in attempts {
        let row = rows.iter().find(|row| text(row, "outcome") == line["outcome"]).unwrap();
        assert_eq!(text(row, "pk"), format!("{}#2027-01-15", key.id));
        for name in ["hint", "method", "path", "source_ip", "user_agent", "request_id"] {
            assert_eq!(text(row, name), line[name].as_str().unwrap(), "{name}");
        }
        for name in ["generation", "duration_ms"] {
            assert_eq!(row[name].as_n().unwrap(), &line[name].to_string(), "{name}");
        }
        let kept = row["ttl"].as_n().unwrap().parse::<u64>().unwrap() - stack.clock.now().secs();
        assert_eq!(kept, 365 * 86_400, "retention");
    }
}

#[tokio::test]
async fn attempts_without_a_key_are_added_up_by_minute_and_address() {
    let stack = Stack::start().await;
    let instance = stack.instance().await;
    let unknown = "mbk_live_0123456789abcdefghijklmnopqrstuv";
    for n in 0..200 {
        let address = format!("198.51.100.{}", n % 20);
        let key = if n % 2 == 0 { unknown } else { "nonsense" };
        assert_eq!(instance.call(&Call { source_ip: &address, ..Call::get(key) }).await, Answer::Unauthorized);
    }
    instance.settle().await;
    assert_eq!(rows(&stack, "anonymous#").await.len(), 0, "the minute isn't over");
    stack.clock.advance(60);
    instance.get(unknown).await;
    instance.close().await;
    let rows = rows(&stack, "anonymous#2027-01-15").await;
    assert_eq!(rows.len(), 11, "ten of the first minute, one of the second");
    let count =
        |row: &Item| row["counts"].as_m().unwrap().values().map(|n| n.as_n().unwrap().parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!(rows.iter().map(count).sum::<u64>(), 201);
    assert_eq!(rows.iter().filter(|row| row.contains_key("others")).map(count).collect::<Vec<_>>(), [110]);
    assert!(rows.iter().any(|row| text(row, "hint") == "mbk_live_0123…" && text(row, "path") == "/example"), "a sample");
}

#[tokio::test]
async fn rows_are_written_in_batches_and_not_one_by_one() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    all(&instance, &key.secret, 200).await;
    instance.close().await;
    assert_eq!(rows(&stack, &key.id).await.len(), 200);
    let copies = instance.wire.take_copies();
    assert!((8..=20).contains(&copies), "{copies} calls for 200 rows");
}

#[tokio::test]
async fn uses_can_be_left_out_of_the_table() {
    let stack = Stack::start_with(&[("AuditedAttempts", "refusals")]).await;
    let key = stack.issue(json!({ "limits": [{ "requests": 3, "per": "day" }] })).await;
    let instance = stack.instance().await;
    all(&instance, &key.secret, 5).await;
    instance.close().await;
    let outcomes: Vec<_> = rows(&stack, &key.id).await.iter().map(|row| text(row, "outcome").to_owned()).collect();
    assert_eq!(outcomes, ["rate_limited", "rate_limited"]);
}

#[tokio::test]
async fn what_cannot_be_written_waits_and_what_is_lost_is_announced() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    instance.wire.cut_copies(true);
    all(&instance, &key.secret, 40).await;
    instance.settle().await;
    assert_eq!((rows(&stack, &key.id).await.len(), announced(&stack.lines.take())), (0, 0), "they wait");
    instance.wire.cut_copies(false);
    instance.close().await;
    assert_eq!((rows(&stack, &key.id).await.len(), announced(&stack.lines.take())), (40, 0));

    instance.wire.cut_copies(true);
    all(&instance, &key.secret, 1010).await;
    instance.close().await;
    assert_eq!((rows(&stack, &key.id).await.len(), announced(&stack.lines.take())), (40, 1010), "none is lost silently");
}

#[tokio::test]
async fn nothing_that_may_write_copies_may_change_or_remove_one() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    instance.get(&key.secret).await;
    instance.close().await;
    let before = rows(&stack, &key.id).await;
    // The same statement again: what an answer that was lost makes of it.
    let table = stack.table("AuditTable");
    let insert = format!("INSERT INTO \"{table}\" VALUE {{'pk': ?, 'sk': ?, 'outcome': ?}}");
    let parameters = [before[0]["pk"].clone(), before[0]["sk"].clone(), AttributeValue::S("forged".to_owned())];
    let refused =
        stack.engine.dynamodb().execute_statement().statement(insert).set_parameters(Some(parameters.into())).send().await;
    assert!(refused.unwrap_err().into_service_error().is_duplicate_item_exception());
    assert_eq!(rows(&stack, &key.id).await, before);
}

#[tokio::test]
async fn what_is_written_of_a_change_ends_with_its_retention() {
    let stack = Stack::start_with(&[("AuditRetentionDays", "7")]).await;
    let key = stack.issue(json!({})).await;
    stack.clock.advance(3600);
    stack.update(&key.id, &json!({ "name": "other" })).await;
    assert_eq!(stack.revoke(&key.id).await.0, 200);
    let rows = rows(&stack, "management#").await;
    assert_eq!(rows.len(), 6, "an intent and an outcome of issuing and of both changes");
    for row in rows {
        let number = |name: &str| row[name].as_n().unwrap().parse::<u64>().unwrap();
        assert_eq!(number("ttl") - number("at"), 7 * 86_400, "{row:?}");
    }
}

#[tokio::test]
async fn all_that_a_key_was_issued_with_is_audited_before_and_after() {
    let stack = Stack::start().await;
    let order = json!({
        "name": "whole", "owner": { "type": "service", "id": "1" }, "environment": "live", "scopes": ["read"],
        "limits": [{ "requests": 5, "per": "minute" }], "ip_allowlist": ["203.0.113.0/24"], "metadata": { "team": "red" },
        "expires_at": "2028-01-01T00:00:00Z", "rotate_every_days": 30,
    });
    let issued = stack.issue(order.clone()).await;
    let changes = stack.changes().await;
    let sorts: Vec<_> = changes.iter().map(|change| text(change, "sk").split_once('#').unwrap().1).collect();
    assert!(sorts.contains(&"intent") && sorts.contains(&"outcome") && sorts.len() == 2, "{sorts:?}");
    for change in &changes {
        assert_eq!((text(change, "action"), text(change, "key")), ("issue", issued.id.as_str()));
        let detail: Value = serde_json::from_str(text(change, "detail")).unwrap();
        for name in ["name", "environment", "scopes", "ip_allowlist", "metadata", "rotate_every_days"] {
            assert_eq!(detail[name], order[name], "{name} in {detail}");
        }
        assert_eq!((&detail["owner"], &detail["plan"]), (&json!("service:1"), &Value::Null));
        assert_eq!(
            (&detail["limits"][0]["requests"], &detail["generations"][0]["expires_at"]),
            (&json!(5), &order["expires_at"])
        );
        assert!(!text(change, "detail").contains(&issued.secret[13..]), "but no secret");
    }
}

/// A key behind the proxy, and an authorizer that knows it. The clock stands still.
struct Site {
    template: Template,
    proxy: Proxy,
    authorizer: Sandbox,
    held: Held,
}

impl Site {
    async fn open() -> Self {
        let template = stack::template();
        let proxy = Proxy::start(&template).await;
        let (time, mut rng) = (TrueTime::begin(tests::NOW), Rng::with_seed(1));
        let mut start = async |name| Sandbox::start(name, 1, (&proxy, &template), time, &mut rng).await;
        let (issue, authorizer) = (start("issue").await, start("authorizer").await);
        let held = issue.issue().await;
        let site = Self { template, proxy, authorizer, held };
        site.uses(1).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(site.rows(), 1);
        site
    }

    async fn uses(&self, times: usize) {
        for _ in 0..times {
            let job = Job::Use { held: self.held.clone(), method: "GET", address: "203.0.113.7" };
            let End::Verdict { answer, .. } = self.authorizer.run(1, &job, None).await else { panic!("no verdict") };
            assert_eq!(answer, Answer::Allowed);
        }
    }

    /// How many uses the table has.
    fn rows(&self) -> usize {
        let table = self.template.tables.iter().find(|table| table.logical_id == "AuditTable").expect("a table");
        self.proxy.scan(&table.name).iter().filter(|item| item.contains_key("at_ms")).count()
    }
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_ends_while_a_copy_hangs_says_in_time_how_many_are_lost() {
    // The copy of the first use is written at once, by itself; those of the next wait for a second.
    for (uses, wait) in [(1, 0), (4, 0), (4, 2000)] {
        let site = Site::open().await;
        let hangs = site.proxy.trap(1, Moment::Before);
        site.uses(1).await;
        hangs.await.expect("a copy on its way");
        site.proxy.untrap();
        site.uses(uses - 1).await;
        drop(site.proxy.trap(0, Moment::Before));
        // Until what hangs has been tried again, and hangs again.
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let ends = tokio::time::Instant::now();
        site.authorizer.end().await;
        let lines = site.authorizer.take_lines();
        assert_eq!(announced(&lines), uses as u64, "{wait}: {lines:?}");
        assert!(ends.elapsed() <= Duration::from_millis(450), "Lambda kills it after half a second: {:?}", ends.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_that_the_table_takes_in_part_the_rest_is_written_later_and_what_never_will_be_is_lost() {
    let site = Site::open().await;
    // The first of them is written at once, and the others wait for a second.
    site.uses(4).await;
    site.proxy.refuse_statements(Refused::from([(0, "ThrottlingError"), (2, "AccessDenied")]));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((site.rows(), announced(&site.authorizer.take_lines())), (1 + 1 + 1, 1), "one is taken, and one lost");
    site.uses(1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(site.rows(), 1 + 1 + 2 + 1, "the throttled one with the next batch");
    site.authorizer.end().await;
    assert_eq!((site.rows(), announced(&site.authorizer.take_lines())), (5, 0));
}
