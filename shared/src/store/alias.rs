//! Aliases: from the digest of a secret to its key, its generation and its hash.

use std::fmt;

use super::{Store, applied, expression::Expression, item::Attributes, item::Reader, number, text};
use crate::{
    decision::Proof,
    error::Fault,
    id::KeyId,
    key::{Digest, Hash},
    time::Timestamp,
};

/// The number of the form that aliases are stored in.
const SCHEMA: u64 = 1;

/// What is known of a secret before it is proven.
#[derive(Clone, PartialEq, Eq)]
pub struct Alias {
    /// The key that it may be a secret of.
    pub key: KeyId,
    /// The generation that it would prove.
    pub proof: Proof,
    /// Its bcrypt hash.
    pub hash: Hash,
    /// The number of the pepper that its digest was made with, for whoever wants to give up another: every secret that is needed must
    /// have an alias under this one first. 0 stands for one that was never written down, as it wasn't at first.
    pub pepper: u32,
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alias({}, {})", self.key, self.proof.number)
    }
}

impl Store {
    /// The alias under `digest`, consistently read.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the item isn't an alias.
    pub async fn alias(&self, digest: &Digest) -> Result<Option<Alias>, Fault> {
        let get = self.client.get_item().table_name(&self.tables.keys).consistent_read(true);
        let get = get.key("pk", text(partition(&digest.encoded()))).key("sk", text("alias"));
        let answer = get.send().await.map_err(|error| Fault::from_sdk(&error))?;
        answer.item().map(read).transpose()
    }

    /// Stores the alias of a secret that isn't anybody's yet: a rotation's first step. One that is there already stays: a copy
    /// of this write that arrives late must not take its end off it again.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn put_alias(&self, digest: &Digest, alias: &Alias) -> Result<(), Fault> {
        let put = self.client.put_item().table_name(&self.tables.keys).set_item(Some(write(digest, alias)));
        applied(put.condition_expression("attribute_not_exists(pk)").send().await).map(|_| ())
    }

    /// Stores the alias of a secret that has one under another pepper, unless it is there already. By an update, because that is
    /// all that an authorizer may do to the table of keys.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn add_alias(&self, digest: &Digest, alias: &Alias) -> Result<(), Fault> {
        let mut attributes = write(digest, alias);
        let key = ["pk", "sk"].map(|name| attributes.remove_entry(name));
        let mut expression = Expression::default();
        attributes.into_iter().for_each(|(name, value)| expression.set(&name, value));
        let update = self.client.update_item().table_name(&self.tables.keys).set_key(Some(key.into_iter().flatten().collect()));
        applied(expression.apply(update).condition_expression("attribute_not_exists(pk)").send().await).map(|_| ())
    }

    /// Lets DynamoDB remove the alias of `key`'s secret of that tag after `ttl`, because its generation has ended. Answers whether
    /// there is one: one that is gone stays gone, and what is there by then of another key is another alias.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn end_alias(&self, digest: &str, (key, tag): (&KeyId, &str), ttl: Timestamp) -> Result<bool, Fault> {
        let update = self.client.update_item().table_name(&self.tables.keys);
        let update = update.key("pk", text(partition(digest))).key("sk", text("alias"));
        let update = update.update_expression("SET #ttl = :ttl").condition_expression("#key = :key AND tag = :tag");
        let update = update.expression_attribute_names("#ttl", "ttl").expression_attribute_values(":ttl", number(ttl.secs()));
        let update = update.expression_attribute_names("#key", "key").expression_attribute_values(":key", text(key.as_str()));
        applied(update.expression_attribute_values(":tag", text(tag)).send().await)
    }
}

fn partition(digest: &str) -> String {
    format!("lookup#{digest}")
}

/// The item of `alias`. A live one has no `ttl`.
#[must_use]
pub fn write(digest: &Digest, alias: &Alias) -> Attributes {
    let mut attributes = Attributes::from([
        ("pk".to_owned(), text(partition(&digest.encoded()))),
        ("sk".to_owned(), text("alias")),
        ("schema".to_owned(), number(SCHEMA)),
        ("key".to_owned(), text(alias.key.as_str())),
        ("generation".to_owned(), number(alias.proof.number.into())),
        ("tag".to_owned(), text(&alias.proof.tag)),
        ("hash".to_owned(), text(alias.hash.expose())),
    ]);
    if alias.pepper != 0 {
        attributes.insert("pepper".to_owned(), number(alias.pepper.into()));
    }
    attributes
}

fn read(attributes: &Attributes) -> Result<Alias, Fault> {
    let item = Reader::new("alias", attributes);
    item.known_form(SCHEMA)?;
    Ok(Alias {
        key: item.parsed("key", KeyId::parse)?,
        proof: Proof { number: item.generation("generation")?, tag: item.tag("tag")?.to_owned() },
        hash: item.parsed("hash", Hash::parse)?,
        pepper: item.pepper("pepper")?,
    })
}
