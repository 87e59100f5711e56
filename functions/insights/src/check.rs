//! `POST /v1/keys/{id}/check`: would this key pass now, and which rule decides? It counts nothing.

use std::net::IpAddr;

use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    check::{Checked, check},
    decision::{Proof, Route},
    error::Rejection,
    http::{self as api, Answer, Reply},
    input::{self, Fields},
    path::NormalPath,
    record::Record,
    view,
};

use crate::Insights;

/// The longest path that can be asked about.
pub const LONGEST_PATH: usize = 2048;

/// The request that is asked about.
struct Question {
    method: String,
    path: String,
    source_ip: Option<IpAddr>,
    generation: Option<u64>,
    management: bool,
}

impl Question {
    fn read(mut fields: Fields) -> Result<Self, Rejection> {
        let method = |path: &str, value: Value| {
            let valid = |method: &&str| (1..=16).contains(&method.len()) && method.bytes().all(|byte| byte.is_ascii_uppercase());
            value
                .as_str()
                .filter(valid)
                .map(ToOwned::to_owned)
                .ok_or_else(|| Rejection::field(path, "must be a method such as GET"))
        };
        let address = |path: &str, value: Value| {
            let address = value.as_str().and_then(|text| text.parse().ok());
            address.ok_or_else(|| Rejection::field(path, "must be an IP address, such as 203.0.113.7"))
        };
        let absolute = |path: &str, value: Value| {
            let text = input::text(path, &value, LONGEST_PATH)?;
            let plain = text.starts_with('/') && !text.contains(['?', '#']);
            plain.then_some(text).ok_or_else(|| Rejection::field(path, "must be a path such as /reports/7, without a query"))
        };
        let question = Self {
            method: fields.optional("method", method)?.unwrap_or_else(|| "GET".to_owned()),
            path: fields.required("path", absolute)?,
            source_ip: fields.optional("source_ip", address)?,
            generation: fields.optional("generation", |path, value| input::whole(path, &value, 1, u32::MAX.into()))?,
            management: fields.optional("management", input::boolean)?.unwrap_or(false),
        };
        fields.finish()?;
        Ok(question)
    }

    fn proof(&self, record: &Record) -> Result<Proof, Rejection> {
        let number = self.generation.unwrap_or(record.newest().into());
        let generation = record.generations.iter().find(|generation| u64::from(generation.number) == number);
        let proof = generation.map(|generation| Proof { number: generation.number, tag: generation.tag.clone() });
        proof.ok_or_else(|| Rejection::field("generation", "must be one that the key has; GET the key to see them"))
    }
}

impl Insights {
    pub(crate) async fn check(&self, request: &Request) -> Answer {
        let id = api::key_id(request)?;
        let question = Question::read(api::fields(request)?)?;
        let (record, now) = (self.record(&id).await?, self.host.clock.now());
        let shared = self.store.shared_by(&record).await?;
        let proof = question.proof(&record)?;
        let asked = shared::decision::Request {
            method: &question.method,
            path: NormalPath::parse(&question.path),
            route: if question.management { Route::MANAGEMENT } else { Route::Api },
            address: question.source_ip,
        };
        Ok(Reply::ok(answer(&check(&record, shared.as_ref(), &proof, &asked, now), proof.number)))
    }
}

fn answer(checked: &Checked, generation: u32) -> Value {
    json!({
        "allowed": checked.refusal.is_none(),
        "code": checked.refusal.as_ref().map(|refusal| refusal.code().as_str()),
        "detail": checked.refusal.as_ref().map(view::detail),
        "generation": generation,
        "decided_by": checked.decided_by().map(|rule| &rule.name),
        "rules": checked.rules.iter().map(|rule| {
            json!({ "rule": rule.name, "passes": rule.passes, "because": rule.because })
        }).collect::<Vec<_>>(),
    })
}
