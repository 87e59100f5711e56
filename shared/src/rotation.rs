//! Rotation as a pure rule: which secrets a key has afterwards.
//!
//! At every instant at least one secret that the caller has works until its grace ends: a new generation is only ever
//! added, the one before it only ever gets an end, and only a secret that nobody has used can be replaced outright.

use crate::{
    error::{Code, Rejection},
    record::{Generation, Record, Status},
    store::commit::Commit,
    time::Timestamp,
};

/// How a key is to be rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How long the secret in use goes on working, in seconds.
    pub grace_seconds: u64,
    /// When the new secret expires; without one, when the old one was meant to.
    pub expires_at: Option<Option<Timestamp>>,
    /// Whether the first use of the new secret ends the old one at once.
    pub until_first_use: bool,
    /// Whether to end the oldest secret now, if two are in use.
    pub force: bool,
}

/// The commit that rotates `record`, adding a generation; its tag is set once there is a secret.
///
/// # Errors
/// `key_revoked`; `rotation_in_progress` if both secrets are in use; `invalid_field` if the new secret would be born expired.
pub fn plan(record: &Record, rotation: &Rotation, now: Timestamp) -> Result<Commit, Rejection> {
    if let Status::Revoked(_) = record.status {
        return Err(revoked());
    }
    let newest = record.newest();
    let live = |generation: &&Generation| generation.is_live(now);
    // One that its successor's first use has ended never works again, whatever time its grace would have left.
    let yielded = |generation: &&Generation| generation.until_first_use && record.was_used(newest);
    let mut older = record.generations.iter().filter(|generation| generation.number < newest);
    let older = older.find(|generation| live(generation) && !yielded(generation));
    let newest_live = record.generation(newest).as_ref().is_some_and(live);
    // The one that goes on working beside the new one, and a newer one that nobody can have seen.
    let (kept, unused) = match older {
        Some(older) if !record.was_used(newest) && is_held(record, older) => (older.number, Some(newest)),
        Some(older) if !newest_live => (older.number, None),
        Some(_) if !rotation.force => return Err(in_progress()),
        _ => (newest, None),
    };
    let meant = record.generation(newest).and_then(|generation| generation.expires_at);
    let expires_at = rotation.expires_at.unwrap_or(meant);
    if expires_at.is_some_and(|expiry| expiry <= now) {
        return Err(Rejection::field(
            "expires_at",
            "is required, as a future date and time or null, because the key has expired",
        ));
    }
    let mut after = record.clone();
    after.version += 1;
    after.generations.retain(|generation| generation.number == kept);
    for generation in &mut after.generations {
        let end = now.plus(rotation.grace_seconds);
        generation.replaced_at = generation.replaced_at.or(Some(now));
        generation.grace_ends_at = Some(generation.grace_ends_at.map_or(end, |earlier| earlier.min(end)));
        generation.until_first_use = rotation.until_first_use;
    }
    after.generations.push(Generation {
        number: newest + 1,
        tag: String::new(),
        expires_at,
        replaced_at: None,
        grace_ends_at: None,
        until_first_use: false,
    });
    let dropped = record.generations.iter().map(|generation| generation.number).filter(|number| *number != kept);
    Ok(Commit { dropped: dropped.collect(), unused, record: after })
}

/// Whether somebody is known to have the secret of `generation`: it was used, or was answered with the key itself. Of two
/// secrets that nobody has used yet, nobody can tell which one was lost.
fn is_held(record: &Record, generation: &Generation) -> bool {
    generation.number == 1 || record.was_used(generation.number)
}

/// A revoked key stays as it is.
#[must_use]
pub fn revoked() -> Rejection {
    Rejection::new(Code::KeyRevoked, "The key is revoked for good. Issue a new one.")
}

fn in_progress() -> Rejection {
    let detail = "The last two secrets may both be in use. Wait until the grace period of the older one ends, or send \
                  \"force\": true to end it now.";
    Rejection::new(Code::RotationInProgress, detail)
}

