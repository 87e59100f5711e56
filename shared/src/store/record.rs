//! The hot item: one [`Record`], at most 1 KB with room for its counters, so that every use is one write unit.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{
    config::http::HttpResponse, error::SdkError, operation::update_item::UpdateItemError, types::AttributeValue,
};

use super::{
    Store,
    charge::NONCE_LENGTH,
    hot_key,
    item::{Attributes, Reader, size, value_size},
    number, text,
};
use crate::{
    address,
    decision::MOST_SWEPT,
    error::Fault,
    id::KeyId,
    key::Environment,
    limit::{Limit, Period, Window},
    owner::Owner,
    record::{Counters, Generation, Record, Revocation, SCHEMA, SHARING_SCHEMA, Status, TAG_LENGTH},
    scope::Scope,
    time::Timestamp,
};

/// A moment whose text is as long as that of any that will matter: in the year 2286.
const LATEST: u64 = 9_999_999_999;

/// The mark of keys that share limits; others don't have it.
pub(super) const SHARED: &str = "shared";

/// Bytes that one write unit pays for.
const WRITE_UNIT: usize = 1024;

impl Store {
    /// The record of `id`, consistently read.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the item isn't a record.
    pub async fn record(&self, id: &KeyId) -> Result<Option<Record>, Fault> {
        let [pk, sk] = hot_key(id);
        let get = self.client.get_item().table_name(&self.tables.keys).key(pk.0, pk.1).key(sk.0, sk.1);
        let answer = get.consistent_read(true).send().await.map_err(|error| Fault::from_sdk(&error))?;
        answer.item().map(read).transpose()
    }
}

/// The record that an update's failed condition shows, or none if there is no item; any other failure is a fault.
pub(super) fn found(error: &SdkError<UpdateItemError, HttpResponse>) -> Result<Option<Record>, Fault> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => failed.item().map(read).transpose(),
        _ => Err(Fault::from_sdk(error)),
    }
}

/// How many bytes `record` is too large to be written in one unit at any time of its life, if it is: with two secrets
/// that both have every end there is, and with its counters grown. So a key that can be issued can always be rotated.
#[must_use]
pub fn excess(record: &Record) -> usize {
    let latest = Some(Timestamp::from_secs(LATEST));
    let largest = Generation {
        number: 9999,
        tag: "t".repeat(TAG_LENGTH),
        expires_at: latest,
        replaced_at: latest,
        grace_ends_at: latest,
        until_first_use: true,
    };
    let newest = Generation { replaced_at: None, ..largest.clone() };
    let record = Record { version: 999_999, generations: vec![largest, newest], ..record.clone() };
    let mut attributes = write(&record);
    // A window counts no more than its limit. Two of each limit in the moment of change, and ended ones until a sweep;
    // three days until they are folded; two generations.
    let window = |limit: &Limit| (Window::at(limit.period, Timestamp::from_secs(LATEST)).to_string().len(), limit.requests);
    let room = |limit: &Limit| window(limit).0 + value_size(&number(window(limit).1));
    let rooms: Vec<usize> = record.limits.iter().map(room).collect();
    let windows = 2 * rooms.iter().sum::<usize>() + MOST_SWEPT * rooms.iter().max().copied().unwrap_or(0);
    let uses = number(9_999_999_999);
    let days = (0..3).map(|n| format!("d{n:08}"));
    let generations = (0..2).map(|n| format!("g{n:04}"));
    let counters = days.chain(generations).chain(["total", "last_used_at", "ttl"].map(ToOwned::to_owned));
    attributes.extend(counters.map(|name| (name, uses.clone())));
    let nonce = text("n".repeat(NONCE_LENGTH));
    attributes.extend(["last_request", "change"].map(|name| (name.to_owned(), nonce.clone())));
    (size(&attributes) + windows).saturating_sub(WRITE_UNIT)
}

