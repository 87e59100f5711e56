//! Bodies that the code takes are bodies that the description allows, and the other way round, but for what JSON Schema has no
//! word for.

use fastrand::Rng;
use serde_json::{Map, Value, json};
use tests::{
    Stack,
    event::{management_of, own},
    openapi::held,
};

/// What the code refuses a body with. All other codes come later, of what has been understood.
const UNREADABLE: [&str; 3] = ["invalid_json", "unknown_field", "invalid_field"];

/// Where the description allows what the code refuses: how the field begins, and a part of the code's words.
const UNSPOKEN: [(&str, &str); 9] = [
    ("expires_at", "must be in the future"),
    ("metadata", "of at most 4096 bytes"),
    ("plan", "there is no plan of that name"),
    ("shared_limits", "share no limits yet"),
    ("generation", "must be one that the key has"),
    // Where braces and stars may be, and dot segments.
    ("scopes[", "has an invalid path pattern"),
    // Two spellings of one network, and the details of IPv6.
    ("ip_allowlist", "twice"),
    ("ip_allowlist[", "is neither an IP address nor a network"),
    ("secret", "configured to accept"),
];

/// Texts and other values, most of them wrong wherever they are put.
fn values() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "a",
        "a\nb",
        "\u{feff}",
        "\u{a0}",
        "\u{3000}x",
        "é",
        "user",
        "live",
        "minute",
        "read",
        "admin",
        "self:rotate",
        "GET /a/{id}",
        "GET /a//b",
        "GET /a/",
        "GET a",
        "get /a",
        "ANY /",
        "GET /{*rest}",
        "GET /{",
        "GET /a,b",
        "GET /é",
        "GET  /a",
        "10.0.0.1",
        "10.0.0.0/8",
        "10.0.0.0/33",
        "10.0.0.256",
        "10.0.0.01",
        "::1",
        "2001:db8::/32",
        "2001:db8::/129",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:8:9/64",
        "2030-01-01T00:00:00Z",
        "2030-01-01t00:00:00z",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00.123456789+02:00",
        "2030-12-31T23:59:60Z",
        "2030-13-01T00:00:00Z",
        "2030-01-01T00:00:00",
        "2030-01-01",
        "1969-12-31T23:59:59Z",
        "2020-01-01T00:00:00Z",
        "/a",
        "/a?b",
        "a",
        "/a\u{7f}",
        "basic",
        "-a",
        "Basic",
        "acme_0123456789abcdef",
        "acme_0123456789abcde",
        "acme_0123456789 abcdef",
    ];
    let long = [64, 65, 72, 73, 256, 257, 2047, 2048].map(|length| format!("/{}", "x".repeat(length - 1)));
    let numbers = [0, 1, 800, 801, 3650, 3651, 2_592_000, 2_592_001, 4_294_967_295, 4_294_967_296, u64::MAX];
    let limit = |requests: u64, per: &str| json!({ "requests": requests, "per": per });
    let mut values: Vec<Value> = texts.into_iter().map(Value::from).chain(long.into_iter().map(Value::from)).collect();
    values.extend(numbers.map(Value::from));
    values.extend([
        json!(null),
        json!(true),
        json!(false),
        json!(-1),
        json!(1.5),
        json!(7.0),
        json!(1e300),
        json!([]),
        json!({}),
        json!([1]),
        json!(["read"]),
        json!(["read", "read"]),
        json!(["10.0.0.1", "10.0.0.1/32"]),
        json!({ "a": 1 }),
        json!({ "a": "x".repeat(4096) }),
        json!({ "type": "user", "id": "a" }),
        json!({ "type": "service", "id": "a b" }),
        json!([limit(1, "day"), limit(2, "day")]),
        json!([limit(48_001, "minute")]),
        json!([limit(69_120_000, "day")]),
        limit(1, "second"),
        limit(801, "second"),
        json!(vec!["10.0.0.1"; 21]),
        json!((0..21).map(|n| format!("GET /{n}")).collect::<Vec<_>>()),
        json!((0..20).map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>()),
    ]);
    values
}

