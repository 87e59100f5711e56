//! Time as a value: whole seconds since the Unix epoch, and its UTC calendar.

use std::fmt;

use serde::{Serialize, Serializer};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

/// Seconds in one UTC day; the epoch has no leap seconds.
pub const DAY: u64 = 86_400;

/// The last second that has a four-digit year: 9999-12-31T23:59:59Z.
const LAST: u64 = 253_402_300_799;

/// A moment in whole seconds since the Unix epoch, from 1970 to the end of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// A text or number that is no [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date and time as in RFC 3339, for example 2027-01-31T12:00:00Z")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The epoch itself: earlier than everything that happens here.
    pub const EPOCH: Self = Self(0);

    /// From seconds since the epoch; seconds past the year 9999 become its last one.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(if seconds > LAST { LAST } else { seconds })
    }

    /// From an RFC 3339 text; fractions of a second are dropped.
    ///
    /// # Errors
    /// [`InvalidTimestamp`] for any other text, and for moments before 1970.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        u64::try_from(moment.unix_timestamp()).map(Self::from_secs).map_err(|_| InvalidTimestamp)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0
    }

    /// This moment and `seconds` more, at most the end of the year 9999.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self::from_secs(self.0.saturating_add(seconds))
    }

    /// This moment less `seconds`, at least the epoch.
    #[must_use]
    pub const fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// Seconds from this moment until `later`; 0 if that has passed.
    #[must_use]
    pub const fn until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }

    /// The UTC day as `20261123`, the form that counters and history are named by.
    #[must_use]
    pub fn day(self) -> u32 {
        let date = self.date();
        date.year().unsigned_abs() * 10_000 + u32::from(u8::from(date.month())) * 100 + u32::from(date.day())
    }

    /// The UTC month as `202611`.
    #[must_use]
    pub fn month(self) -> u32 {
        self.day() / 100
    }

    /// The UTC day as `2026-11-23`, the form of index and audit partitions.
    #[must_use]
    pub fn iso_day(self) -> String {
        let day = self.day();
        format!("{:04}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100)
    }

    /// As HTTP writes it (RFC 9110, section 5.6.7): `Mon, 23 Nov 2026 20:12:00 GMT`.
    #[must_use]
    pub fn http_date(self) -> String {
        let (date, time) = (self.date(), self.0 % DAY);
        let (weekday, month) = (date.weekday().to_string(), date.month().to_string());
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        format!("{}, {:02} {} {:04} {hour:02}:{minute:02}:{second:02} GMT", &weekday[..3], date.day(), &month[..3], date.year())
    }

    fn date(self) -> Date {
        // In range by construction; the epoch stands in for what can't happen.
        i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .date()
    }
}

/// The first second of the UTC day `yyyymmdd`, if there is such a day.
#[must_use]
pub fn start_of_day(yyyymmdd: u32) -> Option<Timestamp> {
    let month = u8::try_from(yyyymmdd / 100 % 100).ok()?;
    let day = u8::try_from(yyyymmdd % 100).ok()?;
    let year = i32::try_from(yyyymmdd / 10_000).ok()?;
    let date = Date::from_calendar_date(year, month.try_into().ok()?, day).ok()?;
    u64::try_from(date.midnight().assume_utc().unix_timestamp()).ok().map(Timestamp::from_secs)
}

/// A moment in milliseconds since the epoch, as RFC 3339 in UTC: `2026-11-23T20:12:00.123Z`.
#[must_use]
pub fn rfc3339_millis(millis: u64) -> String {
    let mut text = Timestamp::from_secs(millis / 1000).to_string();
    text.truncate("2026-11-23T20:12:00".len());
    format!("{text}.{:03}Z", millis % 1000)
}

/// The first second of the UTC day that is written as `2026-11-23`, if it is one.
#[must_use]
pub fn parse_iso_day(text: &str) -> Option<Timestamp> {
    let digits: String = text.split('-').collect();
    let start = start_of_day(digits.parse().ok()?)?;
    (start.iso_day() == text).then_some(start)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC: `2026-11-23T20:12:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0 % DAY;
        write!(f, "{}T{:02}:{:02}:{:02}Z", self.iso_day(), time / 3600, time / 60 % 60, time % 60)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn calendar_of_a_leap_day() {
        let leap = Timestamp::parse("2028-02-29T23:59:59Z").unwrap();
        assert_eq!((leap.day(), leap.month()), (20_280_229, 202_802));
        assert_eq!(leap.plus(1).day(), 20_280_301);
        assert_eq!(leap.iso_day(), "2028-02-29");
    }

    #[test]
    fn offsets_are_converted_and_nonsense_is_refused() {
        assert_eq!(Timestamp::parse("2026-11-23T21:00:00+01:00").unwrap().to_string(), "2026-11-23T20:00:00Z");
        for bad in ["", "tomorrow", "2026-11-23", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(Timestamp::parse(bad), Err(InvalidTimestamp), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_and_days_agree_with_themselves(seconds in 0..=LAST) {
            let moment = Timestamp::from_secs(seconds);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()).unwrap(), moment);
            prop_assert_eq!(start_of_day(moment.day()).unwrap().secs(), seconds - seconds % DAY);
        }
    }

    #[test]
    fn days_are_read_as_they_are_written() {
        assert_eq!(parse_iso_day("2024-02-29").map(|day| day.to_string()).as_deref(), Some("2024-02-29T00:00:00Z"));
        for bad in ["2023-02-29", "2024-2-29", "20240229", "2024-02-2", "2024-02-29T00:00:00Z", "", "-2024-02-29", "+024-02-29"] {
            assert_eq!(parse_iso_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn http_dates_are_as_the_rfc_has_them() {
        assert_eq!(Timestamp::from_secs(784_111_777).http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