/// The item of `record`, counters left out: as a new key is stored.
#[must_use]
pub fn write(record: &Record) -> Attributes {
    let mut attributes = policy(record);
    attributes.extend(hot_key(&record.id).map(|(name, value)| (name.to_owned(), value)));
    attributes.insert("environment".to_owned(), text(record.environment.as_str()));
    attributes.insert("principal".to_owned(), text(record.owner.to_string()));
    attributes.insert("swept".to_owned(), number(record.swept.secs()));
    attributes.insert("total".to_owned(), number(record.counters.total));
    attributes
}

/// The attributes that a change may set: everything but what never changes and what uses count.
#[must_use]
pub fn policy(record: &Record) -> Attributes {
    let mut attributes = Attributes::from([
        ("schema".to_owned(), number(if record.shared_limits { SHARING_SCHEMA } else { SCHEMA })),
        ("version".to_owned(), number(record.version)),
        ("status".to_owned(), text(record.status.as_str())),
        ("name".to_owned(), text(&record.name)),
        ("scopes".to_owned(), write_scopes(&record.scopes)),
        ("networks".to_owned(), list(record.networks.iter().map(ToString::to_string))),
        ("limits".to_owned(), write_limits(&record.limits)),
        ("generations".to_owned(), AttributeValue::L(record.generations.iter().map(write_generation).collect())),
    ]);
    if let Status::Revoked(revocation) = &record.status {
        attributes.extend(revoked(revocation));
    }
    if record.shared_limits {
        attributes.insert(SHARED.to_owned(), AttributeValue::Bool(true));
    }
    attributes
}

fn list(texts: impl Iterator<Item = String>) -> AttributeValue {
    AttributeValue::L(texts.map(text).collect())
}

pub(super) fn write_scopes(scopes: &[Scope]) -> AttributeValue {
    list(scopes.iter().map(|scope| scope.as_str().to_owned()))
}

pub(super) fn write_limits(limits: &[Limit]) -> AttributeValue {
    AttributeValue::M(limits.iter().map(|limit| (limit.period.as_str().to_owned(), number(limit.requests))).collect())
}

/// The attributes of a revocation.
#[must_use]
pub fn revoked(revocation: &Revocation) -> [(String, AttributeValue); 3] {
    [
        ("revoked_at".to_owned(), number(revocation.at.secs())),
        ("revoked_by".to_owned(), text(&revocation.by)),
        ("reason".to_owned(), text(&revocation.reason)),
    ]
}

fn write_generation(generation: &Generation) -> AttributeValue {
    let mut map =
        Attributes::from([("n".to_owned(), number(generation.number.into())), ("tag".to_owned(), text(&generation.tag))]);
    let times = [("expires", generation.expires_at), ("replaced", generation.replaced_at), ("grace", generation.grace_ends_at)];
    map.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), number(time?.secs())))));
    if generation.until_first_use {
        map.insert("yields".to_owned(), AttributeValue::Bool(true));
    }
    AttributeValue::M(map)
}

/// The record that an item holds.
///
/// # Errors
/// A [`Fault`] if it holds none, or one that a newer version of this code has written.
pub fn read(attributes: &Attributes) -> Result<Record, Fault> {
    let item = Reader::new("key", attributes);
    // Without its number it is damaged: unlike other items, this one has always had it.
    let schema = item.number("schema")?;
    item.known_form(SHARING_SCHEMA)?;
    let shared_limits = item.flag(SHARED)?;
    // Without its mark, such a key would pass without its shared limits.
    if shared_limits != (schema == SHARING_SCHEMA) {
        return Err(item.corrupt(format_args!("{SHARED} doesn't go with schema {schema}")));
    }
    let record = Record {
        id: item.parsed("pk", KeyId::parse)?,
        version: item.number("version")?,
        status: read_status(item)?,
        environment: item.parsed("environment", Environment::parse)?,
        name: item.text("name")?.to_owned(),
        owner: item.parsed("principal", Owner::parse)?,
        scopes: read_scopes(item)?,
        networks: item.parsed_list("networks", |text| address::parse_network(text).ok())?,
        limits: read_limits(item)?,
        shared_limits,
        generations: item.list("generations")?.iter().map(|value| read_generation(item, value)).collect::<Result<_, _>>()?,
        swept: Timestamp::from_secs(item.number("swept")?),
        counters: read_counters(item, attributes)?,
        last_used_at: item.optional_time("last_used_at")?,
        change: item.optional_text("change")?.map(ToOwned::to_owned),
        last_request: item.optional_text("last_request")?.map(ToOwned::to_owned),
    };
    if !is_history(&record.generations) {
        return Err(item.corrupt("generations are not one, or an older one that a newer one is replacing"));
    }
    Ok(record)
}

