//! Limits that an owner's keys share: those that opt in count together, each use once here and then at its key.
//!
//! The owner's count comes first and the key's last, so that nothing stands between a revocation and the uses that it refuses. What
//! is counted here and then refused by the key stays counted: shared limits may admit fewer uses, and never more.

use std::collections::BTreeMap;

use crate::{
    decision::{self, ClockBehind, MOST_SWEPT, Refusal, SWEEP_DELAY, Sweep},
    error::{Code, Rejection},
    input::{self, Fields},
    limit::{self, Limit, Remaining, Window},
    owner::Owner,
    time::Timestamp,
};

/// What an owner's keys may do together, and what they have counted. There is one item of them, with a partition of its own: at
/// most about 1,000 uses a second, as for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedLimits {
    /// Whose keys.
    pub owner: Owner,
    /// Grows by one whenever the limits are put; never by use.
    pub version: u64,
    /// How often the keys may be used together; at most one a period. None: as if they shared nothing.
    pub limits: Vec<Limit>,
    /// When they were put last, and by whom.
    pub put: (Timestamp, String),
    /// The moment up to which ended windows may have been removed. Never falls.
    pub swept: Timestamp,
    /// Uses by window of every limit.
    pub windows: BTreeMap<Window, u64>,
    /// All uses ever.
    pub total: u64,
    /// The nonce of the last use, by which a repeated write recognises itself.
    pub last_request: Option<String>,
}

/// The write that counts a use here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedUse {
    /// The version that the decision rests on.
    pub version: u64,
    /// The moment that it counts as.
    pub now: Timestamp,
    /// The current window of each limit, none of which may be full.
    pub windows: Vec<(Window, u64)>,
    /// Ended windows to remove in the same write.
    pub sweep: Option<Sweep>,
}

impl SharedLimits {
    /// What `owner`'s keys share once `limits` are put by `put`, in the place of `before`. What was counted stays.
    #[must_use]
    pub fn put(owner: Owner, before: Option<&Self>, limits: Vec<Limit>, put: (Timestamp, String)) -> Self {
        match before {
            Some(before) => Self { version: before.version + 1, limits, put, ..before.clone() },
            None => {
                let swept = put.0.minus(SWEEP_DELAY);
                Self { owner, version: 1, limits, put, swept, windows: BTreeMap::new(), total: 0, last_request: None }
            }
        }
    }

    /// What is left of each limit at `now`.
    #[must_use]
    pub fn remaining(&self, now: Timestamp) -> Vec<Remaining> {
        limit::remaining(&self.limits, |window| self.windows.get(&window).copied().unwrap_or(0), now)
    }

    /// Whether one more use may be counted at `now`, and what counting it writes.
    ///
    /// # Errors
    /// [`ClockBehind`] if this clock can't be trusted to name the current windows.
    pub fn decide(&self, now: Timestamp) -> Result<Result<SharedUse, Refusal>, ClockBehind> {
        let now = decision::trusted_now(self.swept, now)?;
        if let Some(refusal) = decision::full(&self.remaining(now), true) {
            return Ok(Err(refusal));
        }
        // Days are swept here as well: their history is that of the keys.
        let mut sweep = decision::ended(self.windows.keys().copied(), self.swept, now);
        sweep.iter_mut().for_each(|sweep| sweep.windows.truncate(MOST_SWEPT));
        let windows = self.limits.iter().map(|limit| (Window::at(limit.period, now), limit.requests));
        Ok(Ok(SharedUse { version: self.version, now, windows: windows.collect(), sweep }))
    }
}

/// An owner's keys can share nothing yet.
#[must_use]
pub fn none() -> Rejection {
    Rejection::new(Code::NoSuchLimits, "This owner's keys share no limits. PUT /v1/owners/{type}/{id}/limits makes them.")
}

/// The limits of a body that puts them.
///
/// # Errors
/// `invalid_field`, `unknown_field`.
pub fn read(mut fields: Fields) -> Result<Vec<Limit>, Rejection> {
    let limits = fields.required("limits", input::limits)?;
    fields.finish()?;
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{limit::Period, owner::OwnerType};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn limits(windows: BTreeMap<Window, u64>) -> SharedLimits {
        SharedLimits {
            owner: Owner::new(OwnerType::User, "42").unwrap(),
            version: 3,
            limits: vec![Limit { requests: 3, period: Period::Minute }, Limit { requests: 5, period: Period::Day }],
            put: (NOW, "key_admin".to_owned()),
            swept: NOW.minus(100),
            windows,
            total: 0,
            last_request: None,
        }
    }

    proptest! {
        #[test]
        fn a_use_counts_exactly_if_no_window_is_full_and_sweeps_only_what_has_ended(
            counts in prop::collection::btree_map((0_usize..5, 0_u64..200_000), 0_u64..6, 0..30),
        ) {
            let at = |period: usize, ago| Window::at(Period::ALL[period], NOW.minus(ago));
            let limits = limits(counts.into_iter().map(|((period, ago), count)| (at(period, ago), count)).collect());
            let full = |(period, most)| limits.windows.get(&Window::at(period, NOW)).is_some_and(|count| *count >= most);
            let refused = [(Period::Minute, 3), (Period::Day, 5)].into_iter().any(full);
            match limits.decide(NOW).unwrap() {
                Err(refusal) => {
                    let shared = matches!(refusal, Refusal::Limited { shared: true, .. });
                    prop_assert!(refused && shared);
                }
                Ok(r#use) => {
                    prop_assert!(!refused);
                    prop_assert_eq!(&r#use.windows, &[(Window::at(Period::Minute, NOW), 3), (Window::at(Period::Day, NOW), 5)]);
                    let swept = r#use.sweep.iter().flat_map(|sweep| &sweep.windows).count();
                    prop_assert!(swept <= MOST_SWEPT);
                    for sweep in r#use.sweep.iter() {
                        prop_assert!(sweep.windows.iter().all(|window| window.end() <= sweep.up_to) && sweep.up_to >= limits.swept);
                    }
                }
            }
        }
    }

    #[test]
    fn a_clock_that_is_a_minute_behind_the_last_sweep_counts_nothing() {
        let limits = limits(BTreeMap::new());
        assert!(limits.decide(limits.swept.minus(60)).is_ok());
        assert!(limits.decide(limits.swept.minus(61)).is_err());
    }
}
