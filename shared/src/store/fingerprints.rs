//! The fingerprints of every pepper that secrets depend on, in one item: whoever reads it knows all that there must be.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Store, applied,
    item::{Attributes, Reader},
    number, text,
};
use crate::{error::Fault, time::Timestamp};

/// The number of the form that fingerprints are stored in.
const SCHEMA: u64 = 1;

/// A pepper as the table remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// [`Pepper::fingerprint`](crate::key::Pepper::fingerprint).
    pub fingerprint: String,
    /// When the first function that issues with it recorded it.
    pub since: Timestamp,
}

impl Store {
    /// All recorded peppers by number, consistently read.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the item isn't what it should be.
    pub async fn fingerprints(&self) -> Result<BTreeMap<u32, Recorded>, Fault> {
        let get = self.client.get_item().table_name(&self.tables.keys).consistent_read(true);
        let answer = get.key("pk", text("pepper")).key("sk", text("fingerprints")).send().await;
        answer.map_err(|error| Fault::from_sdk(&error))?.item().map_or_else(|| Ok(BTreeMap::new()), read)
    }

    /// Records a pepper, unless one of that number is recorded already.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn record_fingerprint(&self, pepper: u32, recorded: &Recorded) -> Result<(), Fault> {
        let update = self.client.update_item().table_name(&self.tables.keys);
        let update = update.key("pk", text("pepper")).key("sk", text("fingerprints"));
        // An item from before there were numbers gets its own with the next pepper: its form is the first as well.
        let update = update.update_expression("SET #p = :p, #schema = if_not_exists(#schema, :schema)");
        let update = update.condition_expression("attribute_not_exists(#p)");
        let update =
            update.expression_attribute_names("#schema", "schema").expression_attribute_values(":schema", number(SCHEMA));
        let value = AttributeValue::M(Attributes::from([
            ("fingerprint".to_owned(), text(&recorded.fingerprint)),
            ("since".to_owned(), number(recorded.since.secs())),
        ]));
        let update = update.expression_attribute_names("#p", format!("p{pepper}")).expression_attribute_values(":p", value);
        applied(update.send().await).map(|_| ())
    }
}

fn read(attributes: &Attributes) -> Result<BTreeMap<u32, Recorded>, Fault> {
    let item = Reader::new("fingerprints", attributes);
    item.known_form(SCHEMA)?;
    let mut recorded = BTreeMap::new();
    for (name, value) in attributes {
        let Some(pepper) = name.strip_prefix('p').and_then(|digits| digits.parse().ok()) else { continue };
        let map = Reader::new("fingerprint", value.as_m().map_err(|_| item.corrupt("a fingerprint is not a map"))?);
        let since = Timestamp::from_secs(map.number("since")?);
        recorded.insert(pepper, Recorded { fingerprint: map.text("fingerprint")?.to_owned(), since });
    }
    Ok(recorded)
}
