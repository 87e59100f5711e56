//! The audit of an attempt: what is said of an event.

use shared::{audit::attempt::Attempt, imported::ImportPrefixes, redact::redact};

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
