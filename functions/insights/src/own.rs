//! `GET /v1/self`: what a key is, and what it has left. For whoever holds it, so without what only administrators wrote down.

use lambda_http::Request;
use shared::{
    http::{self as api, Answer, Parameters, Reply},
    view,
};

use crate::Insights;

impl Insights {
    pub(crate) async fn own(&self, request: &Request) -> Answer {
        let (id, generation) = api::own(request)?;
        Parameters::read(request, &[])?;
        let record = self.record(&id).await?;
        let shared = self.store.shared_by(&record).await?;
        Ok(Reply::ok(view::own(&record, generation, shared.as_ref(), self.host.clock.now())))
    }
}
