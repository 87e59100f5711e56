//! One question to the API.

use reqwest::Method;
use serde_json::Value;
use zeroize::Zeroize;

use crate::{
    parse::{KeyId, Owner},
    secret::Secret,
};

/// A request, without the key that it is made with.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path's segments after the API's own, unescaped.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    /// A secret that goes with the body, as its field `secret`.
    pub(crate) secret: Option<Secret>,
    /// The text of `Idempotency-Key`.
    pub(crate) once: Option<String>,
    /// The version that `If-Match` names.
    pub(crate) if_version: Option<u64>,
    /// Whether a table is asked for.
    pub(crate) csv: bool,
}

impl Call {
    fn new(method: Method, segments: &[&str]) -> Self {
        let segments = std::iter::once(&"v1").chain(segments).map(|segment| (*segment).to_owned()).collect();
        Self { method, segments, query: Vec::new(), body: None, secret: None, once: None, if_version: None, csv: false }
    }

    /// `GET /v1/…`
    pub(crate) fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, segments)
    }

    /// `POST /v1/…`
    pub(crate) fn post(segments: &[&str]) -> Self {
        Self::new(Method::POST, segments)
    }

    /// `PUT /v1/…`
    pub(crate) fn put(segments: &[&str]) -> Self {
        Self::new(Method::PUT, segments)
    }

    /// `GET /v1/keys/{id}`
    pub(crate) fn key(id: &KeyId) -> Self {
        Self::get(&["keys", id.as_str()])
    }

    /// `PATCH /v1/keys/{id}`
    pub(crate) fn patch_key(id: &KeyId) -> Self {
        Self::new(Method::PATCH, &["keys", id.as_str()])
    }

    /// `POST /v1/keys/{id}/{action}`
    pub(crate) fn act(id: &KeyId, action: &str) -> Self {
        Self::post(&["keys", id.as_str(), action])
    }

    /// `/v1/owners/{type}/{id}/{what}`
    pub(crate) fn owner(method: Method, owner: &Owner, what: &str) -> Self {
        Self::new(method, &["owners", owner.kind, &owner.id, what])
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    #[must_use]
    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    #[must_use]
    pub(crate) fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// The body as it is sent.
    pub(crate) fn text(&self) -> String {
        let Some(mut body) = self.body.clone() else { return String::new() };
        let Some(secret) = &self.secret else { return body.to_string() };
        body["secret"] = secret.expose().into();
        let text = body.to_string();
        if let Value::String(copy) = &mut body["secret"] {
            copy.zeroize();
        }
        text
    }

    /// With a text by which the API recognises the same request: without one that somebody chose, a new one.
    #[must_use]
    pub(crate) fn once(mut self, chosen: Option<&str>) -> Self {
        self.once = Some(chosen.map_or_else(|| uuid::Uuid::new_v4().to_string(), ToOwned::to_owned));
        self
    }

    #[must_use]
    pub(crate) fn if_version(mut self, version: Option<u64>) -> Self {
        self.if_version = version;
        self
    }

    #[must_use]
    pub(crate) fn csv(mut self) -> Self {
        self.csv = true;
        self
    }

    /// The path, for people.
    pub(crate) fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}
