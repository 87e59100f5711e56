//! How much of a table one request may read, however many rows it looks through for those that it wants.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// What one request may read, in read units: 20 MB, which is about 50,000 attempts, and a few seconds of a small function.
const OF_A_REQUEST: u64 = 2500;

/// A page of the table, in half read units: what is taken to have been read if DynamoDB doesn't say. A page is 1 MB at most, and
/// a read that may lag takes half a unit for 4 KB.
const PAGE: u64 = 256;

/// What is left of it, in half read units, as DynamoDB bills them. Questions that are asked at a time share one.
#[derive(Debug)]
pub struct Budget(AtomicU64);

impl Budget {
    /// All that one request may read.
    #[must_use]
    pub const fn of_a_request() -> Self {
        Self(AtomicU64::new(OF_A_REQUEST * 2))
    }

    /// Whether nothing is left: no further page may be read.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Takes off what a page cost.
    pub(super) fn spend(&self, capacity: Option<&ConsumedCapacity>) {
        let units = capacity.and_then(ConsumedCapacity::capacity_units);
        // Never negative, and far below what a u64 holds.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let halves = units.map_or(PAGE, |units| (units * 2.0).ceil() as u64);
        let left = |left: u64| Some(left.saturating_sub(halves));
        // It always succeeds: `left` never declines.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_a_price_counts_as_a_whole_one_and_nothing_is_left_below_nothing() {
        let budget = Budget(AtomicU64::new(PAGE + 2));
        budget.spend(None);
        assert!(!budget.is_spent());
        budget.spend(Some(&ConsumedCapacity::builder().capacity_units(0.5).build()));
        assert!(!budget.is_spent());
        budget.spend(Some(&ConsumedCapacity::builder().capacity_units(3.0).build()));
        assert!(budget.is_spent());
    }
}
