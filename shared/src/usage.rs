//! Usage: how often a key was allowed, by UTC day and month. Exact, because each use is in exactly one place.

use std::collections::BTreeMap;

use crate::{
    error::Rejection,
    record::Record,
    time::{DAY, Timestamp, parse_iso_day},
};

/// How many days are shown of which nobody said how many.
const DEFAULT_DAYS: u64 = 30;

/// UTC days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first second of the first day.
    pub from: Timestamp,
    /// The first second of the last day.
    pub to: Timestamp,
}

impl Days {
    /// The days that the parameters `from` and `to` name: up to today and 30 of them, unless they say otherwise, and none
    /// that is further back than `retention_seconds`.
    ///
    /// # Errors
    /// `invalid_field` that names the parameter and what it may be.
    pub fn read(from: Option<&str>, to: Option<&str>, now: Timestamp, retention_seconds: u64) -> Result<Self, Rejection> {
        let day = |name: &str, text: Option<&str>| {
            let parse = |text| parse_iso_day(text).ok_or_else(|| Rejection::field(name, "must be a UTC day, as in 2026-11-23"));
            text.map(parse).transpose()
        };
        let today = start(now);
        let to = day("to", to)?.unwrap_or(today);
        if to > today {
            return Err(Rejection::field("to", format!("must not be in the future; today is {}", today.iso_day())));
        }
        let earliest = start(now.minus(retention_seconds));
        let from = day("from", from)?.unwrap_or_else(|| to.minus((DEFAULT_DAYS - 1) * DAY).max(earliest.min(to)));
        if from > to {
            return Err(Rejection::field("from", format!("must not be after to, which is {}", to.iso_day())));
        }
        if from < earliest {
            let detail = format!("must not be before {}: what was earlier is not kept", earliest.iso_day());
            return Err(Rejection::field("from", detail));
        }
        Ok(Self { from, to })
    }

    /// The days from the one that `since` is in up to today.
    #[must_use]
    pub fn since(since: Timestamp, now: Timestamp) -> Self {
        Self { from: start(since.min(now)), to: start(now) }
    }

    /// Each of them, oldest first.
    pub fn each(self) -> impl DoubleEndedIterator<Item = Timestamp> {
        (0..=self.from.until(self.to) / DAY).map(move |index| self.from.plus(index * DAY))
    }
}

fn start(now: Timestamp) -> Timestamp {
    now.minus(now.secs() % DAY)
}

/// How finely usage is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// By UTC day: `2026-11-23`.
    Day,
    /// By calendar month: `2026-11`. A month is the sum of those of its days that were asked for.
    Month,
}

impl Granularity {
    /// The granularity that the parameter names; days without one.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn read(text: Option<&str>) -> Result<Self, Rejection> {
        match text {
            None | Some("day") => Ok(Self::Day),
            Some("month") => Ok(Self::Month),
            Some(_) => Err(Rejection::field("granularity", "must be day or month")),
        }
    }

    /// `day` or `month`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The period that `day` is in.
    #[must_use]
    pub fn period(self, day: Timestamp) -> String {
        let mut period = day.iso_day();
        if self == Self::Month {
            period.truncate("2026-11".len());
        }
        period
    }
}

/// The uses of each of `days`: of its attribute, while it isn't folded, or of its item in `history`. Where a day has both, it is
/// being folded, and the larger of the two is the one that counts: uses only ever add to it.
#[must_use]
pub fn by_day(record: Option<&Record>, history: &BTreeMap<u32, u64>, days: Days) -> BTreeMap<Timestamp, u64> {
    let windows = record.into_iter().flat_map(|record| &record.counters.windows);
    let open: BTreeMap<u32, u64> = windows.filter_map(|(window, count)| Some((window.day()?, *count))).collect();
    let count = |day: Timestamp| {
        let of = |counts: &BTreeMap<u32, u64>| counts.get(&day.day()).copied().unwrap_or(0);
        of(&open).max(of(history))
    };
    days.each().map(|day| (day, count(day))).collect()
}

