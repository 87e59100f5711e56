//! A warm, allowed authorization against a bare conditional `UpdateItem`, in turn, on the same engine, in one run.
//!
//! `cargo run --release -p benches --bin warm`. Quote the ratio: absolute times are the machine's.
#![expect(clippy::print_stdout, reason = "a benchmark")]

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use serde_json::json;
use tests::{Answer, Stack};

const WARM_UP: usize = 200;
const RUNS: usize = 3000;

#[tokio::main]
async fn main() {
    let stack = Stack::start().await;
    let key = stack
        .issue(json!({ "limits": [{ "requests": 48_000, "per": "minute" }, { "requests": 69_120_000, "per": "day" }] }))
        .await;
    let instance = stack.instance().await;
    let bare = Bare { dynamodb: stack.engine.dynamodb(), table: stack.table("KeysTable") };
    bare.create().await;
    let (mut authorize, mut update) = (Vec::new(), Vec::new());
    for run in 0..WARM_UP + RUNS {
        let began = Instant::now();
        assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
        let authorized = began.elapsed();
        let began = Instant::now();
        bare.update().await;
        if run >= WARM_UP {
            authorize.push(authorized);
            update.push(began.elapsed());
        }
    }
    let (authorize, update) = (Percentiles::of(authorize), Percentiles::of(update));
    println!("{RUNS} runs of each, in turn     p50 µs     p95 µs     p99 µs");
    for (name, percentiles) in [("warm authorization", &authorize), ("bare UpdateItem", &update)] {
        println!("{name:<24} {:>10} {:>10} {:>10}", percentiles.0[0], percentiles.0[1], percentiles.0[2]);
    }
    let ratio = |index: usize| f64::from(authorize.0[index]) / f64::from(update.0[index]);
    println!("{:<24} {:>10.2} {:>10.2} {:>10.2}", "ratio", ratio(0), ratio(1), ratio(2));
}

/// The floor: one conditional write that counts, and nothing else.
struct Bare {
    dynamodb: aws_sdk_dynamodb::Client,
    table: String,
}

impl Bare {
    async fn create(&self) {
        let put = self.dynamodb.put_item().table_name(&self.table).item("pk", text("bare")).item("sk", text("key"));
        put.item("version", number(1)).send().await.expect("an item");
    }

    async fn update(&self) {
        let update = self.dynamodb.update_item().table_name(&self.table).key("pk", text("bare")).key("sk", text("key"));
        let update = update.condition_expression("#v = :v").update_expression("SET #c = if_not_exists(#c, :zero) + :one");
        let update = update.expression_attribute_names("#v", "version").expression_attribute_names("#c", "total");
        let update = update.expression_attribute_values(":v", number(1)).expression_attribute_values(":zero", number(0));
        let update = update.expression_attribute_values(":one", number(1)).return_values(ReturnValue::AllNew);
        update.send().await.expect("an update");
    }
}

/// The 50th, 95th and 99th, in microseconds.
struct Percentiles([u32; 3]);

impl Percentiles {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self([50, 95, 99].map(|percent| u32::try_from(times[times.len() * percent / 100].as_micros()).unwrap_or(u32::MAX)))
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
