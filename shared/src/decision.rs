//! The decision: may this request pass, and what does letting it pass write? A pure function of a record, a request and a time.

use std::net::IpAddr;

use crate::{
    address,
    error::Code,
    limit::{Limit, Period, Remaining, Window},
    path::NormalPath,
    record::{Generation, Record, Status},
    scope::{self, Scope},
    time::Timestamp,
};

/// How far a clock may be behind `swept` before that is our own fault, in seconds.
pub const MOST_CLOCK_SKEW: u64 = 60;

/// How long ended windows are kept, in seconds: instances whose clocks are this far behind still find theirs.
pub const SWEEP_DELAY: u64 = 5;

/// The most windows that one use removes; more are removed after the response.
pub const MOST_SWEPT: usize = 16;

/// The most days that one use folds. There are more only after a long time without any use that was allowed.
pub const MOST_FOLDED: usize = 16;

/// How long after its end a day is folded into history, in seconds: by then no clock names that day any more.
pub const FOLD_DELAY: u64 = 3600;

/// The request, as far as the decision needs it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The HTTP method, as received.
    pub method: &'a str,
    /// The path's normal form, if it has one.
    pub path: Option<NormalPath>,
    /// What the route asks of a key's scopes.
    pub route: Route,
    /// The caller's address, from the request context and never from a header.
    pub address: Option<IpAddr>,
}

/// What a route asks of a key's scopes.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// A route of an API: one of them must cover its method and path.
    Api,
    /// A route that names the scope it needs, whatever its method and path: `admin` for those of the management API.
    Scope(Scope),
    /// A route of any key, such as what it may ask about itself: nothing.
    AnyKey,
}

impl Route {
    /// The management API.
    pub const MANAGEMENT: Self = Self::Scope(Scope::Admin);
    /// The rotation of a key by itself. Whoever finds a secret must not be able to take its key over.
    pub const OWN_ROTATION: Self = Self::Scope(Scope::SelfRotate);

    /// Whether a key with `scopes` may call this route with `method` on `path`.
    #[must_use]
    pub fn permits(&self, scopes: &[Scope], method: &str, path: Option<&NormalPath>) -> bool {
        match self {
            Self::Api => scope::allow(scopes, method, path),
            Self::Scope(needed) => scopes.iter().any(|own| own.stands_for(needed)),
            Self::AnyKey => true,
        }
    }
}

/// The generation that the presented secret proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its number.
    pub number: u32,
    /// Its tag.
    pub tag: String,
}

/// Refuse, or proceed to the write that proves and counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// No.
    Refuse(Refusal),
    /// Yes, if this write goes through.
    Proceed(Use),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key doesn't have that generation and never answered with it.
    Unknown,
    /// Revoked.
    Revoked,
    /// Disabled.
    Disabled,
    /// Past the expiry of its generation.
    Expired,
    /// Its generation was replaced.
    Replaced,
    /// Not from there.
    Address,
    /// Not this.
    Scope,
    /// Not before the window ends; of several full ones, the one that ends last.
    Limited {
        /// The limit that is reached.
        limit: Limit,
        /// Whether it is its owner's, and shared with other keys.
        shared: bool,
        /// Seconds until its window ends.
        retry_after_seconds: u64,
    },
}

impl Refusal {
    /// What the caller is told.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::UnknownKey,
            Self::Revoked => Code::RevokedKey,
            Self::Disabled => Code::DisabledKey,
            Self::Expired => Code::ExpiredKey,
            Self::Replaced => Code::ReplacedKey,
            Self::Address => Code::AddressNotAllowed,
            Self::Scope => Code::ScopeNotAllowed,
            Self::Limited { .. } => Code::RateLimited,
        }
    }
}

/// The one write of an allowed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The version that the decision rests on.
    pub version: u64,
    /// The moment that it counts as.
    pub now: Timestamp,
    /// The generation to count.
    pub generation: u32,
    /// The current window of each limit, none of which may be full.
    pub windows: Vec<(Window, u64)>,
    /// The day to count.
    pub day: Window,
    /// The generation that must still be unused, for a secret that its successor's first use ends.
    pub unused: Option<u32>,
    /// Ended windows to remove in the same write.
    pub sweep: Option<Sweep>,
}

