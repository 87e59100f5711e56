//! One attempt: who tried which key for what. The same of every attempt, whatever came of it.

use serde::Serialize;

/// The outcome of an attempt that was allowed; every other one is the code of a refusal, or `internal`.
pub const ALLOWED: &str = "allowed";

/// An attempt, as members of its line. Nothing of it is a secret: paths come without their query, which may carry one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The key's id, if there is such a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What may be shown of the secret, if it has the form of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The generation whose secret it is, once that is proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// The request's method.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// The request's path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The caller's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// What the caller says it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// API Gateway's id of the request, which a REST API's caller may choose.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The one that no caller can choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_request_id: Option<String>,
    /// The API that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_id: Option<String>,
}
