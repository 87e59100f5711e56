//! The moment of a request, as API Gateway writes it.

use time::OffsetDateTime;
use time::format_description::parse_borrowed;

/// Milliseconds since 1970.
pub(super) fn epoch_millis(received: OffsetDateTime) -> i64 {
    i64::try_from(received.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// As in an access log: `23/Nov/2026:20:39:16 +0000`.
pub(super) fn in_a_log(received: OffsetDateTime) -> String {
    parse_borrowed::<2>("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000")
        .ok()
        .and_then(|format| received.format(&format).ok())
        .unwrap_or_default()
}
