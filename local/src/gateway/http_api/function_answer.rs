//! A function's answer in payload format 2.0 as an HTTP response, or why it is none.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderValue, Response};
use serde_json::Value;

use super::super::answer::{body, header, map, status};

/// Maps `{statusCode, headers, cookies, body, isBase64Encoded}`. Whatever has no `statusCode` is itself the body, as JSON.
///
/// The error says what is malformed, for the log: API Gateway shows its caller a bare 500.
pub(super) fn response(answer: &Value) -> Result<Response<Bytes>, String> {
    if answer.get("statusCode").is_none() {
        let mut response = Response::new(Bytes::from(answer.to_string()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return Ok(response);
    }
    let mut response = Response::new(body(answer)?);
    *response.status_mut() = status(answer)?;
    for (name, value) in map(answer, "headers")?.into_iter().flatten() {
        let (name, value) = header(&name.to_ascii_lowercase(), value)?;
        if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
            response.headers_mut().append(name, value);
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let (name, value) = header(SET_COOKIE.as_str(), cookie)?;
        response.headers_mut().append(name, value);
    }
    let kind = HeaderValue::from_static("text/plain;charset=UTF-8");
    response.headers_mut().entry(CONTENT_TYPE).or_insert(kind);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_becomes_a_response() {
        let answer = json!({
            "statusCode": 201, "headers": { "Location": "/a", "Content-Length": "999" }, "cookies": ["a=1", "b=2"], "body": "aGk=",
            "isBase64Encoded": true,
        });
        let response = response(&answer).unwrap();
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (201, b"hi".as_slice()));
        assert_eq!(response.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert!(!response.headers().contains_key("content-length"), "the server counts for itself");
    }

    #[test]
    fn what_has_no_status_is_the_body_and_what_is_malformed_is_none() {
        let inferred = response(&json!({ "message": "hi" })).unwrap();
        assert_eq!((inferred.status().as_u16(), inferred.body().as_ref()), (200, br#"{"message":"hi"}"#.as_slice()));
        for bad in [
            json!({ "statusCode": 99 }),
            json!({ "statusCode": "ok" }),
            json!({ "statusCode": 200, "body": { "not": "text" } }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "body": "%", "isBase64Encoded": true }),
        ] {
            assert!(response(&bad).is_err(), "{bad}");
        }
    }
}
