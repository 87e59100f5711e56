//! SNS in process, as far as functions use it: `Publish`, with the rules that a message has to keep there.
//!
//! It is not winterbaume's, like Secrets Manager, because that one takes every message and forgets it at once: what SNS would
//! refuse has to be refused here too, and somebody has to be able to read what was published.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sns::config::{BehaviorVersion, Builder, Credentials, Region, http::HttpRequest};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use http::StatusCode;

use crate::template::{REGION, Template};

mod published;

pub use published::Published;
use published::Refusal;

type Listener = Box<dyn Fn(&Published) + Send + Sync>;

/// The service. Clones are the same service.
#[derive(Clone, Default)]
pub(super) struct Sns(Arc<Inner>);

#[derive(Default)]
struct Inner {
    topics: Mutex<BTreeSet<String>>,
    listeners: Mutex<Vec<Listener>>,
}

impl Sns {
    /// Makes the template's topics.
    pub(super) fn provision(&self, template: &Template) {
        self.0.topics.lock().unwrap_or_else(PoisonError::into_inner).extend(template.topics.iter().cloned());
    }

    /// Has `listener` told of everything that is published from now on.
    pub(super) fn listen(&self, listener: impl Fn(&Published) + Send + Sync + 'static) {
        self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// A client configuration for this service; the caller may add to it.
    pub(super) fn config(&self) -> Builder {
        let connector = SharedHttpConnector::new(self.clone());
        aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("none", "none", None, None, "local"))
            .http_client(http_client_fn(move |_, _| connector.clone()))
    }

    /// What the service answers to one call: a form, to which the answer is XML.
    pub(super) fn answer(&self, body: &[u8]) -> (StatusCode, String) {
        let id = uuid::Uuid::new_v4();
        let done = self.publish(body);
        match done {
            Ok(()) => (
                StatusCode::OK,
                format!(
                    "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}</MessageId>\
                     </PublishResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"
                ),
            ),
            Err(Refusal { status, code, message }) => (
                status,
                format!(
                    "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{code}</Code>\
                     <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
                ),
            ),
        }
    }

    fn publish(&self, body: &[u8]) -> Result<(), Refusal> {
        let published = Published::read(body)?;
        if !self.0.topics.lock().unwrap_or_else(PoisonError::into_inner).contains(&published.topic) {
            return Err(Refusal { status: StatusCode::NOT_FOUND, code: "NotFound", message: "Topic does not exist" });
        }
        let listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|listener| listener(&published));
        Ok(())
    }
}

impl fmt::Debug for Sns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sns")
    }
}

impl HttpConnector for Sns {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = self.answer(request.body().bytes().unwrap_or_default());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.into(), SdkBody::from(body))))
    }
}
