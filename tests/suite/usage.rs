//! `GET /v1/keys/{id}/usage` and `GET /v1/owners/{type}/{id}/usage`: every allowed use is told once, whatever it is stored as.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use fastrand::Rng;
use futures_util::future::join_all;
use local::{engine::Portless, functions::Wiring};
use serde_json::{Value, json};
use shared::{
    id::KeyId,
    store::{Store, Tables},
    time::{DAY, Timestamp},
};
use tests::{
    Answer, Clock, Lines, Stack,
    event::{Call, management, management_of, with_header},
    proxy::{Connector, Odds, Proxy, Weather},
    simulation::{
        clock::TrueTime,
        job::{End, Job},
        sandbox::Sandbox,
    },
    stack,
};

const USAGE: &str = "/v1/keys/{id}/usage";

fn of<'a>(usage: &'a Value, name: &str, period: &str) -> &'a Value {
    let periods = usage["usage"].as_array().unwrap();
    periods.iter().find(|entry| entry[name] == period).unwrap_or(&Value::Null)
}

async fn csv(stack: &Stack, resource: &str, id: &str, query: &[(&str, &str)]) -> (u16, String, String) {
    let event = with_header(management("GET", resource, Some(id), query, ""), "Accept", &["text/csv"]);
    let answer = stack.answer(event).await;
    let kind = answer["multiValueHeaders"]["content-type"][0].as_str().unwrap().to_owned();
    (u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap(), kind, answer["body"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_over_a_leap_day_a_month_and_64_skewed_instances_is_what_was_allowed() {
    let stack = Stack::start().await;
    let start = Timestamp::parse("2028-02-27T21:00:00Z").unwrap();
    stack.clock.set(start.secs());
    let key = stack.issue(json!({})).await;
    let mut instances = Vec::new();
    for number in 0..64_i64 {
        instances.push(Arc::new(stack.instance_at(&stack.clock.skewed(number * 4000 / 63 - 2000)).await));
    }
    let mut allowed = 0;
    for round in 0..36_u64 {
        let uses = instances.iter().map(|instance| {
            let (instance, secret) = (instance.clone(), key.secret.clone());
            tokio::spawn(async move { u64::from(instance.get(&secret).await == Answer::Allowed) })
        });
        for task in uses.collect::<Vec<_>>() {
            allowed += task.await.unwrap();
        }
        // While days are being folded, and in between.
        let (status, usage) = stack.ask(USAGE, Some(&key.id), &[("from", "2028-02-27")]).await;
        assert_eq!((status, &usage["total"]["allowed"]), (200, &json!(allowed)), "round {round}");
        if round % 3 == 0 {
            for instance in &instances {
                instance.settle().await;
            }
        }
        stack.clock.advance(7200);
    }
    let (_, days) = stack.ask(USAGE, Some(&key.id), &[("from", "2028-02-27")]).await;
    let (_, months) = stack.ask(USAGE, Some(&key.id), &[("from", "2028-02-27"), ("granularity", "month")]).await;
    assert_eq!(days["usage"].as_array().unwrap().len(), 4, "27, 28 and 29 February, 1 March");
    assert!(of(&days, "day", "2028-02-29")["allowed"].as_u64().unwrap() > 700, "{days}");
    let february: u64 =
        ["27", "28", "29"].map(|day| of(&days, "day", &format!("2028-02-{day}"))["allowed"].as_u64().unwrap()).iter().sum();
    assert_eq!(of(&months, "month", "2028-02")["allowed"], february);
    assert_eq!(months["total"]["allowed"], allowed);
    assert_eq!(stack.record(&key.id).await.counters.total, allowed);
}

/// The same on bad days: calls are late, lost, repeated and refused, and days are folded in between.
#[tokio::test(start_paused = true)]
async fn usage_over_a_leap_day_a_month_64_skewed_instances_and_bad_days_is_what_was_counted() {
    fastrand::seed(29);
    let (template, mut rng) = (stack::template(), Rng::with_seed(29));
    let proxy = Proxy::start(&template).await;
    let start = Timestamp::parse("2028-02-28T20:00:00Z").unwrap();
    let time = TrueTime::begin(start.secs());
    let fair = || Weather::new(Odds::fair(1..=5));
    proxy.set(fair());
    let issue = Sandbox::start("issue", 0, (&proxy, &template), time, &mut rng).await;
    let held = issue.issue().await;
    let mut sandboxes = Vec::new();
    for number in 1..=64 {
        sandboxes.push(Arc::new(Sandbox::start("authorizer", number, (&proxy, &template), time, &mut rng).await));
    }
    let id = held.key.clone().unwrap();
    let all_at_once = async || {
        let uses = sandboxes.iter().map(|sandbox| {
            let job = Job::Use { held: held.clone(), method: "GET", address: "203.0.113.7" };
            let sandbox = Arc::clone(sandbox);
            tokio::spawn(async move { sandbox.run(1, &job, None).await })
        });
        let (mut allowed, mut uncertain) = (0, 0);
        for end in join_all(uses).await {
            let End::Verdict { answer, uncertain: in_vain, .. } = end.unwrap() else { panic!("no answer in time") };
            assert!(matches!(answer, Answer::Allowed | Answer::Fault), "{answer:?}");
            allowed += u64::from(answer == Answer::Allowed);
            uncertain += in_vain;
        }
        (allowed, uncertain)
    };
    let (mut allowed, mut uncertain) = (0, 0);
    for round in 0..20 {
        proxy.set(if round % 5 == 0 { fair() } else { Weather::new(Odds::fair(1..=30).foul(30)) });
        let (of_round, in_vain) = all_at_once().await;
        (allowed, uncertain) = (allowed + of_round, uncertain + in_vain);
        tokio::time::sleep(Duration::from_secs(7200)).await;
    }
    // The weather clears; what is on its way arrives, and the next uses find what is left to do.
    proxy.set(fair());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(all_at_once().await, (64, 0));
    allowed += 64;
    tokio::time::sleep(Duration::from_secs(60)).await;

    let connector = || Connector::new(&proxy, Rng::with_seed(1), &Arc::new(AtomicU64::new(0))).client();
    let clock = Clock::default();
    clock.set(start.secs() + 21 * 7200);
    let wiring = Wiring {
        dynamodb: aws_sdk_dynamodb::Client::from_conf(Portless::dynamodb_config().http_client(connector()).build()),
        secrets: aws_sdk_secretsmanager::Client::from_conf(proxy.engine().secrets_config().http_client(connector()).build()),
        sns: aws_sdk_sns::Client::from_conf(proxy.engine().sns_config().build()),
        host: clock.host(&Lines::default()),
    };
    let table = |name: &str| template.tables.iter().find(|table| table.logical_id == name).unwrap().name.clone();
    let tables = Tables { keys: table("KeysTable"), ..Tables::default() };
    let record = Store::new(wiring.dynamodb.clone(), tables).record(&KeyId::parse(&id).unwrap()).await.unwrap().unwrap();
    let insights = wiring.function(template.function("insights").unwrap()).await.unwrap();
    let answer = insights(management("GET", USAGE, Some(&id), &[("from", "2028-02-28")], "")).await.unwrap();
    let usage: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let total = usage["total"]["allowed"].as_u64().unwrap();
    assert_eq!(total, record.counters.total, "{usage}");
    assert!((allowed..=allowed + uncertain).contains(&total), "{total} of {allowed} and {uncertain}");
    let folded = proxy.scan(&table("UsageTable"));
    let days: Vec<_> = folded.iter().map(|item| item["sk"]["S"].as_str().unwrap()).collect();
    assert!(days.contains(&"20280228") && days.contains(&"20280229"), "{days:?}");
    let open = record.counters.windows.keys().filter_map(|window| window.day()).collect::<Vec<_>>();
    assert_eq!(open, [20_280_301], "nothing else is left to be folded");
    let injected: u64 = proxy.injected().iter().filter(|((operation, _), _)| operation == "UpdateItem").map(|(_, n)| n).sum();
    assert!(injected > 50, "{injected} faults");
}

#[tokio::test]
async fn refusals_are_told_by_code_and_said_to_be_approximate() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"], "limits": [{ "requests": 2, "per": "day" }] })).await;
    let instance = stack.instance().await;
    for _ in 0..5 {
        instance.get(&key.secret).await;
    }
    instance.call(&Call { method: "POST", ..Call::get(&key.secret) }).await;
    instance.close().await;
    let (_, usage) = stack.ask(USAGE, Some(&key.id), &[]).await;
    let today = of(&usage, "day", "2027-01-15");
    assert_eq!(*today, json!({ "day": "2027-01-15", "allowed": 2, "refused": { "rate_limited": 3, "scope_not_allowed": 1 } }));
    assert_eq!(usage["total"], json!({ "allowed": 2, "refused": { "rate_limited": 3, "scope_not_allowed": 1 } }));
    assert_eq!((&usage["exact"], &usage["refusals_cut_off"]), (&json!({ "allowed": true, "refused": false }), &json!(false)));
    assert_eq!(usage["usage"].as_array().unwrap().len(), 30, "days without any use are told as well");
}

#[tokio::test]
async fn an_owner_is_billed_for_all_of_its_keys_page_by_page() {
    let stack = Stack::start().await;
    let instance = stack.instance().await;
    let mut expected = 0;
    for uses in 1..=5 {
        let key = stack.issue(json!({ "name": format!("key {uses}"), "owner": { "type": "service", "id": "billed" } })).await;
        for _ in 0..uses {
            instance.get(&key.secret).await;
        }
        expected += uses;
        stack.clock.advance(1);
    }
    instance.get(&stack.issue(json!({ "owner": { "type": "service", "id": "other" } })).await.secret).await;
    let resource = "/v1/owners/{type}/{id}/usage";
    let ask = async |query: &[(&str, &str)]| {
        stack.send(management_of("GET", resource, &[("type", "service"), ("id", "billed")], query, "")).await
    };
    let (mut cursor, mut names, mut allowed) = (None::<String>, Vec::new(), 0);
    loop {
        let mut query = vec![("limit", "2"), ("granularity", "month")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (status, page) = ask(&query).await;
        assert_eq!(status, 200, "{page}");
        for key in page["keys"].as_array().unwrap() {
            names.push(key["name"].clone());
            assert_eq!(key["usage"], json!([{ "month": "2027-01", "allowed": key["allowed"] }]));
        }
        allowed += page["total"]["allowed"].as_u64().unwrap();
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!((allowed, names.len()), (expected, 5));
    assert_eq!(names[0], "key 5", "newest first");
    for (query, field) in
        [([("limit", "0")], "limit"), ([("limit", "101")], "limit"), ([("cursor", "x")], "cursor"), ([("month", "1")], "month")]
    {
        let (status, problem) = ask(&query).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)));
    }
}

#[tokio::test]
async fn usage_is_a_table_for_whoever_asks_for_one() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "name": "=1+1, \"quoted\"" })).await;
    stack.instance().await.get(&key.secret).await;
    let (status, kind, table) = csv(&stack, USAGE, &key.id, &[("from", "2027-01-14")]).await;
    let id = &key.id;
    assert_eq!((status, kind.as_str()), (200, "text/csv"));
    assert_eq!(table, format!("key,day,allowed\n{id},2027-01-14,0\n{id},2027-01-15,1\n"));
    let query = [("granularity", "month"), ("from", "2027-01-01")];
    let mut event = management_of("GET", "/v1/owners/{type}/{id}/usage", &[("type", "user"), ("id", "42")], &query, "");
    let answer = stack.answer(with_header(event.clone(), "Accept", &["text/csv"])).await;
    assert_eq!(
        answer["body"],
        format!("key,name,month,allowed\n{id},\"'=1+1, \"\"quoted\"\"\",2027-01,1\n"),
        "no spreadsheet computes it"
    );
    // A table has no cursor: half of a bill is no bill.
    stack.issue(json!({})).await;
    event["queryStringParameters"] = json!({ "limit": "1" });
    event["multiValueQueryStringParameters"] = json!({ "limit": ["1"] });
    let (status, problem) = stack.send(with_header(event, "Accept", &["text/csv"])).await;
    assert_eq!((status, &problem["field"]), (400, &json!("limit")));
    let (_, kind, _) = csv(&stack, USAGE, "key_0123456789abcdefghijkl", &[]).await;
    assert_eq!(kind, "application/problem+json", "what is wrong is told as always");
}

