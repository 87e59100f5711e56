//! `POST /v1/keys`: issues a key and hands out its secret, once.
//!
//! Invoked directly (which takes IAM permission), it takes the same body as the event itself. That is how the first admin
//! key comes about, and the only way without an admin key.

use std::collections::BTreeMap;

use ::http::StatusCode;
use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    audit::change::Event,
    change::{self, Changes, Key},
    config::{ChangeConfig, ConfigError, HttpConfig, Lookup, SecretConfig},
    error::Error,
    host::Host,
    http::{self, Answer, Reply, Responder},
    id::KeyId,
    idempotency::Claim,
    input::Fields,
    lambda::{Failure, Function},
    mint::{Mint, Minted},
    record::{Counters, Generation, Record, Status},
    renew::Renewal,
    secrets::PepperSource,
    store::{Store, about::About, create::NewKey},
    telemetry, view,
};

mod order;

use order::Order;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// Tables and retention.
    pub change: ChangeConfig,
    /// Peppers, prefix and cost.
    pub secret: SecretConfig,
    /// Answers over HTTP.
    pub http: HttpConfig,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        Ok(Self { change: ChangeConfig::read(lookup)?, secret: SecretConfig::read(lookup)?, http: HttpConfig::read(lookup)? })
    }
}

/// The function.
pub struct Issue {
    changes: Changes,
    mint: Mint,
    responder: Responder,
}

impl Issue {
    /// The function with these clients.
    #[must_use]
    pub fn new(config: Config, dynamodb: aws_sdk_dynamodb::Client, secrets: aws_sdk_secretsmanager::Client, host: Host) -> Self {
        let store = Store::new(dynamodb, config.change.tables.clone());
        let peppers = PepperSource::new(secrets, config.secret.pepper_secret.clone(), store.clone());
        Self {
            mint: Mint::new(config.secret, peppers, host.clone()),
            responder: Responder::new(config.http, host.clone()),
            changes: Changes::new(store, host, config.change),
        }
    }

    /// Fetches the peppers. What fails here is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.mint.warm().await);
    }

    async fn over_http(&self, request: Request) -> Answer {
        let actor = http::administrator(&request)?;
        let fields = http::fields(&request)?;
        let Some(claim) = http::claim(&request, (&actor, "issue", None), &fields)? else {
            return self.issue(fields, &actor, None).await;
        };
        if let Some(again) = self.again(&claim, &actor).await? {
            return Ok(again);
        }
        let issued = self.issue(fields, &actor, Some(&claim)).await;
        match issued {
            // Perhaps because the same request was faster, this one's own first try included.
            Err(Error::Fault(fault)) => self.again(&claim, &actor).await?.ok_or(Error::Fault(fault)),
            issued => issued,
        }
    }

    /// The answer to a request that was made before, if it was.
    async fn again(&self, claim: &Claim, actor: &str) -> Result<Option<Reply>, Error> {
        let now = self.changes.host.clock.now();
        let Some(remembered) = self.changes.store.remembered(claim, now).await? else { return Ok(None) };
        remembered.check(claim)?;
        let renewal = Renewal { changes: &self.changes, mint: &self.mint, actor, claim: Some(claim) };
        // A key that was made has its request's secret, or a later one: nothing is open.
        let (key, secret) = renewal.again(&remembered).await?.ok_or_else(change::changed_meanwhile)?;
        Ok(Some(Reply::key(StatusCode::CREATED, &key, view::key_with_secret(&key, &secret, now))))
    }

    /// Issues what `fields` ask for.
    async fn issue(&self, fields: Fields, actor: &str, claim: Option<&Claim>) -> Answer {
        let host = &self.changes.host;
        let now = host.clock.now();
        let order = Order::read(fields, now)?;
        let id = KeyId::generate(host.entropy.as_ref())?;
        // The policy is checked before bcrypt runs: a refused order costs nothing.
        let mut record = record(id, order.clone(), now);
        change::check_size(&record)?;
        let Minted { secret, digest, alias, note } = self.mint.mint(&record.id, order.environment, 1, actor).await?;
        record.generations[0].tag.clone_from(&alias.proof.tag);
        let about = About {
            created_at: now,
            created_by: actor.to_owned(),
            metadata: order.metadata,
            rotate_every_days: order.rotate_every_days,
            secrets: BTreeMap::from([(alias.proof.tag.clone(), note)]),
            staged: BTreeMap::new(),
        };
        let key = Key { record, about };
        let event = Event::new(host, "issue", &key.record.id, actor, audited(&key))?;
        let new = NewKey { record: &key.record, about: &key.about, digest, alias: &alias, event: &event, claim };
        self.changes.store.create(&new, self.changes.config()).await?;
        Ok(Reply::key(StatusCode::CREATED, &key, view::key_with_secret(&key, &secret, now)))
    }
}

/// The record of a key that nobody has used yet, but for the tag of its secret.
fn record(id: KeyId, order: Order, now: shared::time::Timestamp) -> Record {
    Record {
        id,
        version: 1,
        status: Status::Active,
        environment: order.environment,
        name: order.name,
        owner: order.owner,
        scopes: order.scopes,
        networks: order.networks,
        limits: order.limits,
        generations: vec![Generation {
            number: 1,
            tag: String::new(),
            expires_at: order.expires_at,
            replaced_at: None,
            grace_ends_at: None,
            until_first_use: false,
        }],
        swept: now.minus(shared::decision::SWEEP_DELAY),
        counters: Counters::default(),
        last_used_at: None,
        change: None,
        last_request: None,
    }
}

/// What the audit keeps of a new key: its policy.
fn audited(key: &Key) -> Value {
    json!({
        "name": key.record.name,
        "owner": key.record.owner.to_string(),
        "environment": key.record.environment.as_str(),
        "scopes": key.record.scopes.iter().map(shared::scope::Scope::as_str).collect::<Vec<_>>(),
    })
}

impl Function for Issue {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        // Only API Gateway's events have a request context; somebody who may invoke the function directly may issue.
        if event.get("requestContext").is_some() {
            return self.responder.answer(event, |request| self.over_http(request)).await;
        }
        let issue = async { self.issue(Fields::of_body(event.to_string().as_bytes())?, "iam", None).await };
        self.responder.direct(issue).await
    }
}
