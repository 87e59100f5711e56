//! Where a caller may put the key: the header `X-API-Key`, or the query parameter `api_key`.

use crate::event::Event;

/// What a request presents.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// No key.
    None,
    /// One key, perhaps several times.
    One(String),
    /// Two different keys: whichever were taken, it could be the one that the caller did not mean.
    Conflicting,
}

impl Presented {
    pub(crate) fn read(event: &Event, allow_query_key: bool) -> Self {
        let mut values = event.headers("x-api-key");
        if allow_query_key {
            values.extend(event.query("api_key"));
        }
        match values.split_first() {
            None => Self::None,
            Some((first, others)) if others.iter().all(|other| other == first) => Self::One((*first).to_owned()),
            Some(_) => Self::Conflicting,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(parts: Value, allow_query_key: bool) -> Presented {
        let mut event = json!({
            "methodArn": "arn:aws:execute-api:eu-central-1:1:abc/live/GET/x",
            "requestContext": { "identity": { "sourceIp": "203.0.113.7" } },
        });
        event.as_object_mut().unwrap().extend(parts.as_object().unwrap().clone());
        Presented::read(&Event::read(event).unwrap(), allow_query_key)
    }

    #[test]
    fn header_of_any_case_or_query_parameter() {
        let one = Presented::One("k".to_owned());
        assert_eq!(read(json!({ "headers": { "X-API-Key": "k" } }), true), one);
        assert_eq!(read(json!({ "headers": { "x-api-key": "k" }, "multiValueHeaders": { "x-API-key": ["k", "k"] } }), true), one);
        assert_eq!(read(json!({ "queryStringParameters": { "api_key": "k" } }), true), one);
        assert_eq!(read(json!({ "headers": { "X-API-Key": "k" }, "queryStringParameters": { "api_key": "k" } }), true), one);
        assert_eq!(read(json!({ "headers": null, "queryStringParameters": null }), true), Presented::None);
        assert_eq!(read(json!({ "headers": { "X-API-Key": 7 } }), true), Presented::None);
    }

    #[test]
    fn two_different_keys_are_refused() {
        assert_eq!(read(json!({ "multiValueHeaders": { "X-API-Key": ["a", "b"] } }), true), Presented::Conflicting);
        let both = json!({ "headers": { "X-API-Key": "a" }, "queryStringParameters": { "api_key": "b" } });
        assert_eq!(read(both.clone(), true), Presented::Conflicting);
        assert_eq!(read(both, false), Presented::One("a".to_owned()), "the query is not looked at unless it may carry keys");
    }
}
