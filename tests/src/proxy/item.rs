//! What calls read and write, as far as the rules need it.

use local::engine::Portless;
use serde_json::{Value, json};
use tokio::time::Instant;

/// An item in DynamoDB's JSON.
pub type Item = serde_json::Map<String, Value>;

/// Where an item is. Every table here has the key attributes `pk` and `sk`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The table.
    pub table: String,
    /// The partition.
    pub pk: String,
    /// The place in it.
    pub sk: String,
}

/// A write that has changed an item.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What its caller was doing.
    pub errand: u64,
    /// The operation.
    pub operation: String,
    /// When.
    pub at: Instant,
    /// The item.
    pub place: Place,
    /// The item before, if there was one.
    pub before: Option<Item>,
    /// The item after, if there is one.
    pub after: Option<Item>,
}

impl Place {
    fn of(table: &Value, key: &Value) -> Option<Self> {
        let text = |name: &str| key[name]["S"].as_str().map(ToOwned::to_owned);
        Some(Self { table: table.as_str()?.to_owned(), pk: text("pk")?, sk: text("sk")? })
    }

    pub(super) fn key(&self) -> Value {
        json!({ "pk": { "S": self.pk }, "sk": { "S": self.sk } })
    }

    /// What is there, past all faults.
    #[must_use]
    pub fn read(&self, engine: &Portless) -> Option<Item> {
        let get = json!({ "TableName": self.table, "Key": self.key(), "ConsistentRead": true });
        let (_, body) = engine.dynamodb_answer("GetItem", get.to_string().as_bytes());
        let mut answer: Value = serde_json::from_str(&body).ok()?;
        match answer["Item"].take() {
            Value::Object(item) => Some(item),
            _ => None,
        }
    }
}

impl Place {
    pub(super) fn remove(&self, engine: &Portless) {
        let delete = json!({ "TableName": self.table, "Key": self.key() });
        let _ = engine.dynamodb_answer("DeleteItem", delete.to_string().as_bytes());
    }
}

pub(super) fn scan(engine: &Portless, table: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut from = Value::Null;
    loop {
        let mut scan = json!({ "TableName": table, "ConsistentRead": true });
        if !from.is_null() {
            scan["ExclusiveStartKey"] = from;
        }
        let (_, body) = engine.dynamodb_answer("Scan", scan.to_string().as_bytes());
        let mut answer: Value = serde_json::from_str(&body).unwrap_or_default();
        if let Value::Array(page) = answer["Items"].take() {
            items.extend(page.into_iter().filter_map(|item| if let Value::Object(item) = item { Some(item) } else { None }));
        }
        from = answer["LastEvaluatedKey"].take();
        if from.is_null() {
            return items;
        }
    }
}

pub(super) fn ended(engine: &Portless, table: &str, now: u64) -> Vec<Place> {
    let over = |item: &Item| item.get("ttl").and_then(|ttl| ttl["N"].as_str()?.parse::<u64>().ok()).is_some_and(|ttl| ttl <= now);
    let items = scan(engine, table).into_iter().filter(over);
    items.filter_map(|item| Place::of(&json!(table), &Value::Object(item))).collect()
}

/// The items that a call may write.
pub(super) fn written(operation: &str, request: &Value) -> Vec<Place> {
    let single = |request: &Value, key: &str| Place::of(&request["TableName"], &request[key]);
    match operation {
        "PutItem" => single(request, "Item").into_iter().collect(),
        "UpdateItem" | "DeleteItem" => single(request, "Key").into_iter().collect(),
        "TransactWriteItems" => request["TransactItems"].as_array().into_iter().flatten().filter_map(in_transaction).collect(),
        _ => Vec::new(),
    }
}

fn in_transaction(item: &Value) -> Option<Place> {
    let (action, request) = item.as_object()?.iter().next()?;
    Place::of(&request["TableName"], &request[if action == "Put" { "Item" } else { "Key" }])
}

/// Whether a call is a read that may be answered from the past.
pub(super) fn is_eventual(operation: &str, request: &Value) -> bool {
    matches!(operation, "GetItem" | "Query" | "Scan") && request["ConsistentRead"] != json!(true)
}
