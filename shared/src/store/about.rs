//! The about item: what people want to know of a key and no decision needs, and the attributes that the indexes are made of.

use std::{collections::BTreeMap, fmt};

use aws_sdk_dynamodb::{operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};
use serde_json::{Map, Value};

use super::{
    Store, about_key, applied,
    expression::Expression,
    item::{Attributes, Reader},
    number, staged, text,
};
use crate::{
    error::Fault,
    id::KeyId,
    key::{Digest, Environment},
    plan::PlanName,
    record::{Generation, Record},
    schedule,
    time::Timestamp,
};

/// The number of the form that about items are stored in. It is written when the item is, and updates leave it alone: they
/// write a few attributes of an item that was read before, in the form that its number says, and the rest stays as it was.
const SCHEMA: u64 = 1;

/// What is known of a key beside its record.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The version of the record that it was last written for. While that is an earlier one, a change isn't finished.
    pub version: u64,
    /// When it was issued.
    pub created_at: Timestamp,
    /// The principal that issued it.
    pub created_by: String,
    /// The owner's own notes, at most 4 KB of JSON.
    pub metadata: Map<String, Value>,
    /// After how many days each secret is due for rotation; none: never.
    pub rotate_every_days: Option<u32>,
    /// The plan that it was issued with.
    pub plan: Option<PlanName>,
    /// What is known of each secret whose alias may still be there, by the tag of its generation. A tag that the record
    /// doesn't have is a secret that was replaced, or never came to be.
    pub secrets: BTreeMap<String, SecretNote>,
    /// What changes say of the above, by their nonces: of the one that the record names, and of some that never came to be.
    pub staged: BTreeMap<String, AboutChange>,
}

/// What is known of a secret, from before its alias is stored until that has its end.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretNote {
    /// What may be shown of it: `mbk_live_Ab3C…`.
    pub hint: String,
    /// The digests that its aliases are stored under, by the numbers of their peppers. 0 stands for one whose number was never
    /// written down, as it wasn't at first.
    pub digests: BTreeMap<u32, String>,
    /// When the last of them was noted: its alias may be on its way for a while.
    pub noted_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// The principal that had it made.
    pub created_by: String,
}

/// What one change changes of the about item itself; everything else in it follows from the record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AboutChange {
    /// New metadata.
    pub metadata: Option<Map<String, Value>>,
    /// A new rotation period, or none any more.
    pub rotate_every_days: Option<Option<u32>>,
}

/// What there is to write once a change is committed.
#[derive(Clone, Copy, Debug)]
pub struct Aftermath<'a> {
    /// The change's nonce, under which it may be staged.
    pub nonce: &'a str,
    /// The change.
    pub change: &'a AboutChange,
    /// Nonces of changes before it, whose staged parts nobody needs any more.
    pub left_over: &'a [String],
    /// Tags of secrets whose aliases have been given their end.
    pub ended: &'a [String],
}

impl fmt::Debug for SecretNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretNote({})", self.hint)
    }
}

impl AboutChange {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl About {
    /// This, after `change`.
    #[must_use]
    pub fn changed(mut self, change: &AboutChange) -> Self {
        if let Some(metadata) = &change.metadata {
            self.metadata.clone_from(metadata);
        }
        if let Some(days) = change.rotate_every_days {
            self.rotate_every_days = days;
        }
        self
    }

    /// The change that put `record` in force, while what it says of this item is still staged.
    #[must_use]
    pub fn unsettled(&self, record: &Record) -> Option<(&String, &AboutChange)> {
        self.staged.get_key_value(record.change.as_ref()?)
    }

    /// What is known of the key of `record`, which was read before this.
    #[must_use]
    pub fn of(self, record: &Record) -> Self {
        match self.unsettled(record).map(|(_, change)| change.clone()) {
            Some(change) => self.changed(&change),
            None => self,
        }
    }

    /// What is known of a generation's secret.
    #[must_use]
    pub fn note(&self, generation: &Generation) -> Option<&SecretNote> {
        self.secrets.get(&generation.tag)
    }
}

/// The index partition of keys of one environment and status: `live#active`.
#[must_use]
pub fn env_status(environment: Environment, status: &str) -> String {
    format!("{}#{status}", environment.as_str())
}

impl Store {
    /// What is known of the key of `record`, consistently read.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the item isn't an about item.
    pub async fn about(&self, record: &Record) -> Result<Option<About>, Fault> {
        let [pk, sk] = about_key(&record.id);
        let get = self.client.get_item().table_name(&self.tables.keys).key(pk.0, pk.1).key(sk.0, sk.1);
        let answer = get.consistent_read(true).send().await.map_err(|error| Fault::from_sdk(&error))?;
        Ok(answer.item().map(read).transpose()?.map(|about| about.of(record)))
    }