#[tokio::test]
async fn history_outlives_the_key_and_ranges_end_where_retention_does() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    instance.get(&key.secret).await;
    stack.clock.advance(2 * DAY);
    instance.get(&key.secret).await;
    instance.settle().await;
    let delete = stack.engine.dynamodb().delete_item().table_name(stack.table("KeysTable"));
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    delete.key("pk", text(&key.id)).key("sk", text("key")).send().await.unwrap();
    let (status, usage) = stack.ask(USAGE, Some(&key.id), &[]).await;
    assert_eq!((status, &usage["total"]["allowed"]), (200, &json!(1)), "the folded day");
    for (query, field) in [
        ([("from", "2020-01-01")], "from"),
        ([("from", "2027-01-32")], "from"),
        ([("to", "2027-01-18")], "to"),
        ([("to", "2025-01-01")], "from"),
        ([("granularity", "hour")], "granularity"),
        ([("per", "day")], "per"),
    ] {
        let (status, problem) = stack.ask(USAGE, Some(&key.id), &query).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{query:?} {problem}");
    }
    assert_eq!(stack.ask(USAGE, Some("key_0123456789abcdefghijkl"), &[]).await.0, 404);
    assert_eq!(stack.ask(USAGE, Some("mbk_live_0123456789abcdefghijklmnopqrstuv"), &[]).await.0, 404);
}

