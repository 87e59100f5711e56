//! `POST /v1/keys/{id}/rotate`, and `POST /v1/self/rotate` for a key that may rotate itself: adds a generation and hands out its
//! secret, once. The old one works on through its grace. The owner is told of each rotation.

use ::http::StatusCode;
use lambda_http::Request;
use serde_json::Value;
use shared::{
    announce::{AnnounceConfig, Announcement, Announcer, News, Rotated, rotated},
    change::Changes,
    config::{self, ChangeConfig, ConfigError, HttpConfig, Lookup, SecretConfig},
    error::Rejection,
    host::Host,
    http::{self, Answer, Reply, Responder},
    input::{self, Fields},
    lambda::{Failure, Function},
    mint::Mint,
    renew::Renewal,
    rotation::{self, Rotation},
    secrets::PepperSource,
    store::Store,
    telemetry,
    time::Timestamp,
    view,
};

/// The longest grace period: 30 days, in seconds.
pub const LONGEST_GRACE: u64 = 30 * 86_400;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// Tables and retention.
    pub change: ChangeConfig,
    /// Peppers, prefix and cost.
    pub secret: SecretConfig,
    /// `DEFAULT_GRACE_HOURS`, in seconds.
    pub default_grace_seconds: u64,
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
        let hours: u64 = config::ranged(lookup, "DEFAULT_GRACE_HOURS", 0, LONGEST_GRACE / 3600)?;
        Ok(Self {
            change: ChangeConfig::read(lookup)?,
            secret: SecretConfig::read(lookup)?,
            default_grace_seconds: hours * 3600,
            announce: AnnounceConfig::read(lookup)?,
            http: HttpConfig::read(lookup)?,
        })
    }
}

/// The function.
pub struct Rotate {
    changes: Changes,
    mint: Mint,
    responder: Responder,
    announcer: Announcer,
    default_grace_seconds: u64,
}

impl Rotate {
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
            default_grace_seconds: config.default_grace_seconds,
        }
    }

    /// Fetches the peppers. What fails here is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.mint.warm().await);
    }

    async fn rotate(&self, request: Request) -> Answer {
        let now = self.changes.host.clock.now();
        let (_, resource) = http::route(&request);
        let (id, actor, allowed) = match resource.as_str() {
            "/v1/keys/{id}/rotate" => {
                let actor = http::administrator(&request)?;
                (http::key_id(&request)?, actor, Allowed::Everything)
            }
            "/v1/self/rotate" => {
                let id = http::own_rotation(&request)?;
                (id.clone(), id.to_string(), Allowed::Grace)
            }
            _ => return http::no_such_route(),
        };
        let if_match = http::if_match(&request)?;
        let fields = http::fields(&request)?;
        let claim = http::claim(&request, (&actor, "rotate", Some(&id)), &fields)?;
        let rotation = read(fields, allowed, self.default_grace_seconds, now)?;
        let renewal = Renewal { changes: &self.changes, mint: &self.mint, actor: &actor, claim: claim.as_ref() };
        let remembered = match &claim {
            Some(claim) => self.changes.store.remembered(claim, now).await?,
            None => None,
        };
        let again = match (&claim, &remembered) {
            (Some(claim), Some(remembered)) => {
                remembered.check(claim)?;
                renewal.again(remembered).await?
            }
            _ => None,
        };
        let repeated = again.is_some();
        let ((key, secret), ended) = match again {
            Some(replaced) => (replaced, Vec::new()),
            None => {
                let key = self.changes.load_to_change(&id, &if_match).await?;
                // What can't be is refused before bcrypt runs: the plan is the same but for the tag of the secret.
                let commit = rotation::plan(&key.record, &rotation, now)?;
                let ended = rotated::ended_at_once(&key, &commit, now);
                (renewal.commit(key, commit, &if_match, remembered.as_ref()).await?, ended)
            }
        };
        // Before the line, which says whether it worked. It can't fail the rotation: the secret would be lost with it.
        let news = News::Rotated(Rotated::of(&key, ended, repeated));
        self.announcer.announce(&Announcement::of(&key, &actor, now, news)).await;
        let document = match allowed {
            Allowed::Everything => view::key_with_secret(&key, &secret, now),
            Allowed::Grace => view::own_secret(&key.record, &secret),
        };
        Ok(Reply::key(StatusCode::OK, &key, document))
    }
}

/// What a rotation may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowed {
    /// Whatever there is.
    Everything,
    /// How long the old secret goes on, and no more: a key must not be able to prolong its own life, nor to end a secret that
    /// somebody else may be using.
    Grace,
}

fn read(mut fields: Fields, allowed: Allowed, default_grace_seconds: u64, now: Timestamp) -> Result<Rotation, Rejection> {
    let mut rotation = Rotation {
        grace_seconds: fields
            .optional("grace_seconds", |path, value| input::whole(path, &value, 0, LONGEST_GRACE))?
            .unwrap_or(default_grace_seconds),
        expires_at: None,
        until_first_use: fields.optional("until_first_use", input::boolean)?.unwrap_or(false),
        force: false,
    };
    if allowed == Allowed::Everything {
        rotation.expires_at = fields.nullable("expires_at", |path, value| input::future(path, &value, now))?;
        rotation.force = fields.optional("force", input::boolean)?.unwrap_or(false);
    }
    fields.finish()?;
    Ok(rotation)
}

impl Function for Rotate {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        self.responder.answer(event, |request| self.rotate(request)).await
    }
}
