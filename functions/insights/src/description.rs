//! `GET /v1/openapi.json`: the API described for programs, as `openapi.json` beside `src` has it. Anybody may read it.

use http::{HeaderValue, header};
use lambda_http::Request;
use shared::http::{Answer, File, Parameters};

use crate::Insights;

/// The description: OpenAPI 3.1. `cargo run -p tests --bin openapi -- write` writes it, and a test holds it to the code.
pub const DESCRIPTION: &str = include_str!("../openapi.json");

/// How long a cache may answer with it unasked: an hour.
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The description as it is answered with. A page of another origin sees its tag only if it is told so.
pub(crate) fn file() -> File {
    let file = File::new("application/json", DESCRIPTION).with(header::CACHE_CONTROL, FOR_AN_HOUR);
    file.with(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag"))
}

impl Insights {
    pub(crate) fn description(&self, request: &Request) -> Answer {
        Parameters::read(request, &[])?;
        Ok(self.description.answer(request))
    }
}
