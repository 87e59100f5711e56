//! One sandbox of one function, as Lambda runs it: one request at a time, a clock and caches of its own, and a timeout.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::config::retry::RetryPartition;
use fastrand::Rng;
use local::{Invoke, functions::Wiring, template::Template};
use serde_json::json;
use shared::{host::Host, telemetry::cost::CountCalls};

use super::{
    clock::{MOST_SKEW, Seeded, Skewed, TrueTime},
    job::{End, Held, Job},
};
use crate::{
    Answer, Instance, Lines, Wire,
    proxy::{Connector, Proxy},
};

/// A sandbox.
pub struct Sandbox {
    function: Function,
    errand: Arc<AtomicU64>,
    skew_millis: Arc<AtomicI64>,
    lines: Lines,
    timeout: Duration,
}

enum Function {
    Authorizer(Box<Instance>),
    Management(Invoke),
}

impl Sandbox {
    /// A cold start of the function of that name, under the number `errand`.
    ///
    /// # Panics
    /// If the template has no such function, or its environment is wrong.
    pub async fn start(name: &str, errand: u64, (proxy, template): (&Proxy, &Template), time: TrueTime, rng: &mut Rng) -> Self {
        let block = template.function(name).expect("a function");
        let (errand, skew_millis) = (Arc::new(AtomicU64::new(errand)), Arc::new(AtomicI64::new(skew(rng))));
        let lines = Lines::default();
        let wiring = wiring(proxy, time, &errand, &skew_millis, &lines, rng);
        let function = match name {
            "authorizer" => {
                let authorizer = wiring.authorizer(block).expect("an authorizer that starts");
                authorizer.authenticator().warm().await;
                Function::Authorizer(Box::new(Instance::new(authorizer, template.usage_keys[0].clone(), Wire::default())))
            }
            _ => Function::Management(wiring.function(block).await.expect("a function that starts")),
        };
        let timeout = Duration::from_secs(block.timeout_seconds.into());
        Self { function, errand, skew_millis, lines, timeout }
    }

    /// Lets its clock step, forwards or back.
    pub fn step(&self, rng: &mut Rng) {
        self.skew_millis.store(skew(rng), Ordering::Relaxed);
    }

    /// Has this sandbox of `issue` make a key that may read; answers with its secret.
    ///
    /// # Panics
    /// If there is none: on a good day, that doesn't happen.
    pub async fn issue(&self) -> Held {
        let order = json!({
            "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"],
        });
        let End::Reply { status: 201, body } = self.run(1, &Job::Issue(order), None).await else { panic!("not issued") };
        let text = |name: &str| body[name].as_str().expect("a text").to_owned();
        Held { secret: text("secret"), key: Some(text("id")), number: 1, tag: String::new() }
    }

    /// Does `job` under the number `errand`; `killed_after` that time, at the latest after its timeout, it is dead.
    pub async fn run(&self, errand: u64, job: &Job, killed_after: Option<Duration>) -> End {
        self.errand.store(errand, Ordering::SeqCst);
        let _ = self.lines.take();
        let patience = killed_after.map_or(self.timeout, |killed| killed.min(self.timeout));
        tokio::time::timeout(patience, Box::pin(self.answer(job))).await.unwrap_or(End::Killed)
    }

    /// What a management function answers to an event that is no job.
    ///
    /// # Panics
    /// If it is no management function, or fails.
    pub async fn ask(&self, event: serde_json::Value) -> serde_json::Value {
        let Function::Management(invoke) = &self.function else { panic!("no management function") };
        invoke(event).await.expect("an answer")
    }

    /// Ends it as Lambda does.
    pub async fn end(&self) {
        if let Function::Authorizer(instance) = &self.function {
            instance.end().await;
        }
    }

    /// Its lines since its last job began.
    #[must_use]
    pub fn take_lines(&self) -> Vec<String> {
        self.lines.take()
    }

    async fn answer(&self, job: &Job) -> End {
        let event = job.event();
        match &self.function {
            Function::Authorizer(instance) => {
                let answer = instance.answer(event).await;
                let answer = instance.read(&answer);
                let line = self.lines.only();
                let outcome = line["outcome"].as_str().unwrap_or_default().to_owned();
                End::Verdict { answer, outcome, uncertain: line["uncertain"].as_u64().unwrap_or(0) }
            }
            Function::Management(invoke) => {
                let answer = invoke(event).await.unwrap_or_default();
                let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
                End::Reply { status: answer["statusCode"].as_u64().unwrap_or(502), body }
            }
        }
    }
}

fn skew(rng: &mut Rng) -> i64 {
    rng.i64(-MOST_SKEW..=MOST_SKEW)
}

/// The clients and the machine of one sandbox: its luck, its retries and its randomness are its own.
fn wiring(
    proxy: &Proxy,
    time: TrueTime,
    errand: &Arc<AtomicU64>,
    skew_millis: &Arc<AtomicI64>,
    lines: &Lines,
    rng: &mut Rng,
) -> Wiring {
    let partition = || RetryPartition::custom("sandbox").build();
    let dynamodb = local::engine::Portless::dynamodb_config()
        .http_client(Connector::new(proxy, rng.fork(), errand).client())
        .timeout_config(shared::aws::timeouts())
        .retry_config(shared::aws::retries())
        .retry_partition(partition())
        .interceptor(CountCalls);
    let secrets = proxy.engine().secrets_config();
    let secrets = secrets
        .http_client(Connector::new(proxy, rng.fork(), errand).client())
        .timeout_config(shared::aws::timeouts())
        .retry_config(shared::aws::retries())
        .retry_partition(partition())
        .interceptor(CountCalls);
    // Without faults: whether an announcement arrives changes nothing of a key.
    let sns = proxy.engine().sns_config().retry_partition(partition()).interceptor(CountCalls);
    Wiring {
        sns: aws_sdk_sns::Client::from_conf(sns.build()),
        dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
        secrets: aws_sdk_secretsmanager::Client::from_conf(secrets.build()),
        host: Host {
            clock: Arc::new(Skewed::new(time, Arc::clone(skew_millis))),
            entropy: Arc::new(Seeded::new(rng.fork())),
            output: Arc::new(lines.clone()),
        },
    }
}

/// Whether `answer` is what API Gateway would make of `outcome`.
#[must_use]
pub fn agrees(answer: &Answer, outcome: &str) -> bool {
    match answer {
        Answer::Allowed => outcome == "allowed",
        Answer::Limited => outcome == "rate_limited",
        Answer::Denied(code) => code == outcome,
        Answer::Unauthorized => outcome.ends_with("_key"),
        Answer::Fault => outcome == "internal",
    }
}
