//! Work after the response: done at once by a task, while an internal extension keeps the sandbox from freezing.
//!
//! Lambda freezes a sandbox when the response is sent and every extension has asked for its next event. So this
//! extension asks only when the work is done. Nothing depends on it: work that a freeze cuts off is found again by the
//! next use that needs it.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::extension::Extension;

/// How long the extension waits for a request to finish. Another function's event, or a request that never reaches the
/// handler, must not keep the sandbox awake.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A place to leave work.
#[derive(Clone, Debug)]
pub struct Afterwards {
    pending: Arc<watch::Sender<usize>>,
    finished: Arc<watch::Sender<u64>>,
}

/// Counts work as done, even if it panics.
struct Done(Arc<watch::Sender<usize>>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Default for Afterwards {
    fn default() -> Self {
        Self { pending: Arc::new(watch::Sender::new(0)), finished: Arc::new(watch::Sender::new(0)) }
    }
}

impl Afterwards {
    /// Begins `work` and doesn't wait for it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.pending.send_modify(|count| *count += 1);
        let done = Done(Arc::clone(&self.pending));
        tokio::spawn(async move {
            let _done = done;
            work.await;
        });
    }

    /// Says that a request has been answered.
    pub fn finish(&self) {
        self.finished.send_modify(|count| *count += 1);
    }

    /// Waits until all work is done.
    pub async fn idle(&self) {
        // An error means that the sender is gone, which this value itself holds.
        let _ = self.pending.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Registers the extension and runs it. If Lambda refuses, this returns at once, and the sandbox may freeze during work.
    pub async fn keep_awake(self) {
        let extension = match Extension::register("afterwards").await {
            Ok(extension) => extension,
            Err(error) => return tracing::warn!(%error, "no extension: work after responses may be put off"),
        };
        tokio::spawn(async move {
            let mut invocations = 0;
            loop {
                if let Err(error) = extension.next().await {
                    return tracing::warn!(%error, "the extension ended");
                }
                invocations = self.rest(invocations + 1).await;
            }
        });
    }

    /// Waits until the invocation of that number is answered and its work done, but not for long; answers how many have been.
    async fn rest(&self, invocation: u64) -> u64 {
        let mut finished = self.finished.subscribe();
        let _ = tokio::time::timeout(LONGEST_WAIT, finished.wait_for(|finished| *finished >= invocation)).await;
        // After another function's event, or a request that took too long, the two are counted together again.
        let finished = *finished.borrow();
        let _ = tokio::time::timeout(LONGEST_WAIT, self.idle()).await;
        finished
    }
}
