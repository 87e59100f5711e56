//! `GET /v1/openapi.json`: the same for everybody.

use tests::{
    Stack,
    event::{management, with_header},
};

#[tokio::test]
async fn anybody_may_read_the_description_and_whoever_has_it_is_not_sent_it_again() {
    let stack = Stack::start().await;
    let mut event = management("GET", "/v1/openapi.json", None, &[], "");
    event["requestContext"]["authorizer"] = serde_json::Value::Null;
    let (status, document, headers) = stack.send_for_headers(event.clone()).await;
    assert_eq!((status, &document["openapi"]), (200, &"3.1.0".into()));
    assert_eq!(headers["cache-control"], "public, max-age=3600");
    let known = with_header(event.clone(), "If-None-Match", &[&headers["etag"]]);
    let (status, _, again) = stack.send_for_headers(known).await;
    assert_eq!((status, &again["etag"]), (304, &headers["etag"]));
    let stale = with_header(event, "If-None-Match", &["\"another\""]);
    assert_eq!(stack.send(stale).await.0, 200);
    assert!(stack.wire.take().is_empty(), "it calls nothing");
}