/// The commit that puts a new secret in the place of `record`'s newest, which must never have been used: whoever asked for that one
/// asks again, because its answer was lost. Nothing else of the key changes.
///
/// # Errors
/// `key_revoked`.
pub fn replace(record: &Record) -> Result<Commit, Rejection> {
    if let Status::Revoked(_) = record.status {
        return Err(revoked());
    }
    let newest = record.newest();
    let mut after = record.clone();
    after.version += 1;
    for generation in after.generations.iter_mut().filter(|generation| generation.number == newest) {
        generation.number = newest + 1;
        generation.tag = String::new();
    }
    Ok(Commit { record: after, dropped: vec![newest], unused: Some(newest) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn rotation() -> Rotation {
        Rotation { grace_seconds: 3600, expires_at: None, until_first_use: false, force: false }
    }

    fn rotate(record: &Record, rotation: &Rotation, now: Timestamp) -> Result<Commit, Rejection> {
        let mut commit = plan(record, rotation, now)?;
        commit.tag_newest(&format!("tag{}", record.newest() + 1));
        Ok(commit)
    }

    fn numbers(record: &Record) -> Vec<u32> {
        record.generations.iter().map(|generation| generation.number).collect()
    }

    #[test]
    fn the_old_secret_works_through_its_grace() {
        let mut record = sample::record();
        record.generations[0].expires_at = Some(NOW.plus(10_000));
        let after = rotate(&record, &rotation(), NOW).unwrap().record;
        assert_eq!(numbers(&after), [1, 2]);
        assert_eq!(after.generations[0].ends_at(), Some(NOW.plus(3600)));
        assert_eq!(
            after.generations[1].ends_at(),
            Some(NOW.plus(10_000)),
            "the new one lives as long as the old one was meant to"
        );
        assert_eq!(after.version, record.version + 1);
    }

    #[test]
    fn grace_never_lengthens_a_life() {
        let mut record = sample::record();
        record.generations[0].expires_at = Some(NOW.plus(10));
        let after = rotate(&record, &Rotation { expires_at: Some(None), ..rotation() }, NOW).unwrap().record;
        assert_eq!(after.generations[0].ends_at(), Some(NOW.plus(10)));
        assert_eq!(after.generations[1].ends_at(), None);
    }

    #[test]
    fn what_is_asked_for_again_takes_the_place_of_what_was_lost_and_changes_nothing_else() {
        let mut record = rotate(&sample::record(), &rotation(), NOW).unwrap().record;
        record.generations[1].expires_at = Some(NOW.plus(10_000));
        let commit = replace(&record).unwrap();
        assert_eq!((numbers(&commit.record), commit.unused, commit.dropped.as_slice()), (vec![1, 3], Some(2), [2].as_slice()));
        assert_eq!(commit.record.generations[0], record.generations[0]);
        assert_eq!(commit.record.generations[1].expires_at, Some(NOW.plus(10_000)));
        assert_eq!(numbers(&replace(&sample::record()).unwrap().record), [2], "of a single secret, too");
        record.status = sample::revoked(NOW);
        assert_eq!(replace(&record).unwrap_err().code, Code::KeyRevoked);
    }

    #[test]
    fn a_lost_secret_is_replaced_and_the_one_in_use_stays() {
        let once = rotate(&sample::record(), &rotation(), NOW).unwrap().record;
        let twice = rotate(&once, &rotation(), NOW.plus(60)).unwrap();
        assert_eq!(numbers(&twice.record), [1, 3]);
        assert_eq!((twice.unused, twice.dropped.as_slice()), (Some(2), [2].as_slice()));
        assert_eq!(twice.record.generations[0].ends_at(), Some(NOW.plus(3600)), "its grace is not begun anew");
    }

    #[test]
    fn two_secrets_in_use_need_force() {
        let mut record = rotate(&sample::record(), &rotation(), NOW).unwrap().record;
        record.counters.generations.insert(2, 1);
        assert_eq!(rotate(&record, &rotation(), NOW.plus(60)).unwrap_err().code, Code::RotationInProgress);
        let forced = rotate(&record, &Rotation { force: true, ..rotation() }, NOW.plus(60)).unwrap();
        assert_eq!((numbers(&forced.record), forced.dropped), (vec![2, 3], vec![1]));
    }

    #[test]
    fn force_never_ends_the_only_secret_that_works() {
        let mut record = rotate(&sample::record(), &rotation(), NOW).unwrap().record;
        record.counters.generations.insert(2, 1);
        record.generations[1].expires_at = Some(NOW.plus(10));
        let forced = Rotation { force: true, expires_at: Some(None), ..rotation() };
        assert_eq!(numbers(&rotate(&record, &forced, NOW.plus(10)).unwrap().record), [1, 3]);
    }

    #[test]
    fn of_two_secrets_that_nobody_has_used_neither_is_taken_for_lost() {
        let lost = rotate(&sample::record(), &rotation(), NOW).unwrap().record;
        let after_grace = rotate(&lost, &rotation(), NOW.plus(3600)).unwrap().record;
        assert_eq!(numbers(&after_grace), [2, 3]);
        assert_eq!(rotate(&after_grace, &rotation(), NOW.plus(3601)).unwrap_err().code, Code::RotationInProgress);
        assert!(rotate(&after_grace, &Rotation { force: true, ..rotation() }, NOW.plus(3601)).is_ok());
    }

    #[test]
    fn a_secret_that_yielded_to_its_successor_stays_ended() {
        let until_first_use = Rotation { until_first_use: true, ..rotation() };
        let mut record = rotate(&sample::record(), &until_first_use, NOW).unwrap().record;
        record.counters.generations.insert(2, 1);
        let again = rotate(&record, &rotation(), NOW.plus(60)).unwrap();
        assert_eq!(numbers(&again.record), [2, 3], "only one is in use, so nothing is in the way");
        record.generations[1].expires_at = Some(NOW.plus(10));
        let revived = Rotation { expires_at: Some(None), ..rotation() };
        assert_eq!(numbers(&rotate(&record, &revived, NOW.plus(10)).unwrap().record), [2, 3]);
    }

    #[test]
    fn after_the_grace_the_newest_is_the_one_in_use() {
        let record = rotate(&sample::record(), &rotation(), NOW).unwrap().record;
        let later = rotate(&record, &rotation(), NOW.plus(3600)).unwrap();
        assert_eq!((numbers(&later.record), later.unused), (vec![2, 3], None));
    }

    #[test]
    fn an_expired_key_rotates_with_a_new_expiry() {
        let mut record = sample::record();
        record.generations[0].expires_at = Some(NOW);
        assert_eq!(rotate(&record, &rotation(), NOW).unwrap_err().field.as_deref(), Some("expires_at"));
        assert!(rotate(&record, &Rotation { expires_at: Some(None), ..rotation() }, NOW).is_ok());
    }

    proptest! {
        /// Uses, losses, forced and plain rotations, with and without expiry, in any order: a rotation never takes away the
        /// only secret that the caller has and that works, nor shortens its life to less than the grace.
        #[test]
        fn never_a_gap(steps in prop::collection::vec(
            (0_u64..5000, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(1_u64..20_000)), 1..20,
        )) {
            let works = |record: &Record, number: u32, now: Timestamp| {
                let yielded = |generation: &Generation| generation.until_first_use && record.was_used(record.newest());
                record.generation(number).is_some_and(|held| held.is_live(now) && !yielded(held))
            };
            let (mut record, mut now, mut holding) = (sample::record(), NOW, vec![1]);
            record.counters.generations.insert(1, 1);
            for (seconds, lost, used, force, until_first_use, expiry) in steps {
                now = now.plus(seconds);
                let asked = Rotation {
                    force, until_first_use, expires_at: Some(expiry.map(|seconds| now.plus(seconds))), ..rotation()
                };
                let working: Vec<u32> = holding.iter().copied().filter(|held| works(&record, *held, now)).collect();
                let commit = match rotate(&record, &asked, now) {
                    Ok(commit) => commit,
                    Err(rejection) => {
                        prop_assert_eq!(rejection.code, Code::RotationInProgress);
                        prop_assert!(!force && record.generations.len() == 2, "an administrator can always force it");
                        continue;
                    }
                };
                prop_assert_eq!(commit.record.newest(), record.newest() + 1, "numbers are never reused");
                prop_assert!(commit.record.generations.len() <= 2);
                for held in &working {
                    let end = |record: &Record| record.generation(*held).and_then(Generation::ends_at);
                    if let Some(after) = end(&commit.record) {
                        let before = end(&record).unwrap_or(Timestamp::from_secs(u64::MAX));
                        prop_assert!(after <= before && after >= before.min(now.plus(3600)));
                    }
                }
                let mut counters = record.counters.clone();
                counters.generations.retain(|number, _| !commit.dropped.contains(number));
                record = Record { counters, ..commit.record };
                let still = working.iter().any(|held| works(&record, *held, now));
                let forced = force && commit.unused.is_none() && !commit.dropped.is_empty();
                prop_assert!(working.is_empty() || still || forced, "lost or not, something that the caller has works on");
                if !lost {
                    holding.push(record.newest());
                }
                let newest = holding.last().copied().unwrap_or(1);
                if used && works(&record, newest, now) {
                    *record.counters.generations.entry(newest).or_default() += 1;
                }
            }
        }
    }
}
