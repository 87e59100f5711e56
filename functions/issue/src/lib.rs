//! `POST /v1/keys`: issues a key and hands out its secret, once. `POST /v1/keys/import`: issues one whose secret is brought.
//!
//! Invoked directly (which takes IAM permission), it takes the same body as the event itself. That is how the first admin
//! key comes about, and the only way without an admin key.

use std::collections::BTreeMap;

use ::http::StatusCode;
use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    announce::{AnnounceConfig, Announcement, Announcer, Issued, News},
    audit::difference,
    change::{self, Changes, Key},
    config::{ChangeConfig, ConfigError, HttpConfig, Lookup, SecretConfig},
    error::{Code, Error, Fault, Rejection},
    host::Host,
    http::{self, Answer, Reply, Responder},
    id::KeyId,
    idempotency::{self, Claim},
    input::{self, Fields},
    key::Secret,
    lambda::{Failure, Function},
    mint::{Mint, Minted},
    plan::PlanName,
    record::{Counters, Generation, Record, Status},
    renew::Renewal,
    secrets::PepperSource,
    store::{Store, about::About, alias::Alias, create::NewKey},
    telemetry,
    time::Timestamp,
    view,
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
    /// How owners are told.
    pub announce: AnnounceConfig,
    /// Answers over HTTP.
    pub http: HttpConfig,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>) -> Result<Self, ConfigError> {
        let (change, secret) = (ChangeConfig::read(lookup)?, SecretConfig::read(lookup)?);
        Ok(Self { change, secret, announce: AnnounceConfig::read(lookup)?, http: HttpConfig::read(lookup)? })
    }
}

/// The function.
pub struct Issue {
    changes: Changes,
    mint: Mint,
    responder: Responder,
    announcer: Announcer,
}

impl Issue {
    /// The function with these clients.
    #[must_use]
    pub fn new(
        config: Config,
        dynamodb: aws_sdk_dynamodb::Client,
        secrets: aws_sdk_secretsmanager::Client,
        announcer: Announcer,
        host: Host,
    ) -> Self {
        let store = Store::new(dynamodb, config.change.tables.clone());
        let peppers = PepperSource::new(secrets, config.secret.pepper_secret.clone(), store.clone());
        Self {
            mint: Mint::new(config.secret, peppers, host.clone()),
            responder: Responder::new(config.http, host.clone()),
            announcer,
            changes: Changes::new(store, host, config.change),
        }
    }

