//! Functions that run in Lambda processes of their own, under `cargo lambda watch`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Uri};
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
        "nothing answers at {url} ({reason}): start `cargo lambda watch --invoke-address 127.0.0.1 --env-file target/local.env` first"
    )]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
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

    /// Waits until the function is built and runs: the watch starts each at its first event. The event is one that no
    /// function understands, so that nothing is done.
    ///
    /// # Errors
    /// [`RemoteError::Unreachable`].
    pub async fn wake(&self, binary: &str) -> Result<(), RemoteError> {
        let answer = self.post(binary, Bytes::from_static(b"[]")).await;
        answer.map(|_| ()).map_err(|reason| RemoteError::Unreachable { url: self.url.clone(), reason })
    }

    /// The answer to an event.
    ///
    /// # Errors
    /// The function's error message, or why there is no answer.
    pub async fn invoke(&self, binary: &str, event: &Value) -> Result<Value, String> {
        let answer = self.post(binary, Bytes::from(event.to_string())).await?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| format!("the answer is no JSON: {error}"))?;
        // What a failed function answers. No answer of ours has a member of that name.
        match answer["errorMessage"].as_str() {
            Some(message) => Err(message.to_owned()),
            None => Ok(answer),
        }
    }

    async fn post(&self, binary: &str, event: Bytes) -> Result<Bytes, String> {
        let uri = format!("{}/2015-03-31/functions/{binary}/invocations", self.url);
        let request = Request::post(uri).body(event).map_err(|error| error.to_string())?;
        Ok(self.client.send(request).await?.into_body())
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
            assert_eq!(remote.invoke("answers", &json!({})).await, Ok(json!({ "statusCode": 200 })));
            assert!(remote.invoke("other", &json!({})).await.unwrap_err().starts_with("the answer is no JSON"));
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
