//! The query of `GET /v1/keys`: an owner, or an environment and a status, with a page size and a cursor.

use lambda_http::Request;
use shared::{
    cursor,
    error::Rejection,
    http::{PageSize, Parameters},
    input,
    record::Status,
    store::list::{Filter, Position},
};

const PARAMETERS: [&str; 6] = ["owner_type", "owner_id", "environment", "status", "limit", "cursor"];

/// Keys of a page.
pub const LISTED: PageSize = PageSize { most: 100, default: 50 };

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) filter: Filter,
    pub(crate) limit: u8,
    pub(crate) from: Option<Position>,
}

impl Listing {
    pub(crate) fn read(request: &Request) -> Result<Self, Rejection> {
        let query = Parameters::read(request, &PARAMETERS)?;
        let get = |name| query.get(name);
        let filter = match (get("owner_type"), get("owner_id"), get("environment"), get("status")) {
            (kind @ Some(_), id, None, None) => {
                Filter::Owner(input::owner_with("owner_id", input::owner_type("owner_type", kind)?, id)?)
            }
            (None, None, environment @ Some(_), status) => {
                let wanted = status.unwrap_or("active");
                let status = Status::NAMES.into_iter().find(|status| *status == wanted);
                let status = status.ok_or_else(|| Rejection::field("status", "must be active, disabled or revoked"))?;
                Filter::Status(input::environment("environment", environment)?, status)
            }
            _ => {
                let detail = "send either owner_type and owner_id, or environment and perhaps status (active without one)";
                return Err(Rejection::field("owner_type", detail));
            }
        };
        let limit = query.limit(LISTED)?;
        let from = get("cursor").map(|cursor| cursor::decode(&filter.partition(), cursor)).transpose()?;
        Ok(Self { filter, limit, from })
    }
}
