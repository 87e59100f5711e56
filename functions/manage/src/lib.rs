//! Everything that is done to keys without making a secret: get, list, update, disable, enable, revoke, one or all of an owner;
//! the plans that keys are issued with, and the limits that they share. It never sees a pepper.

use http::StatusCode;
use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    announce::{AnnounceConfig, Announcement, Announcer, News, Revoked},
    audit::copies::Copies,
    change::{Changes, Key, Refusing},
    config::{ChangeConfig, ConfigError, HttpConfig, Lookup},
    error::Error,
    host::Host,
    http::{self as api, Answer, Reply, Responder},
    id::KeyId,
    input,
    lambda::{Failure, Function},
    old_secret::OldSecret,
    store::{Store, budget::Budget},
    telemetry, view,
};

mod listing;
mod owners;
mod plans;
mod shared_limits;
mod update;

pub use listing::LISTED;
use listing::Listing;
pub use owners::REVOKED;
pub use plans::PLANS;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// Tables and retention.
    pub change: ChangeConfig,
    /// What the audit table has of attempts.
    pub copies: Copies,
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
        let (change, copies) = (ChangeConfig::read(lookup)?, Copies::read(lookup)?);
        Ok(Self { change, copies, announce: AnnounceConfig::read(lookup)?, http: HttpConfig::read(lookup)? })
    }
}

/// The function.
pub struct Manage {
    changes: Changes,
    copies: Copies,
    responder: Responder,
    announcer: Announcer,
}

impl Manage {
    /// The function with this client.
    #[must_use]
    pub fn new(config: Config, dynamodb: aws_sdk_dynamodb::Client, announcer: Announcer, host: Host) -> Self {
        let store = Store::new(dynamodb, config.change.tables.clone());
        let responder = Responder::new(config.http, host.clone());
        Self { changes: Changes::new(store, host, config.change), copies: config.copies, responder, announcer }
    }

    /// Opens the connection, in the time that Lambda gives to a starting instance. What fails is tried again by the first request.
    pub async fn warm(&self) {
        telemetry::warmed(self.changes.store.warm().await);
    }

    async fn route(&self, request: Request) -> Answer {
        let actor = api::administrator(&request)?;
        let (method, resource) = api::route(&request);
        let now = self.changes.host.clock.now();
        let key = match (method.as_str(), resource.as_str()) {
            ("GET", "/v1/keys") => return self.list(&request).await,
            ("GET", "/v1/keys/{id}") => return self.show(&api::key_id(&request)?).await,
            ("GET", "/v1/plans") => return self.list_plans(&request).await,
            ("GET", "/v1/plans/{name}") => return self.show_plan(&request).await,
            ("PUT", "/v1/plans/{name}") => return self.put_plan(&request, &actor).await,
            ("GET", "/v1/owners/{type}/{id}/limits") => return self.show_shared_limits(&request).await,
            ("PUT", "/v1/owners/{type}/{id}/limits") => return self.put_shared_limits(&request, &actor).await,
            ("POST", "/v1/owners/{type}/{id}/revoke") => return self.revoke_all(&request, &actor).await,
            ("PATCH", "/v1/keys/{id}") => self.update(&request, &actor).await?,
            ("POST", "/v1/keys/{id}/disable") => {
                api::fields(&request)?.finish()?;
                self.refuse(&api::key_id(&request)?, &actor, Refusing::Disable).await?
            }
            ("POST", "/v1/keys/{id}/enable") => {
                let if_match = api::if_match(&request)?;
                api::fields(&request)?.finish()?;
                self.changes.enable(&api::key_id(&request)?, &actor, &if_match).await?
            }
            ("POST", "/v1/keys/{id}/revoke") => {
                let mut fields = api::fields(&request)?;
                let reason = fields.required("reason", input::reason)?;
                fields.finish()?;
                self.refuse(&api::key_id(&request)?, &actor, Refusing::Revoke(reason)).await?
            }
            _ => return api::no_such_route(),
        };
        Ok(Reply::key(StatusCode::OK, &key, view::key(&key, now)))
    }

    /// Disables or revokes a key. The owner is told of a revocation before it is finished, so that whoever repeats one that broke off
    /// tells of it if nobody has. Telling can't fail it: the key is refused already.
    async fn refuse(&self, id: &KeyId, actor: &str, refusing: Refusing) -> Result<Key, Error> {
        let in_force = self.changes.refuse(id, actor, refusing).await?;
        if let Some(revoked) = Revoked::of(&in_force.key).filter(|_| in_force.is_news()) {
            let now = self.changes.host.clock.now();
            self.announcer.announce(&Announcement::of(&in_force.key, actor, now, News::Revoked(revoked))).await;
        }
        self.changes.finish(in_force).await
    }

    /// A key, and who still uses its old secret, if it has one.
    async fn show(&self, id: &KeyId) -> Answer {
        let (key, now) = (self.changes.load(id).await?, self.changes.host.clock.now());
        let mut document = view::key(&key, now);
        let budget = Budget::of_a_request();
        if let Some(old) = OldSecret::find(&self.changes.store, &key.record, self.copies, now, &budget).await? {
            document["old_secret"] = old.show();
        }
        Ok(Reply::key(StatusCode::OK, &key, document))
    }

    async fn list(&self, request: &Request) -> Answer {
        let listing = Listing::read(request)?;
        let (keys, next) =
            self.changes.store.list(&listing.filter, listing.limit, listing.from.as_ref()).await.map_err(Error::from)?;
        let partition = listing.filter.partition();
        let next = next.map(|position| shared::cursor::encode(&partition, &position));
        let keys: Vec<Value> = keys.iter().map(view::summary).collect();
        Ok(Reply::ok(json!({ "keys": keys, "next_cursor": next })))
    }
}

impl Function for Manage {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        self.responder.answer(event, |request| self.route(request)).await
    }
}
