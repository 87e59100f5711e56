//! The fault proxy does what it says, so that what is tested behind it means something.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    types::{AttributeValue, Put, TransactWriteItem},
};
use fastrand::Rng;
use local::engine::Portless;
use shared::{aws, error::Fault as OurFault};
use tests::{
    proxy::{Connector, Fault, Odds, Proxy, Weather, port::Port},
    stack,
};

const TABLE: &str = "keys";

fn table() -> String {
    let template = stack::template();
    template.tables.iter().find(|block| block.logical_id == "KeysTable").map_or(TABLE.to_owned(), |block| block.name.clone())
}

/// A client without retries, through a connector of its own.
fn client(proxy: &Proxy) -> Client {
    let connector = Connector::new(proxy, Rng::with_seed(7), &Arc::new(AtomicU64::new(1)));
    let config = Portless::dynamodb_config().http_client(connector.client()).timeout_config(aws::timeouts());
    Client::from_conf(config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled()).build())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

async fn put(client: &Client, pk: &str) -> Result<(), OurFault> {
    let put = client.put_item().table_name(table()).item("pk", text(pk)).item("sk", text("key"));
    put.send().await.map(|_| ()).map_err(|error| OurFault::from_sdk(&error))
}

fn is_there(proxy: &Proxy, pk: &str) -> bool {
    proxy.scan(&table()).iter().any(|item| item["pk"]["S"] == pk)
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_what_it_says_and_ours_says_whether_it_may_have_taken_effect() {
    let proxy = Proxy::start(&stack::template()).await;
    let client = client(&proxy);
    for (fault, applied, ambiguous) in [
        (Fault::RequestLost, 0..=0, true),
        (Fault::ReplyLost, 8..=8, true),
        (Fault::Throttled, 0..=0, false),
        (Fault::ServerError, 1..=7, true),
        (Fault::Unavailable, 0..=0, true),
        (Fault::Torn, 8..=8, true),
        (Fault::Garbage, 8..=8, true),
    ] {
        let mut there = 0;
        for round in 0..8 {
            let pk = format!("{fault:?} {round}");
            proxy.set(Weather::new(Odds::fair(1..=5).with(fault, 1000)));
            let failed = put(&client, &pk).await.unwrap_err();
            there += u32::from(is_there(&proxy, &pk));
            assert_eq!(failed.ambiguous, ambiguous, "{pk}: {failed:?}");
            assert!(failed.retryable, "{pk}: {failed:?}");
        }
        assert!(applied.contains(&there), "{fault:?}: {there} of 8 applied");
        assert_eq!(proxy.injected()[&("PutItem".to_owned(), fault)], 8);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_late_arrives_after_its_caller_has_given_up() {
    let proxy = Proxy::start(&stack::template()).await;
    let late = Odds { longest_delay: 60_000, ..Odds::fair(1..=5) };
    proxy.set(Weather::new(late.with(Fault::Delayed, 1000)));
    let failed = put(&client(&proxy), "late").await.unwrap_err();
    assert_eq!((failed.code, failed.ambiguous), ("aws.timeout", true));
    assert!(!is_there(&proxy, "late"));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(is_there(&proxy, "late"));
}

#[tokio::test(start_paused = true)]
async fn the_weather_is_each_operations_own() {
    let proxy = Proxy::start(&stack::template()).await;
    let client = client(&proxy);
    proxy.set(Weather::default().on("GetItem", Odds::fair(0..=0).with(Fault::Unavailable, 1000)));
    put(&client, "a").await.unwrap();
    assert!(client.get_item().table_name(table()).key("pk", text("a")).key("sk", text("key")).send().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn secrets_manager_has_bad_days_as_well() {
    let template = stack::template();
    let proxy = Proxy::start(&template).await;
    let connector = Connector::new(&proxy, Rng::with_seed(7), &Arc::new(AtomicU64::new(1)));
    let config = proxy.engine().secrets_config().http_client(connector.client()).timeout_config(aws::timeouts());
    let retries = aws_sdk_secretsmanager::config::retry::RetryConfig::disabled();
    let secrets = aws_sdk_secretsmanager::Client::from_conf(config.retry_config(retries).build());
    let get = || secrets.get_secret_value().secret_id(&template.secrets[0].id).send();
    assert!(get().await.is_ok());
    for fault in Fault::BY_CHANCE.into_iter().filter(|fault| *fault != Fault::Delayed) {
        proxy.set(Weather::default().on("GetSecretValue", Odds::fair(1..=5).with(fault, 1000)));
        assert!(get().await.is_err(), "{fault:?}");
    }
    proxy.set(Weather::default());
    assert!(get().await.is_ok());
}

fn transaction(client: &Client, pk: &str) -> impl Future<Output = Result<(), String>> + use<> {
    let put = Put::builder().table_name(table()).item("pk", text(pk)).item("sk", text("key")).build().expect("a put");
    let item = TransactWriteItem::builder().put(put).build();
    let request = client.transact_write_items().transact_items(item);
    async move { request.send().await.map(|_| ()).map_err(|error| error.code().unwrap_or_default().to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn what_a_transaction_holds_nobody_else_writes() {
    let proxy = Proxy::start(&stack::template()).await;
    let client = client(&proxy);
    // Both arrive at the same moment; the transaction was sent first.
    proxy.set(Weather::new(Odds::fair(5..=5)));
    let (first, second, third, other) =
        tokio::join!(transaction(&client, "a"), put(&client, "a"), transaction(&client, "a"), put(&client, "b"));
    assert_eq!(first, Ok(()));
    let second = second.unwrap_err();
    assert!(second.detail.starts_with("TransactionConflictException") && second.retryable && !second.ambiguous, "{second:?}");
    assert_eq!(third, Err("TransactionCanceledException".to_owned()));
    other.unwrap();
    put(&client, "a").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_partition_key_takes_a_thousand_writes_in_a_second() {
    let proxy = Proxy::start(&stack::template()).await;
    let client = client(&proxy);
    let mut refused = 0;
    for _ in 0..1200 {
        refused += u64::from(put(&client, "hot").await.is_err_and(|fault| fault.code == "aws.throttled"));
    }
    assert_eq!(refused, 200);
    put(&client, "cold").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    put(&client, "hot").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn reads_that_may_lag_do_and_consistent_ones_do_not() {
    let template = stack::template();
    let proxy = Proxy::start(&template).await.with_replica(&template).await;
    let client = client(&proxy);
    let there = async |pk: &str, consistent: bool| {
        let get = client.get_item().table_name(table()).key("pk", text(pk)).key("sk", text("key"));
        get.consistent_read(consistent).send().await.unwrap().item.is_some()
    };
    let mut stale = 0;
    for round in 0..20 {
        let pk = format!("{round}");
        put(&client, &pk).await.unwrap();
        assert!(there(&pk, true).await);
        stale += u32::from(!there(&pk, false).await);
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(there(&pk, false).await, "it catches up");
    }
    assert!(stale > 10, "{stale}");
}

#[tokio::test]
async fn it_is_the_same_over_a_port() {
    let proxy = Proxy::start(&stack::template()).await;
    let port = Port::open(&proxy, Rng::with_seed(7)).await;
    let lookup = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(format!("http://{}", port.address())),
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("us-east-1".to_owned()),
        _ => None,
    };
    let client = aws::Aws::read(&lookup).unwrap().dynamodb();
    put(&client, "a").await.unwrap();
    for (fault, applied) in [(Fault::Throttled, false), (Fault::Unavailable, false), (Fault::Torn, true), (Fault::Garbage, true)]
    {
        let pk = format!("{fault:?}");
        proxy.set(Weather::new(Odds::fair(0..=0).with(fault, 1000)));
        assert!(put(&client, &pk).await.is_err(), "{fault:?}");
        assert_eq!(is_there(&proxy, &pk), applied, "{fault:?}");
    }
}
