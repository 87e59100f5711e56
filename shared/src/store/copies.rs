//! The audit table's copies of attempts, written in batches of statements that can only insert.
//!
//! `BatchWriteItem` would be the usual way, but whoever may call it may overwrite and delete with it. A statement `INSERT` fails
//! where an item is, and takes a permission of its own that allows nothing else (`dynamodb:PartiQLInsert`).

use std::fmt::Write as _;

use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest};

use super::{Store, item::Attributes, number, text};
use crate::{
    audit::{
        attempt::ALLOWED,
        row::{Group, Row, Tried},
    },
    error::Fault,
    time::Timestamp,
};

/// The most rows that one call writes: DynamoDB's own limit.
pub const MOST_AT_ONCE: usize = 25;

/// The most bytes that are kept of what a caller has written. With them, a row takes one write unit.
const LONGEST: usize = 200;

/// What a text ends with that was longer: at least as long as [`LONGEST`] together, wherever its last letter began.
const CUT: char = '…';

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is there, now or from an earlier try.
    Yes,
    /// Not now; it can be tried again.
    NotYet,
    /// The table will never take it, for that reason.
    Never(String),
}

impl Store {
    /// Inserts rows, at most [`MOST_AT_ONCE`]; answers for each what became of it. One that is there already stays as it is.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer for all of them; any of them may then be there.
    pub async fn copy(&self, rows: &[Row], retention_seconds: u64) -> Result<Vec<Taken>, Fault> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let statements: Result<Vec<_>, Fault> = rows.iter().map(|row| self.statement(write(row, retention_seconds))).collect();
        let answer = self.client.batch_execute_statement().set_statements(Some(statements?)).send().await;
        let answer = answer.map_err(|error| Fault::from_sdk(&error))?;
        if answer.responses().len() != rows.len() {
            return Err(Fault::new("aws.answer_unreadable", "not as many answers as statements"));
        }
        Ok(answer.responses().iter().map(|response| response.error().map_or(Taken::Yes, refused)).collect())
    }

    fn statement(&self, attributes: Attributes) -> Result<BatchStatementRequest, Fault> {
        let (statement, parameters) = insert(&self.tables.audit, attributes);
        let request = BatchStatementRequest::builder().statement(statement).set_parameters(Some(parameters)).build();
        request.map_err(|error| Fault::new("aws.request_not_built", error))
    }
}

/// The statement that inserts an item into `table`, and its parameters.
pub(super) fn insert(table: &str, attributes: Attributes) -> (String, Vec<AttributeValue>) {
    let mut statement = format!("INSERT INTO \"{table}\" VALUE {{");
    let mut parameters = Vec::with_capacity(attributes.len());
    for (name, value) in attributes {
        let comma = if parameters.is_empty() { "" } else { "," };
        // Writing to a String never fails. Names are our own, and hold no quotes.
        let _ = write!(statement, "{comma}'{name}':?");
        parameters.push(value);
    }
    statement.push('}');
    (statement, parameters)
}

fn refused(error: &aws_sdk_dynamodb::types::BatchStatementError) -> Taken {
    use BatchStatementErrorCodeEnum as Code;
    match error.code() {
        Some(Code::DuplicateItem) => Taken::Yes,
        Some(
            code @ (Code::AccessDenied | Code::ResourceNotFound | Code::ValidationError | Code::ItemCollectionSizeLimitExceeded),
        ) => Taken::Never(format!("{}: {}", code.as_str(), error.message().unwrap_or_default())),
        _ => Taken::NotYet,
    }
}

/// The partition of a key's attempts on one day.
#[must_use]
pub fn of_key(key: &str, at: Timestamp) -> String {
    format!("{key}#{}", at.iso_day())
}

/// The partition of the attempts of one day with keys that don't exist.
#[must_use]
pub fn of_nobody(at: Timestamp) -> String {
    format!("anonymous#{}", at.iso_day())
}

fn write(row: &Row, retention_seconds: u64) -> Attributes {
    let (Row::Attempt(tried) | Row::Group(Group { sample: tried, .. })) = row;
    let at = Timestamp::from_secs(tried.at_millis / 1000);
    let mut attributes = sample(tried);
    attributes.insert("ttl".to_owned(), number(at.plus(retention_seconds).secs()));
    attributes.insert("at_ms".to_owned(), number(tried.at_millis));
    let (pk, sk) = match row {
        Row::Attempt(Tried { id, outcome, attempt, .. }) => {
            attributes.insert("outcome".to_owned(), text(*outcome));
            // Refusals by themselves, so that they can be counted without reading every use.
            let class = if *outcome == ALLOWED { "allowed" } else { "refused" };
            (of_key(attempt.key.as_deref().unwrap_or_default(), at), format!("{class}#{id}"))
        }
        Row::Group(group) => {
            let counts = group.counts.iter().map(|(outcome, count)| ((*outcome).to_owned(), number(*count)));
            attributes.insert("counts".to_owned(), AttributeValue::M(counts.collect()));
            if group.others {
                attributes.insert("others".to_owned(), AttributeValue::Bool(true));
            }
            (of_nobody(at), tried.id.to_string())
        }
    };
    attributes.insert("pk".to_owned(), text(pk));
    attributes.insert("sk".to_owned(), text(sk));
    attributes
}

