//! The decision: may this request pass, and what does letting it pass write? A pure function of a record, a request and a time.

use std::net::IpAddr;

use crate::{
    address,
    error::Code,
    limit::{Limit, Period, Window},
    path::NormalPath,
    record::{Generation, Record, Status},
    scope,
    time::Timestamp,
};

/// How far a clock may be behind `swept` before that is our own fault, in seconds.
pub const MOST_CLOCK_SKEW: u64 = 60;

/// How long ended windows are kept, in seconds: instances whose clocks are this far behind still find theirs.
pub const SWEEP_DELAY: u64 = 5;

/// The most windows that one use removes; more are removed after the response.
pub const MOST_SWEPT: usize = 16;

/// How long after its end a day is folded into history, in seconds: by then no clock names that day any more.
pub const FOLD_DELAY: u64 = 3600;

/// The request, as far as the decision needs it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The HTTP method, as received.
    pub method: &'a str,
    /// The path's normal form, if it has one.
    pub path: Option<NormalPath>,
    /// Whether the route belongs to the management API, which needs `admin` whatever the method.
    pub management: bool,
    /// The caller's address, from the request context and never from a header.
    pub address: Option<IpAddr>,
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
    let now = trusted_now(record, now)?;
    Ok(match refusal(record, proof, request, now) {
        Some(refusal) => Decision::Refuse(refusal),
        None => Decision::Proceed(charge(record, proof, now)),
    })
}

/// `now`, but never before `swept`: a window that ended by then may be gone, and must not be begun again.
fn trusted_now(record: &Record, now: Timestamp) -> Result<Timestamp, ClockBehind> {
    match now.until(record.swept) {
        behind_seconds if behind_seconds > MOST_CLOCK_SKEW => Err(ClockBehind { behind_seconds }),
        _ => Ok(now.max(record.swept)),
    }
}

fn refusal(record: &Record, proof: &Proof, request: &Request<'_>, now: Timestamp) -> Option<Refusal> {
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
    let in_scope = if request.management {
        scope::is_admin(&record.scopes)
    } else {
        scope::allow(&record.scopes, request.method, request.path.as_ref())
    };
    if !in_scope {
        return Some(Refusal::Scope);
    }
    full(record, now)
}

/// The full window that ends last: a retry before its end is in vain.
fn full(record: &Record, now: Timestamp) -> Option<Refusal> {
    let full = record.remaining(now).into_iter().filter(|left| left.remaining == 0);
    full.max_by_key(|left| left.reset_seconds)
        .map(|left| Refusal::Limited { limit: left.limit, retry_after_seconds: left.reset_seconds })
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
    let up_to = record.swept.max(now.minus(SWEEP_DELAY));
    let ended = |window: &Window| window.day().is_none() && window.end() <= up_to;
    let windows: Vec<_> = record.counters.windows.keys().copied().filter(ended).collect();
    (!windows.is_empty()).then_some(Sweep { up_to, windows })
}

/// The days of `record` that are over for every clock, and their counts.
#[must_use]
pub fn closed_days(record: &Record, now: Timestamp) -> Vec<(Window, u64)> {
    let closed = |window: &Window| window.day().is_some() && window.end().plus(FOLD_DELAY) <= now;
    record.counters.windows.iter().filter(|(window, _)| closed(window)).map(|(window, count)| (*window, *count)).collect()
}
