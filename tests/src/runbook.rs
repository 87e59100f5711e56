//! Steps of `docs/runbooks/pepper.md` that are not a function's.

use aws_sdk_dynamodb::{Client, types::AttributeValue};

/// Lets `table` forget the fingerprint of a pepper that is given up.
///
/// # Panics
/// If the engine doesn't answer.
pub async fn forget_fingerprint(dynamodb: &Client, table: &str, pepper: u64) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = dynamodb.update_item().table_name(table).key("pk", text("pepper")).key("sk", text("fingerprints"));
    let update = update.update_expression("REMOVE #p").expression_attribute_names("#p", format!("p{pepper}"));
    update.send().await.expect("an answer of the engine's");
}