    /// Fetches the peppers. What fails here is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.mint.warm().await);
    }

    async fn route(&self, request: Request) -> Answer {
        let actor = http::administrator(&request)?;
        let (_, resource) = http::route(&request);
        let fields = http::fields(&request)?;
        match resource.as_str() {
            "/v1/keys" => {
                let claim = http::claim(&request, (&actor, "issue", None), &fields)?;
                self.issue_once(fields, &actor, claim).await
            }
            "/v1/keys/import" => self.import(&request, fields, &actor).await,
            _ => http::no_such_route(),
        }
    }

    /// Issues what `fields` ask for, unless the same request has done so before.
    async fn issue_once(&self, fields: Fields, actor: &str, claim: Option<Claim>) -> Answer {
        let Some(claim) = claim else { return self.issue(fields, actor, None).await };
        if let Some(again) = self.again(&claim, actor).await? {
            return Ok(again);
        }
        match self.issue(fields, actor, Some(&claim)).await {
            // Perhaps because the same request was faster.
            Err(error) if is_of_both(&error) => self.again(&claim, actor).await?.ok_or(error),
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
        self.announce(&key, actor, Issued::of(&key, false, true)).await;
        Ok(Some(Reply::key(StatusCode::CREATED, &key, view::key_with_secret(&key, &secret, now))))
    }

    /// Issues what `fields` ask for.
    async fn issue(&self, fields: Fields, actor: &str, claim: Option<&Claim>) -> Answer {
        let now = self.changes.host.clock.now();
        let order = self.order(fields, now).await?;
        let id = self.new_id()?;
        let secret = self.mint.generate(order.environment)?;
        let made = self.make(id, order, secret, actor, now).await?;
        self.store(&made, "issue", actor, claim).await?;
        self.announce(&made.key, actor, Issued::of(&made.key, false, false)).await;
        Ok(Reply::key(StatusCode::CREATED, &made.key, view::key_with_secret(&made.key, &made.minted.secret, now)))
    }

    /// Issues what `fields` ask for, with a secret that was made elsewhere and comes with them. The answer doesn't repeat it, so
    /// that of the same request sent again can be the same.
    async fn import(&self, request: &Request, mut fields: Fields, actor: &str) -> Answer {
        let now = self.changes.host.clock.now();
        let text = fields.required("secret", input::secret)?;
        let secret = self.mint.import("secret", &text)?;
        // Of what is left: a digest with the secret in it would be one to try guesses at.
        let claim = http::claim(request, (actor, "import", None), &fields)?;
        if let Some(imported) = self.imported(claim.as_ref(), &secret).await? {
            return Ok(imported);
        }
        let order = self.order(fields, now).await?;
        if let Some(alias) = self.holder(&secret).await? {
            return Err(exists(&alias).into());
        }
        let made = self.make(self.new_id()?, order, secret, actor, now).await?;
        match self.store(&made, "import", actor, claim.as_ref()).await {
            Ok(()) => {
                self.announce(&made.key, actor, Issued::of(&made.key, true, false)).await;
                Ok(Reply::key(StatusCode::CREATED, &made.key, view::key(&made.key, now)))
            }
            // Perhaps because the same request was faster.
            Err(error) => self.imported(claim.as_ref(), &made.minted.secret).await?.ok_or(error),
        }
    }

    /// The answer to an import that was made before, if it was. Whether it was of the same secret, only that one's alias can tell.
    async fn imported(&self, claim: Option<&Claim>, secret: &Secret) -> Result<Option<Reply>, Error> {
        let Some(claim) = claim else { return Ok(None) };
        let now = self.changes.host.clock.now();
        let Some(remembered) = self.changes.store.remembered(claim, now).await? else { return Ok(None) };
        remembered.check(claim)?;
        if self.holder(secret).await?.is_none_or(|alias| alias.key != remembered.key) {
            return Err(idempotency::reused().into());
        }
        let key = self.changes.load(&remembered.key).await?;
        Ok(Some(Reply::key(StatusCode::CREATED, &key, view::key(&key, now))))
    }

    /// Tells the owner, before the line that says whether it worked. It can't fail what was issued: the secret would be lost with it.
    async fn announce(&self, key: &Key, actor: &str, issued: Issued) {
        let now = self.changes.host.clock.now();
        self.announcer.announce(&Announcement::of(key, actor, now, News::Issued(issued))).await;
    }

    fn new_id(&self) -> Result<KeyId, Fault> {
        KeyId::generate(self.changes.host.entropy.as_ref())
    }

    /// The order of a body, with the plan that it names.
    async fn order(&self, mut fields: Fields, now: Timestamp) -> Result<Order, Error> {
        let name = fields.optional("plan", |path, value| PlanName::read(path, value.as_str()))?;
        let plan = match name {
            Some(name) => {
                let unknown = || Rejection::field("plan", "there is no plan of that name");
                let plan = self.changes.store.plan(&name).await?.ok_or_else(unknown)?;
                Some((name, plan))
            }
            None => None,
        };
        Ok(Order::read(fields, plan, now)?)
    }

    /// The alias that a secret has already, under whatever pepper.
    async fn holder(&self, secret: &Secret) -> Result<Option<Alias>, Fault> {
        for digest in self.mint.digests(secret).await? {
            if let Some(alias) = self.changes.store.alias(&digest).await? {
                return Ok(Some(alias));
            }
        }
        Ok(None)
    }

    /// The key that `order` is for, with all that is stored of its secret.
    async fn make(&self, id: KeyId, order: Order, secret: Secret, actor: &str, now: Timestamp) -> Result<Made, Error> {
        // The policy is checked before bcrypt runs: a refused order costs nothing.
        let mut record = record(id, order.clone(), now);
        change::check_size(&record)?;
        self.changes.check_sharing(&record).await?;
        let minted = self.mint.mint(secret, &record.id, 1, actor).await?;
        let tag = &minted.alias.proof.tag;
        record.generations[0].tag.clone_from(tag);
        let about = About {
            version: record.version,
            created_at: now,
            created_by: actor.to_owned(),
            metadata: order.metadata,
            rotate_every_days: order.rotate_every_days,
            plan: order.plan,
            secrets: BTreeMap::from([(tag.clone(), minted.note.clone())]),
            staged: BTreeMap::new(),
        };
        Ok(Made { key: Key { record, about }, minted })
    }

    /// Stores it, between the intent and the outcome of doing so.
    async fn store(&self, made: &Made, action: &'static str, actor: &str, claim: Option<&Claim>) -> Result<(), Error> {
        let Made { key, minted } = made;
        let event = self.changes.intend(action, &key.record.id, actor, audited(key)).await?;
        let new =
            NewKey { record: &key.record, about: &key.about, digest: minted.digest, alias: &minted.alias, at: event.at, claim };
        if let Err(fault) = self.changes.store.create(&new, self.changes.config().retention_seconds).await
            && let Some(rejection) = self.in_the_way(minted, claim, fault).await?
        {
            return Err(self.changes.refused(&event, rejection).await);
        }
        self.changes.done(&event).await
    }

    /// What a key could not be stored for; none if it is there, and only the answer was lost.
    async fn in_the_way(&self, minted: &Minted, claim: Option<&Claim>, fault: Fault) -> Result<Option<Rejection>, Error> {
        match self.holder(&minted.secret).await? {
            Some(alias) if alias == minted.alias => return Ok(None),
            Some(alias) => return Ok(Some(exists(&alias))),
            None => {}
        }
        let Some(claim) = claim else { return Err(fault.into()) };
        let remembered = self.changes.store.remembered(claim, self.changes.host.clock.now()).await?;
        remembered.map_or(Err(fault.into()), |_| Ok(Some(change::changed_meanwhile())))
    }
}