/// Changes one thing in `value`, somewhere.
fn mutate(value: &mut Value, fields: &[String], values: &[Value], rng: &mut Rng) {
    let any = |rng: &mut Rng| values[rng.usize(..values.len())].clone();
    match value {
        Value::Object(members) if rng.u8(..4) > 0 => change(members, fields, values, rng),
        Value::Array(entries) if rng.bool() && !entries.is_empty() => {
            let index = rng.usize(..entries.len());
            mutate(&mut entries[index], fields, values, rng);
        }
        Value::Array(entries) if rng.bool() => entries.push(any(rng)),
        other => *other = any(rng),
    }
}

fn change(members: &mut Map<String, Value>, fields: &[String], values: &[Value], rng: &mut Rng) {
    let present: Vec<String> = members.keys().cloned().collect();
    match (rng.u8(..8), present.is_empty()) {
        (0, false) => {
            members.remove(&present[rng.usize(..present.len())]);
        }
        (1, _) => {
            members.insert("colour".to_owned(), values[rng.usize(..values.len())].clone());
        }
        (2..4, _) | (_, true) => {
            if !fields.is_empty() {
                members.insert(fields[rng.usize(..fields.len())].clone(), values[rng.usize(..values.len())].clone());
            }
        }
        _ => mutate(&mut members[&present[rng.usize(..present.len())]], fields, values, rng),
    }
}

/// Every body that a route takes, and the fields that it may have.
fn routes() -> Vec<(String, String, Value, Vec<String>)> {
    let all = held::served().operations().filter_map(|(method, path, operation)| {
        let content = operation.pointer("/requestBody/content/application~1json")?;
        let schema = content["schema"]["$ref"].as_str()?.trim_start_matches('#');
        let fields = held::served().part(schema)["properties"].as_object().map(|fields| fields.keys().cloned().collect());
        Some((method, path.to_owned(), content["example"].clone(), fields.unwrap_or_default()))
    });
    all.collect()
}

#[tokio::test]
async fn bodies_are_described_as_they_are_read() {
    let stack = Stack::start_with(&[("ImportPrefixes", "acme_")]).await;
    let (values, mut rng) = (values(), Rng::with_seed(31));
    let (mut taken, mut refused) = (0, 0);
    for (method, path, example, fields) in routes() {
        for _ in 0..120 {
            let mut body = example.clone();
            for _ in 0..rng.usize(1..4) {
                mutate(&mut body, &fields, &values, &mut rng);
            }
            let key = stack.issue(json!({ "scopes": ["self:rotate"] })).await.id;
            let named = [("type", "user"), ("id", if path.contains("{type}") { "ann" } else { key.as_str() }), ("name", "basic")];
            let event = match path.as_str() {
                "/v1/self/rotate" => own(&method, &path, &key, (1, "self:rotate"), &body.to_string()),
                _ => management_of(&method, &path, &named, &[], &body.to_string()),
            };
            let (status, answer) = stack.send(event).await;
            let (code, field) = (answer["code"].as_str().unwrap_or_default(), answer["field"].as_str().unwrap_or_default());
            let detail = answer["detail"].as_str().unwrap_or_default();
            let unreadable = status == 400 && UNREADABLE.contains(&code);
            match held::served().takes(&method, &path, &body) {
                Err(error) => assert!(unreadable, "{method} {path} takes {body}, which isn't described: {error}"),
                Ok(()) if unreadable => {
                    let unspoken = UNSPOKEN.iter().any(|(start, words)| field.starts_with(start) && detail.contains(words));
                    assert!(unspoken, "{method} {path} refuses {body}, which is described: {answer}");
                }
                Ok(()) => {}
            }
            *(if unreadable { &mut refused } else { &mut taken }) += 1;
        }
    }
    assert!(taken > 200 && refused > 200, "{taken} were taken and {refused} refused");
}
