//! `mbk usage`: how often a key or an owner's keys were used, with a bar for each day.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    args::Usage,
    client::Call,
    exit::Exit,
    failure::{Failure, Kind},
    output::{Table, bar, text},
    parse::Owner,
    plain::plain_lines,
    session::Session,
};

/// The most keys of a page.
const MOST_KEYS: u64 = 100;

/// How many characters the longest bar has.
const WIDTH: usize = 40;

pub(super) async fn run(session: &Session, usage: &Usage) -> Result<Exit, Failure> {
    let granularity = if usage.monthly { "month" } else { "day" };
    let of = |call: Call| call.with("from", usage.from).with("to", usage.to).with("granularity", Some(granularity));
    let call = match (&usage.id, &usage.owner) {
        (Some(id), _) => of(Call::get(&["keys", id.as_str(), "usage"])),
        (None, Some(owner)) => of(Call::owner(Method::GET, owner, "usage")).with("limit", Some(MOST_KEYS)),
        (None, None) => return Err(Failure::usage("name a key, or --owner")),
    };
    if usage.csv {
        let table = session.text(&call.csv()).await?;
        session.output.raw(&plain_lines(&table))?;
        return Ok(Exit::Done);
    }
    let document = match &usage.owner {
        Some(owner) => all_pages(session, call, owner, granularity).await?,
        None => session.ask(&call).await?,
    };
    session.show(&document, || tables(&document, granularity))?;
    Ok(Exit::Done)
}

/// The bill of all of an owner's keys, as one page would be.
async fn all_pages(session: &Session, mut call: Call, owner: &Owner, granularity: &str) -> Result<Value, Failure> {
    let fixed = call.query.len();
    let mut whole = session.ask(&call).await?;
    let mut sums = BTreeMap::new();
    add(&mut sums, &whole, granularity);
    while let Some(cursor) = whole["next_cursor"].as_str().map(ToOwned::to_owned) {
        call.query.truncate(fixed);
        call = call.with("cursor", Some(&cursor));
        let mut page = session.ask(&call).await?;
        if page["next_cursor"] == whole["next_cursor"] {
            return Err(Kind::Unintelligible(format!("the API's list of the keys of {owner} has no end")).into());
        }
        add(&mut sums, &page, granularity);
        for list in ["keys", "left_out"] {
            if let (Some(all), Some(more)) = (whole[list].as_array_mut(), page[list].as_array_mut()) {
                all.append(more);
            }
        }
        whole["next_cursor"] = page["next_cursor"].take();
    }
    whole["total"] = json!({ "allowed": sums.values().sum::<u64>() });
    whole["usage"] = sums.into_iter().map(|(period, allowed)| json!({ granularity: period, "allowed": allowed })).collect();
    Ok(whole)
}

fn add(sums: &mut BTreeMap<String, u64>, page: &Value, granularity: &str) {
    for period in page["usage"].as_array().into_iter().flatten() {
        *sums.entry(text(&period[granularity])).or_default() += period["allowed"].as_u64().unwrap_or_default();
    }
}

fn tables(document: &Value, granularity: &str) -> Vec<Table> {
    let periods = document["usage"].as_array().map(Vec::as_slice).unwrap_or_default();
    let most = periods.iter().filter_map(|period| period["allowed"].as_u64()).max().unwrap_or_default();
    let has_refused = periods.iter().any(|period| period.get("refused").is_some());
    let mut heading = vec![granularity, "allowed"];
    heading.extend(has_refused.then_some("refused"));
    let mut chart = Table::new(&[heading.as_slice(), &[""]].concat());
    for period in periods {
        let mut row = vec![text(&period[granularity]), text(&period["allowed"])];
        row.extend(has_refused.then(|| refused(&period["refused"])));
        row.push(bar(period["allowed"].as_u64().unwrap_or_default(), most, WIDTH));
        chart.row(row);
    }
    let mut total = vec!["total".to_owned(), text(&document["total"]["allowed"])];
    total.extend(has_refused.then(|| refused(&document["total"]["refused"])));
    chart.row(total);
    let mut tables = vec![chart];
    if let Some(keys) = document["keys"].as_array() {
        let mut table = Table::new(&["key", "name", "allowed"]);
        for key in keys {
            table.row(["key", "name", "allowed"].map(|name| text(&key[name])));
        }
        tables.push(table);
    }
    tables
}

/// How many were refused, and why.
fn refused(codes: &Value) -> String {
    let codes = codes.as_object().into_iter().flatten();
    let codes: Vec<_> = codes.map(|(code, count)| format!("{count} {code}")).collect();
    if codes.is_empty() { "0".to_owned() } else { codes.join(", ") }
}
