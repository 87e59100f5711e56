//! One line per request.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::gateway::{Outcome, OwnAnswer, ResponseType};

/// What the log says about one request. Neither query nor headers, because either may hold a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The HTTP method.
    pub method: String,
    /// The path as sent, without the query and what looks like a secret.
    pub path: String,
    /// The status of the response.
    pub status: StatusCode,
    /// What happened: the gateway response's type, or what an HTTP API said by itself, if there was either; else the authorizer's `code`, else `open`.
    pub code: String,
    /// Who the authorizer said the caller is.
    pub principal: Option<String>,
    /// The binary of the function that answered.
    pub function: Option<String>,
    /// How long the request took, in milliseconds.
    pub duration_ms: u64,
    /// Why a function failed; the caller didn't see it.
    pub fault: Option<String>,
}

impl LogLine {
    pub(super) fn new(method: String, path: String, status: StatusCode, outcome: Outcome) -> Self {
        let own = outcome.gateway_response.map(ResponseType::name).or(outcome.own_answer.map(OwnAnswer::message));
        let reached = own.is_none();
        let code = match (own, outcome.code) {
            (Some(response), Some(code)) => format!("{response} ({code})"),
            (Some(response), None) => response.to_owned(),
            (None, Some(code)) => code,
            (None, None) if outcome.principal.is_some() => "allowed".to_owned(),
            (None, None) => "open".to_owned(),
        };
        Self {
            method,
            path,
            status,
            code,
            principal: outcome.principal,
            function: outcome.function.filter(|_| reached || outcome.function_duration.is_some()),
            duration_ms: u64::try_from(rounded(outcome.duration)).unwrap_or(u64::MAX),
            fault: outcome.fault,
        }
    }
}

/// To the nearest millisecond.
fn rounded(duration: Duration) -> u128 {
    (duration.as_micros() + 500) / 1000
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.status.as_u16(), self.method, printable(&self.path), printable(&self.code))?;
        for part in [&self.principal, &self.function].into_iter().flatten() {
            write!(f, " · {}", printable(part))?;
        }
        write!(f, " · {} ms", self.duration_ms)?;
        match &self.fault {
            Some(fault) => write!(f, " · fault: {}", printable(fault)),
            None => Ok(()),
        }
    }
}

/// A request must not be able to write a second line, or to control the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_says_what_happened() {
        let outcome = Outcome {
            gateway_response: Some(ResponseType::AccessDenied { explicit: true }),
            principal: Some("key_1\n".to_owned()),
            code: Some("scope".to_owned()),
            function: Some("manage".to_owned()),
            duration: Duration::from_micros(12_600),
            ..Default::default()
        };
        let line = LogLine::new("GET".to_owned(), "/v1/keys".to_owned(), StatusCode::FORBIDDEN, outcome);
        assert_eq!(line.to_string(), "403 GET /v1/keys ACCESS_DENIED (scope) · key_1\u{fffd} · 13 ms");
    }

    #[test]
    fn an_answer_names_its_function() {
        let outcome = Outcome { function: Some("example".to_owned()), ..Default::default() };
        let line = LogLine::new("GET".to_owned(), "/open".to_owned(), StatusCode::OK, outcome);
        assert_eq!(line.to_string(), "200 GET /open open · example · 0 ms");
    }
}
