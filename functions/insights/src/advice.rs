//! `GET /v1/keys/{id}/advice`: what a key could do without, as far as its newest uses tell.

use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    advice::{Advice, OldSecret, advice},
    http::{self as api, Answer, Parameters, Reply},
    time::{self, Timestamp},
};

use crate::Insights;

/// The most uses that advice rests on, and the most days that are looked through for them: what a few pages of the table have.
const MOST: (usize, usize) = (5000, 90);

impl Insights {
    pub(crate) async fn advice(&self, request: &Request) -> Answer {
        let id = api::key_id(request)?;
        Parameters::read(request, &[])?;
        let (record, about) = self.key(&id).await?;
        let now = self.host.clock.now();
        let since = about.created_at.max(now.minus(self.config.audit_retention_seconds));
        let (uses, complete) = self.store.newest_uses(&id, since, now, MOST).await?;
        let oldest = uses.last().map(|oldest| time::rfc3339_millis(oldest.at_millis));
        let advice: Vec<Value> = advice(&record, &uses, about.created_at, now).iter().map(|advice| show(advice, now)).collect();
        Ok(Reply::ok(json!({
            "advice": advice,
            "based_on": { "uses": uses.len(), "since": oldest, "complete": complete },
        })))
    }
}

fn show(advice: &Advice, now: Timestamp) -> Value {
    match advice {
        Advice::UnusedScopes(scopes) => json!({
            "code": "unused_scopes", "scopes": scopes,
            "detail": "No use needed these scopes. PATCH the key's scopes to leave them out.",
        }),
        Advice::Allowlist(networks) => json!({
            "code": "allowlist", "ip_allowlist": networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "detail": "All uses came from these networks. PATCH the key's ip_allowlist to allow no others.",
        }),
        Advice::Idle(days) => json!({
            "code": "idle", "days": days,
            "detail": format!("Nobody has used the key for {days} days before {now}. Disable it, and revoke it if nobody asks."),
        }),
        Advice::OldSecret(OldSecret { generation, uses, .. }) => json!({
            "code": "old_secret_in_use", "generation": generation, "uses_by_source_ip": uses,
            "detail": "This secret was replaced and is still used. Ask its holders to take the new one before it ends.",
        }),
    }
}
