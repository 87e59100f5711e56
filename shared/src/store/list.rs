//! Lists of keys, a page at a time, from indexes that no use ever writes.

use aws_sdk_dynamodb::operation::query::QueryOutput;

use super::{
    Store,
    item::{Attributes, Reader},
    number, text,
};
use crate::{error::Fault, id::KeyId, key::Environment, owner::Owner, store::about::env_status, time::Timestamp};

/// Which keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Those of one owner.
    Owner(Owner),
    /// Those of one environment and status (`active`, `disabled`, `revoked`).
    Status(Environment, &'static str),
}

impl Filter {
    const fn index(&self) -> (&'static str, &'static str) {
        match self {
            Self::Owner(_) => ("by_owner", "owner"),
            Self::Status(..) => ("by_status", "env_status"),
        }
    }

    /// The index partition: also what binds a cursor to its list.
    #[must_use]
    pub fn partition(&self) -> String {
        match self {
            Self::Owner(owner) => owner.to_string(),
            Self::Status(environment, status) => env_status(*environment, status),
        }
    }
}

/// A place in a list: right after that key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The key's id.
    pub id: KeyId,
    /// When it was issued, which lists are sorted by.
    pub created_at: Timestamp,
}

/// A key as lists show it. Indexes follow changes within moments, not at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its id, and when it was issued.
    pub position: Position,
    /// Its name.
    pub name: String,
    /// Whom it belongs to.
    pub owner: String,
    /// Environment and status, as `live#active`.
    pub env_status: String,
    /// What may be shown of its newest secret.
    pub hint: Option<String>,
    /// When its last generation ends; none: never.
    pub expires_at: Option<Timestamp>,
}

/// What an index says of a key at the least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its partition: a key's id, if nobody has put anything else there.
    pub partition: String,
    /// Where it is in the list, if that can be read.
    pub position: Option<Position>,
    /// Whether the index knows that it is revoked.
    pub is_revoked: bool,
}

impl Store {
    /// At most `limit` keys after `from`, newest first, and where to go on if there may be more.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the index holds something else.
    pub async fn list(
        &self,
        filter: &Filter,
        limit: u8,
        from: Option<&Position>,
    ) -> Result<(Vec<Summary>, Option<Position>), Fault> {
        let answer = self.page(filter, limit, from.map(|from| start(filter, from))).await?;
        let keys = answer.items().iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let next = answer.last_evaluated_key().and_then(|_| keys.last()).map(|last| last.position.clone());
        Ok((keys, next))
    }

    /// The same, of which only so much is read as it takes to go on: whatever else is damaged keeps nobody from doing
    /// something to the rest. A few more than `limit` if the last ones have no position.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn list_damaged(
        &self,
        filter: &Filter,
        limit: u8,
        from: Option<&Position>,
    ) -> Result<(Vec<Listed>, Option<Position>), Fault> {
        let (mut keys, mut limit, mut from) = (Vec::<Listed>::new(), limit, from.map(|from| start(filter, from)));
        loop {
            let answer = self.page(filter, limit, from).await?;
            keys.extend(answer.items().iter().map(listed));
            from = answer.last_evaluated_key;
            let last = keys.last().and_then(|last| last.position.clone());
            if from.is_none() || last.is_some() {
                return Ok((keys, last.filter(|_| from.is_some())));
            }
            limit = 1;
        }
    }

    async fn page(&self, filter: &Filter, limit: u8, start: Option<Attributes>) -> Result<QueryOutput, Fault> {
        let (index, partition) = filter.index();
        let query =
            self.client.query().table_name(&self.tables.keys).index_name(index).limit(limit.into()).scan_index_forward(false);
        let query = query.key_condition_expression("#p = :p").expression_attribute_names("#p", partition);
        let query = query.expression_attribute_values(":p", text(filter.partition()));
        query.set_exclusive_start_key(start).send().await.map_err(|error| Fault::from_sdk(&error))
    }
}

fn start(filter: &Filter, position: &Position) -> Attributes {
    Attributes::from([
        ("pk".to_owned(), text(position.id.as_str())),
        ("sk".to_owned(), text("about")),
        (filter.index().1.to_owned(), text(filter.partition())),
        ("created_at".to_owned(), number(position.created_at.secs())),
    ])
}

fn listed(attributes: &Attributes) -> Listed {
    let item = Reader::new("listed key", attributes);
    let env_status = item.text("env_status").unwrap_or_default();
    Listed {
        partition: item.text("pk").unwrap_or_default().to_owned(),
        position: position(item).ok(),
        is_revoked: env_status.ends_with("#revoked"),
    }
}

fn position(item: Reader<'_>) -> Result<Position, Fault> {
    let created_at = Timestamp::from_secs(item.number("created_at")?);
    Ok(Position { id: item.parsed("pk", KeyId::parse)?, created_at })
}

fn read(attributes: &Attributes) -> Result<Summary, Fault> {
    let item = Reader::new("listed key", attributes);
    Ok(Summary {
        position: position(item)?,
        name: item.text("name")?.to_owned(),
        owner: item.text("owner")?.to_owned(),
        env_status: item.text("env_status")?.to_owned(),
        hint: item.optional_text("hint")?.map(ToOwned::to_owned),
        expires_at: item.optional_time("expires_at")?,
    })
}
