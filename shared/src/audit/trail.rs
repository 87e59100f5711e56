//! The table's copy of the audit: written after answers, in batches, again until the table has taken it.
//!
//! Nothing waits for it. An attempt's line is its audit, and is out before its answer; the copy is what can be queried.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    attempt::{ALLOWED, Attempt},
    buffer::Buffer,
    copies::{Copied, Copies},
    row::Tried,
};
use crate::{
    afterwards::Afterwards,
    config::{ConfigError, Lookup},
    error::Fault,
    host::Host,
    store::{
        Store,
        copies::{MOST_AT_ONCE, Taken},
    },
    telemetry::report::{self, Told},
};

/// The shortest time between two writes, unless so many rows wait that they fill one.
const INTERVAL: Duration = Duration::from_secs(1);

/// The longest time that closing takes. Lambda kills a sandbox half a second after it has told it to end.
const CLOSING: Duration = Duration::from_millis(400);

/// What a trail is told by its function's environment.
#[derive(Clone, Debug)]
pub struct TrailConfig {
    /// Which attempts are copied, and for how long.
    pub copies: Copies,
    /// Whose they are.
    pub function: String,
}

impl TrailConfig {
    /// Reads it for the function or service of that name.
    ///
    /// # Errors
    /// [`ConfigError`] that names the first variable that is missing or wrong.
    pub fn read(lookup: Lookup<'_>, function: &str) -> Result<Self, ConfigError> {
        Ok(Self { copies: Copies::read(lookup)?, function: function.to_owned() })
    }
}

/// One instance's copies. Clones are the same trail.
#[derive(Clone)]
pub struct Trail(Arc<Inner>);

struct Inner {
    store: Store,
    host: Host,
    config: TrailConfig,
    buffer: Mutex<Buffer>,
    /// Held while rows are written; when that last began.
    writing: tokio::sync::Mutex<()>,
    began: Mutex<Option<Instant>>,
    /// Whether somebody will write what waits, a moment from now.
    awaited: AtomicBool,
}

impl Trail {
    /// Of a function that writes into `store`.
    #[must_use]
    pub fn new(store: Store, host: Host, config: TrailConfig) -> Self {
        let (buffer, writing, began) = (Mutex::default(), tokio::sync::Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { store, host, config, buffer, writing, began, awaited: AtomicBool::new(false) }))
    }

    /// Takes a copy of an attempt, and has it written: at once as work for `afterwards`, or with those of the next moment.
    pub fn record(&self, told: Told<Attempt>, afterwards: &Afterwards) {
        if self.0.config.copies.copied == Copied::Refusals && told.outcome == ALLOWED {
            return;
        }
        let id = match self.0.host.uuid() {
            Ok(id) => id,
            Err(fault) => {
                tracing::warn!(fault = fault.code, "no id for a copy");
                return self.lost(1);
            }
        };
        let at_millis = self.0.host.clock.millis();
        let tried = Tried { id, at_millis, outcome: told.outcome, duration_ms: told.duration_ms, attempt: told.fields };
        let waiting = {
            let mut buffer = self.buffer();
            buffer.add(tried);
            buffer.end_minute(at_millis);
            buffer.waiting()
        };
        if waiting == 0 {
            return;
        }
        let rest = self.0.rest();
        if waiting >= MOST_AT_ONCE || rest.is_zero() {
            let trail = self.clone();
            afterwards.spawn(async move { trail.write().await });
        } else if !self.0.awaited.swap(true, Ordering::Relaxed) {
            // Nobody is kept awake for it: in a sandbox that is frozen, it goes on with the next request.
            let trail = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(rest).await;
                trail.0.awaited.store(false, Ordering::Relaxed);
                trail.write().await;
            });
        }
    }

    /// Writes what waits, unless that is being done already.
    pub async fn write(&self) {
        let Ok(_writing) = self.0.writing.try_lock() else { return };
        while self.batch().await && self.buffer().waiting() >= MOST_AT_ONCE {}
    }

    /// Writes all that there is, before the sandbox ends. What isn't known to be written in time is said to be lost: perhaps it is
    /// there, perhaps not.
    pub async fn close(&self) {
        let all = async {
            let _writing = self.0.writing.lock().await;
            self.buffer().close();
            while self.batch().await && self.buffer().waiting() > 0 {}
        };
        let _ = tokio::time::timeout(CLOSING, all).await;
        let lost = self.buffer().abandon();
        self.lost(lost);
    }

    /// Writes one batch; answers whether the table takes more.
    async fn batch(&self) -> bool {
        *lock(&self.0.began) = Some(Instant::now());
        let rows = self.buffer().take(MOST_AT_ONCE);
        let taken = self.0.store.copy(&rows, self.0.config.copies.retention_seconds).await;
        let mut lost = 0;
        let (again, went_on) = match taken {
            Ok(taken) => {
                let mut again = Vec::new();
                for (row, taken) in rows.into_iter().zip(taken) {
                    match taken {
                        Taken::Yes => {}
                        Taken::NotYet => again.push(row),
                        Taken::Never(why) => {
                            tracing::error!(why, "a copy can't be written");
                            lost += row.attempts();
                        }
                    }
                }
                let went_on = again.is_empty();
                (again, went_on)
            }
            Err(Fault { code, detail, .. }) => {
                tracing::warn!(fault = code, detail, "put off copies of the audit");
                (rows, false)
            }
        };
        let waited_for = {
            let mut buffer = self.buffer();
            let waited_for = buffer.give_back(again);
            lost += buffer.take_lost();
            waited_for
        };
        // Otherwise it was said already.
        if waited_for {
            self.lost(lost);
        }
        went_on
    }

    fn lost(&self, attempts: u64) {
        if attempts > 0 {
            report::audit_lost(&self.0.host, &self.0.config.function, attempts);
        }
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        lock(&self.0.buffer)
    }
}

impl Inner {
    /// How long it is until the next write.
    fn rest(&self) -> Duration {
        lock(&self.began).map_or(Duration::ZERO, |began| INTERVAL.saturating_sub(began.elapsed()))
    }
}

// Nothing panics while holding one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
