//! Plans: one partition, because there are few, and they are read when a key is issued and never when one is used.

use uuid::Uuid;

use super::{
    Store, about,
    expression::Expression,
    item::{Attributes, Reader},
    number, own,
    own::Settled,
    record, text,
};
use crate::{
    error::Fault,
    plan::{Plan, PlanName},
    time::Timestamp,
};

/// The number of the form that plans are stored in.
const SCHEMA: u64 = 1;

/// The partition.
const PARTITION: &str = "plans";

impl Store {
    /// The plan of that name, consistently read.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the item isn't a plan.
    pub async fn plan(&self, name: &PlanName) -> Result<Option<Plan>, Fault> {
        let get = self.client.get_item().table_name(&self.tables.keys).consistent_read(true);
        let answer = get.key("pk", text(PARTITION)).key("sk", text(name.as_str())).send().await;
        let answer = answer.map_err(|error| Fault::from_sdk(&error))?;
        answer.item().map(|item| read(item).map(|(_, plan)| plan)).transpose()
    }

    /// Stores a plan in the place of `before`, or of none. `change` is the id of this change: a write whose answer was lost is
    /// repeated here, and recognised by it. Answers whether it is in force: not if somebody else has put the plan since `before`
    /// was read.
    ///
    /// # Errors
    /// A [`Fault`]; `ambiguous` if the plan may be in force.
    pub async fn put_plan(&self, name: &PlanName, plan: &Plan, before: Option<&Plan>, change: Uuid) -> Result<bool, Fault> {
        let nonce = change.to_string();
        let build = || {
            let mut expression = Expression::default();
            write(plan).into_iter().for_each(|(name, value)| expression.set(&name, value));
            expression.set("change", text(&nonce));
            if before.is_some() {
                expression.name("#before", "change".to_owned());
            }
            let update = self.client.update_item().table_name(&self.tables.keys);
            let update = expression.apply(update.key("pk", text(PARTITION)).key("sk", text(name.as_str())));
            match before.map(|before| before.change) {
                None => update.condition_expression("attribute_not_exists(pk)"),
                // As plans were stored at first.
                Some(None) => update.condition_expression("attribute_exists(pk) AND attribute_not_exists(#before)"),
                Some(Some(before)) => update
                    .condition_expression("#before = :before")
                    .expression_attribute_values(":before", text(before.to_string())),
            }
        };
        Ok(matches!(own::settle(build, &nonce).await?, Settled::Done))
    }

    /// At most `limit` plans after the one named `after`, by name; and whether those are all that there are.
    ///
    /// # Errors
    /// A [`Fault`] if DynamoDB doesn't answer, or the table holds something else.
    pub async fn plans(&self, after: Option<&PlanName>, limit: u8) -> Result<(Vec<(PlanName, Plan)>, bool), Fault> {
        let query = self.client.query().table_name(&self.tables.keys).consistent_read(true);
        let query = query.expression_attribute_values(":pk", text(PARTITION));
        let query = match after {
            Some(after) => query
                .key_condition_expression("pk = :pk AND sk > :after")
                .expression_attribute_values(":after", text(after.as_str())),
            None => query.key_condition_expression("pk = :pk"),
        };
        // One more shows that there are more.
        let answer = query.limit(i32::from(limit) + 1).send().await.map_err(|error| Fault::from_sdk(&error))?;
        let mut plans = answer.items().iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let all = plans.len() <= limit.into() && answer.last_evaluated_key().is_none();
        plans.truncate(limit.into());
        Ok((plans, all))
    }
}

fn write(plan: &Plan) -> Attributes {
    let (at, by) = &plan.put;
    Attributes::from([
        ("schema".to_owned(), number(SCHEMA)),
        ("scopes".to_owned(), record::write_scopes(&plan.scopes)),
        ("limits".to_owned(), record::write_limits(&plan.limits)),
        ("rotate_every_days".to_owned(), number(plan.rotate_every_days.unwrap_or(0).into())),
        ("put_at".to_owned(), number(at.secs())),
        ("put_by".to_owned(), text(by)),
    ])
}

fn read(attributes: &Attributes) -> Result<(PlanName, Plan), Fault> {
    let item = Reader::new("plan", attributes);
    item.known_form(SCHEMA)?;
    let plan = Plan {
        scopes: record::read_scopes(item)?,
        limits: record::read_limits(item)?,
        rotate_every_days: about::read_rotate_every_days(item)?,
        put: (Timestamp::from_secs(item.number("put_at")?), item.text("put_by")?.to_owned()),
        change: item.optional_text("change")?.map(|_| item.parsed("change", |text| text.parse().ok())).transpose()?,
    };
    Ok((item.parsed("sk", PlanName::parse)?, plan))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limit::{Limit, Period},
        scope::Scope,
    };

    #[test]
    fn a_plan_is_read_as_it_was_written_and_no_damage_panics() {
        let (name, put) = (PlanName::parse("basic").unwrap(), (Timestamp::from_secs(1_800_000_000), "key_a".to_owned()));
        let limits = vec![Limit { requests: 5, period: Period::Day }];
        let plan = Plan { scopes: vec![Scope::Read], limits, rotate_every_days: Some(30), put, change: None };
        let mut item = write(&plan);
        item.extend([("pk".to_owned(), text(PARTITION)), ("sk".to_owned(), text(name.as_str()))]);
        assert_eq!(read(&item).unwrap(), (name.clone(), plan.clone()), "as plans were stored at first");
        item.insert("change".to_owned(), text(Uuid::max().to_string()));
        assert_eq!(read(&item).unwrap(), (name, Plan { change: Some(Uuid::max()), ..plan }));
        for attribute in ["sk", "change", "schema", "scopes", "limits", "rotate_every_days", "put_at", "put_by"] {
            let damaged = Attributes::from_iter(
                item.iter().map(|(name, value)| (name.clone(), if name == attribute { text("?") } else { value.clone() })),
            );
            assert!(read(&damaged).is_err_and(|fault| fault.is_corrupt()) || attribute == "put_by", "{attribute}");
        }
    }
}
