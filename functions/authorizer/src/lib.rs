//! The API Gateway authorizer: from a REQUEST event to a policy (REST API) or a simple answer (HTTP API, format 2.0).
//!
//! This crate translates; [`shared::verify`] decides.

use std::sync::Arc;

use serde_json::Value;
use shared::{
    afterwards::Afterwards,
    audit::{
        attempt::Attempt,
        trail::{Trail, TrailConfig},
    },
    base62, config,
    config::{ConfigError, Lookup},
    decision,
    error::{Code, Fault},
    host::Host,
    imported::ImportPrefixes,
    key::{Prefix, Secret},
    lambda::{Failure, Function},
    path::NormalPath,
    secrets::PepperSource,
    store::{Store, Tables},
    telemetry::{
        self,
        report::{Kind, Report, Reporter},
    },
    verify::{Retention, Undecided, Verdict, Verifier},
};

mod answer;
mod attempt;
mod event;
mod presented;

use answer::Answers;
use event::Event;
use presented::Presented;

/// What the authorizer is told by its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// `KEYS_TABLE`, `USAGE_TABLE` and `AUDIT_TABLE`.
    pub tables: Tables,
    /// `PEPPER_SECRET`.
    pub pepper_secret: String,
    /// `KEY_PREFIX`.
    pub prefix: Prefix,
    /// `IMPORT_PREFIXES`.
    pub imported: ImportPrefixes,
    /// `ALLOW_QUERY_KEY`: whether the query parameter `api_key` may carry the key.
    pub allow_query_key: bool,
    /// `USAGE_KEY`: the one real key of the unthrottled usage plan.
    pub usage_key: String,
    /// `RETENTION_DAYS` and `USAGE_RETENTION_DAYS`.
    pub retention: Retention,
    /// Copies of the audit.
    pub trail: TrailConfig,
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function: String,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: config::tables(lookup)?,
            pepper_secret: config::required(lookup, "PEPPER_SECRET")?,
            prefix: config::prefix(lookup)?,
            imported: config::import_prefixes(lookup)?,
            allow_query_key: config::flag(lookup, "ALLOW_QUERY_KEY")?,
            usage_key: config::required(lookup, "USAGE_KEY")?,
            retention: Retention {
                ended_seconds: config::days(lookup, "RETENTION_DAYS")?,
                usage_seconds: config::days(lookup, "USAGE_RETENTION_DAYS")?,
            },
            trail: TrailConfig::read(lookup)?,
            function: config::function_name(lookup)?,
        })
    }
}

/// The function. One per instance; its caches are the instance's.
pub struct Authorizer {
    verifier: Arc<Verifier>,
    afterwards: Afterwards,
    answers: Answers,
    reporter: Reporter,
    trail: Trail,
    config: Config,
}

impl Authorizer {
    /// An authorizer with these clients.
    ///
    /// # Errors
    /// A [`Fault`] if there is no randomness for the usage key that no plan has.
    pub fn new(
        config: Config,
        dynamodb: aws_sdk_dynamodb::Client,
        secrets: aws_sdk_secretsmanager::Client,
        host: Host,
    ) -> Result<Self, Fault> {
        let store = Store::new(dynamodb, config.tables.clone());
        let peppers = PepperSource::new(secrets, config.pepper_secret.clone(), store.clone());
        let unknown_usage_key = base62::random(host.entropy.as_ref(), 40)?.to_string();
        let answers = Answers { usage_key: config.usage_key.clone(), unknown_usage_key };
        let reporter = Reporter::new(Kind::Attempt, config.function.clone(), host.clone());
        let trail = Trail::new(store.clone(), host.clone(), config.trail.clone());
        let verifier = Arc::new(Verifier::new(store, peppers, host));
        Ok(Self { verifier, afterwards: Afterwards::default(), answers, reporter, trail, config })
    }

    /// Opens connections and fetches the peppers. What fails here is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.verifier.warm().await);
    }

    /// Where this instance leaves work for after its responses.
    #[must_use]
    pub fn afterwards(&self) -> Afterwards {
        self.afterwards.clone()
    }

    /// The copies of the audit that this instance makes.
    #[must_use]
    pub fn trail(&self) -> Trail {
        self.trail.clone()
    }

    async fn decide(&self, event: &Event, attempt: &mut Attempt) -> Result<Result<Verdict, Code>, Undecided> {
        let presented = match Presented::read(event, self.config.allow_query_key) {
            Presented::One(text) => text,
            Presented::None => return Ok(Err(Code::MissingKey)),
            Presented::Conflicting => return Ok(Err(Code::ConflictingKeys)),
        };
        let Ok(secret) = Secret::accept(&self.config.prefix, &self.config.imported, presented) else {
            return Ok(Err(Code::MalformedKey));
        };
        attempt.hint = Some(secret.hint());
        let path = NormalPath::parse(&event.path);
        let route = event.route(path.as_ref());
        let request = decision::Request { method: &event.method, path, route, address: event.address };
        self.verifier.verify(&secret, &request).await.map(Ok)
    }

    async fn answer(&self, event: Option<Event>, mut attempt: Attempt) -> (Result<Value, Failure>, Report<Attempt>) {
        let Some(event) = event else { return (Err(Failure::BAD_EVENT), attempt::not_understood()) };
        let decided = self.decide(&event, &mut attempt).await;
        let answer = match &decided {
            Ok(Ok(verdict)) => {
                self.tidy(verdict);
                self.answers.verdict(&event, verdict)
            }
            Ok(Err(code)) => self.answers.unauthorized(&event, *code),
            Err(_) => Err(Failure::INTERNAL),
        };
        (answer, attempt::report(attempt, &decided))
    }

    fn tidy(&self, verdict: &Verdict) {
        for chore in verdict.chores() {
            let (verifier, retention) = (Arc::clone(&self.verifier), self.config.retention);
            self.afterwards.spawn(async move {
                if let Err(fault) = verifier.tidy(&chore, retention).await {
                    tracing::warn!(fault = fault.code, detail = fault.detail, "put off a chore");
                }
            });
        }
    }
}

impl Function for Authorizer {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        let event = Event::read(event);
        let attempt = event.as_ref().map(|event| attempt::of(event, &self.config.imported)).unwrap_or_default();
        let work = self.answer(event, attempt.clone());
        let (answer, told) = self.reporter.line(work, || (Err(Failure::INTERNAL), attempt)).await;
        self.trail.record(told, &self.afterwards);
        self.afterwards.finish();
        answer
    }
}
