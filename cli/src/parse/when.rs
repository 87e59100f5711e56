//! Moments and durations, as `90d`, `2027-01-31` or `2027-01-31T12:00:00Z`. All are UTC.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};
use time::{Date, Duration, Month, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::Misspelled;

const DAY: u64 = 86_400;

/// A hundred years: what is longer is a slip.
const LONGEST: u64 = 36_525 * DAY;

/// A number of seconds, as `90d`, `12h`, `30m` or `45s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u64);

impl FromStr for Seconds {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        let misspelled = Misspelled("must be a number of s, m, h, d or w, such as 90d or 12h");
        if text == "0" {
            return Ok(Self(0));
        }
        let unit = text.chars().last().and_then(|unit| match unit {
            's' => Some(1),
            'm' => Some(60),
            'h' => Some(3600),
            'd' => Some(DAY),
            'w' => Some(7 * DAY),
            _ => None,
        });
        let seconds = unit.and_then(|unit| {
            let number = &text[..text.len() - 1];
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u64 = number.parse().ok().filter(|_| digits)?;
            number.checked_mul(unit).filter(|seconds| *seconds <= LONGEST)
        });
        seconds.map(Self).ok_or(misspelled)
    }
}

/// A day, as `2027-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) Date);

impl FromStr for Day {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        let numbers = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let parts: Vec<&str> = text.split('-').collect();
        let date = match parts[..] {
            [year, month, day] if numbers && (year.len(), month.len(), day.len()) == (4, 2, 2) => {
                let month = month.parse().ok().and_then(|month: u8| Month::try_from(month).ok());
                let (year, day) = (year.parse().ok(), day.parse().ok());
                year.zip(month).zip(day).and_then(|((year, month), day)| Date::from_calendar_date(year, month, day).ok())
            }
            _ => None,
        };
        date.map(Self).ok_or(Misspelled("must be a day such as 2027-01-31"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(date) = self;
        write!(f, "{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    }
}

/// When something is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long after now.
    In(Seconds),
    /// At the beginning of a day, or at a second.
    At(OffsetDateTime),
}

impl Moment {
    /// As the API has it.
    pub(crate) fn json(self, now: OffsetDateTime) -> Value {
        let at = match self {
            Self::In(Seconds(seconds)) => now.saturating_add(Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX))),
            Self::At(at) => at.to_offset(UtcOffset::UTC),
        };
        json!(at.replace_nanosecond(0).ok().and_then(|at| at.format(&Rfc3339).ok()))
    }
}

impl FromStr for Moment {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        let misspelled = |_| Misspelled("must be a duration such as 90d, a day such as 2027-01-31, or 2027-01-31T12:00:00Z");
        if let Ok(seconds) = text.parse() {
            return Ok(Self::In(seconds));
        }
        if let Ok(Day(date)) = text.parse() {
            return Ok(Self::At(date.midnight().assume_utc()));
        }
        OffsetDateTime::parse(text, &Rfc3339).map(Self::At).map_err(misspelled)
    }
}

/// When something is to end, if ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// `never`.
    Never,
    /// Then.
    Then(Moment),
}

impl When {
    /// As the API has it.
    pub(crate) fn json(self, now: OffsetDateTime) -> Value {
        match self {
            Self::Never => Value::Null,
            Self::Then(moment) => moment.json(now),
        }
    }
}

impl FromStr for When {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        if text == "never" { Ok(Self::Never) } else { text.parse().map(Self::Then) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    /// 2026-11-25 12:00:00.5.
    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(1_795_608_000_500_000_000).unwrap()
    }

    proptest! {
        #[test]
        fn durations_are_a_number_and_a_unit(
            number in 0_u64..5000,
            (unit, seconds) in select(vec![("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)]),
        ) {
            prop_assert_eq!(format!("{number}{unit}").parse::<Seconds>().unwrap(), Seconds(number * seconds));
        }

        #[test]
        fn no_text_breaks_the_parsers(text in "\\PC*") {
            let _ = (text.parse::<Seconds>(), text.parse::<Day>());
            if let Ok(when) = text.parse::<When>() {
                let _ = when.json(now());
            }
        }

        #[test]
        fn days_are_written_as_they_are_read(ordinal in 1_u16..=365, year in 1970_i32..=9999) {
            let day = Day(Date::from_ordinal_date(year, ordinal).unwrap());
            prop_assert_eq!(day.to_string().parse::<Day>().unwrap(), day);
        }
    }

    #[test]
    fn every_way_to_say_when_is_understood() {
        for (text, at) in [
            ("90d", json!("2027-02-23T12:00:00Z")),
            ("0", json!("2026-11-25T12:00:00Z")),
            ("2027-01-31", json!("2027-01-31T00:00:00Z")),
            ("2027-01-31T12:00:00+02:00", json!("2027-01-31T10:00:00Z")),
            ("never", Value::Null),
        ] {
            assert_eq!(text.parse::<When>().unwrap().json(now()), at, "{text}");
        }
        for bad in ["", "d", "90", "-1d", "+1d", "1.5h", "90 d", "1y", "99999999999d", "2027-02-30", "tomorrow", "é"] {
            assert!(bad.parse::<When>().is_err(), "{bad}");
        }
    }
}
