//! A second engine that follows the first some time later: what indexes and reads that aren't consistent may show.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use local::{engine::Portless, template::Template};
use serde_json::json;
use tokio::time::Instant;

use super::{Call, Item, Reply, item::Place, lock};

/// The follower, and what it hasn't seen yet.
pub(super) struct Replica {
    engine: Portless,
    behind: Mutex<VecDeque<(Instant, Place, Option<Item>)>>,
}

impl Replica {
    pub(super) async fn start(template: &Template) -> Self {
        Self { engine: Portless::start(template).await.expect("an engine"), behind: Mutex::default() }
    }

    /// Has it follow a change after `lag`, and after all changes before.
    pub(super) fn follow(&self, place: Place, item: Option<Item>, lag: Duration) {
        lock(&self.behind).push_back((Instant::now() + lag, place, item));
    }

    /// What it answers to a read, and whether it is behind.
    pub(super) fn answer(&self, call: &Call) -> (Reply, bool) {
        let mut behind = lock(&self.behind);
        while let Some((_, place, item)) = behind.pop_front_if(|(due, ..)| *due <= Instant::now()) {
            self.write(&place, item);
        }
        let (status, body) = self.engine.dynamodb_answer(&call.operation, &call.body);
        (Reply { status, body: body.into() }, !behind.is_empty())
    }

    fn write(&self, place: &Place, item: Option<Item>) {
        let (operation, request) = match item {
            Some(item) => ("PutItem", json!({ "TableName": place.table, "Item": item })),
            None => ("DeleteItem", json!({ "TableName": place.table, "Key": place.key() })),
        };
        let (status, answer) = self.engine.dynamodb_answer(operation, request.to_string().as_bytes());
        assert!(status.is_success(), "the replica follows: {answer}");
    }
}
