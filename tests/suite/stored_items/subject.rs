//! A key to be damaged, and every way to do it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::{Value, json};
use tests::{Answer, Instance, Stack, stack::Issued};

type Item = HashMap<String, AttributeValue>;

/// The largest number of 64 bits, and the largest that DynamoDB takes.
const HUGE: [&str; 2] = ["18446744073709551615", "99999999999999999999999999999999999999"];

/// A text that is none of the texts that are stored, but for those that may be any.
const NONSENSE: &str = "nonsense!";

/// Every way to damage a value, each with its name; without a value it is removed.
fn damages(value: &AttributeValue) -> Vec<(String, Option<AttributeValue>)> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    let mut damages = vec![(": removed".to_owned(), None)];
    let mut damage = |name: &str, value| damages.push((format!(": {name}"), Some(value)));
    match value {
        AttributeValue::S(_) => {
            damage("a number", number("7"));
            damage("nonsense", text(NONSENSE));
        }
        AttributeValue::N(digits) => {
            damage("a text", text(digits));
            damage("negative", number("-7"));
            damage("a fraction", number("1.5"));
            HUGE.iter().for_each(|digits| damage(digits, number(digits)));
        }
        AttributeValue::L(values) => {
            damage("a text", text("[]"));
            damage("emptied", AttributeValue::L(Vec::new()));
            for (index, value) in values.iter().enumerate() {
                for (name, inner) in self::damages(value) {
                    let mut values = values.clone();
                    match inner {
                        Some(inner) => values[index] = inner,
                        None => drop(values.remove(index)),
                    }
                    damages.push((format!(".{index}{name}"), Some(AttributeValue::L(values))));
                }
            }
        }
        AttributeValue::M(map) => {
            damage("a text", text("{}"));
            damage("emptied", AttributeValue::M(HashMap::new()));
            for (entry, value) in map {
                for (name, inner) in self::damages(value) {
                    let mut map = map.clone();
                    match inner {
                        Some(inner) => map.insert(entry.clone(), inner),
                        None => map.remove(entry),
                    };
                    damages.push((format!(".{entry}{name}"), Some(AttributeValue::M(map))));
                }
            }
        }
        _ => damage("null", AttributeValue::Null(true)),
    }
    damages
}

/// A key with everything that a key can have, its first secret, and its items.
pub(super) struct Subject {
    pub(super) stack: Stack,
    pub(super) key: Issued,
    items: Vec<Item>,
}

impl Subject {
    pub(super) async fn new() -> Self {
        let stack = Stack::start().await;
        let limits: Vec<_> =
            ["second", "minute", "hour", "day", "month"].map(|per| json!({ "requests": 500, "per": per })).into();
        assert_eq!(stack.share(&json!(limits)).await.0, 201);
        let key = stack
            .issue(json!({
                "shared_limits": true, "scopes": ["read", "GET /reports/{id}"], "limits": limits, "ip_allowlist": ["203.0.113.0/24", "2001:db8::/32"],
                "expires_at": "2099-01-01T00:00:00Z", "metadata": { "team": "red" }, "rotate_every_days": 90,
            }))
            .await;
        assert_eq!(stack.instance().await.get(&key.secret).await, Answer::Allowed);
        assert_eq!(stack.update(&key.id, &json!({ "metadata": { "team": "blue" } })).await.0, 200);
        let grace = json!({ "grace_seconds": 2_592_000, "until_first_use": true });
        assert_eq!(stack.rotate(&key.id, &grace).await.0, 200);
        // One that breaks off after record, about, intent, staging and commit: it is in force, and its staged part still there.
        stack.wire.cut_after(5);
        let (status, _) = stack.update(&key.id, &json!({ "metadata": { "team": "green" }, "rotate_every_days": 30 })).await;
        assert_eq!(status, 503);
        stack.wire.mend();
        let items = stack.scan("KeysTable").await;
        assert!(items.iter().any(|item| item.keys().any(|name| name.starts_with("staged#"))));
        let _ = stack.lines.take();
        Self { stack, key, items }
    }

