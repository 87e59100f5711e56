//! Limits and the windows they are counted in.
//!
//! A window is named by its period (`m29875392` is one minute since the epoch), never by an instance's idea of when it
//! began. So instances need no agreement of clocks: whatever window a clock names, that window's count is one number.

use std::fmt;

use crate::time::{DAY, Timestamp, start_of_day};

/// More than this many requests a second on average would be too much for one partition of the table, which takes 1,000
/// writes a second.
pub const MOST_PER_SECOND: u64 = 800;

/// How long a limit counts before it begins anew: UTC seconds, minutes, hours, days or months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A UTC day.
    Day,
    /// A UTC calendar month.
    Month,
}

impl Period {
    /// All of them, shortest first.
    pub const ALL: [Self; 5] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month];

    /// The period's name: `second` to `month`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The period of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.as_str() == text)
    }

    /// The fewest seconds that one window has.
    #[must_use]
    pub const fn secs(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => DAY,
            Self::Month => 28 * DAY,
        }
    }

    /// The most requests that a limit of this period may allow.
    #[must_use]
    pub const fn most(self) -> u64 {
        MOST_PER_SECOND * self.secs()
    }

    const fn letter(self) -> char {
        match self {
            Self::Second => 's',
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
            Self::Month => 'M',
        }
    }
}

/// At most `requests` in each window of `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most requests in one window; at least 1.
    pub requests: u64,
    /// The windows' length.
    pub period: Period,
}

/// One labelled window. Its [`Display`](fmt::Display) is the name of the attribute that counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// What it is a window of.
    pub period: Period,
    /// Seconds, minutes or hours since the epoch; a day as `20261123`; a month as `202611`.
    number: u64,
}

impl Window {
    /// The window of `period` that `now` is in.
    #[must_use]
    pub fn at(period: Period, now: Timestamp) -> Self {
        let number = match period {
            Period::Second | Period::Minute | Period::Hour => now.secs() / period.secs(),
            Period::Day => u64::from(now.day()),
            Period::Month => u64::from(now.month()),
        };
        Self { period, number }
    }

    /// The window that an attribute of that name counts, if it counts one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let period = Period::ALL.into_iter().find(|period| name.starts_with(period.letter()))?;
        let digits = &name[1..];
        // Exactly as written by us: no sign, no leading zero, so that two names never mean one window.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
            return None;
        }
        let window = Self { period, number: digits.parse().ok()? };
        window.start().map(|_| window)
    }

    /// The first second after it, when its limit begins anew.
    #[must_use]
    pub fn end(self) -> Timestamp {
        let start = self.start().unwrap_or(Timestamp::EPOCH);
        match self.period {
            Period::Month => {
                // 31 days later is always in the next month, whose first day is the end.
                let next = start.plus(31 * DAY);
                start_of_day(next.month() * 100 + 1).unwrap_or(next)
            }
            fixed => start.plus(fixed.secs()),
        }
    }

    /// The day it is, as `20261123`, if it is one.
    #[must_use]
    pub fn day(self) -> Option<u32> {
        (self.period == Period::Day).then(|| u32::try_from(self.number).ok()).flatten()
    }

    fn start(self) -> Option<Timestamp> {
        let calendar = |day: u64| u32::try_from(day).ok().and_then(start_of_day);
        match self.period {
            Period::Second | Period::Minute | Period::Hour => {
                self.number.checked_mul(self.period.secs()).map(Timestamp::from_secs)
            }
            Period::Day => calendar(self.number),
            Period::Month => calendar(self.number.checked_mul(100)? + 1),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.period.letter(), self.number)
    }
}

/// What is left of one limit in its current window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// The limit.
    pub limit: Limit,
    /// Requests that the window still allows.
    pub remaining: u64,
    /// Seconds until the window ends, at least 1.
    pub reset_seconds: u64,
}

/// What is left of each of `limits` at `now`, where `count` tells the uses of a window.
#[must_use]
pub fn remaining(limits: &[Limit], count: impl Fn(Window) -> u64, now: Timestamp) -> Vec<Remaining> {
    let remaining = |limit: &Limit| {
        let window = Window::at(limit.period, now);
        let remaining = limit.requests.saturating_sub(count(window));
        Remaining { limit: *limit, remaining, reset_seconds: now.until(window.end()) }
    };
    limits.iter().map(remaining).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn windows_are_named_as_the_design_says() {
        let now = Timestamp::parse("2026-11-23T20:12:34Z").unwrap();
        let names: Vec<_> = Period::ALL.map(|period| Window::at(period, now).to_string()).into();
        assert_eq!(names, ["s1795464754", "m29924412", "h498740", "d20261123", "M202611"]);
    }

    #[test]
    fn months_end_with_their_last_day() {
        for (moment, end) in [
            ("2026-11-23T20:12:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            ("2028-02-29T12:00:00Z", "2028-03-01T00:00:00Z"),
            ("2027-02-28T12:00:00Z", "2027-03-01T00:00:00Z"),
        ] {
            assert_eq!(Window::at(Period::Month, Timestamp::parse(moment).unwrap()).end().to_string(), end);
        }
    }

    #[test]
    fn other_attributes_are_no_windows() {
        for name in [
            "",
            "s",
            "status",
            "scopes",
            "swept",
            "d2026",
            "d20261301",
            "M202613",
            "m-1",
            "s01",
            "h+5",
            "M20261",
            "s99999999999999999999",
            "total",
            "g1",
            "é1",
        ] {
            assert_eq!(Window::parse(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_is_in_its_window_and_the_windows_end_is_in_the_next(seconds in 1_000_000_u64..40_000_000_000, index in 0_usize..5) {
            let (now, period) = (Timestamp::from_secs(seconds), Period::ALL[index]);
            let window = Window::at(period, now);
            prop_assert_eq!(Window::parse(&window.to_string()), Some(window));
            prop_assert!(window.start().unwrap() <= now && now < window.end());
            prop_assert!(window.end().secs() - window.start().unwrap().secs() >= period.secs());
            prop_assert_ne!(Window::at(period, window.end()), window);
            prop_assert_eq!(Window::at(period, window.end().minus(1)), window);
        }
    }
}
