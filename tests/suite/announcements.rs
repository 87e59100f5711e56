//! What becomes of a key is announced to its owner: what was published, to whom, and what becomes of a change that can't be.

use aws_sdk_sns::config::http::HttpRequest;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use local::engine::{Portless, Published};
use serde_json::{Value, json};
use shared::{
    announce::{AnnounceConfig, Announcement, Announcer, News, Rotated},
    id::KeyId,
    key::Environment,
    owner::Owner,
    telemetry::cost,
    time::Timestamp,
};
use tests::{Answer, Stack, event, stack::issued};

/// The one announcement since this was last asked, with its document.
fn only(stack: &Stack) -> (Published, Value) {
    let mut announced = stack.announced();
    assert_eq!(announced.len(), 1, "{announced:#?}");
    let published = announced.swap_remove(0);
    let document = serde_json::from_str(published.message("sqs")).expect("JSON for programs");
    (published, document)
}

/// Whether a subscription with that filter policy, in its simplest form, would get it.
fn reaches(published: &Published, policy: &Value) -> bool {
    let accepts = |(name, values): (&String, &Value)| {
        let value = published.attributes.get(name);
        value.is_some_and(|value| values.as_array().is_some_and(|values| values.contains(&json!(value))))
    };
    policy.as_object().is_some_and(|policy| policy.iter().all(accepts))
}

#[tokio::test]
async fn a_rotation_by_an_administrator_tells_the_owner_what_to_do_and_until_when_and_no_secret() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "name": "reports" })).await;
    let _ = stack.announced();
    let (status, rotated) = stack.rotate(&key.id, &json!({ "grace_seconds": 3600 })).await;
    assert_eq!(status, 200, "{rotated}");
    let new = issued(&rotated);
    let (published, document) = only(&stack);
    let hint = |secret: &str| json!(format!("{}…", &secret[..13]));
    let ends_at = stack.clock.now().plus(3600);
    assert_eq!(
        document,
        json!({
            "event": "key.rotated", "at": stack.clock.now(), "by": "key_admin",
            "key": {
                "id": key.id, "name": "reports", "hint": hint(&new.secret), "owner": { "type": "user", "id": "42" },
                "environment": "live",
            },
            "generation": 2, "expires_at": null,
            "old_secret": { "hint": hint(&key.secret), "generation": 1, "ends_at": ends_at, "until_first_use": false },
            "ended": [], "repeated": false,
        })
    );
    assert_eq!(published.topic, stack.template.topics[0]);
    assert_eq!(published.subject, Some(format!("API key rotated: {} (reports)", key.id)));
    let mail = published.message("email");
    for part in [&format!("before {ends_at}"), &format!("/v1/keys/{}/revoke", key.id), "user:42", "key_admin"] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    for secret in [&key.secret, &new.secret] {
        let random = secret.rsplit('_').next().expect("a secret");
        assert!(!format!("{published:?}").contains(random), "{published:?}");
    }
}

#[tokio::test]
async fn a_key_that_rotates_itself_is_announced_as_its_own_doing() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["self:rotate"] })).await;
    let _ = stack.announced();
    let event = event::own("POST", "/v1/self/rotate", &key.id, (1, "self:rotate"), r#"{"until_first_use": true}"#);
    assert_eq!(stack.send(event).await.0, 200);
    let (published, document) = only(&stack);
    assert_eq!((&document["by"], &document["old_secret"]["until_first_use"]), (&json!(key.id), &json!(true)));
    let mail = published.message("email");
    assert!(mail.contains("by the key itself") && mail.contains("its first use ends the old one"), "{mail}");
}

#[tokio::test]
async fn a_secret_that_is_forced_out_of_its_grace_is_named() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let second = issued(&stack.rotate(&key.id, &json!({})).await.1);
    assert_eq!(stack.instance().await.get(&second.secret).await, Answer::Allowed);
    let _ = stack.announced();
    assert_eq!(stack.rotate(&key.id, &json!({ "force": true })).await.0, 200);
    let (published, document) = only(&stack);
    let hint = format!("{}…", &key.secret[..13]);
    assert_eq!(document["ended"], json!([hint]));
    assert!(published.message("email").contains(&hint), "{published:?}");
}

