//! The query of `GET /v1/keys`: an owner, or an environment and a status, with a page size and a cursor.

use lambda_http::{Request, RequestExt};
use shared::{
    cursor,
    error::{Code, Rejection},
    input,
    store::list::{Filter, Position},
};

const PARAMETERS: [&str; 6] = ["owner_type", "owner_id", "environment", "status", "limit", "cursor"];
const STATUSES: [&str; 3] = ["active", "disabled", "revoked"];
const DEFAULT_LIMIT: u8 = 50;
const MOST: u8 = 100;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) filter: Filter,
    pub(crate) limit: u8,
    pub(crate) from: Option<Position>,
}

impl Listing {
    pub(crate) fn read(request: &Request) -> Result<Self, Rejection> {
        let query = request.query_string_parameters();
        if let Some((unknown, _)) = query.iter().find(|(name, _)| !PARAMETERS.contains(name) && *name != "api_key") {
            let field = unknown.chars().take(64).collect::<String>();
            let detail = format!("is not a parameter; allowed are {}", PARAMETERS.join(", "));
            return Err(Rejection { code: Code::UnknownField, ..Rejection::field(field, detail) });
        }
        let get = |name: &str| query.first(name);
        let filter = match (get("owner_type"), get("owner_id"), get("environment"), get("status")) {
            (kind @ Some(_), id, None, None) => {
                Filter::Owner(input::owner_with("owner_id", input::owner_type("owner_type", kind)?, id)?)
            }
            (None, None, environment @ Some(_), status) => {
                let wanted = status.unwrap_or("active");
                let status = STATUSES.into_iter().find(|status| *status == wanted);
                let status = status.ok_or_else(|| Rejection::field("status", "must be active, disabled or revoked"))?;
                Filter::Status(input::environment("environment", environment)?, status)
            }
            _ => {
                let detail = "send either owner_type and owner_id, or environment and perhaps status (active without one)";
                return Err(Rejection::field("owner_type", detail));
            }
        };
        let limit = get("limit").map_or(Ok(DEFAULT_LIMIT), |text| {
            let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
            limit.ok_or_else(|| Rejection::field("limit", format!("must be a whole number from 1 to {MOST}")))
        })?;
        let from = get("cursor").map(|cursor| cursor::decode(&filter.partition(), cursor)).transpose()?;
        Ok(Self { filter, limit, from })
    }
}
