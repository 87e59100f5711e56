//! The management API, over HTTP. What it answers is hostile until it has been read: it is bounded, must be JSON, and is cleared of
//! secrets.

use std::time::{Duration, Instant};

use reqwest::{
    Method, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use serde_json::Value;
use zeroize::Zeroizing;

mod call;
mod origin;
mod problem;
mod transport;

pub(crate) use call::Call;
pub(crate) use origin::Origin;
pub(crate) use problem::Problem;

use crate::{
    failure::{Failure, Kind},
    guard::Guard,
    output,
    plain::plain,
    secret::Secret,
};

/// Lambda's answers are 6 MB at most.
const LONGEST_ANSWER: usize = 8 << 20;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long to wait before the second and the third try, in milliseconds.
const PAUSES: [u64; 2] = [300, 1500];

/// The longest `Retry-After` that is waited for rather than reported, in seconds.
const PATIENCE: u64 = 5;

/// How a client is set up.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the API is.
    pub(crate) origin: Origin,
    /// What is presented there, and nowhere else.
    pub(crate) key: Secret,
    /// How long one try may take.
    pub(crate) timeout: Duration,
    /// Whether to say on standard error what is asked and how it is answered.
    pub(crate) verbose: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The document, without a secret in it.
    pub(crate) document: Value,
    /// The secret that this one answer hands out.
    pub(crate) secret: Option<Secret>,
}