#[tokio::test]
async fn a_refused_rotation_announces_nothing() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "scopes": ["read"] })).await;
    let revoked = stack.issue(json!({})).await;
    stack.revoke(&revoked.id).await;
    let _ = stack.announced();
    let refused = [
        stack.rotate(&key.id, &json!({ "grace_seconds": "an hour" })).await.0,
        stack.rotate(&revoked.id, &json!({})).await.0,
        stack.rotate("key_0000000000000000000000", &json!({})).await.0,
        stack.manage_if("\"99\"", "POST", "/v1/keys/{id}/rotate", &key.id, &json!({})).await.0,
        stack.send(event::own("POST", "/v1/self/rotate", &key.id, (1, "read"), "")).await.0,
    ];
    assert_eq!(refused, [400, 409, 404, 412, 403]);
    // The commit is not reached.
    stack.wire.cut_after(2);
    assert_eq!(stack.rotate(&key.id, &json!({})).await.0, 503);
    assert!(stack.announced().is_empty());
}

#[tokio::test]
async fn a_repeated_request_announces_the_secret_that_it_made_in_place_of_the_first() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let event = event::management("POST", "/v1/keys/{id}/rotate", Some(&key.id), &[], "{}");
    let event = event::with_header(event, "Idempotency-Key", &["one"]);
    let _ = stack.announced();
    let mut announced = Vec::new();
    for _ in 0..2 {
        let (status, answer) = stack.send(event.clone()).await;
        assert_eq!(status, 200, "{answer}");
        announced.push((only(&stack).1, issued(&answer)));
    }
    assert_eq!((&announced[0].0["repeated"], &announced[1].0["repeated"]), (&json!(false), &json!(true)));
    for (document, answered) in &announced {
        assert_eq!(document["key"]["hint"], json!(format!("{}…", &answered.secret[..13])));
    }
    assert_ne!(announced[0].0["generation"], announced[1].0["generation"], "by this two announcements are told apart");
}

#[tokio::test]
async fn a_rotation_that_cannot_be_announced_stands_and_its_line_says_so() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (_, _) = (stack.lines.take(), stack.announced());
    stack.announcing.cut_after(0);
    let (status, rotated) = stack.rotate(&key.id, &json!({})).await;
    assert_eq!(status, 200, "{rotated}");
    assert_eq!(stack.instance().await.get(&issued(&rotated).secret).await, Answer::Allowed, "the caller has the secret");
    let line: Value = serde_json::from_str(&stack.lines.take()[0]).expect("JSON");
    assert_eq!((&line["outcome"], &line["unannounced"], &line["own_fault"]), (&json!("ok"), &json!(1), &json!(0)), "{line}");
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().expect("metrics");
    assert!(metrics.iter().any(|metric| metric["Name"] == "unannounced"), "{line}");
    assert!(stack.announced().is_empty());

    stack.announcing.mend();
    assert_eq!(stack.rotate(&key.id, &json!({ "force": true })).await.0, 200);
    let line: Value = serde_json::from_str(&stack.lines.take()[0]).expect("JSON");
    assert!(line.get("unannounced").is_none(), "{line}");
    let _ = only(&stack);
}

#[tokio::test]
async fn subscriptions_can_choose_by_owner_and_environment() {
    let stack = Stack::start().await;
    let ann = stack.issue(json!({ "owner": { "type": "user", "id": "ann" }, "environment": "test" })).await;
    let ci = stack.issue(json!({ "owner": { "type": "service", "id": "ci:main" } })).await;
    let _ = stack.announced();
    let mut announced = Vec::new();
    for key in [&ann, &ci] {
        stack.rotate(&key.id, &json!({})).await;
        announced.push(only(&stack).0);
    }
    for (policy, reached) in [
        (json!({ "owner": ["user:ann"] }), [true, false]),
        (json!({ "owner": ["service:ci:main"] }), [false, true]),
        (json!({ "environment": ["live"], "event": ["key.rotated"] }), [false, true]),
        (json!({ "owner": ["user:an"] }), [false, false]),
    ] {
        assert_eq!([reaches(&announced[0], &policy), reaches(&announced[1], &policy)], reached, "{policy}");
    }
}