#[tokio::test]
async fn a_month_is_told_whole_unless_a_part_of_it_was_asked_for() {
    let stack = Stack::start().await;
    stack.clock.set(Timestamp::parse("2027-01-01T12:00:00Z").unwrap().secs());
    let key = stack.issue(json!({ "owner": { "type": "service", "id": "billed" } })).await;
    let instance = stack.instance().await;
    for _ in 0..31 {
        instance.get(&key.secret).await;
        stack.clock.advance(DAY);
    }
    let by_month = [("granularity", "month")];
    let (_, of_key) = stack.ask(USAGE, Some(&key.id), &by_month).await;
    assert_eq!((&of_key["from"], &of_key["to"]), (&json!("2027-01-01"), &json!("2027-02-01")));
    assert_eq!(of(&of_key, "month", "2027-01")["allowed"], 31, "{of_key}");
    let owner = [("type", "service"), ("id", "billed")];
    let (_, of_owner) = stack.send(management_of("GET", "/v1/owners/{type}/{id}/usage", &owner, &by_month, "")).await;
    assert_eq!(of_owner["usage"], json!([{ "month": "2027-01", "allowed": 31 }, { "month": "2027-02", "allowed": 0 }]));
}

#[tokio::test]
async fn an_owner_s_usage_says_from_when_on_no_key_is_missing() {
    let stack = Stack::start_with(&[("RetentionDays", "20")]).await;
    let owner = json!({ "type": "service", "id": "billed" });
    let expiry = stack.clock.now().plus(40_000).to_string();
    let expiring = stack.issue(json!({ "owner": owner, "expires_at": expiry })).await;
    let revoked = stack.issue(json!({ "owner": owner })).await;
    let instance = stack.instance().await;
    for key in [&expiring, &revoked] {
        instance.get(&key.secret).await;
    }
    stack.clock.advance(30_000);
    stack.revoke(&revoked.id).await;
    let event = |query: &[(&str, &str)]| {
        management_of("GET", "/v1/owners/{type}/{id}/usage", &[("type", "service"), ("id", "billed")], query, "")
    };
    let mut ends = Vec::new();
    for item in stack.scan("KeysTable").await.iter().filter(|item| item["sk"].as_s().unwrap() == "about") {
        ends.push(item["ttl"].as_n().unwrap().parse::<u64>().unwrap());
    }
    assert_eq!(ends.len(), 2);
    for end in ends {
        stack.clock.set(end - 1);
        let (_, usage) = stack.send(event(&[("from", "2027-01-15")])).await;
        assert_eq!(usage["total"]["allowed"], 2, "both are there yet");
        stack.clock.set(end);
        let (_, usage) = stack.send(event(&[("from", "2027-01-15")])).await;
        assert_eq!(usage["complete_from"], "2027-01-16", "from now on, a key of the 15th may be missing");
        let (_, usage) = stack.send(event(&[])).await;
        assert_eq!(usage["from"], "2027-01-16", "nobody is shown less than all without having asked for it");
        let csv = async |from: &str| stack.send(with_header(event(&[("from", from)]), "Accept", &["text/csv"])).await;
        let (status, problem) = csv("2027-01-15").await;
        assert_eq!((status, &problem["field"]), (400, &json!("from")), "{problem}");
        assert_eq!(csv("2027-01-16").await.0, 200);
    }
}

#[tokio::test]
async fn a_bill_has_no_rows_for_what_was_not_used() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    stack.issue(json!({})).await;
    stack.instance().await.get(&key.secret).await;
    let event = management_of("GET", "/v1/owners/{type}/{id}/usage", &[("type", "user"), ("id", "42")], &[], "");
    let answer = stack.answer(with_header(event, "Accept", &["text/csv"])).await;
    assert_eq!(answer["body"], format!("key,name,day,allowed\n{},test,2027-01-15,1\n", key.id));
}
