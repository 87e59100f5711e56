//! What anybody may ask of the console.

use serde_json::{Value, json};

use super::{Expected, Recorded, api_gateway::Asked};

pub(super) fn events() -> Vec<Recorded> {
    let ask = |resource: &'static str, path: &str, parameters: Value| {
        let asked = Asked { method: "GET", resource, path: path.to_owned(), header_key: None, if_match: None, query: Vec::new() };
        let mut event = asked.proxy(parameters, None, Value::Null);
        // Nobody was asked to authorize it.
        if let Some(context) = event["requestContext"].as_object_mut() {
            context.remove("authorizer");
        }
        event["requestContext"]["identity"]["apiKey"] = Value::Null;
        event
    };
    vec![
        Recorded {
            name: "console-page",
            what: "`GET /console`, without a key",
            answer: "200, the page",
            expected: Expected::Answer(json!({
                "statusCode": 200, "multiValueHeaders": { "content-type": ["text/html; charset=utf-8"] },
            })),
            event: ask("/console", "/console", Value::Null),
        },
        Recorded {
            name: "console-no-such-file",
            what: "a file of a version that isn't deployed any more",
            answer: "404, `no_such_route`",
            expected: Expected::Answer(json!({ "statusCode": 404, "body": { "code": "no_such_route" } })),
            event: ask("/console/{file+}", "/console/000000000000/app.js", json!({ "file": "000000000000/app.js" })),
        },
    ]
}