/// The sums of `counts` by period.
#[must_use]
pub fn by_period(counts: &BTreeMap<Timestamp, u64>, granularity: Granularity) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (day, count) in counts {
        *sums.entry(granularity.period(*day)).or_default() += count;
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        limit::{Period, Window},
        sample,
    };

    /// 2028-03-01T10:00:00Z, the day after a leap day.
    const NOW: Timestamp = Timestamp::from_secs(1_835_517_600);
    const YEAR: u64 = 400 * DAY;

    fn days(from: &str, to: &str) -> Days {
        Days::read(Some(from), Some(to), NOW, YEAR).unwrap()
    }

    #[test]
    fn days_are_thirty_up_to_today_unless_said_otherwise() {
        let read = |from, to| Days::read(from, to, NOW, YEAR).map(|days| (days.from.iso_day(), days.to.iso_day()));
        let shown = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(read(None, None), shown("2028-02-01", "2028-03-01"));
        assert_eq!(read(None, Some("2028-02-29")), shown("2028-01-31", "2028-02-29"));
        assert_eq!(read(Some("2028-02-29"), None), shown("2028-02-29", "2028-03-01"));
        let short = Days::read(None, None, NOW, 3 * DAY).unwrap();
        assert_eq!(short.from.iso_day(), "2028-02-27", "no earlier than anything is kept");
        assert!(Days::read(None, Some("2028-01-01"), NOW, 3 * DAY).is_err());
    }

    #[test]
    fn each_bad_range_names_its_parameter() {
        for (from, to, field) in [
            (Some("2028-02-30"), None, "from"),
            (Some("yesterday"), None, "from"),
            (None, Some("2028-03-02"), "to"),
            (Some("2028-03-01"), Some("2028-02-29"), "from"),
            (Some("2027-01-01"), None, "from"),
        ] {
            let rejection = Days::read(from, to, NOW, YEAR).unwrap_err();
            assert_eq!(rejection.field.as_deref(), Some(field), "{from:?} {to:?}");
        }
        assert!(Granularity::read(Some("week")).is_err());
    }

    #[test]
    fn a_leap_february_has_29_days_and_is_one_month() {
        let counts =
            by_day(None, &BTreeMap::from([(20_280_201, 1), (20_280_229, 2), (20_280_301, 4)]), days("2028-02-01", "2028-03-01"));
        assert_eq!(counts.len(), 30);
        let months = by_period(&counts, Granularity::Month);
        assert_eq!(months, BTreeMap::from([("2028-02".to_owned(), 3), ("2028-03".to_owned(), 4)]));
    }

    proptest! {
        /// However a day is stored (open, folded, or in between, with or without a use that came late), its uses are counted once.
        #[test]
        fn every_day_is_counted_once(stored in prop::collection::vec((0_u64..30, 1_u64..100, 0_u8..3, 0_u64..5), 0..30)) {
            let (mut record, mut history, mut expected) = (sample::record(), BTreeMap::new(), BTreeMap::new());
            let range = days("2028-02-01", "2028-03-01");
            for (index, count, how, late) in stored {
                let day = range.from.plus(index * DAY);
                let (mut open, mut folded) = (None, None);
                match how {
                    0 => open = Some(count),
                    1 => folded = Some(count),
                    _ => (open, folded) = (Some(count + late), Some(count)),
                }
                let window = Window::at(Period::Day, day);
                record.counters.windows.remove(&window);
                history.remove(&day.day());
                record.counters.windows.extend(open.map(|count| (window, count)));
                history.extend(folded.map(|count| (day.day(), count)));
                expected.insert(day, open.or(folded).unwrap_or(0));
            }
            let counts = by_day(Some(&record), &history, range);
            for day in range.each() {
                prop_assert_eq!(counts[&day], expected.get(&day).copied().unwrap_or(0));
            }
            for granularity in [Granularity::Day, Granularity::Month] {
                prop_assert_eq!(by_period(&counts, granularity).values().sum::<u64>(), expected.values().sum::<u64>());
            }
        }
    }
}
