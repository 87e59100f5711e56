//! What is said of a key to whoever a request is for: flat, texts and numbers, as API Gateway takes an authorizer's context.

use http::HeaderName;
use serde_json::{Map, Value, json};

use crate::{
    decision::Refusal,
    limit::Remaining,
    record::{Generation, Record},
    scope::Scope,
    shared_limits::SharedLimits,
    time::Timestamp,
    verify::{Outcome, Verdict},
    view,
};

/// The fields that are headers of an answer, and the names that they have there.
const HEADERS: [(&str, HeaderName); 5] = [
    ("rateLimitPolicy", HeaderName::from_static("ratelimit-policy")),
    ("rateLimit", HeaderName::from_static("ratelimit")),
    ("retryAfter", http::header::RETRY_AFTER),
    ("deprecation", HeaderName::from_static("deprecation")),
    ("sunset", HeaderName::from_static("sunset")),
];

/// The fields of `context` that belong into the headers of an answer.
pub fn headers(context: &Map<String, Value>) -> impl Iterator<Item = (HeaderName, String)> {
    HEADERS.into_iter().filter_map(|(field, name)| match context.get(field)? {
        Value::String(text) => Some((name, text.clone())),
        other => Some((name, other.to_string())),
    })
}

/// What `verdict` says: of an allowed request whose key it is and what is left of its limits, of a refused one why.
#[must_use]
pub fn of(verdict: &Verdict) -> Map<String, Value> {
    let (shared, now) = (verdict.shared.as_deref(), verdict.now);
    match &verdict.outcome {
        Outcome::Allowed { record } => {
            let generation = verdict.generation.and_then(|number| record.generation(number));
            allowed(record, generation, shared, now)
        }
        Outcome::Refused { refusal, record } => refused(refusal, record.as_deref(), shared, now),
    }
}

fn allowed(
    record: &Record,
    generation: Option<&Generation>,
    shared: Option<&SharedLimits>,
    now: Timestamp,
) -> Map<String, Value> {
    let all = all_limits(Some(record), shared, now);
    let scopes: Vec<_> = record.scopes.iter().map(Scope::as_str).collect();
    let mut context = Map::new();
    let mut put = |name: &str, value: Value| context.insert(name.to_owned(), value);
    put("keyId", json!(record.id));
    put("name", json!(record.name));
    put("owner", json!(record.owner.to_string()));
    put("environment", json!(record.environment.as_str()));
    // No scope holds a comma.
    put("scopes", json!(scopes.join(",")));
    for (whose, left) in &all {
        let (whose, period) = (whose.replace('-', "_"), left.limit.period.as_str());
        put(&format!("{whose}limit_{period}"), json!(left.limit.requests));
        put(&format!("{whose}remaining_{period}"), json!(left.remaining));
        put(&format!("{whose}reset_{period}"), json!(left.reset_seconds));
    }
    context.extend(rate_limit_headers(&all));
    if let Some(generation) = generation {
        context.insert("generation".to_owned(), json!(generation.number));
        context.extend(deprecation_headers(generation));
    }
    context
}

/// Every limit that counts for a key: its own, and, as `owner-`, those that it shares.
fn all_limits(record: Option<&Record>, shared: Option<&SharedLimits>, now: Timestamp) -> Vec<(&'static str, Remaining)> {
    let own = record.into_iter().flat_map(|record| record.remaining(now)).map(|left| ("", left));
    let shared = shared.into_iter().flat_map(|limits| limits.remaining(now)).map(|left| ("owner-", left));
    own.chain(shared).collect()
}

/// The values of the `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) headers, for a secret that a rotation has replaced.
fn deprecation_headers(generation: &Generation) -> impl Iterator<Item = (String, Value)> {
    let deprecation = generation.replaced_at.map(|at| format!("@{}", at.secs()));
    let sunset = generation.grace_ends_at.and_then(|_| generation.ends_at()).map(Timestamp::http_date);
    let headers = [("deprecation", deprecation), ("sunset", sunset)];
    headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
}

fn refused(refusal: &Refusal, record: Option<&Record>, shared: Option<&SharedLimits>, now: Timestamp) -> Map<String, Value> {
    let mut context = Map::new();
    let mut put = |name: &str, value: Value| context.insert(name.to_owned(), value);
    put("code", json!(refusal.code().as_str()));
    put("detail", json!(view::detail(refusal)));
    if let Refusal::Limited { retry_after_seconds, .. } = refusal {
        put("retryAfter", json!(retry_after_seconds));
        context.extend(rate_limit_headers(&all_limits(record, shared, now)));
    }
    context
}

/// The values of the `RateLimit-Policy` and `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers), if there are limits.
fn rate_limit_headers(all: &[(&str, Remaining)]) -> Vec<(String, Value)> {
    if all.is_empty() {
        return Vec::new();
    }
    let join = |item: fn(&Remaining) -> String| {
        let items = all.iter().map(|(whose, left)| format!("\"{whose}{}\";{}", left.limit.period.as_str(), item(left)));
        json!(items.collect::<Vec<_>>().join(", "))
    };
    let policy = join(|left| format!("q={};w={}", left.limit.requests, left.limit.period.secs()));
    let state = join(|left| format!("r={};t={}", left.remaining, left.reset_seconds));
    vec![("rateLimitPolicy".to_owned(), policy), ("rateLimit".to_owned(), state)]
}
