//! Every form that a key was ever stored in is read on: `tests/fixtures/stored` has a key of each, as it was written then.
//!
//! When the form changes, the second test fails, writes a key of the new form into a file and names it. If the change is
//! meant, move that file to `tests/fixtures/stored`, under the next number and a word for what is new. Never change a file
//! that is there, and never remove one: somebody's table holds items like that.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};
use tests::{Answer, Stack, stack::issued};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stored");

const COMMENT: &str = "A key of the tests, made under a pepper of the tests: it opens nothing.";

/// Items of other peppers than a fixture's would be nobody's.
const PEPPERS: &str = r#"{"issue_with": "1", "1": "fixture-pepper-that-protects-nothing-fixture-pepper-that-protects"}"#;

type Item = HashMap<String, AttributeValue>;

/// The fixtures, oldest first.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(FOLDER).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

async fn with_peppers(peppers: &str) -> Stack {
    let stack = Stack::start().await;
    let put = stack.engine.secrets().put_secret_value().secret_id(stack.pepper_secret());
    put.secret_string(peppers).send().await.unwrap();
    stack
}

/// A key with everything that a key that works can have, as it is stored now.
async fn fixture() -> Value {
    let stack = with_peppers(PEPPERS).await;
    let limits: Vec<_> = ["second", "minute", "hour", "day", "month"].map(|per| json!({ "requests": 500, "per": per })).into();
    assert_eq!(stack.share(&json!(limits)).await.0, 201);
    let key = stack
        .issue(json!({
            "name": "fixture", "environment": "test", "scopes": ["read", "GET /reports/{id}"], "limits": limits,
            "ip_allowlist": ["203.0.113.0/24", "2001:db8::/32"], "expires_at": "2099-01-01T00:00:00Z",
            "metadata": { "team": "red" }, "rotate_every_days": 90, "shared_limits": true,
        }))
        .await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(stack.update(&key.id, &json!({ "metadata": { "team": "blue" }, "rotate_every_days": 30 })).await.0, 200);
    // The first secret has ended, so that the second can be rotated again.
    let rotated = stack.rotate(&key.id, &json!({ "grace_seconds": 0, "until_first_use": true })).await.1;
    let secret = issued(&rotated).secret;
    assert_eq!(instance.get(&secret).await, Answer::Allowed);
    instance.settle().await;
    let mut items: Vec<_> = stack.scan("KeysTable").await.iter().map(item_to_json).collect();
    items.sort_by_key(|item| [item["sk"].to_string(), item["pk"].to_string()]);
    json!({ "comment": COMMENT, "peppers": PEPPERS, "secret": secret, "items": items })
}

#[tokio::test]
async fn a_key_of_every_form_works_and_can_be_managed() {
    let files = files();
    assert!(files.len() > 1 && files.iter().all(|file| file.extension().is_some_and(|extension| extension == "json")));
    for file in files {
        let (fixture, name) = (read(&file), file.display());
        let stack = with_peppers(fixture["peppers"].as_str().unwrap()).await;
        for item in fixture["items"].as_array().unwrap() {
            let put = stack.engine.dynamodb().put_item().table_name(stack.table("KeysTable"));
            put.set_item(Some(item_from_json(item))).send().await.unwrap();
        }
        let hot = fixture["items"].as_array().unwrap().iter().find(|item| item["sk"]["S"] == "key").unwrap();
        let (id, secret) = (hot["pk"]["S"].as_str().unwrap(), fixture["secret"].as_str().unwrap());

        let instance = stack.instance().await;
        assert_eq!(instance.get(secret).await, Answer::Allowed, "{name}");
        let shown = stack.show(id).await;
        for (field, expected) in [
            ("name", json!("fixture")),
            ("status", json!("active")),
            ("scopes", json!(["read", "GET /reports/{id}"])),
            ("metadata", json!({ "team": "blue" })),
            ("rotate_every_days", json!(30)),
            ("total_uses", json!(3)),
        ] {
            assert_eq!(shown[field], expected, "{name}: {field}");
        }
        let (status, updated) = stack.update(id, &json!({ "name": "renamed", "metadata": { "team": "green" } })).await;
        assert_eq!((status, &updated["metadata"]["team"]), (200, &json!("green")), "{name}: {updated}");
        let (status, rotated) = stack.rotate(id, &json!({})).await;
        assert_eq!(status, 200, "{name}: {rotated}");
        let new = issued(&rotated).secret;
        let listed = tests::event::management("GET", "/v1/keys", None, &[("environment", "test")], "");
        assert_eq!(stack.send(listed).await.1["keys"][0]["name"], "renamed", "{name}");
        for warm in [&instance, &stack.instance().await] {
            for secret in [secret, &new] {
                assert_eq!(warm.get(secret).await, Answer::Allowed, "{name}: old and new secret");
            }
        }
        assert_eq!(stack.revoke(id).await.0, 200, "{name}");
        for cold_or_warm in [&instance, &stack.instance().await] {
            for secret in [secret, &new] {
                assert_eq!(cold_or_warm.get(secret).await, Answer::Unauthorized, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_newest_fixture_is_what_is_stored_now() {
    let now = fixture().await;
    let newest = files().last().map(|file| read(file)).unwrap_or_default();
    if shapes(&now) != shapes(&newest) {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stored-now.json");
        std::fs::write(&file, format!("{now:#}\n")).unwrap();
        panic!(
            "keys are stored in a form that no fixture has. If that is meant, move {} to {FOLDER}; see the comment in {}.\nonly now: \
             {:#?}\nonly in the newest fixture: {:#?}",
            file.display(),
            file!(),
            shapes(&now).difference(&shapes(&newest)).collect::<Vec<_>>(),
            shapes(&newest).difference(&shapes(&now)).collect::<Vec<_>>(),
        );
    }
}

/// What is the same in all keys of one form: the names and types of each item's attributes.
fn shapes(fixture: &Value) -> BTreeSet<String> {
    fixture["items"].as_array().into_iter().flatten().map(|item| format!("{} {}", item["sk"]["S"], shape("", item))).collect()
}

fn shape(parent: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            // Tags of secrets are random names. In one order, whatever the items' is.
            let name = |name: &String| if parent == "secrets" && name != "M" { "*".to_owned() } else { name.clone() };
            let mut fields: Vec<_> = fields
                .iter()
                .map(|(name_of, value)| (name(name_of), shape(if name_of == "M" { parent } else { name_of }, value)))
                .collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            fields.into_iter().collect::<Map<_, _>>().into()
        }
        Value::Array(values) => values.iter().map(|value| shape("", value)).collect(),
        _ => Value::Null,
    }
}

/// An item as DynamoDB's API and the AWS CLI write it.
fn item_to_json(item: &Item) -> Value {
    let mut fields: Vec<_> = item.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    fields.into_iter().map(|(name, value)| (name.clone(), to_json(value))).collect::<Map<_, _>>().into()
}

fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(digits) => json!({ "N": digits }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::L(values) => json!({ "L": values.iter().map(to_json).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": item_to_json(map) }),
        other => panic!("no item here has {other:?}"),
    }
}

fn item_from_json(item: &Value) -> Item {
    item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), from_json(value))).collect()
}

fn from_json(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("a type and a value");
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text.clone()),
        ("N", Value::String(digits)) => AttributeValue::N(digits.clone()),
        ("BOOL", Value::Bool(value)) => AttributeValue::Bool(*value),
        ("L", Value::Array(values)) => AttributeValue::L(values.iter().map(from_json).collect()),
        ("M", map) => AttributeValue::M(item_from_json(map)),
        other => panic!("no item here has {other:?}"),
    }
}