/// Removal of ended windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The new value of `swept`: no window that ends later is removed.
    pub up_to: Timestamp,
    /// The windows.
    pub windows: Vec<Window>,
}

/// This machine's clock is over a minute behind another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock is {behind_seconds} s behind the one that last swept the key")]
pub struct ClockBehind {
    /// By how much.
    pub behind_seconds: u64,
}

/// Decides `request`, made with the secret of `proof` at `now`.
///
/// # Errors
/// [`ClockBehind`] if this clock can't be trusted to name the current window.
pub fn decide(record: &Record, proof: &Proof, request: &Request<'_>, now: Timestamp) -> Result<Decision, ClockBehind> {
    let now = trusted_now(record.swept, now)?;
    Ok(match refusal(record, proof, request, now) {
        Some(refusal) => Decision::Refuse(refusal),
        None => Decision::Proceed(charge(record, proof, now)),
    })
}

/// `now`, but never before `swept`: a window that ended by then may be gone, and must not be begun again.
///
/// # Errors
/// [`ClockBehind`] if this clock can't be trusted to name the current window.
pub fn trusted_now(swept: Timestamp, now: Timestamp) -> Result<Timestamp, ClockBehind> {
    match now.until(swept) {
        behind_seconds if behind_seconds > MOST_CLOCK_SKEW => Err(ClockBehind { behind_seconds }),
        _ => Ok(now.max(swept)),
    }
}

fn refusal(record: &Record, proof: &Proof, request: &Request<'_>, now: Timestamp) -> Option<Refusal> {
    standing(record, proof, request, now).or_else(|| full(&record.remaining(now), false))
}

/// Why `record` refuses `request` whatever was counted, if it does. Asked once more of the record that a use has left: what
/// was changed by hand, without a new version, is seen there and nowhere else.
#[must_use]
pub fn standing(record: &Record, proof: &Proof, request: &Request<'_>, now: Timestamp) -> Option<Refusal> {
    match record.status {
        Status::Revoked(_) => return Some(Refusal::Revoked),
        Status::Disabled => return Some(Refusal::Disabled),
        Status::Active => {}
    }
    let Some(generation) = record.generation(proof.number) else {
        return Some(if proof.number < record.newest() { Refusal::Replaced } else { Refusal::Unknown });
    };
    if generation.tag != proof.tag {
        return Some(Refusal::Unknown);
    }
    if generation.expires_at.is_some_and(|expiry| expiry <= now) {
        return Some(Refusal::Expired);
    }
    if !generation.is_live(now) || unused_successor(record, generation).is_some_and(|successor| record.was_used(successor)) {
        return Some(Refusal::Replaced);
    }
    if !address::allows(&record.networks, request.address) {
        return Some(Refusal::Address);
    }
    (!request.route.permits(&record.scopes, request.method, request.path.as_ref())).then_some(Refusal::Scope)
}

/// The refusal for the full window that ends last, if one is full: a retry before its end is in vain.
#[must_use]
pub fn full(remaining: &[Remaining], shared: bool) -> Option<Refusal> {
    let full = remaining.iter().filter(|left| left.remaining == 0).max_by_key(|left| left.reset_seconds);
    full.map(|left| Refusal::Limited { limit: left.limit, shared, retry_after_seconds: left.reset_seconds })
}

/// The generation whose first use ends `generation`, if that was agreed when it was rotated.
fn unused_successor(record: &Record, generation: &Generation) -> Option<u32> {
    generation.until_first_use.then(|| record.newest())
}

fn charge(record: &Record, proof: &Proof, now: Timestamp) -> Use {
    let windows = record.limits.iter().map(|limit| (Window::at(limit.period, now), limit.requests));
    Use {
        version: record.version,
        now,
        generation: proof.number,
        windows: windows.collect(),
        day: Window::at(Period::Day, now),
        unused: record.generation(proof.number).and_then(|generation| unused_successor(record, generation)),
        sweep: sweep(record, now).filter(|sweep| sweep.windows.len() <= MOST_SWEPT),
    }
}