#[tokio::test]
async fn whatever_a_key_is_called_its_announcement_is_one_that_sns_takes() {
    let stack = Stack::start().await;
    for name in ["B\u{fc}ro \u{1f511} \u{2028} key", &"\u{200f}".repeat(64), &"x".repeat(64), " \"quotes\" & <tags> "] {
        let key = stack.issue(json!({ "name": name })).await;
        assert_eq!(only(&stack).1["key"]["name"], json!(name));
        assert_eq!(stack.rotate(&key.id, &json!({})).await.0, 200);
        assert_eq!(only(&stack).1["key"]["name"], json!(name));
        assert_eq!(stack.revoke(&key.id).await.0, 200);
        assert_eq!(only(&stack).1["key"]["name"], json!(name));
    }
}

#[tokio::test]
async fn a_new_key_is_announced_with_what_it_may_do_and_without_its_secret() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "name": "reports", "expires_at": "2027-02-01T00:00:00Z" })).await;
    let (published, document) = only(&stack);
    let hint = format!("{}…", &key.secret[..13]);
    assert_eq!(
        document,
        json!({
            "event": "key.issued", "at": stack.clock.now(), "by": "iam",
            "key": {
                "id": key.id, "name": "reports", "hint": hint, "owner": { "type": "user", "id": "42" }, "environment": "live",
            },
            "generation": 1, "expires_at": "2027-02-01T00:00:00Z", "scopes": ["read", "write"], "imported": false, "repeated": false,
        })
    );
    assert_eq!(published.subject, Some(format!("API key issued: {} (reports)", key.id)));
    assert_eq!(published.attributes["event"], "key.issued");
    assert!(published.message("email").contains(&format!("mbk revoke {}", key.id)), "{published:?}");
    assert!(!format!("{published:?}").contains(&key.secret[9..]), "{published:?}");
}

#[tokio::test]
async fn a_request_for_a_key_that_is_sent_again_announces_the_secret_that_took_the_place_of_the_first() {
    let stack = Stack::start().await;
    let order =
        json!({ "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] }).to_string();
    let event = event::management("POST", "/v1/keys", None, &[], &order);
    let event = event::with_header(event, "Idempotency-Key", &["one"]);
    let mut generations = Vec::new();
    for _ in 0..2 {
        let (status, answer) = stack.send(event.clone()).await;
        assert_eq!(status, 201, "{answer}");
        let document = only(&stack).1;
        assert_eq!(document["key"]["hint"], json!(format!("{}…", &issued(&answer).secret[..13])));
        generations.push((document["event"].clone(), document["generation"].clone(), document["repeated"].clone()));
    }
    let issued = |generation: u32, repeated: bool| (json!("key.issued"), json!(generation), json!(repeated));
    assert_eq!(generations, [issued(1, false), issued(2, true)]);
}

#[tokio::test]
async fn an_imported_key_is_announced_once_however_often_its_import_is_sent() {
    let stack = Stack::start_with(&[("ImportPrefixes", "acme_")]).await;
    let order = json!({
        "secret": "acme_9f3kQ7xL2mVb8RtYw4Zd", "name": "moved", "owner": { "type": "user", "id": "1" }, "environment": "live",
        "scopes": ["read"],
    });
    let event = event::management("POST", "/v1/keys/import", None, &[], &order.to_string());
    let event = event::with_header(event, "Idempotency-Key", &["one"]);
    assert_eq!(stack.send(event.clone()).await.0, 201);
    let (published, document) = only(&stack);
    assert_eq!((&document["event"], &document["imported"]), (&json!("key.issued"), &json!(true)));
    assert!(!format!("{published:?}").contains("9f3kQ7xL2mVb"), "{published:?}");
    assert_eq!(stack.send(event).await.0, 201);
    assert!(stack.announced().is_empty(), "nothing has come of it");
}

#[tokio::test]
async fn a_revocation_is_announced_with_its_reason_and_repeating_it_announces_nothing() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "name": "reports" })).await;
    let _ = stack.announced();
    assert_eq!(stack.manage("POST", "/v1/keys/{id}/revoke", Some(&key.id), &json!({ "reason": "left" })).await.0, 200);
    let (published, document) = only(&stack);
    let revocation = json!({ "at": stack.clock.now(), "by": "key_admin", "reason": "left" });
    assert_eq!((&document["event"], &document["revocation"]), (&json!("key.revoked"), &revocation));
    assert_eq!(document["ended"], json!([format!("{}…", &key.secret[..13])]));
    assert!(published.message("email").contains("mbk issue --file -"), "{published:?}");
    assert_eq!(stack.manage("POST", "/v1/keys/{id}/revoke", Some(&key.id), &json!({ "reason": "again" })).await.0, 200);
    assert_eq!(stack.manage("POST", "/v1/keys/{id}/disable", Some(&key.id), &json!({})).await.0, 409);
    assert!(stack.announced().is_empty());
}

