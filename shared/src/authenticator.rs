//! From a presented key to a verdict, its line and its copy in the audit: the one way there is, for the API Gateway authorizer
//! and for services that authenticate in process.

use std::sync::Arc;

use futures_util::FutureExt;

use crate::{
    afterwards::Afterwards,
    audit::{
        attempt::{ALLOWED, Attempt},
        trail::{Trail, TrailConfig},
    },
    config::{self, ConfigError, Lookup},
    decision::Request,
    error::Fault,
    host::Host,
    imported::ImportPrefixes,
    key::{Prefix, Secret},
    presented::{NoKey, Presented},
    secrets::PepperSource,
    store::{Store, Tables},
    telemetry::{
        self,
        report::{Kind, Report, Reporter},
    },
    verify::{Outcome, Retention, Undecided, Verdict, Verifier},
};

/// What an authenticator is told by its environment.
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
    /// `RETENTION_DAYS` and `USAGE_RETENTION_DAYS`.
    pub retention: Retention,
    /// Copies of the audit.
    pub trail: TrailConfig,
}

impl Config {
    /// Reads it for the function or service of that name, by which its lines and metrics are found.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>, service: &str) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: config::tables(lookup)?,
            pepper_secret: config::required(lookup, "PEPPER_SECRET")?,
            prefix: config::prefix(lookup)?,
            imported: config::import_prefixes(lookup)?,
            allow_query_key: config::flag(lookup, "ALLOW_QUERY_KEY")?,
            retention: Retention {
                ended_seconds: config::days(lookup, "RETENTION_DAYS")?,
                usage_seconds: config::days(lookup, "USAGE_RETENTION_DAYS")?,
            },
            trail: TrailConfig::read(lookup, service)?,
        })
    }
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Decided {
    /// What was presented was looked up.
    Verdict(Verdict),
    /// Nothing was presented that could be.
    NoKey(NoKey),
    /// A fault of ours: nobody is let in, and nobody is told that the key was at fault.
    Undecided(Undecided),
}

/// Tells who calls, and whether they may. One per process: its caches are the process's.
pub struct Authenticator {
    verifier: Arc<Verifier>,
    afterwards: Afterwards,
    reporter: Reporter,
    trail: Trail,
    config: Config,
}

impl Authenticator {
    /// An authenticator with these clients.
    #[must_use]
    pub fn new(config: Config, dynamodb: aws_sdk_dynamodb::Client, secrets: aws_sdk_secretsmanager::Client, host: Host) -> Self {
        let store = Store::new(dynamodb, config.tables.clone());
        let peppers = PepperSource::new(secrets, config.pepper_secret.clone(), store.clone());
        let reporter = Reporter::new(Kind::Attempt, config.trail.function.clone(), host.clone());
        let trail = Trail::new(store.clone(), host.clone(), config.trail.clone());
        let verifier = Arc::new(Verifier::new(store, peppers, host));
        Self { verifier, afterwards: Afterwards::default(), reporter, trail, config }
    }

    /// Opens connections and fetches the peppers. What fails here is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.verifier.warm().await);
    }

    /// Where this process leaves work for after its responses.
    #[must_use]
    pub fn afterwards(&self) -> Afterwards {
        self.afterwards.clone()
    }

    /// The copies of the audit that this process makes.
    #[must_use]
    pub fn trail(&self) -> Trail {
        self.trail.clone()
    }

    /// What it was told.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Decides `request`, which presents that, and counts it if it is allowed; `attempt` is what else its line says of it.
    /// What `answer` makes of the decision is what is answered, or what `failed` does if anything panics.
    pub async fn attempt<T>(
        &self,
        presented: Presented<'_>,
        request: &Request<'_>,
        attempt: Attempt,
        answer: impl FnOnce(&Decided) -> T,
        failed: impl FnOnce() -> T,
    ) -> T {
        let begun = attempt.clone();
        let work = async {
            let mut attempt = attempt;
            // In a box without a type, because the compiler gives up on layouts as deep as a caller's around an SDK call's.
            let decided = self.decide(presented, request, &mut attempt).boxed().await;
            if let Decided::Verdict(verdict) = &decided {
                self.tidy(verdict);
            }
            (answer(&decided), report(attempt, &decided))
        };
        self.tell(work, || (failed(), begun)).await
    }

    /// Answers what is no request at all, for that reason: with a line, in which nothing of it is repeated.
    pub async fn not_understood<T: Clone>(&self, fault: Fault, answer: T) -> T {
        let work = async { (answer.clone(), Report::fault(&fault, Attempt::default())) };
        self.tell(work, || (answer.clone(), Attempt::default())).await
    }

    async fn tell<T>(&self, work: impl Future<Output = (T, Report<Attempt>)>, failed: impl FnOnce() -> (T, Attempt)) -> T {
        let (answer, told) = self.reporter.line(work, failed).await;
        self.trail.record(told, &self.afterwards);
        self.afterwards.finish();
        answer
    }

    async fn decide(&self, presented: Presented<'_>, request: &Request<'_>, attempt: &mut Attempt) -> Decided {
        let text = match presented {
            Presented::One(text) => text,
            Presented::None => return Decided::NoKey(NoKey::Missing),
            Presented::Conflicting => return Decided::NoKey(NoKey::Conflicting),
        };
        let Ok(secret) = Secret::accept(&self.config.prefix, &self.config.imported, text) else {
            return Decided::NoKey(NoKey::Malformed);
        };
        attempt.hint = Some(secret.hint());
        self.verifier.verify(&secret, request).await.map_or_else(Decided::Undecided, Decided::Verdict)
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

/// What the line says of an attempt, and of what came of it.
fn report(mut attempt: Attempt, decided: &Decided) -> Report<Attempt> {
    let verdict = match decided {
        Decided::Verdict(verdict) => verdict,
        Decided::NoKey(why) => return Report::new(why.code().as_str(), attempt),
        Decided::Undecided(Undecided { fault, uncertain, key }) => {
            attempt.key = key.as_ref().map(ToString::to_string);
            return Report { uncertain: *uncertain, ..Report::fault(fault, attempt) };
        }
    };
    attempt.key = verdict.record().map(|record| record.id.to_string());
    attempt.generation = verdict.generation;
    let (outcome, allowed) = match &verdict.outcome {
        Outcome::Allowed { .. } => (ALLOWED, attempt.api_id.is_some()),
        Outcome::Refused { refusal, .. } => (refusal.code().as_str(), false),
    };
    Report { uncertain: verdict.uncertain, allowed, ..Report::new(outcome, attempt) }
}
