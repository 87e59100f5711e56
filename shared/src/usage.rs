//! Usage: how often a key was allowed, by UTC day and month. Exact, because each use is in exactly one place.

use std::collections::BTreeMap;

use crate::{
    error::Rejection,
    record::Record,
    time::{self, DAY, Timestamp, parse_iso_day},
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

/// The days of which anything can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The first day that may be asked for: what was earlier is gone.
    pub earliest: Timestamp,
    /// The first day of which all is told. What is shown by default doesn't begin before it.
    pub complete_from: Timestamp,
}

impl Kept {
    /// The days of the last so many seconds.
    #[must_use]
    pub const fn for_seconds(retention_seconds: u64, now: Timestamp) -> Self {
        let earliest = start(now.minus(retention_seconds));
        Self { earliest, complete_from: earliest }
    }

    /// The same of all keys of an owner, which lists forget so many seconds after they have ended: a key that was used on a day
    /// and is forgotten by now had ended by the end of the day that was so many seconds ago.
    #[must_use]
    pub fn of_keys(self, retention_seconds: u64, now: Timestamp) -> Self {
        Self { complete_from: self.complete_from.max(start(now.minus(retention_seconds)).plus(DAY)), ..self }
    }
}

impl Days {
    /// The days that the parameters `from` and `to` name, none of them before what is `kept`. Unless they say otherwise: up to
    /// today, and thirty of them; by month, the month that `to` is in and the one before, so that no month is told in part without
    /// having been asked for.
    ///
    /// # Errors
    /// `invalid_field` that names the parameter and what it may be.
    pub fn read(
        from: Option<&str>,
        to: Option<&str>,
        now: Timestamp,
        kept: Kept,
        granularity: Granularity,
    ) -> Result<Self, Rejection> {
        let day = |name: &str, text: Option<&str>| {
            let parse = |text| parse_iso_day(text).ok_or_else(|| Rejection::field(name, "must be a UTC day, as in 2026-11-23"));
            text.map(parse).transpose()
        };
        let today = start(now);
        let to = day("to", to)?.unwrap_or(today);
        if to > today {
            return Err(Rejection::field("to", format!("must not be in the future; today is {}", today.iso_day())));
        }
        let from = day("from", from)?.unwrap_or_else(|| granularity.begin(to, kept.complete_from));
        if from > to {
            return Err(Rejection::field("from", format!("must not be after to, which is {}", to.iso_day())));
        }
        if from < kept.earliest {
            let detail = format!("must not be before {}: what was earlier is not kept", kept.earliest.iso_day());
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

const fn start(now: Timestamp) -> Timestamp {
    now.minus(now.secs() % DAY)
}

/// The first day of the month that `day` is in.
fn first_of_month(day: Timestamp) -> Timestamp {
    time::start_of_day(day.day() / 100 * 100 + 1).unwrap_or(day)
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
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

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

    /// The first of the days up to `to` that are shown by default: no earlier than `earliest`, if `to` isn't either.
    fn begin(self, to: Timestamp, earliest: Timestamp) -> Timestamp {
        let latest = earliest.min(to);
        match self {
            Self::Day => to.minus((DEFAULT_DAYS - 1) * DAY).max(latest),
            Self::Month => {
                let this = first_of_month(to);
                let whole = [first_of_month(this.minus(1)), this].into_iter().find(|first| *first >= earliest);
                whole.unwrap_or(latest)
            }
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

    fn kept() -> Kept {
        Kept::for_seconds(400 * DAY, NOW)
    }

    fn days(from: &str, to: &str) -> Days {
        Days::read(Some(from), Some(to), NOW, kept(), Granularity::Day).unwrap()
    }

    #[test]
    fn days_are_thirty_up_to_today_unless_said_otherwise() {
        let shown_of = |days: Days| (days.from.iso_day(), days.to.iso_day());
        let read = |from, to| Days::read(from, to, NOW, kept(), Granularity::Day).map(shown_of);
        let shown = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(read(None, None), shown("2028-02-01", "2028-03-01"));
        assert_eq!(read(None, Some("2028-02-29")), shown("2028-01-31", "2028-02-29"));
        assert_eq!(read(Some("2028-02-29"), None), shown("2028-02-29", "2028-03-01"));
        let short = Kept::for_seconds(3 * DAY, NOW);
        let read = |to| Days::read(None, to, NOW, short, Granularity::Day);
        assert_eq!(read(None).unwrap().from.iso_day(), "2028-02-27", "no earlier than anything is kept");
        assert!(read(Some("2028-01-01")).is_err());
    }

    #[test]
    fn months_are_whole_unless_said_otherwise() {
        for (to, kept_days, from) in [
            ("2028-03-01", 400, "2028-02-01"),
            ("2028-02-29", 400, "2028-01-01"),
            ("2028-01-31", 400, "2027-12-01"),
            ("2028-03-01", 29, "2028-02-01"),
            ("2028-03-01", 28, "2028-03-01"),
            ("2028-02-29", 29, "2028-02-01"),
            // Nothing whole is left.
            ("2028-02-29", 5, "2028-02-25"),
        ] {
            let kept = Kept::for_seconds(kept_days * DAY, NOW);
            let days = Days::read(None, Some(to), NOW, kept, Granularity::Month).unwrap();
            assert_eq!((days.from.iso_day(), days.to.iso_day()), (from.to_owned(), to.to_owned()), "{kept_days}");
        }
    }

    #[test]
    fn an_owner_s_days_are_complete_once_no_key_that_was_used_on_them_is_forgotten() {
        let kept = kept().of_keys(90 * DAY, NOW);
        assert_eq!((kept.earliest, kept.complete_from.iso_day()), (self::kept().earliest, "2027-12-03".to_owned()));
        assert_eq!(self::kept().of_keys(500 * DAY, NOW), self::kept(), "nothing is kept longer than usage is");
        let days = Days::read(None, None, NOW, kept.of_keys(DAY, NOW), Granularity::Day).unwrap();
        assert_eq!(days.from.iso_day(), "2028-03-01", "no earlier than all is told");
        assert!(Days::read(Some("2027-12-01"), None, NOW, kept, Granularity::Day).is_ok());
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
            let rejection = Days::read(from, to, NOW, kept(), Granularity::Day).unwrap_err();
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
