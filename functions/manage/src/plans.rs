//! `PUT` and `GET /v1/plans/{name}`, `GET /v1/plans`. A plan is put whole, and can't be removed: what was issued with it names it.

use http::StatusCode;
use lambda_http::Request;
use serde_json::{Value, json};
use shared::{
    cursor,
    error::{Code, Rejection},
    http::{self as api, Answer, PageSize, Parameters, Reply},
    plan::{Plan, PlanName},
    view,
};

use crate::Manage;

/// Plans of a page.
pub const PLANS: PageSize = PageSize { most: 100, default: 50 };

/// What cursors of this list are bound to.
const LIST: &str = "plans";

impl Manage {
    pub(crate) async fn put_plan(&self, request: &Request, actor: &str) -> Answer {
        let name = api::plan(request)?;
        let plan = Plan::read(api::fields(request)?, self.changes.host.clock.now(), actor)?;
        let before = self.changes.store.plan(&name).await?;
        let detail = json!({ "before": before.as_ref().map(view::plan_policy), "after": view::plan_policy(&plan) });
        let event = self.changes.intend("put_plan", &name, actor, detail).await?;
        if !self.changes.store.put_plan(&name, &plan, before.as_ref(), event.id).await? {
            let detail =
                "Somebody else put the plan at the same moment; nothing of this one is in force. Look at it, and try again.";
            return Err(self.changes.refused(&event, Rejection::new(Code::ChangedMeanwhile, detail)).await);
        }
        self.changes.done(&event).await?;
        let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        Ok(Reply::with(status, view::plan(&name, &plan)))
    }

    pub(crate) async fn show_plan(&self, request: &Request) -> Answer {
        let name = api::plan(request)?;
        let unknown = || Rejection::new(Code::NoSuchPlan, "There is no plan of that name.");
        let plan = self.changes.store.plan(&name).await?.ok_or_else(unknown)?;
        Ok(Reply::ok(view::plan(&name, &plan)))
    }

    pub(crate) async fn list_plans(&self, request: &Request) -> Answer {
        let query = Parameters::read(request, &["limit", "cursor"])?;
        let after = query.cursor(LIST, PlanName::parse)?;
        let (plans, all) = self.changes.store.plans(after.as_ref(), query.limit(PLANS)?).await?;
        let next = plans.last().filter(|_| !all).map(|(name, _)| cursor::seal(LIST, name.as_str()));
        let plans: Vec<Value> = plans.iter().map(|(name, plan)| view::plan(name, plan)).collect();
        Ok(Reply::ok(json!({ "plans": plans, "next_cursor": next })))
    }
}
