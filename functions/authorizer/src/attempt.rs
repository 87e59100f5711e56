//! The audit of an attempt: what is said of an event, and of what came of it.

use shared::{
    audit::attempt::{ALLOWED, Attempt},
    error::{Code, Fault},
    imported::ImportPrefixes,
    redact::redact,
    telemetry::report::Report,
    verify::{Outcome, Undecided, Verdict},
};

use crate::event::Event;

/// An attempt that nothing has come of yet.
pub(crate) fn of(event: &Event, imported: &ImportPrefixes) -> Attempt {
    let plain = |text: &str| redact(text, imported).into_owned();
    Attempt {
        method: event.method.clone(),
        path: plain(&event.path),
        source_ip: event.address.map(|address| address.to_string()),
        user_agent: plain(&event.user_agent),
        request_id: plain(&event.request_id),
        extended_request_id: event.extended_request_id.clone(),
        api_id: event.api_id.clone(),
        ..Attempt::default()
    }
}

/// What came of it.
pub(crate) fn report(mut attempt: Attempt, decided: &Result<Result<Verdict, Code>, Undecided>) -> Report<Attempt> {
    let verdict = match decided {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(code)) => return Report::new(code.as_str(), attempt),
        Err(Undecided { fault, uncertain, key }) => {
            attempt.key = key.as_ref().map(ToString::to_string);
            return Report { uncertain: *uncertain, ..Report::fault(fault, attempt) };
        }
    };
    attempt.key = verdict.record().map(|record| record.id.to_string());
    attempt.generation = verdict.generation;
    let (outcome, allowed) = match &verdict.outcome {
        Outcome::Allowed { .. } => (ALLOWED, attempt.api_id.is_some()),
        Outcome::Refused { refusal, .. } => (refusal.code().as_str(), false),
    };
    Report { uncertain: verdict.uncertain, allowed, ..Report::new(outcome, attempt) }
}

/// Of what is no REQUEST event of API Gateway's: nothing of it is repeated.
pub(crate) fn not_understood() -> Report<Attempt> {
    Report::fault(&Fault::new("event.not_understood", "it is no REQUEST event of API Gateway's"), Attempt::default())
}
