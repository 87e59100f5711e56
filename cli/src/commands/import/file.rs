//! The lines of a file: CSV with a heading, or JSON lines as the API takes them.

use serde_json::{Map, Value};

use crate::{
    args::Import,
    failure::Failure,
    parse::{Limit, Owner},
    secret::Secret,
};

/// A line, by the number that it has in its file.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    /// What to order and with which secret, or why that can't be told. It never repeats what is in the line.
    pub(super) order: Result<(Map<String, Value>, Secret), &'static str>,
}

/// What lines have that don't say.
pub(super) fn defaults(import: &Import) -> Vec<(&'static str, Value)> {
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.iter().cloned().map(Value::from).collect());
    [
        ("environment", import.environment.clone().map(Value::from)),
        ("owner", import.owner.as_ref().map(Owner::json)),
        ("plan", import.plan.clone().map(Value::from)),
        ("scopes", list(&import.scope)),
        ("limits", (!import.limit.is_empty()).then(|| Limit::list(&import.limit))),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

/// A JSON object on each line; empty lines are none.
pub(super) fn json_lines(text: &str) -> Vec<Line> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let order = |line: &str| match serde_json::from_str(line) {
        Ok(Value::Object(order)) => with_secret(order),
        _ => Err("it is no JSON object"),
    };
    lines.map(|(number, line)| Line { number, order: order(line) }).collect()
}

/// A table with a heading.
///
/// # Errors
/// If the heading has a column that the API has no field for, or none for secrets.
pub(super) fn csv(text: &str) -> Result<Vec<Line>, Failure> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let heading = reader.headers().map_err(|_| Failure::usage("the heading can't be read"))?.clone();
    let columns: Vec<_> = heading.iter().map(Column::named).collect();
    if let Some(at) = columns.iter().position(Option::is_none) {
        let hint = format!("Columns are: {}.", Column::ALL.map(|(name, _)| name).join(", "));
        // Not by its name: without a heading, the first line is one of secrets.
        return Err(Failure::usage(format!("column {} of the heading is none that keys have", at + 1)).with_hint(hint));
    }
    if !columns.contains(&Some(Column::Secret)) {
        return Err(Failure::usage("no column of the heading is called secret"));
    }
    let columns: Vec<_> = columns.into_iter().flatten().zip(heading.iter()).collect();
    let line = |record: Result<csv::StringRecord, csv::Error>| match record {
        Ok(record) => Line {
            number: record.position().map_or(0, csv::Position::line),
            order: if record.len() == columns.len() {
                order(&record, &columns)
            } else {
                Err("it has more or fewer columns than the heading")
            },
        },
        Err(error) => Line { number: error.position().map_or(0, csv::Position::line), order: Err("it is no CSV") },
    };
    Ok(reader.records().map(line).collect())
}

/// How the cells of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Secret,
    Text,
    Owner,
    Words,
    Limits,
    Json,
}

impl Column {
    const ALL: [(&'static str, Self); 12] = [
        ("secret", Self::Secret),
        ("name", Self::Text),
        ("owner", Self::Owner),
        ("environment", Self::Text),
        ("plan", Self::Text),
        ("scopes", Self::Words),
        ("limits", Self::Limits),
        ("ip_allowlist", Self::Words),
        ("expires_at", Self::Text),
        ("rotate_every_days", Self::Json),
        ("shared_limits", Self::Json),
        ("metadata", Self::Json),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }

    fn read(self, cell: &str) -> Result<Value, &'static str> {
        let parts = || cell.split(';').map(str::trim).filter(|part| !part.is_empty());
        match self {
            Self::Secret | Self::Text => Ok(cell.into()),
            Self::Owner => cell.parse().map(|owner: Owner| owner.json()).map_err(|_| "owner: must be user:ID or service:ID"),
            Self::Words => Ok(parts().map(Value::from).collect()),
            Self::Limits => {
                let limits = parts().map(str::parse).collect::<Result<Vec<Limit>, _>>();
                limits.map(|limits| Limit::list(&limits)).map_err(|_| "limits: must be such as 5/minute;1000/day")
            }
            Self::Json => serde_json::from_str(cell).map_err(|_| "rotate_every_days, shared_limits or metadata: must be JSON"),
        }
    }
}

