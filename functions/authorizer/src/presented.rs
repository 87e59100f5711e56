//! Where a caller may put the key: the header `X-API-Key`, or the query parameter `api_key`.

use crate::event::Event;

/// What a request presents, borrowed from its event. Not printable outside of tests: it may be a whole secret.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Presented<'a> {
    /// No key.
    None,
    /// One key, perhaps several times.
    One(&'a str),
    /// Two different keys: whichever were taken, it could be the one that the caller did not mean.
    Conflicting,
}

impl<'a> Presented<'a> {
    pub(crate) fn read(event: &'a Event, allow_query_key: bool) -> Self {
        let mut values = event.headers("x-api-key");
        if allow_query_key {
            values.extend(event.query("api_key"));
        }
        match values.split_first() {
            None => Self::None,
            Some((first, others)) if others.iter().all(|other| other == first) => Self::One(first),
            Some(_) => Self::Conflicting,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(parts: Value) -> Event {
        let mut event = json!({
            "methodArn": "arn:aws:execute-api:eu-central-1:1:abc/live/GET/x",
            "requestContext": { "identity": { "sourceIp": "203.0.113.7" } },
        });
        event.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        Event::read(event).unwrap()
    }

    #[test]
    fn header_of_any_case_or_query_parameter() {
        for (parts, expected) in [
            (json!({ "headers": { "X-API-Key": "k" } }), Presented::One("k")),
            (json!({ "headers": { "x-api-key": "k" }, "multiValueHeaders": { "x-API-key": ["k", "k"] } }), Presented::One("k")),
            (json!({ "queryStringParameters": { "api_key": "k" } }), Presented::One("k")),
            (json!({ "headers": { "X-API-Key": "k" }, "queryStringParameters": { "api_key": "k" } }), Presented::One("k")),
            (json!({ "headers": null, "queryStringParameters": null }), Presented::None),
            (json!({ "headers": { "X-API-Key": 7 } }), Presented::None),
        ] {
            assert_eq!(Presented::read(&event(parts), true), expected);
        }
    }

    #[test]
    fn two_different_keys_are_refused() {
        let twice = event(json!({ "multiValueHeaders": { "X-API-Key": ["a", "b"] } }));
        assert_eq!(Presented::read(&twice, true), Presented::Conflicting);
        let both = event(json!({ "headers": { "X-API-Key": "a" }, "queryStringParameters": { "api_key": "b" } }));
        assert_eq!(Presented::read(&both, true), Presented::Conflicting);
        assert_eq!(Presented::read(&both, false), Presented::One("a"), "the query is not looked at unless it may carry keys");
    }
}