    /// Writes what follows from a committed `record`, and what else its change leaves to do, if it leaves anything. `about`
    /// is the item with the change in it.
    ///
    /// Changes commit in the order of their versions, but may arrive here in another: a newer one's attributes stay, and
    /// only what this change alone has said is then added, unless that one has seen to it.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn update_about(
        &self,
        record: &Record,
        about: &About,
        aftermath: Option<Aftermath<'_>>,
        now: Timestamp,
        retention_seconds: u64,
    ) -> Result<(), Fault> {
        let mut all = Expression::default();
        let derived = derived(record, about, now, retention_seconds);
        for name in ["expires_at", "check_day", "next_check", "ttl"] {
            if !derived.contains_key(name) {
                all.remove(name);
            }
        }
        derived.into_iter().for_each(|(name, value)| all.set(&name, value));
        if let Some(Aftermath { nonce, change, left_over, ended }) = aftermath {
            ended.iter().for_each(|tag| all.remove_entry("secrets", tag));
            left_over.iter().for_each(|nonce| staged::remove(&mut all, nonce));
            staged::settled(&mut all, nonce, change);
        }
        let written = self.write_about(record, all).await?;
        match aftermath {
            Some(Aftermath { nonce, change, .. }) if !written && !change.is_empty() => {
                self.settle(&record.id, nonce, change).await
            }
            _ => Ok(()),
        }
    }

    /// Notes a secret before anything else is stored of it, so that whatever becomes of it, its alias can be found.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or there is no about item.
    pub async fn note_secret(&self, id: &KeyId, tag: &str, note: &SecretNote) -> Result<(), Fault> {
        let mut expression = Expression::default();
        expression.set_entry("secrets", tag, write_note(note));
        let update = expression.apply(self.about_update(id)).condition_expression("attribute_exists(pk)");
        match applied(update.send().await)? {
            true => Ok(()),
            false => Err(Fault::corrupt("about", "missing")),
        }
    }

    /// Notes another digest of the secret of that tag before its alias is stored. Answers whether that secret is still noted.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn note_digest(
        &self,
        id: &KeyId,
        tag: &str,
        (pepper, digest): (u32, &Digest),
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let update = self.about_update(id).update_expression("SET #secrets.#tag.#pepper = :digest, #secrets.#tag.#at = :now");
        let update = update.expression_attribute_names("#at", "noted_at").expression_attribute_values(":now", number(now.secs()));
        let update = update.condition_expression("attribute_exists(#secrets.#tag)");
        let update = update.expression_attribute_names("#secrets", "secrets").expression_attribute_names("#tag", tag);
        let update = update.expression_attribute_names("#pepper", digest_name(pepper));
        applied(update.expression_attribute_values(":digest", text(digest.encoded())).send().await)
    }

    /// Takes the end off the about item, before a change planned on `version` gives its key a longer life: should that
    /// change break off after its commit, the key must not lose what is known of it. Answers whether there is still an
    /// about item that no later change has written.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer.
    pub async fn keep_about(&self, record: &Record) -> Result<bool, Fault> {
        let mut expression = Expression::default();
        expression.remove("ttl");
        self.write_about(record, expression).await
    }

    pub(super) fn about_update(&self, id: &KeyId) -> UpdateItemFluentBuilder {
        let [pk, sk] = about_key(id);
        self.client.update_item().table_name(&self.tables.keys).key(pk.0, pk.1).key(sk.0, sk.1)
    }

    /// Whether it was written: not if a newer change has been there before.
    async fn write_about(&self, record: &Record, mut expression: Expression) -> Result<bool, Fault> {
        expression.name("#guard", "version".to_owned());
        let update = expression.apply(self.about_update(&record.id));
        let update = update.condition_expression("attribute_exists(pk) AND (attribute_not_exists(#guard) OR #guard <= :guard)");
        applied(update.expression_attribute_values(":guard", number(record.version)).send().await)
    }
}

/// The attributes that follow from a record, index attributes among them.
fn derived(record: &Record, about: &About, now: Timestamp, retention_seconds: u64) -> Attributes {
    let mut attributes = Attributes::from([
        ("version".to_owned(), number(record.version)),
        ("name".to_owned(), text(&record.name)),
        ("env_status".to_owned(), text(env_status(record.environment, record.status.as_str()))),
    ]);
    if let Some(note) = record.generation(record.newest()).and_then(|newest| about.note(newest)) {
        attributes.insert("hint".to_owned(), text(&note.hint));
    }
    if let Some(expiry) = record.expires_at() {
        attributes.insert("expires_at".to_owned(), number(expiry.secs()));
    }
    if let Some(end) = record.end_of_life() {
        attributes.insert("ttl".to_owned(), number(end.plus(retention_seconds).secs()));
    }
    if let Some(check) = schedule::next_check(record, about, now) {
        attributes.insert("check_day".to_owned(), text(check.iso_day()));
        attributes.insert("next_check".to_owned(), number(check.secs()));
    }
    attributes
}

