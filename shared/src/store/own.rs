//! Conditional writes that recognise themselves: each leaves its nonce in the attribute `change`, so that one whose answer was lost can be
//! repeated here, and is told from somebody else's.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::ReturnValuesOnConditionCheckFailure,
};

use super::{item::Attributes, once};
use crate::error::Fault;

/// How often a write is tried before that is our own fault.
const TRIES: u32 = 3;

/// What became of such a write.
pub(super) enum Settled {
    /// It is in force.
    Done,
    /// Its condition doesn't hold, and it never did; the item, if there is one.
    Conflict(Option<Attributes>),
}

/// Makes the write that `build` builds, which sets `change` to `nonce`.
///
/// # Errors
/// A [`Fault`]; `ambiguous` if the write may be in force.
pub(super) async fn settle(build: impl Fn() -> UpdateItemFluentBuilder, nonce: &str) -> Result<Settled, Fault> {
    let mut fault = None::<Fault>;
    for tried in 0..TRIES {
        let update = build().return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let failed = match once(update).send().await {
            Ok(_) => return Ok(Settled::Done),
            Err(error) => error,
        };
        if let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = failed.as_service_error() {
            let found = failed.item().and_then(|item| item.get("change")?.as_s().ok());
            return match (found, fault.filter(|fault| fault.ambiguous)) {
                (Some(found), _) if found == nonce => Ok(Settled::Done),
                // An earlier try may have been in force before what is there now: nobody can tell any more.
                (_, Some(fault)) => Err(fault),
                (_, None) => Ok(Settled::Conflict(failed.item().cloned())),
            };
        }
        let failed = Fault::from_sdk(&failed);
        if !failed.retryable {
            return Err(failed);
        }
        let ambiguous = failed.ambiguous || fault.is_some_and(|fault| fault.ambiguous);
        fault = Some(Fault { ambiguous, ..failed });
        tokio::time::sleep(Duration::from_millis(50 << tried)).await;
    }
    Err(fault.unwrap_or_else(|| Fault::new("write.not_tried", "no try")))
}