#[tokio::test]
async fn wherever_a_revocation_breaks_off_its_owner_is_told_by_the_time_that_it_is_done() {
    let stack = Stack::start().await;
    let mut broken = 0;
    for calls in 0..12 {
        let key = stack.issue(json!({})).await;
        let _ = stack.announced();
        stack.wire.cut_after(calls);
        let (first, _) = stack.revoke(&key.id).await;
        stack.wire.mend();
        broken += usize::from(first != 200);
        let in_force = stack.show(&key.id).await["status"] == "revoked";
        let told = stack.announced().len();
        assert!(told == 0 || in_force, "told of what isn't so: cut after {calls} calls");
        assert_eq!(stack.revoke(&key.id).await.0, 200);
        let all = told + stack.announced().len();
        assert!(all == 1 || (all == 2 && first != 200), "cut after {calls} calls: told {all} times");
    }
    assert!((4..12).contains(&broken), "{broken}");
}

#[tokio::test]
async fn all_keys_of_an_owner_are_announced_one_by_one() {
    let stack = Stack::start().await;
    let owner = json!({ "type": "user", "id": "ann" });
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(stack.issue(json!({ "owner": owner })).await.id);
    }
    stack.revoke(&ids[0]).await;
    let _ = stack.announced();
    let path = [("type", "user"), ("id", "ann")];
    let event = event::management_of("POST", "/v1/owners/{type}/{id}/revoke", &path, &[], r#"{"reason": "left"}"#);
    assert_eq!(stack.send(event).await.0, 200);
    let mut told: Vec<_> = stack
        .announced()
        .iter()
        .map(|published| serde_json::from_str::<Value>(published.message("sqs")).expect("JSON")["key"]["id"].clone())
        .collect();
    told.sort_by_key(ToString::to_string);
    ids.remove(0);
    ids.sort();
    assert_eq!(told, ids.into_iter().map(Value::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_change_that_cannot_be_announced_stands_and_its_line_says_so() {
    let stack = Stack::start().await;
    stack.announcing.cut_after(0);
    let key = stack.issue(json!({})).await;
    assert_eq!(stack.revoke(&key.id).await.0, 200);
    assert!(stack.announced().is_empty());
    for line in stack.lines.take() {
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&line["outcome"], &line["unannounced"]), (&json!("ok"), &json!(1)), "{line}");
    }
}

/// A way to SNS on which nothing ever comes back.
#[derive(Debug)]
struct Silent;

impl HttpConnector for Silent {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

#[tokio::test]
async fn when_sns_is_silent_the_caller_has_the_secret_after_three_seconds() {
    let portless = Portless::start(&tests::stack::template()).await.expect("an engine");
    let silent = http_client_fn(|_, _| SharedHttpConnector::new(Silent));
    let client = aws_sdk_sns::Client::from_conf(portless.sns_config().http_client(silent).build());
    let announcer = Announcer::new(AnnounceConfig { topic: "arn:aws:sns:us-east-1:000000000000:topic".to_owned() }, client);
    let rotated = Rotated { generation: 2, expires_at: None, old: None, ended: Vec::new(), repeated: false };
    let announcement = Announcement {
        at: Timestamp::from_secs(tests::NOW),
        by: "key_admin".to_owned(),
        key: KeyId::parse("key_0123456789abcdefghijkl").expect("an id"),
        name: "n".to_owned(),
        owner: Owner::parse("user:42").expect("an owner"),
        environment: Environment::Live,
        hint: None,
        news: News::Rotated(rotated),
    };
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let (told, cost) = cost::counted(announcer.announce(&announcement)).await;
    assert_eq!((began.elapsed().as_secs(), cost.unannounced, told), (3, 1, false));
}
