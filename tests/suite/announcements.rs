//! Every rotation is announced to the owner: what was published, to whom, and what becomes of a rotation that can't be.

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
    assert!(stack.announced().is_empty(), "issuing isn't announced");
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
    let _ = stack.lines.take();
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
        assert_eq!(stack.rotate(&key.id, &json!({})).await.0, 200);
        assert_eq!(only(&stack).1["key"]["name"], json!(name));
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
