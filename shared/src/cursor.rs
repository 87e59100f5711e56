//! Cursors: opaque, bound to the list that they were given for, and checked before anything is looked up.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest as _, Sha256};

use crate::{
    error::{Code, Rejection},
    id::KeyId,
    store::list::Position,
    time::Timestamp,
};

const CHECK_LENGTH: usize = 8;

/// The cursor for what follows `place` in the list of that name.
#[must_use]
pub fn seal(list: &str, place: &str) -> String {
    let mut bytes = check(list, place).to_vec();
    bytes.extend_from_slice(place.as_bytes());
    BASE64.encode(bytes)
}

/// The place that a cursor for the list of that name names, as `read` understands it.
///
/// # Errors
/// `invalid_cursor` for anything that [`seal`] hasn't made for this list.
pub fn open<T>(list: &str, cursor: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Rejection> {
    unseal(list, cursor).as_deref().and_then(read).ok_or_else(|| {
        let detail = "must be the next_cursor of an answer to the same list; leave it out to begin at the start";
        Rejection { code: Code::InvalidCursor, ..Rejection::field("cursor", detail) }
    })
}

fn unseal(list: &str, cursor: &str) -> Option<String> {
    let bytes = BASE64.decode(cursor).ok()?;
    let (sent, place) = bytes.split_at_checked(CHECK_LENGTH)?;
    let place = std::str::from_utf8(place).ok()?;
    (sent == check(list, place)).then(|| place.to_owned())
}

/// The cursor for the keys that follow `position` in the list of `partition`.
#[must_use]
pub fn encode(partition: &str, position: &Position) -> String {
    seal(partition, &format!("{} {}", position.created_at.secs(), position.id))
}

/// The position that a cursor for the list of `partition` names.
///
/// # Errors
/// `invalid_cursor` for anything that [`encode`] hasn't made for this list.
pub fn decode(partition: &str, cursor: &str) -> Result<Position, Rejection> {
    open(partition, cursor, |place| {
        let (created_at, id) = place.split_once(' ')?;
        Some(Position { id: KeyId::parse(id)?, created_at: Timestamp::from_secs(created_at.parse().ok()?) })
    })
}

/// Notices accidents and mixed-up lists. It is no signature: whoever lists keys may begin at any of them.
fn check(list: &str, place: &str) -> [u8; CHECK_LENGTH] {
    let digest = Sha256::digest(format!("cursor/1 {list} {place}"));
    let mut check = [0; CHECK_LENGTH];
    check.copy_from_slice(&digest[..CHECK_LENGTH]);
    check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Position {
        Position { id: KeyId::parse("key_0123456789abcdefghijkl").unwrap(), created_at: Timestamp::from_secs(1_800_000_000) }
    }

    #[test]
    fn a_cursor_fits_its_own_list_only() {
        let cursor = encode("user:42", &sample());
        assert_eq!(decode("user:42", &cursor).unwrap(), sample());
        assert_eq!(decode("user:43", &cursor).unwrap_err().code, Code::InvalidCursor);
    }

    proptest! {
        #[test]
        fn every_changed_cursor_is_refused(index in 0_usize..60, letter in "[A-Za-z0-9_-]") {
            let cursor = encode("user:42", &sample());
            let index = index % cursor.len();
            let mut changed = cursor.clone();
            changed.replace_range(index..=index, &letter);
            prop_assert_eq!(decode("user:42", &changed).is_ok(), changed == cursor);
        }

        #[test]
        fn nonsense_never_panics(text in ".{0,80}") {
            prop_assert!(decode("user:42", &text).is_err());
        }
    }
}