/// An empty cell says nothing.
fn order(record: &csv::StringRecord, columns: &[(Column, &str)]) -> Result<(Map<String, Value>, Secret), &'static str> {
    let mut order = Map::new();
    for ((column, name), cell) in columns.iter().zip(record).filter(|(_, cell)| !cell.is_empty()) {
        order.insert((*name).to_owned(), column.read(cell)?);
    }
    with_secret(order)
}

fn with_secret(mut order: Map<String, Value>) -> Result<(Map<String, Value>, Secret), &'static str> {
    match order.shift_remove("secret") {
        Some(Value::String(secret)) => {
            let secret =
                Secret::read(&zeroize::Zeroizing::new(secret)).ok_or("secret: must be one word of visible characters")?;
            Ok((order, secret))
        }
        _ => Err("secret: is missing, or isn't a text"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    type Read = Result<(Value, String), &'static str>;

    fn bodies(lines: Vec<Line>) -> Vec<(u64, Read)> {
        let body = |(body, secret): (Map<String, Value>, Secret)| (body.into(), secret.expose().to_owned());
        lines.into_iter().map(|line| (line.number, line.order.map(body))).collect()
    }

    #[test]
    fn a_table_becomes_orders() {
        let text = "secret,name,owner,scopes,limits,metadata\n\
                    acme_1,\"a, b\",user:ann,read; GET /x,5/minute;9/day,\"{\"\"a\"\":1}\"\n\
                    acme_2,,team:1,,,\n\
                    acme_3,short\n\
                    ,nothing,,,,\n";
        let lines = bodies(csv(text).unwrap());
        let first = json!({
            "name": "a, b", "owner": { "type": "user", "id": "ann" }, "scopes": ["read", "GET /x"],
            "limits": [{ "requests": 5, "per": "minute" }, { "requests": 9, "per": "day" }], "metadata": { "a": 1 },
        });
        assert_eq!(lines[0], (2, Ok((first, "acme_1".to_owned()))));
        let failed: Vec<_> = lines[1..].iter().map(|(number, order)| (*number, order.as_ref().unwrap_err())).collect();
        assert_eq!(failed[0], (3, &"owner: must be user:ID or service:ID"));
        assert_eq!(failed[1], (4, &"it has more or fewer columns than the heading"));
        assert_eq!(failed[2], (5, &"secret: is missing, or isn't a text"));
    }

    #[test]
    fn a_heading_that_is_none_is_refused_without_repeating_it() {
        let failure = csv("acme_9f3kQ7xL2mVb8RtYw4Zd,moved\n").unwrap_err();
        assert!(failure.to_string().starts_with("column 1 of the heading"), "{failure}");
        assert!(!format!("{failure:?}").contains("9f3k"), "{failure:?}");
        assert!(csv("name,owner\n").unwrap_err().to_string().contains("called secret"));
    }

    #[test]
    fn json_lines_become_orders() {
        let lines = bodies(json_lines("{\"secret\": \"acme_1\", \"name\": \"a\"}\n\n[]\n{\"secret\": 1}\n"));
        assert_eq!(lines[0], (1, Ok((json!({ "name": "a" }), "acme_1".to_owned()))));
        assert_eq!(lines[1], (3, Err("it is no JSON object")));
        assert_eq!(lines[2], (4, Err("secret: is missing, or isn't a text")));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parsers(text in any::<String>()) {
            let _ = (csv(&text).map(|lines| lines.len()), csv(&format!("secret,name\n{text}")).map(|lines| lines.len()));
            prop_assert!(json_lines(&text).len() <= text.lines().count());
        }
    }
}
