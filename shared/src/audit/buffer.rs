//! What waits to be copied: attempts with keys one by one, attempts with none added up by minute and address.

use std::collections::{BTreeMap, VecDeque};

use super::row::{Group, Row, Tried};

/// The most rows that wait. While the table takes none, later ones push the oldest out.
const MOST_WAITING: usize = 1000;

/// The most rows of one minute for attempts without a key: nine addresses, and all others.
const MOST_GROUPS: usize = 10;

/// A group is of one minute, in milliseconds.
const MINUTE_MILLIS: u64 = 60_000;

/// The rows that wait.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    waiting: VecDeque<Row>,
    minute: u64,
    groups: Vec<Group>,
    /// How many attempts the rows stand for that were taken and haven't come back yet.
    on_their_way: Option<u64>,
    lost: u64,
}

impl Buffer {
    /// Adds an attempt.
    pub(super) fn add(&mut self, tried: Tried) {
        if tried.attempt.key.is_some() {
            self.wait(Row::Attempt(tried));
            return;
        }
        self.end_minute(tried.at_millis);
        let others = self.groups.len() + 1 >= MOST_GROUPS;
        let address = &tried.attempt.source_ip;
        let own = self.groups.iter_mut().find(|group| !group.others && group.sample.attempt.source_ip == *address);
        let group = match own {
            Some(group) => Some(group),
            None => self.groups.iter_mut().find(|group| group.others),
        };
        match group {
            Some(group) => *group.counts.entry(tried.outcome).or_default() += 1,
            None => self.groups.push(Group { counts: BTreeMap::from([(tried.outcome, 1)]), others, sample: tried }),
        }
    }

    /// Lets the groups of a minute that is over wait as rows. A clock that has stepped ends a minute as well.
    pub(super) fn end_minute(&mut self, now_millis: u64) {
        let minute = now_millis / MINUTE_MILLIS;
        if minute != self.minute {
            self.close();
        }
        self.minute = minute;
    }

    /// Lets all groups wait as rows.
    pub(super) fn close(&mut self) {
        for group in std::mem::take(&mut self.groups) {
            self.wait(Row::Group(group));
        }
    }

    fn wait(&mut self, row: Row) {
        self.waiting.push_back(row);
        self.drop_oldest();
    }

    fn drop_oldest(&mut self) {
        while self.waiting.len() > MOST_WAITING {
            self.lost += self.waiting.pop_front().map_or(0, |row| row.attempts());
        }
    }

    /// How many rows wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes the oldest rows to be written, at most so many, none of which is on its way already.
    pub(super) fn take(&mut self, most: usize) -> Vec<Row> {
        let count = most.min(self.waiting.len());
        let rows: Vec<Row> = self.waiting.drain(..count).collect();
        self.on_their_way = Some(attempts(&rows));
        rows
    }

    /// Ends what [`Buffer::take`] began: `again` could not be written yet, and is the next. Answers whether anybody still waited for it.
    pub(super) fn give_back(&mut self, again: Vec<Row>) -> bool {
        if self.on_their_way.take().is_none() {
            return false;
        }
        for row in again.into_iter().rev() {
            self.waiting.push_front(row);
        }
        self.drop_oldest();
        true
    }

    /// Gives up: answers how many attempts are not known to be written, those on their way among them.
    pub(super) fn abandon(&mut self) -> u64 {
        self.close();
        let waiting = attempts(&self.waiting);
        self.waiting.clear();
        waiting + self.on_their_way.take().unwrap_or(0) + self.take_lost()
    }

    /// How many attempts were pushed out since this was last asked.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

fn attempts<'a>(rows: impl IntoIterator<Item = &'a Row>) -> u64 {
    rows.into_iter().map(Row::attempts).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use uuid::Uuid;

    use super::*;
    use crate::audit::attempt::{ALLOWED, Attempt};

    fn tried(key: Option<&str>, address: u64, outcome: &'static str, at_millis: u64) -> Tried {
        let attempt = Attempt { key: key.map(ToOwned::to_owned), source_ip: Some(address.to_string()), ..Attempt::default() };
        Tried { id: Uuid::nil(), at_millis, outcome, duration_ms: 0.0, attempt }
    }

    proptest! {
        /// Whatever comes, at most ten rows a minute are of attempts without a key, and every attempt is in exactly one row.
        #[test]
        fn a_flood_of_unknown_keys_is_ten_rows_a_minute_and_loses_none(
            attempts in prop::collection::vec((any::<bool>(), 0_u64..30, 0_u64..3), 0..400),
        ) {
            let (mut buffer, mut rows) = (Buffer::default(), Vec::new());
            for minute in 0..3 {
                for (known, address, _) in attempts.iter().filter(|(_, _, at)| *at == minute) {
                    buffer.add(tried(known.then_some("key"), *address, "unknown_key", minute * 60_000));
                }
                buffer.end_minute((minute + 1) * 60_000);
                let of_minute = buffer.take(usize::MAX);
                let groups = of_minute.iter().filter(|row| matches!(row, Row::Group(_))).count();
                prop_assert!(groups <= MOST_GROUPS, "{groups}");
                rows.extend(of_minute);
            }
            prop_assert_eq!(rows.iter().map(Row::attempts).sum::<u64>(), attempts.len() as u64);
        }
    }

    #[test]
    fn nine_addresses_have_rows_of_their_own_and_all_others_share_one() {
        let mut buffer = Buffer::default();
        for address in 0..50 {
            for outcome in ["unknown_key", "unknown_key", "malformed_key"] {
                buffer.add(tried(None, address, outcome, 0));
            }
        }
        buffer.close();
        let rows = buffer.take(100);
        let others: Vec<_> = rows.iter().filter(|row| matches!(row, Row::Group(group) if group.others)).collect();
        assert_eq!((rows.len(), others.len(), others[0].attempts()), (10, 1, 41 * 3));
        let Row::Group(first) = &rows[0] else { panic!("a group") };
        assert_eq!(first.counts, BTreeMap::from([("malformed_key", 1), ("unknown_key", 2)]));
    }

    #[test]
    fn what_is_pushed_out_is_counted_as_lost() {
        let mut buffer = Buffer::default();
        for at in 0..MOST_WAITING as u64 + 5 {
            buffer.add(tried(Some("key"), 1, ALLOWED, at));
        }
        let taken = buffer.take(25);
        let Row::Attempt(oldest) = &taken[0] else { panic!("an attempt") };
        assert_eq!((buffer.take_lost(), oldest.at_millis), (5, 5));
        let again = taken.clone();
        buffer.give_back(taken);
        assert_eq!((buffer.take(25), buffer.take_lost()), (again, 0), "what comes back is next");
    }

    #[test]
    fn what_is_abandoned_is_counted_once_wherever_it_was() {
        let mut buffer = Buffer::default();
        for at in 0..MOST_WAITING as u64 + 5 {
            buffer.add(tried(Some("key"), 1, ALLOWED, at));
        }
        buffer.add(tried(None, 1, "unknown_key", 0));
        let on_their_way = buffer.take(25);
        assert_eq!(buffer.abandon(), MOST_WAITING as u64 + 6, "pushed out, waiting, in a group, and on their way");
        assert!(!buffer.give_back(on_their_way));
        assert_eq!((buffer.waiting(), buffer.abandon()), (0, 0));
    }
}
