//! What an invocation costs, counted where it arises and read where its line is written.
//!
//! The count belongs to the task that answers the invocation, so that nothing in between has to hand it on. Work after the
//! response is another task's, and counted nowhere.

use std::cell::Cell;

use aws_sdk_dynamodb::{
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
};

/// What one invocation has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests to DynamoDB, Secrets Manager and SNS, the SDK's own retries included.
    pub engine_calls: u32,
    /// Hashes and comparisons by bcrypt.
    pub bcrypt_runs: u32,
    /// Audit records that could not be written.
    pub audit_lost: u32,
    /// Announcements that could not be made.
    pub unannounced: u32,
}

tokio::task_local! {
    static COST: Cell<Cost>;
}

/// The answer of `work`, and what it cost.
pub async fn counted<T>(work: impl Future<Output = T>) -> (T, Cost) {
    COST.scope(Cell::default(), async {
        let answer = work.await;
        (answer, COST.with(Cell::get))
    })
    .await
}

/// Counts a run of bcrypt.
pub fn bcrypt_run() {
    add(|cost| cost.bcrypt_runs += 1);
}

/// Counts an audit record that could not be written.
pub fn audit_lost() {
    add(|cost| cost.audit_lost += 1);
}

/// Counts an announcement that could not be made.
pub fn unannounced() {
    add(|cost| cost.unannounced += 1);
}

fn add(count: impl FnOnce(&mut Cost)) {
    // Outside of an invocation, as while an instance warms up, there is nothing to count for.
    let _ = COST.try_with(|cell| {
        let mut cost = cell.get();
        count(&mut cost);
        cell.set(cost);
    });
}

/// Counts each request that an SDK client sends.
#[derive(Clone, Copy, Debug)]
pub struct CountCalls;

impl Intercept for CountCalls {
    fn name(&self) -> &'static str {
        "count calls"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        add(|cost| cost.engine_calls += 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_invocation_has_a_count_of_its_own() {
        let one = counted(async {
            bcrypt_run();
            tokio::task::yield_now().await;
            bcrypt_run();
        });
        let other = counted(async { audit_lost() });
        let (((), one), ((), other)) = tokio::join!(one, other);
        assert_eq!(one, Cost { bcrypt_runs: 2, ..Cost::default() });
        assert_eq!(other, Cost { audit_lost: 1, ..Cost::default() });
        bcrypt_run();
    }
}
