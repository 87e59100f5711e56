//! `GET /v1/keys/{id}/advice`: what a key could do without, as far as its uses tell.

use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    advice::{Advice, Seen, advice},
    http::{self as api, Answer, Parameters, Reply},
    old_secret::OldSecret,
    record::{Record, Status},
    store::budget::Budget,
    time::Timestamp,
};

use crate::Insights;

impl Insights {
    pub(crate) async fn advice(&self, request: &Request) -> Answer {
        let id = api::key_id(request)?;
        Parameters::read(request, &[])?;
        let (record, about) = self.key(&id).await?;
        let (now, copies) = (self.host.clock.now(), self.config.copies);
        // The rarer ones first: many uses of the new secret must not hide the last ones of the old.
        let old = OldSecret::find(&self.store, &record, copies, now, &Budget::of_a_request()).await?;
        let since = about.created_at.max(copies.kept_since(now));
        let (uses, all) = self.store.uses(&id, None, since, now, &Budget::of_a_request()).await?;
        let seen = Seen { uses: &uses, complete: all && copies.have_uses(since, now) };
        let advice = advice(&record, seen, old, about.created_at, now);
        Ok(Reply::ok(json!({
            "advice": advice.iter().map(|advice| show(advice, &record, since, now)).collect::<Vec<_>>(),
            // Of uses that weren't all seen, nothing is concluded.
            "based_on": { "uses": uses.len(), "since": since, "complete": seen.complete },
        })))
    }
}

fn show(advice: &Advice, record: &Record, since: Timestamp, now: Timestamp) -> Value {
    match advice {
        Advice::UnusedScopes(scopes) => json!({
            "code": "unused_scopes", "scopes": scopes,
            "detail": format!("No use since {since} needed these scopes. PATCH the key's scopes to leave them out."),
        }),
        Advice::Allowlist(networks) => json!({
            "code": "allowlist", "ip_allowlist": networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "detail": format!(
                "All uses since {since} came from these networks. PATCH the key's ip_allowlist to allow no others."
            ),
        }),
        Advice::Idle(days) => {
            let what_to_do = match record.status {
                Status::Active => "Disable it, and revoke it if nobody asks.",
                Status::Disabled | Status::Revoked(_) => "It is disabled: revoke it if nobody asks.",
            };
            json!({
                "code": "idle", "days": days,
                "detail": format!("Nobody has used the key for {days} days before {now}. {what_to_do}"),
            })
        }
        Advice::OldSecret(old) => {
            let mut shown = json!({ "code": "old_secret_in_use" });
            if let (Some(shown), Value::Object(old)) = (shown.as_object_mut(), old.show()) {
                shown.extend(old);
            }
            shown["detail"] =
                "This secret was replaced and is still used. Ask its holders to take the new one before it ends.".into();
            shown
        }
    }
}