/// What is kept of an attempt. The API's id is left to the line.
fn sample(tried: &Tried) -> Attributes {
    let attempt = &tried.attempt;
    let given = |value: &str| (!value.is_empty()).then(|| text(cut(value)));
    let members = [
        ("hint", attempt.hint.as_deref().and_then(given)),
        ("generation", attempt.generation.map(|generation| number(generation.into()))),
        ("method", given(&attempt.method)),
        ("path", given(&attempt.path)),
        ("source_ip", attempt.source_ip.as_deref().and_then(given)),
        ("user_agent", given(&attempt.user_agent)),
        ("request_id", given(&attempt.request_id)),
        ("extended_request_id", attempt.extended_request_id.as_deref().and_then(given)),
        ("duration_ms", Some(AttributeValue::N(tried.duration_ms.to_string()))),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A caller's text, no longer than need be.
fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{CUT}", &text[..end])
}

/// Whether a text that the table has is the beginning of a longer one; one that just fits and ends like that is taken for it.
#[must_use]
pub fn is_cut(text: &str) -> bool {
    text.len() >= LONGEST && text.ends_with(CUT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;
    use crate::{audit::attempt::Attempt, store::item};

    fn longest() -> Tried {
        let long = || "é".repeat(5000);
        let attempt = Attempt {
            key: Some("key_0123456789abcdefghijkl".to_owned()),
            hint: Some("mbk_live_Ab3C…".to_owned()),
            generation: Some(999_999_999),
            method: "OPTIONS".to_owned(),
            path: long(),
            source_ip: Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".to_owned()),
            user_agent: long(),
            request_id: "01234567-89ab-cdef-0123-456789abcdef".to_owned(),
            extended_request_id: Some("ABCDefghijklmno=".to_owned()),
            api_id: Some("a1b2c3d4e5".to_owned()),
        };
        Tried { id: Uuid::max(), at_millis: 1_800_000_000_000, outcome: "address_not_allowed", duration_ms: 1234.567, attempt }
    }

    #[test]
    fn the_longest_row_takes_one_write_unit() {
        let row = Row::Attempt(longest());
        assert!(item::size(&write(&row, 0)) <= 1024, "{}", item::size(&write(&row, 0)));
        let unknown = Tried { attempt: Attempt { key: None, ..longest().attempt }, ..longest() };
        let counts = BTreeMap::from([("unknown_key", u64::MAX), ("malformed_key", u64::MAX), ("missing_key", u64::MAX)]);
        let row = Row::Group(Group { counts, others: true, sample: unknown });
        assert!(item::size(&write(&row, 0)) <= 1024);
    }

    #[test]
    fn what_was_cut_is_known_by_its_length_and_its_end() {
        for letter in ["x", "é", "…", "🔑"] {
            let longest = letter.repeat(LONGEST / letter.len());
            assert_eq!(cut(&longest), longest);
            for more in 1..5 {
                let long = format!("{}{}", "x".repeat(more), letter.repeat(LONGEST));
                assert!(is_cut(&cut(&long)), "{letter} {more}");
            }
        }
        for whole in ["", "/short…", &"x".repeat(LONGEST)] {
            assert!(!is_cut(&cut(whole)));
        }
    }

    #[test]
    fn a_row_is_found_by_key_day_and_class() {
        let attributes = write(&Row::Attempt(longest()), 86_400);
        assert_eq!(attributes["pk"], text("key_0123456789abcdefghijkl#2027-01-15"));
        assert_eq!(attributes["sk"], text("refused#ffffffff-ffff-ffff-ffff-ffffffffffff"));
        assert_eq!(attributes["ttl"], number(1_800_086_400));
        let (statement, parameters) = insert("t", Attributes::from([("pk".to_owned(), text("'a'"))]));
        assert_eq!((statement.as_str(), parameters), ("INSERT INTO \"t\" VALUE {'pk':?}", vec![text("'a'")]));
    }
}