    /// The item of that kind; of aliases, that of the first secret.
    pub(super) fn item(&self, kind: &str) -> &Item {
        let first = |item: &&Item| item.get("generation").is_none_or(|number| number.as_n().unwrap() == "1");
        self.items.iter().filter(|item| item["sk"].as_s().unwrap() == kind).find(first).unwrap()
    }

    /// All ways to damage the item of that kind, but for its key.
    pub(super) fn damaged(&self, kind: &str) -> Vec<(String, String, Option<AttributeValue>)> {
        let mut all = Vec::new();
        for (name, value) in self.item(kind).iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str())) {
            all.extend(damages(value).into_iter().map(|(damage, value)| (format!("{name}{damage}"), name.clone(), value)));
        }
        let newest = self.item(kind).get("schema").and_then(|schema| schema.as_n().ok()?.parse::<u64>().ok()).unwrap_or(1);
        let newer = AttributeValue::N((newest + 1).to_string());
        all.push(("schema: newer".to_owned(), "schema".to_owned(), Some(newer)));
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    }

    /// Answers whether the table takes the item: the attributes of its indexes have types.
    pub(super) async fn put(&self, item: &Item) -> bool {
        let put = self.stack.engine.dynamodb().put_item().table_name(self.stack.table("KeysTable"));
        put.set_item(Some(item.clone())).send().await.is_ok()
    }

    /// Puts every item back as it was.
    pub(super) async fn restore(&self) {
        let put = |item: &Item| PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
        let writes = self.items.iter().map(|item| WriteRequest::builder().put_request(put(item)).build()).collect();
        let batch = self.stack.engine.dynamodb().batch_write_item();
        batch.request_items(self.stack.table("KeysTable"), writes).send().await.unwrap();
    }

    /// An instance that knows the key and its secret.
    pub(super) async fn warm(&self) -> Instance {
        let instance = self.stack.instance().await;
        assert_eq!(instance.get(&self.key.secret).await, Answer::Allowed);
        instance
    }

    /// Changes one attribute of an item as it is now. Answers whether the table takes that.
    pub(super) async fn damage(&self, kind: &str, name: &str, value: Option<AttributeValue>) -> bool {
        let mut item = self.stored(kind).await;
        match value {
            Some(value) => item.insert(name.to_owned(), value),
            None => item.remove(name),
        };
        self.put(&item).await
    }

    /// The item of that kind as it is now.
    pub(super) async fn stored(&self, kind: &str) -> Item {
        let [pk, sk] = ["pk", "sk"].map(|name| self.item(kind)[name].clone());
        let get = self.stack.engine.dynamodb().get_item().table_name(self.stack.table("KeysTable"));
        get.key("pk", pk).key("sk", sk).send().await.unwrap().item.unwrap()
    }

    /// What a use of the first secret comes to, and the fault in its line.
    pub(super) async fn get(&self, instance: &Instance) -> (Answer, Option<String>) {
        let _ = self.stack.lines.take();
        let answer = instance.get(&self.key.secret).await;
        let line = self.stack.lines.only();
        let fault = line["fault"].as_str().map(ToOwned::to_owned);
        assert_eq!((line["own_fault"] == 1, line["outcome"] == "internal"), (fault.is_some(), fault.is_some()), "{line}");
        assert_eq!(fault.is_some(), answer == Answer::Fault, "{line}");
        (answer, fault)
    }

    /// What a management route comes to, and the fault in its line.
    pub(super) async fn manage(&self, method: &str, resource: &str, body: &Value) -> (u16, Option<String>) {
        let _ = self.stack.lines.take();
        let query: &[_] = if resource == "/v1/keys" { &[("owner_type", "user"), ("owner_id", "42")] } else { &[] };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let event = tests::event::management(method, resource, Some(&self.key.id), query, &body);
        let (status, answer) = self.stack.send(event).await;
        let fault = self.stack.lines.only()["fault"].as_str().map(ToOwned::to_owned);
        assert_eq!(fault.is_some(), status == 503, "{method} {resource}: {answer}");
        (status, fault)
    }
}
