//! When a key next needs looking at: the `next_check` that the sparse index is sorted by.

use crate::{
    record::{Record, Status},
    store::about::About,
    time::{DAY, Timestamp},
};

/// How long before its expiry a key's owner is reminded, in days.
pub const REMINDERS_DAYS: [u64; 3] = [30, 7, 1];

/// After how many days without use a key is noted as unused.
pub const UNUSED_DAYS: u64 = 90;

/// The earliest moment after `now` at which a reminder, an unused-key note or the end of life is due. A revoked key's
/// last check is due at once: its last days still have to be folded.
#[must_use]
pub fn next_check(record: &Record, about: &About, now: Timestamp) -> Option<Timestamp> {
    if let Status::Revoked(revocation) = &record.status {
        return Some(revocation.at);
    }
    let expiry = record.expires_at().into_iter();
    let reminders = expiry.flat_map(|expiry| REMINDERS_DAYS.map(|days| expiry.minus(days * DAY)).into_iter().chain([expiry]));
    let newest = record.generation(record.newest()).and_then(|newest| about.note(newest));
    let rotation = newest.zip(about.rotate_every_days).map(|(note, days)| note.created_at.plus(u64::from(days) * DAY));
    let unused = record.last_used_at.unwrap_or(about.created_at).plus(UNUSED_DAYS * DAY);
    reminders.chain(rotation).chain([unused]).filter(|due| *due > now).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn day(days: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(days * DAY)
    }

    #[test]
    fn the_earliest_threshold_ahead_is_next() {
        let mut record = sample::record();
        let mut about = sample::about(&record, day(0));
        assert_eq!(next_check(&record, &about, day(0)), Some(day(90)), "unused after 90 days");
        record.generations[0].expires_at = Some(day(40));
        assert_eq!(next_check(&record, &about, day(0)), Some(day(10)));
        assert_eq!(next_check(&record, &about, day(10)), Some(day(33)));
        assert_eq!(next_check(&record, &about, day(33)), Some(day(39)));
        assert_eq!(next_check(&record, &about, day(39)), Some(day(40)));
        about.rotate_every_days = Some(5);
        assert_eq!(next_check(&record, &about, day(0)), Some(day(5)));
        record.status = sample::revoked(day(3));
        assert_eq!(next_check(&record, &about, day(9)), Some(day(3)));
    }
}
