//! Work after the response: done at once by a task, while an internal extension keeps the sandbox from freezing.
//!
//! Lambda freezes a sandbox when the response is sent and every extension has asked for its next event. So this
//! extension asks only when the work is done. Nothing depends on it: work that a freeze cuts off is found again by the
//! next use that needs it.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lambda_extension::{Extension, LambdaEvent, service_fn};
use tokio::sync::watch;

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

    /// Registers the extension and runs it. Without a Lambda to register at, this returns at once.
    pub async fn keep_awake(self) {
        let events = Arc::new(AtomicU64::new(0));
        let processor = service_fn(move |_: LambdaEvent| {
            let (this, events) = (self.clone(), Arc::clone(&events));
            async move {
                let due = events.load(Ordering::Relaxed) + 1;
                let mut finished = this.finished.subscribe();
                let _ = tokio::time::timeout(LONGEST_WAIT, finished.wait_for(|finished| *finished >= due)).await;
                // After another function's event, or a request that took too long, the two are counted together again.
                let finished = *finished.borrow();
                events.store(finished, Ordering::Relaxed);
                let _ = tokio::time::timeout(LONGEST_WAIT, this.idle()).await;
                Ok::<(), lambda_extension::Error>(())
            }
        });
        let extension =
            Extension::new().with_extension_name("afterwards").with_events(&["INVOKE"]).with_events_processor(processor);
        match extension.register().await {
            Ok(extension) => {
                tokio::spawn(async move {
                    if let Err(error) = extension.run().await {
                        tracing::warn!(%error, "the extension ended");
                    }
                });
            }
            Err(error) => tracing::warn!(%error, "no extension: work after responses may be put off"),
        }
    }
}