/// The ended windows of `record`, if there are any: days are never among them, because they are folded and not lost.
#[must_use]
pub fn sweep(record: &Record, now: Timestamp) -> Option<Sweep> {
    let windows = record.counters.windows.keys().copied();
    ended(windows.filter(|window| window.day().is_none()), record.swept, now)
}

/// The removal of those of `windows` that have ended, if any has.
#[must_use]
pub fn ended(windows: impl Iterator<Item = Window>, swept: Timestamp, now: Timestamp) -> Option<Sweep> {
    let up_to = swept.max(now.minus(SWEEP_DELAY));
    let windows: Vec<_> = windows.filter(|window| window.end() <= up_to).collect();
    (!windows.is_empty()).then_some(Sweep { up_to, windows })
}

/// The days of `record` that are over for every clock, and their counts; the oldest ones, if they are many.
#[must_use]
pub fn closed_days(record: &Record, now: Timestamp) -> Vec<(Window, u64)> {
    let closed = |window: &Window| window.day().is_some() && window.end().plus(FOLD_DELAY) <= now;
    record
        .counters
        .windows
        .iter()
        .filter(|(window, _)| closed(window))
        .take(MOST_FOLDED)
        .map(|(window, count)| (*window, *count))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn proof() -> Proof {
        Proof { number: 1, tag: "tag1".to_owned() }
    }

    fn get() -> Request<'static> {
        Request { method: "GET", path: NormalPath::parse("/x"), route: Route::Api, address: "203.0.113.7".parse().ok() }
    }

    fn refused(record: &Record, proof: &Proof, request: &Request<'_>) -> Refusal {
        match decide(record, proof, request, NOW) {
            Ok(Decision::Refuse(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_key_is_comes_before_what_is_asked_for() {
        let mut record = sample::record();
        record.scopes = vec![Scope::Write];
        record.networks = vec!["10.0.0.0/8".parse().unwrap()];
        record.limits = vec![Limit { requests: 1, period: Period::Day }];
        record.counters.windows.insert(Window::at(Period::Day, NOW), 1);
        record.generations[0].expires_at = Some(NOW);
        record.status = Status::Disabled;
        assert_eq!(refused(&record, &proof(), &get()), Refusal::Disabled);
        record.status = sample::revoked(NOW);
        assert_eq!(refused(&record, &proof(), &get()), Refusal::Revoked);
        record.status = Status::Active;
        assert_eq!(refused(&record, &proof(), &get()), Refusal::Expired);
        record.generations[0].expires_at = Some(NOW.plus(1));
        assert_eq!(refused(&record, &proof(), &get()), Refusal::Address);
        record.networks.clear();
        assert_eq!(refused(&record, &proof(), &get()), Refusal::Scope);
        record.scopes = vec![Scope::Read];
        let retry_after_seconds = NOW.until(Window::at(Period::Day, NOW).end());
        let limited = Refusal::Limited { limit: record.limits[0], shared: false, retry_after_seconds };
        assert_eq!(refused(&record, &proof(), &get()), limited);
        record.limits.clear();
        assert!(matches!(decide(&record, &proof(), &get(), NOW), Ok(Decision::Proceed(_))));
    }

    #[test]
    fn only_the_generations_own_tag_proves_it() {
        let record = sample::record();
        let with = |number, tag: &str| Proof { number, tag: tag.to_owned() };
        assert_eq!(refused(&record, &with(1, "other"), &get()), Refusal::Unknown);
        assert_eq!(refused(&record, &with(2, "tag1"), &get()), Refusal::Unknown, "never committed");
        assert_eq!(refused(&record, &with(0, "tag1"), &get()), Refusal::Replaced, "dropped by a rotation");
    }

    #[test]
    fn management_needs_admin_whatever_the_method() {
        let mut record = sample::record();
        record.scopes = vec![Scope::Read, Scope::Write, Scope::Delete, Scope::parse("ANY /{*all}").unwrap()];
        let request = Request { route: Route::MANAGEMENT, ..get() };
        assert_eq!(refused(&record, &proof(), &request), Refusal::Scope);
        record.scopes.push(Scope::Admin);
        assert!(matches!(decide(&record, &proof(), &request, NOW), Ok(Decision::Proceed(_))));
    }

    #[test]
    fn the_first_use_of_a_successor_ends_a_secret_that_yields_to_it() {
        let mut record = sample::record();
        record.generations[0].until_first_use = true;
        record.generations.push(Generation {
            number: 2,
            tag: "tag2".to_owned(),
            until_first_use: false,
            ..record.generations[0].clone()
        });
        match decide(&record, &proof(), &get(), NOW) {
            Ok(Decision::Proceed(r#use)) => assert_eq!(r#use.unused, Some(2), "the write proves it again"),
            other => panic!("{other:?}"),
        }
        record.counters.generations.insert(2, 1);
        assert_eq!(refused(&record, &proof(), &get()), Refusal::Replaced);
    }

    fn counted(windows: &[(Period, u64, u64)]) -> BTreeMap<Window, u64> {
        windows.iter().map(|(period, ago, count)| (Window::at(*period, NOW.minus(*ago)), *count)).collect()
    }

    fn periods() -> impl Strategy<Value = Vec<(Period, u64, u64)>> {
        let period = prop::sample::select(Period::ALL.to_vec());
        prop::collection::vec((period, prop_oneof![0_u64..20, 0_u64..10_000_000], 0_u64..6), 0..30)
    }

    proptest! {
        #[test]
        fn a_use_proceeds_exactly_if_no_current_window_is_full(windows in periods(), requests in 1_u64..6, swept in 0_u64..100) {
            let mut record = sample::record();
            record.limits = Period::ALL.map(|period| Limit { requests, period }).into();
            record.counters.windows = counted(&windows);
            record.swept = NOW.minus(50).plus(swept);
            let now = NOW.max(record.swept);
            let full = Period::ALL.iter().filter(|period| record.count(Window::at(**period, now)) >= requests).count();
            match decide(&record, &proof(), &get(), NOW) {
                Ok(Decision::Proceed(r#use)) => {
                    prop_assert_eq!(full, 0);
                    prop_assert_eq!(r#use.now, now, "never a moment before the sweep");
                    prop_assert!(r#use.windows.iter().all(|(window, _)| window.end() > record.swept));
                }
                Ok(Decision::Refuse(Refusal::Limited { retry_after_seconds, .. })) => {
                    prop_assert!(full > 0);
                    let later = now.plus(retry_after_seconds);
                    record.counters.windows.retain(|window, _| window.end() > later);
                    let freed = matches!(decide(&record, &proof(), &get(), later), Ok(Decision::Proceed(_)));
                    prop_assert!(freed, "after the time that was named nothing stands in the way");
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn sweeping_removes_only_windows_that_no_later_use_can_name(windows in periods(), swept in 0_u64..100) {
            let mut record = sample::record();
            record.counters.windows = counted(&windows);
            record.swept = NOW.minus(50).plus(swept);
            if let Some(sweep) = sweep(&record, NOW) {
                prop_assert!(sweep.up_to >= record.swept, "never falls");
                prop_assert!(sweep.windows.iter().all(|window| window.end() <= sweep.up_to && window.day().is_none()));
            }
            for (day, _) in closed_days(&record, NOW) {
                prop_assert!(day.end().plus(FOLD_DELAY) <= NOW);
            }
        }

        #[test]
        fn a_clock_is_trusted_up_to_a_minute_behind(behind in 0_u64..200) {
            let mut record = sample::record();
            record.swept = NOW.plus(behind);
            prop_assert_eq!(decide(&record, &proof(), &get(), NOW).is_ok(), behind <= MOST_CLOCK_SKEW);
        }
    }
}
