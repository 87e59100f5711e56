//! Functions that run in Lambda processes of their own, under `cargo lambda watch`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use serde_json::Value;

use crate::Invoke;
use crate::client::Client;
use crate::template::Template;

/// Why a function did not answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The address is none.
    #[error("{0:?} is no address: give one as in http://127.0.0.1:9000")]
    Address(String),
    /// Nobody is there.
    #[error(
        "nothing answers at {url} ({reason}): start `cargo lambda watch --invoke-address 127.0.0.1 --env-file …`, as `cargo run -- --engine-only` prints it"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// Somebody is there, who doesn't have the function.
    #[error("{url} doesn't run the function {function} ({reason}): start `cargo lambda watch` in this project")]
    Missing {
        /// The address.
        url: String,
        /// The binary of the function.
        function: String,
        /// What was answered.
        reason: String,
    },
}

/// Where functions are invoked.
#[derive(Clone)]
pub struct Remote {
    url: String,
    client: Client,
}

impl Remote {
    /// The Lambda API at that address.
    ///
    /// # Errors
    /// [`RemoteError::Address`] for a text that is none.
    pub fn new(url: &str) -> Result<Self, RemoteError> {
        let parsed = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
        if parsed.is_none() {
            return Err(RemoteError::Address(url.to_owned()));
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client: Client::new() })
    }

    /// Every function of the template, by the name of its binary.
    #[must_use]
    pub fn functions(&self, template: &Template) -> BTreeMap<String, Invoke> {
        let function = |binary: &str| -> Invoke {
            let (remote, binary) = (self.clone(), binary.to_owned());
            Arc::new(move |event| {
                let (remote, binary) = (remote.clone(), binary.clone());
                Box::pin(async move { remote.invoke(&binary, &event).await })
            })
        };
        template.functions.iter().map(|block| (block.binary.clone(), function(&block.binary))).collect()
    }

    /// Waits until the function is built and runs: the watch starts each at its first event. The event is one that every
    /// function refuses, so that nothing is done.
    ///
    /// # Errors
    /// [`RemoteError::Unreachable`].
    pub async fn wake(&self, binary: &str) -> Result<(), RemoteError> {
        let (status, answer) = self
            .post(binary, Bytes::from_static(b"[]"))
            .await
            .map_err(|reason| RemoteError::Unreachable { url: self.url.clone(), reason })?;
        match read(status, &answer) {
            Answer::NoFunction(reason) => {
                Err(RemoteError::Missing { url: self.url.clone(), function: binary.to_owned(), reason })
            }
            Answer::Value(_) | Answer::Error(_) => Ok(()),
        }
    }

    /// The answer to an event.
    ///
    /// # Errors
    /// The function's error message, or why there is no answer.
    pub async fn invoke(&self, binary: &str, event: &Value) -> Result<Value, String> {
        let (status, answer) = self.post(binary, Bytes::from(event.to_string())).await?;
        match read(status, &answer) {
            Answer::Value(value) => Ok(value),
            Answer::Error(message) | Answer::NoFunction(message) => Err(message),
        }
    }

    async fn post(&self, binary: &str, event: Bytes) -> Result<(StatusCode, Bytes), String> {
        let uri = format!("{}/2015-03-31/functions/{binary}/invocations", self.url);
        let request = Request::post(uri).body(event).map_err(|error| error.to_string())?;
        let (parts, body) = self.client.send(request).await?.into_parts();
        Ok((parts.status, body))
    }
}

/// What came back from a Lambda API.
enum Answer {
    Value(Value),
    Error(String),
    /// Something answered, but no function did.
    NoFunction(String),
}

fn read(status: StatusCode, body: &[u8]) -> Answer {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Answer::NoFunction(format!("{status}, and the answer is no JSON"));
    };
    // What a failed function answers, whatever its status. No answer of ours has a member of that name.
    match value["errorMessage"].as_str() {
        Some(message) => Answer::Error(message.to_owned()),
        None if status.is_success() => Answer::Value(value),
        None => Answer::NoFunction(format!("{status} {value}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::net::TcpListener;
    use tokio::sync::oneshot;

    use super::*;
    use crate::server::accept;

    #[tokio::test]
    async fn a_function_s_error_is_its_message_and_its_answer_is_its_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = Remote::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let lambda = |request: http::Request<hyper::body::Incoming>, _| async move {
            let body = match request.uri().path() {
                "/2015-03-31/functions/fails/invocations" => r#"{"errorType":"Failure","errorMessage":"Unauthorized"}"#,
                "/2015-03-31/functions/answers/invocations" => r#"{"statusCode":200}"#,
                _ => "not JSON",
            };
            http::Response::new(http_body_util::Full::new(Bytes::from_static(body.as_bytes())))
        };
        let serving = accept(listener, lambda, async {
            let _ = stopped.await;
        });
        let asking = async {
            assert_eq!(remote.invoke("fails", &json!({})).await, Err("Unauthorized".to_owned()));
            let no_function = remote.wake("other").await.unwrap_err();
            assert!(no_function.to_string().contains("doesn't run the function other"), "{no_function}");
            remote.wake("fails").await.unwrap();
            assert_eq!(remote.invoke("answers", &json!({})).await, Ok(json!({ "statusCode": 200 })));
            assert!(remote.invoke("other", &json!({})).await.unwrap_err().contains("the answer is no JSON"));
            drop(remote);
            stop.send(()).unwrap();
        };
        tokio::join!(serving, asking);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "127.0.0.1:9000", "https://127.0.0.1:9000", "http://"] {
            assert!(matches!(Remote::new(bad), Err(RemoteError::Address(_))), "{bad}");
        }
    }
}