/// Whether rotations can have left these generations: one that nothing ends but its expiry, and perhaps an older one
/// with an end. Of a list that has lost an entry, the rest would be taken for something else.
fn is_history(generations: &[Generation]) -> bool {
    let is_newest = |generation: &Generation| {
        generation.replaced_at.is_none() && generation.grace_ends_at.is_none() && !generation.until_first_use
    };
    match generations {
        [newest] => is_newest(newest),
        [older, newest] => older.number < newest.number && older.grace_ends_at.is_some() && is_newest(newest),
        _ => false,
    }
}

fn read_status(item: Reader<'_>) -> Result<Status, Fault> {
    match item.text("status")? {
        "active" => Ok(Status::Active),
        "disabled" => Ok(Status::Disabled),
        "revoked" => Ok(Status::Revoked(Revocation {
            at: Timestamp::from_secs(item.number("revoked_at")?),
            by: item.text("revoked_by")?.to_owned(),
            reason: item.text("reason")?.to_owned(),
        })),
        _ => Err(item.corrupt("status is invalid")),
    }
}

pub(super) fn read_scopes(item: Reader<'_>) -> Result<Vec<Scope>, Fault> {
    item.parsed_list("scopes", |text| Scope::parse(text).ok())
}

pub(super) fn read_limits(item: Reader<'_>) -> Result<Vec<Limit>, Fault> {
    let map = item.map("limits")?;
    let reader = Reader::new("limits", map);
    let limit = |name: &String| {
        let period = Period::parse(name).ok_or_else(|| reader.corrupt("an unknown period"))?;
        let requests = reader.number(name)?;
        // It would be full for ever, and its caller told to try again.
        if requests == 0 {
            return Err(reader.corrupt("a limit of none"));
        }
        Ok(Limit { requests, period })
    };
    let mut limits = map.keys().map(limit).collect::<Result<Vec<_>, Fault>>()?;
    limits.sort_by_key(|limit| limit.period);
    Ok(limits)
}

fn read_generation(item: Reader<'_>, value: &AttributeValue) -> Result<Generation, Fault> {
    let map = value.as_m().map_err(|_| item.corrupt("a generation is not a map"))?;
    let reader = Reader::new("generation", map);
    Ok(Generation {
        number: reader.generation("n")?,
        tag: reader.tag("tag")?.to_owned(),
        expires_at: reader.optional_time("expires")?,
        // Secrets that were replaced before this was written down have none.
        replaced_at: reader.optional_time("replaced")?,
        grace_ends_at: reader.optional_time("grace")?,
        until_first_use: reader.flag("yields")?,
    })
}

fn read_counters(item: Reader<'_>, attributes: &Attributes) -> Result<Counters, Fault> {
    let mut counters = Counters { total: item.number("total")?, ..Counters::default() };
    let mut generations = BTreeMap::new();
    for name in attributes.keys() {
        if let Some(window) = Window::parse(name) {
            counters.windows.insert(window, item.number(name)?);
        } else if let Some(generation) = name.strip_prefix('g').and_then(|digits| digits.parse().ok()) {
            generations.insert(generation, item.number(name)?);
        }
    }
    counters.generations = generations;
    Ok(counters)
}