/// A key that is to be stored.
struct Made {
    key: Key,
    minted: Minted,
}

/// An administrator may know whose it is, and learns that way that an answer which was lost was a success.
fn exists(alias: &Alias) -> Rejection {
    let detail = format!("The secret is one of the key {} already: it was imported or issued before.", alias.key);
    Rejection { field: Some("secret".to_owned()), ..Rejection::new(Code::SecretExists, detail) }
}

/// Whether a request that ended so may have been made by another sending of it, or by its own first try.
const fn is_of_both(error: &Error) -> bool {
    matches!(error, Error::Fault(_) | Error::Rejected(Rejection { code: Code::ChangedMeanwhile, .. }))
}

/// The record of a key that nobody has used yet, but for the tag of its secret.
fn record(id: KeyId, order: Order, now: Timestamp) -> Record {
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
        shared_limits: order.shared_limits,
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

/// What the audit keeps of a new key: its policy, and what else was asked for. No later change tells it again.
fn audited(key: &Key) -> Value {
    let Key { record, about } = key;
    let mut detail = difference::policy(record);
    for (name, value) in [
        ("owner", json!(record.owner.to_string())),
        ("environment", json!(record.environment.as_str())),
        ("plan", json!(about.plan.as_ref().map(PlanName::as_str))),
        ("metadata", json!(about.metadata)),
        ("rotate_every_days", json!(about.rotate_every_days)),
        ("hint", json!(about.note(&record.generations[0]).map(|note| &note.hint))),
    ] {
        detail.insert(name.to_owned(), value);
    }
    detail.into()
}

impl Function for Issue {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        // Only API Gateway's events have a request context; somebody who may invoke the function directly may issue.
        if event.get("requestContext").is_some() {
            return self.responder.answer(event, |request| self.route(request)).await;
        }
        let issue = async { self.issue(Fields::of_body(event.to_string().as_bytes())?, "iam", None).await };
        self.responder.direct(issue).await
    }
}
