//! A function's answer as an HTTP response, or why it is none.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

/// Headers that API Gateway keeps for itself; a function's are renamed to `x-amzn-remapped-…`.
const REMAPPED: [&str; 6] = ["authorization", "connection", "date", "host", "server", "www-authenticate"];

/// Maps `{statusCode, headers, multiValueHeaders, body, isBase64Encoded}`.
///
/// The error says what is malformed, for the log: API Gateway shows its caller a bare 502.
pub(super) fn response(answer: &Value) -> Result<Response<Bytes>, String> {
    let mut response = Response::new(body(answer)?);
    *response.status_mut() = status(answer)?;
    for (name, value) in headers(answer)? {
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            response.headers_mut().append(name, value);
        }
    }
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().entry(CONTENT_TYPE).or_insert(kind);
    Ok(response)
}

pub(super) fn status(answer: &Value) -> Result<StatusCode, String> {
    let status = match &answer["statusCode"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|status| u16::try_from(status).ok()),
    };
    // A status below 200 is never a final answer.
    let status = status.filter(|status| *status >= 200);
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    status.ok_or_else(|| "statusCode is missing or isn't a status".to_owned())
}

pub(super) fn body(answer: &Value) -> Result<Bytes, String> {
    let text = match &answer["body"] {
        Value::Null => "",
        Value::String(text) => text,
        _ => return Err("body must be text; JSON has to be serialised".to_owned()),
    };
    match &answer["isBase64Encoded"] {
        Value::Bool(true) => STANDARD.decode(text).map(Bytes::from).map_err(|_| "body isn't base64".to_owned()),
        Value::Null | Value::Bool(false) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        _ => Err("isBase64Encoded must be a boolean".to_owned()),
    }
}

/// Both maps as one list; a value that is in both counts once.
fn headers(answer: &Value) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut headers = Vec::new();
    let multi = map(answer, "multiValueHeaders")?;
    for (name, values) in multi.into_iter().flatten() {
        for value in values.as_array().ok_or_else(|| format!("multiValueHeaders.{name} must be a list"))? {
            headers.push(header(&remapped(name), value)?);
        }
    }
    for (name, value) in map(answer, "headers")?.into_iter().flatten() {
        let header = header(&remapped(name), value)?;
        if !headers.contains(&header) {
            headers.push(header);
        }
    }
    Ok(headers)
}

pub(super) fn map<'a>(answer: &'a Value, name: &str) -> Result<Option<&'a serde_json::Map<String, Value>>, String> {
    match &answer[name] {
        Value::Null => Ok(None),
        Value::Object(map) => Ok(Some(map)),
        _ => Err(format!("{name} must be a map")),
    }
}

/// What a REST API calls a function's header.
fn remapped(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if REMAPPED.contains(&lower.as_str()) { format!("x-amzn-remapped-{lower}") } else { lower }
}

pub(super) fn header(name: &str, value: &Value) -> Result<(HeaderName, HeaderValue), String> {
    let invalid = || format!("the header {name} is invalid");
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(invalid()),
    };
    let value = HeaderValue::from_str(&value).map_err(|_| invalid())?;
    Ok((HeaderName::try_from(name).map_err(|_| invalid())?, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_becomes_a_response() {
        let answer = json!({
            "statusCode": 201,
            "headers": {"Location": "/a", "X-A": "1", "Content-Length": "999", "WWW-Authenticate": "ApiKey"},
            "multiValueHeaders": {"x-a": ["1", "2"]},
            "body": "aGk=",
            "isBase64Encoded": true,
        });
        let response = response(&answer).unwrap();
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (201, b"hi".as_slice()));
        assert_eq!(response.headers().get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(response.headers()["x-amzn-remapped-www-authenticate"], "ApiKey");
        assert!(!response.headers().contains_key("content-length"), "the server counts for itself");
        assert_eq!(response.headers()["content-type"], "application/json");
    }

    #[test]
    fn a_malformed_answer_is_none() {
        for answer in [
            json!(null),
            json!("text"),
            json!({}),
            json!({"statusCode": 99}),
            json!({"statusCode": 101}),
            json!({"statusCode": 200, "body": {"not": "text"}}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "c\nd"}}),
            json!({"statusCode": 200, "multiValueHeaders": {"a": "c"}}),
        ] {
            assert!(response(&answer).is_err(), "{answer}");
        }
    }
}