/// The about item of a new key.
#[must_use]
pub fn write(record: &Record, about: &About, now: Timestamp, retention_seconds: u64) -> Attributes {
    let mut attributes = derived(record, about, now, retention_seconds);
    attributes.extend(about_key(&record.id).map(|(name, value)| (name.to_owned(), value)));
    attributes.insert("schema".to_owned(), number(SCHEMA));
    attributes.insert("owner".to_owned(), text(record.owner.to_string()));
    attributes.insert("created_at".to_owned(), number(about.created_at.secs()));
    attributes.insert("created_by".to_owned(), text(&about.created_by));
    attributes.insert("metadata".to_owned(), write_metadata(&about.metadata));
    attributes.insert("rotate_every_days".to_owned(), number(about.rotate_every_days.unwrap_or(0).into()));
    attributes.extend(about.plan.as_ref().map(|plan| ("plan".to_owned(), text(plan.as_str()))));
    let secrets = about.secrets.iter().map(|(tag, note)| (tag.clone(), write_note(note)));
    attributes.insert("secrets".to_owned(), AttributeValue::M(secrets.collect()));
    attributes
}

pub(super) fn write_metadata(metadata: &Map<String, Value>) -> AttributeValue {
    text(Value::Object(metadata.clone()).to_string())
}

pub(super) fn read_metadata(item: Reader<'_>) -> Result<Map<String, Value>, Fault> {
    item.parsed("metadata", |text| serde_json::from_str(text).ok())
}

/// 0 days is how "never" is stored.
pub(super) fn read_rotate_every_days(item: Reader<'_>) -> Result<Option<u32>, Fault> {
    let days = u32::try_from(item.number("rotate_every_days")?).map_err(|_| item.corrupt("rotate_every_days is out of range"))?;
    Ok((days > 0).then_some(days))
}

fn write_note(note: &SecretNote) -> AttributeValue {
    let mut attributes = Attributes::from([
        ("hint".to_owned(), text(&note.hint)),
        ("created_at".to_owned(), number(note.created_at.secs())),
        ("created_by".to_owned(), text(&note.created_by)),
    ]);
    if note.noted_at != note.created_at {
        attributes.insert("noted_at".to_owned(), number(note.noted_at.secs()));
    }
    attributes.extend(note.digests.iter().map(|(pepper, digest)| (digest_name(*pepper), text(digest))));
    AttributeValue::M(attributes)
}

fn read(attributes: &Attributes) -> Result<About, Fault> {
    let item = Reader::new("about", attributes);
    item.known_form(SCHEMA)?;
    let mut secrets = BTreeMap::new();
    for (tag, value) in item.map("secrets")? {
        secrets.insert(tag.clone(), read_note(value.as_m().map_err(|_| item.corrupt("a secret is not a map"))?)?);
    }
    Ok(About {
        // With anything else than a number the item would never be written again.
        version: item.number("version")?,
        created_at: Timestamp::from_secs(item.number("created_at")?),
        created_by: item.text("created_by")?.to_owned(),
        metadata: read_metadata(item)?,
        rotate_every_days: read_rotate_every_days(item)?,
        plan: item.optional_text("plan")?.map(|_| item.parsed("plan", PlanName::parse)).transpose()?,
        secrets,
        staged: staged::read(attributes)?,
    })
}

/// The attribute of a note that holds a digest under the pepper of that number.
fn digest_name(pepper: u32) -> String {
    if pepper == 0 { "digest".to_owned() } else { format!("p{pepper}") }
}

fn pepper_of(name: &str) -> Option<u32> {
    if name == "digest" { Some(0) } else { name.strip_prefix('p')?.parse().ok() }
}

fn read_note(attributes: &Attributes) -> Result<SecretNote, Fault> {
    let note = Reader::new("secret", attributes);
    let mut digests = BTreeMap::new();
    for name in attributes.keys() {
        if let Some(pepper) = pepper_of(name) {
            digests.insert(pepper, note.text(name)?.to_owned());
        }
    }
    if digests.is_empty() {
        return Err(note.corrupt("no digest"));
    }
    let created_at = Timestamp::from_secs(note.number("created_at")?);
    Ok(SecretNote {
        hint: note.text("hint")?.to_owned(),
        digests,
        noted_at: note.optional_time("noted_at")?.unwrap_or(created_at),
        created_at,
        created_by: note.text("created_by")?.to_owned(),
    })
}
