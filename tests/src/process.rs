//! A function as a process of its own, in front of an emulated [Lambda Runtime API][api]: one that can be killed.
//!
//! [api]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use local::template::{REGION, Template};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc, watch};

use crate::{
    http_server::{Hangup, HttpServer},
    proxy::port::Port,
};

/// How long a function may take to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running function.
pub struct Process {
    child: Child,
    events: mpsc::Sender<Value>,
    answers: mpsc::Receiver<Value>,
    rests: watch::Receiver<u64>,
    _runtime: HttpServer,
}

/// What the emulated Runtime API has to hand out and to take in.
struct Invocations {
    ready: mpsc::Sender<()>,
    events: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Value>,
    /// How many events have been handed out.
    invoked: watch::Sender<u64>,
    /// How often the extension, if there is one, was ready to be frozen.
    rests: watch::Sender<u64>,
}

impl Process {
    /// Starts `program`, the function of that name, on the engine behind `port`, and waits until it asks for its first event.
    ///
    /// # Panics
    /// If it doesn't start.
    pub async fn start(program: &str, name: &str, template: &Template, port: &Port) -> Self {
        let (ready, mut is_ready) = mpsc::channel(1);
        let (events, given) = mpsc::channel(1);
        let (taken, answers) = mpsc::channel(1);
        let (rests, rested) = watch::channel(0);
        let invoked = watch::Sender::new(0);
        let invocations = Arc::new(Invocations { ready, events: Mutex::new(given), answers: taken, invoked, rests });
        let runtime = HttpServer::start(move |request| answer(Arc::clone(&invocations), request)).await;
        let engine = format!("http://{}", port.address());
        let block = template.function(name).expect("a function");
        let child = Command::new(program)
            .env_clear()
            .envs(&block.environment)
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", runtime.address().to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", name),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "none"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "none"),
                ("AWS_REGION", REGION),
                ("AWS_ACCESS_KEY_ID", "none"),
                ("AWS_SECRET_ACCESS_KEY", "none"),
                ("AWS_ENDPOINT_URL", engine.as_str()),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        let process = Self { child, events, answers, rests: rested, _runtime: runtime };
        tokio::time::timeout(PATIENCE, is_ready.recv()).await.expect("the function asks for an event in time");
        process
    }

    /// Hands it an event.
    ///
    /// # Panics
    /// If it doesn't take events.
    pub async fn give(&self, event: Value) {
        self.events.send(event).await.expect("a function that takes events");
    }

    /// Its answer to the event that it was given.
    ///
    /// # Panics
    /// If it doesn't answer in time.
    pub async fn take(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.answers.recv()).await.expect("an answer in time").expect("an answer")
    }

    /// Waits until its extension is ready to be frozen for that time: once after the start, and once after each event.
    ///
    /// # Panics
    /// If it isn't in time.
    pub async fn rests(&mut self, times: u64) {
        let rested = self.rests.wait_for(|rests| *rests >= times);
        tokio::time::timeout(PATIENCE, rested).await.expect("a rest in time").expect("an extension");
    }

    /// Kills it, at once.
    ///
    /// # Panics
    /// If the operating system doesn't.
    pub fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Extensions API, for the one extension that a function may have.
async fn extension(invocations: &Invocations, path: &str) -> Result<Response<Full<Bytes>>, Hangup> {
    const ID: &str = "e1a2b3c4-0000-4000-8000-000000000000";
    if path.ends_with("/event/next") {
        let mut event = 0;
        invocations.rests.send_modify(|rests| {
            *rests += 1;
            event = *rests;
        });
        // Its n-th event is the function's n-th.
        invocations.invoked.subscribe().wait_for(|invoked| *invoked >= event).await.map_err(|_| Hangup)?;
    }
    Response::builder().header("Lambda-Extension-Identifier", ID).body(Full::from("{}")).map_err(|_| Hangup)
}

async fn answer(invocations: Arc<Invocations>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Hangup> {
    let path = request.uri().path();
    if path.contains("/extension/") {
        return extension(&invocations, path).await;
    }
    let next = path.ends_with("/invocation/next");
    if request.method() == Method::GET && next {
        // Nobody waits for this but a start.
        let _ = invocations.ready.try_send(());
        let event = invocations.events.lock().await.recv().await.ok_or(Hangup)?;
        invocations.invoked.send_modify(|invoked| *invoked += 1);
        let response = Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
            .header("Lambda-Runtime-Deadline-Ms", u64::MAX.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:tested");
        return response.body(Full::new(event.to_string().into())).map_err(|_| Hangup);
    }
    let body = request.into_body().collect().await.map_err(|_| Hangup)?.to_bytes();
    let answer = serde_json::from_slice(&body).unwrap_or_default();
    invocations.answers.send(answer).await.map_err(|_| Hangup)?;
    Response::builder().status(StatusCode::ACCEPTED).body(Full::default()).map_err(|_| Hangup)
}