/// The attribute that counts the uses of a generation.
#[must_use]
pub fn generation_counter(number: u32) -> String {
    format!("g{number}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    fn records() -> impl Strategy<Value = Record> {
        let time = (0_u64..4_000_000_000).prop_map(Timestamp::from_secs);
        let times = prop::option::of(time.clone());
        let generation = (times.clone(), time, any::<bool>(), "[a-zA-Z0-9]{6}");
        let limits = prop::collection::btree_map(0_usize..5, 1_u64..1000, 0..5);
        let counts = prop::collection::btree_map((0_usize..5, 1_000_000_u64..4_000_000_000), 0_u64..1000, 0..20);
        let sharing = any::<bool>();
        let texts = prop::sample::subsequence(vec!["read", "admin", "GET /a/{b}", "ANY /{*rest}"], 0..4);
        let nets = prop::sample::subsequence(vec!["10.0.0.0/8", "2001:db8::/32", "203.0.113.7/32"], 0..3);
        let generations = prop::collection::vec(generation, 1..3);
        (generations, limits, counts, texts, nets, ".{1,64}", times, any::<bool>(), sharing).prop_map(
            |(generations, limits, counts, scopes, networks, name, revoked, disabled, sharing)| {
                let mut record = sample::record();
                record.shared_limits = sharing;
                let newest = u32::try_from(generations.len()).unwrap();
                record.generations = (1..)
                    .zip(generations)
                    .map(|(number, (expires_at, grace_ends_at, until_first_use, tag))| Generation {
                        number,
                        tag,
                        expires_at,
                        replaced_at: (number < newest).then_some(grace_ends_at),
                        grace_ends_at: (number < newest).then_some(grace_ends_at),
                        until_first_use: until_first_use && number < newest,
                    })
                    .collect();
                record.limits =
                    limits.into_iter().map(|(period, requests)| Limit { requests, period: Period::ALL[period] }).collect();
                record.scopes = scopes.into_iter().map(|text| Scope::parse(text).unwrap()).collect();
                record.networks = networks.into_iter().map(|text| text.parse().unwrap()).collect();
                record.counters.windows = counts
                    .into_iter()
                    .map(|((period, at), count)| (Window::at(Period::ALL[period], Timestamp::from_secs(at)), count))
                    .collect();
                record.name = name;
                record.status = match (revoked, disabled) {
                    (Some(at), _) => sample::revoked(at),
                    (None, true) => Status::Disabled,
                    (None, false) => Status::Active,
                };
                record
            },
        )
    }

    /// The item as uses leave it: `write` with its counters.
    fn item(record: &Record) -> Attributes {
        let mut attributes = write(record);
        attributes.extend(record.counters.windows.iter().map(|(window, count)| (window.to_string(), number(*count))));
        attributes
    }

    proptest! {
        #[test]
        fn records_read_back_as_they_were_written(record in records()) {
            prop_assert_eq!(read(&item(&record)).unwrap(), record);
        }

        /// An item that lost or changed any attribute is a fault or another record, and never a panic.
        #[test]
        fn damaged_items_never_panic(record in records(), victim in any::<prop::sample::Index>(), how in 0..4) {
            let mut attributes = item(&record);
            let name = victim.get(&attributes.keys().cloned().collect::<Vec<_>>()).clone();
            match how {
                0 => attributes.remove(&name),
                1 => attributes.insert(name, AttributeValue::Null(true)),
                2 => attributes.insert(name, text("nonsense")),
                _ => attributes.insert(name, AttributeValue::N("-1".to_owned())),
            };
            let _ = read(&attributes);
        }
    }

    #[test]
    fn what_a_newer_version_has_written_is_not_guessed_at() {
        let mut attributes = write(&sample::record());
        attributes.insert("schema".to_owned(), number(SHARING_SCHEMA + 1));
        assert_eq!(read(&attributes).unwrap_err().code, "stored.corrupt");
    }

    #[test]
    fn sizes_follow_the_developer_guide() {
        let attributes = Attributes::from([
            ("s".to_owned(), text("four")),                                                       // 1 + 4
            ("n".to_owned(), number(12_345)),                                                     // 1 + 4
            ("l".to_owned(), AttributeValue::L(vec![text("ab")])),                                // 1 + 3 + 1 + 2
            ("m".to_owned(), AttributeValue::M(Attributes::from([("k".to_owned(), number(1))]))), // 1 + 3 + 1 + 1 + 2
        ]);
        assert_eq!(size(&attributes), 5 + 5 + 7 + 8);
    }
}
