//! What the real DynamoDB refuses and the embedded engine doesn't.
//!
//! - While a transaction holds an item, other writes of it fail, and so do other transactions with it; so does the same
//!   transaction, sent again before it is through ([TransactWriteItems]).
//! - A partition key takes 1,000 write units in a second ([partition key design]). Refused conditions count as well.
//!
//! [TransactWriteItems]: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
//! [partition key design]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Fault, Reply,
    item::Place,
    weather::{refused, throttled},
};

/// Write units that a partition key takes in a second.
const MOST_UNITS: u64 = 1000;

/// What is going on at the engine.
#[derive(Default)]
pub(super) struct Rules {
    held: BTreeSet<Place>,
    tokens: BTreeSet<String>,
    units: BTreeMap<(String, String), (Instant, u64)>,
}

/// The idempotency token of a transaction: what it is held under.
pub(super) fn token(operation: &str, request: &Value) -> Option<String> {
    (operation == "TransactWriteItems").then(|| request["ClientRequestToken"].as_str().unwrap_or_default().to_owned())
}

impl Rules {
    /// Lets a call through, holding the items of a transaction until it is released.
    pub(super) fn admit(
        &mut self,
        operation: &str,
        request: &Value,
        writes: &[Place],
        now: Instant,
    ) -> Result<(), (Fault, Reply)> {
        let token = token(operation, request);
        if let Some(token) = token.as_ref().filter(|token| self.tokens.contains(*token)) {
            let message = format!("The transaction with the given request token is already in progress: {token}");
            return Err((Fault::Conflict, refused(StatusCode::BAD_REQUEST, "TransactionInProgressException", &message)));
        }
        if writes.iter().any(|place| self.held.contains(place)) {
            return Err((Fault::Conflict, self.conflict(token.is_some(), writes)));
        }
        if !self.has_units(writes, if token.is_some() { 2 } else { 1 }, now) {
            return Err((Fault::HotPartition, throttled(operation)));
        }
        if let Some(token) = token {
            self.tokens.insert(token);
            self.held.extend(writes.iter().cloned());
        }
        Ok(())
    }

    /// Ends the hold of a transaction.
    pub(super) fn release(&mut self, token: Option<String>, writes: &[Place]) {
        if let Some(token) = token {
            self.tokens.remove(&token);
            for place in writes {
                self.held.remove(place);
            }
        }
    }

    fn conflict(&self, transaction: bool, writes: &[Place]) -> Reply {
        let message = "Transaction is ongoing for the item";
        if !transaction {
            return refused(StatusCode::BAD_REQUEST, "TransactionConflictException", message);
        }
        let reason = |place: &Place| match self.held.contains(place) {
            true => json!({ "Code": "TransactionConflict", "Message": message }),
            false => json!({ "Code": "None" }),
        };
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
            "CancellationReasons": writes.iter().map(reason).collect::<Vec<_>>(),
        });
        Reply { status: StatusCode::BAD_REQUEST, body: body.to_string().into() }
    }

    fn has_units(&mut self, writes: &[Place], each: u64, now: Instant) -> bool {
        let mut enough = true;
        for place in writes {
            let (since, units) = self.units.entry((place.table.clone(), place.pk.clone())).or_insert((now, 0));
            if now.duration_since(*since) >= Duration::from_secs(1) {
                (*since, *units) = (now, 0);
            }
            *units += each;
            enough &= *units <= MOST_UNITS;
        }
        enough
    }
}
