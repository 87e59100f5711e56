//! The audit of an attempt: what its line says, whatever came of it.

use serde::Serialize;
use shared::{
    error::{Code, Fault},
    redact::redact,
    telemetry::report::Report,
    verify::{Outcome, Undecided, Verdict},
};

use crate::event::Event;

/// The members of an attempt's line. The path goes without its query, which may carry the key.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Attempt {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u32>,
    #[serde(skip_serializing_if = "String::is_empty")]
    method: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_agent: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_id: Option<String>,
}

impl Attempt {
    pub(crate) fn of(event: &Event) -> Self {
        Self {
            method: event.method.clone(),
            path: redact(&event.path).into_owned(),
            source_ip: event.address.map(|address| address.to_string()),
            user_agent: redact(&event.user_agent).into_owned(),
            request_id: redact(&event.request_id).into_owned(),
            extended_request_id: event.extended_request_id.clone(),
            api_id: event.api_id.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn report(mut self, decided: &Result<Result<Verdict, Code>, Undecided>) -> Report<Self> {
        let verdict = match decided {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(code)) => return Report::new(code.as_str(), self),
            Err(Undecided { fault, uncertain, key }) => {
                self.key = key.as_ref().map(ToString::to_string);
                return Report { uncertain: *uncertain, ..Report::fault(fault, self) };
            }
        };
        self.key = verdict.record().map(|record| record.id.to_string());
        let (outcome, allowed) = match &verdict.outcome {
            Outcome::Allowed { generation, .. } => {
                self.generation = Some(*generation);
                ("allowed", self.api_id.is_some())
            }
            Outcome::Refused { refusal, .. } => (refusal.code().as_str(), false),
        };
        Report { uncertain: verdict.uncertain, allowed, ..Report::new(outcome, self) }
    }

    /// Of what is no REQUEST event of API Gateway's: nothing of it is repeated.
    pub(crate) fn not_understood() -> Report<Self> {
        Report::fault(&Fault::new("event.not_understood", "it is no REQUEST event of API Gateway's"), Self::default())
    }
}
