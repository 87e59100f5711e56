//! `PATCH /v1/keys/{id}`: what is sent is changed, everything else stays. The expiry is that of the newest secret.

use ipnet::IpNet;
use lambda_http::Request;
use serde_json::{Map, Value};
use shared::{
    audit::difference::difference,
    change::{self, Key},
    error::{Error, Rejection},
    http as api,
    input::{self, Fields, Nullable},
    limit::Limit,
    record::Record,
    scope::Scope,
    store::{about::AboutChange, commit::Commit},
    time::Timestamp,
};

use crate::Manage;

/// The fields of an update.
#[derive(Debug)]
struct Update {
    name: Option<String>,
    scopes: Option<Vec<Scope>>,
    networks: Option<Vec<IpNet>>,
    limits: Option<Vec<Limit>>,
    shared_limits: Option<bool>,
    expires_at: Nullable<Timestamp>,
    metadata: Option<Map<String, Value>>,
    rotate_every_days: Nullable<u32>,
}

impl Update {
    fn read(mut fields: Fields, now: Timestamp) -> Result<Self, Rejection> {
        let update = Self {
            name: fields.optional("name", input::name)?,
            scopes: fields.optional("scopes", input::scopes)?,
            networks: fields.optional("ip_allowlist", input::networks)?,
            limits: fields.optional("limits", input::limits)?,
            shared_limits: fields.optional("shared_limits", input::boolean)?,
            expires_at: fields.nullable("expires_at", |path, value| input::future(path, &value, now))?,
            metadata: fields.optional("metadata", input::metadata)?,
            rotate_every_days: fields.nullable("rotate_every_days", input::rotate_every_days)?,
        };
        fields.finish()?;
        Ok(update)
    }

    /// The record after this update.
    fn apply(&self, before: &Record) -> Record {
        let mut after = before.clone();
        after.version += 1;
        after.name = self.name.clone().unwrap_or(after.name);
        after.scopes = self.scopes.clone().unwrap_or(after.scopes);
        after.networks = self.networks.clone().unwrap_or(after.networks);
        after.limits = self.limits.clone().unwrap_or(after.limits);
        after.shared_limits = self.shared_limits.unwrap_or(after.shared_limits);
        let newest = after.newest();
        for generation in after.generations.iter_mut().filter(|generation| generation.number == newest) {
            generation.expires_at = self.expires_at.unwrap_or(generation.expires_at);
        }
        after
    }
}

impl Manage {
    pub(crate) async fn update(&self, request: &Request, actor: &str) -> Result<Key, Error> {
        let id = api::key_id(request)?;
        let if_match = api::if_match(request)?;
        let update = Update::read(api::fields(request)?, self.changes.host.clock.now())?;
        let key = self.changes.load_to_change(&id, &if_match).await?;
        let record = update.apply(&key.record);
        change::check_size(&record)?;
        if update.shared_limits.is_some() {
            self.changes.check_sharing(&record).await?;
        }
        let change = AboutChange { metadata: update.metadata, rotate_every_days: update.rotate_every_days };
        let event = self.changes.intend("update", &id, actor, difference(&key, &record, &change)).await?;
        self.changes.commit(&event, key, Commit { record, dropped: Vec::new(), unused: None }, change, &if_match).await
    }
}