/// A connection to the API.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    settings: Settings,
    guard: Guard,
}

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    /// If there are no roots of trust for TLS.
    pub(crate) fn new(settings: Settings) -> Result<Self, Failure> {
        // The key would follow a redirect to wherever it leads.
        let http = reqwest::Client::builder().redirect(Policy::none()).connect_timeout(CONNECT).timeout(settings.timeout);
        let http = http.user_agent(concat!("mbk/", env!("CARGO_PKG_VERSION")));
        // A proxy reads what isn't encrypted.
        let http = if settings.origin.is_encrypted() { http } else { http.no_proxy() };
        let http =
            http.build().map_err(|error| Kind::Unreachable(format!("TLS can't be set up: {}", transport::cause(&error))))?;
        let guard = Guard::knowing([settings.key.clone()]);
        Ok(Self { http, settings, guard })
    }

    /// Where it asks.
    pub(crate) const fn origin(&self) -> &Origin {
        &self.settings.origin
    }

    /// Asks, and asks again what got no answer: the API does nothing twice.
    ///
    /// # Errors
    /// What went wrong last.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let body = self.body(call).await?;
        let mut document: Value =
            serde_json::from_slice(&body).map_err(|_| self.unintelligible(StatusCode::OK, "something that isn't JSON"))?;
        let secret = document.as_object_mut().and_then(|members| match members.get_mut("secret") {
            Some(Value::String(text)) => Some(Secret::taken(std::mem::take(text))),
            _ => None,
        });
        self.guard.clear(&mut document);
        Ok(Answer { document, secret })
    }

    /// Asks for a document that hands out no secret.
    ///
    /// # Errors
    /// What went wrong last.
    pub(crate) async fn ask(&self, call: &Call) -> Result<Value, Failure> {
        self.send(call).await.map(|answer| answer.document)
    }

    /// Asks for a text, such as a table for a spreadsheet.
    ///
    /// # Errors
    /// What went wrong last.
    pub(crate) async fn text(&self, call: &Call) -> Result<String, Failure> {
        let body = self.body(call).await?;
        let text = std::str::from_utf8(&body).map_err(|_| self.unintelligible(StatusCode::OK, "something that isn't text"))?;
        Ok(self.guard.cut(text).into_owned())
    }

    async fn body(&self, call: &Call) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let (mut pauses, mut is_repeated) = (PAUSES.into_iter(), false);
        loop {
            let failure = match self.once(call).await {
                Ok(body) => return Ok(body),
                Err(failure) if is_repeated && failure.is("precondition_failed") => {
                    return Err(failure.with_hint(
                        "The answer to a first try was lost: it may have made that version. Look at the key (`mbk show KEY`).",
                    ));
                }
                Err(failure) => failure,
            };
            is_repeated |= failure.is_open();
            let told = failure.problem().and_then(|problem| problem.retry_after);
            let again = failure.is_open() || told.is_some_and(|seconds| seconds <= PATIENCE);
            let Some(pause) = pauses.next().filter(|_| again) else { return Err(failure) };
            let pause = told.map_or(Duration::from_millis(pause), Duration::from_secs);
            self.say(|| format!("again in {} ms: {failure}", pause.as_millis()));
            tokio::time::sleep(pause).await;
        }
    }

    /// One try.
    async fn once(&self, call: &Call) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let began = Instant::now();
        let answered = self.request(call)?.send().await;
        let mut response = answered.map_err(|error| {
            self.say(|| format!("{} {} no answer", call.method, call.path()));
            transport::failure(&error, &self.settings)
        })?;
        let read = transport::read(&mut response, LONGEST_ANSWER).await;
        self.say(|| {
            let (method, path, status) = (&call.method, call.path(), response.status().as_u16());
            format!("{method} {path} {status} {} ms", began.elapsed().as_millis())
        });
        let body = read.map_err(|error| transport::broken(error, &self.settings))?;
        if response.status().is_success() { Ok(body) } else { Err(self.refused(call, &response, &body)) }
    }

    fn request(&self, call: &Call) -> Result<reqwest::RequestBuilder, Failure> {
        let mut key = HeaderValue::from_str(self.settings.key.expose())
            .map_err(|_| Failure::usage("the key has characters that no header can have"))?;
        key.set_sensitive(true);
        let url = self.settings.origin.url(&call.segments, &call.query);
        let accept = if call.csv { "text/csv" } else { "application/json" };
        let mut request = self.http.request(call.method.clone(), url).header("X-API-Key", key).header(ACCEPT, accept);
        if let Some(once) = &call.once {
            request = request.header(HeaderName::from_static("idempotency-key"), once);
        }
        if let Some(version) = call.if_version {
            request = request.header("If-Match", format!("\"{version}\""));
        }
        if call.method != Method::GET {
            request = request.header(CONTENT_TYPE, "application/json").body(call.text());
        }
        Ok(request)
    }

    fn refused(&self, call: &Call, response: &Response, body: &[u8]) -> Failure {
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let status = response.status();
        if status.is_redirection() {
            let to = header(LOCATION).map_or_else(|| "elsewhere".to_owned(), |to| plain(&self.guard.cut(to)).into_owned());
            let text = format!("{} answers that what is asked for is at {to}; the key was not sent there", self.origin());
            return Failure::from(Kind::Unintelligible(text))
                .with_hint("Use that address as the profile's URL, if it is the right one.");
        }
        // The secret that was sent is as little to be repeated as the key that it was sent with.
        let guard = Guard::knowing(call.secret.iter().chain([&self.settings.key]).cloned());
        let retry_after = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        match Problem::read(status.as_u16(), body, retry_after, &guard) {
            Some(problem) => Kind::Problem(problem).into(),
            None if status.is_server_error() => Kind::Lost(self.answers(status, "something that this API doesn't say")).into(),
            None => self.unintelligible(status, "something that this API doesn't say"),
        }
    }

    fn unintelligible(&self, status: StatusCode, what: &str) -> Failure {
        Kind::Unintelligible(self.answers(status, what)).into()
    }

    fn answers(&self, status: StatusCode, what: &str) -> String {
        format!("{} answers {} with {what}", self.origin(), status.as_u16())
    }

    fn say(&self, line: impl FnOnce() -> String) {
        if self.settings.verbose {
            output::complain(&self.guard.cut(&line()));
        }
    }
}
