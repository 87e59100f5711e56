//! Work after the response: done at once by a task, while an internal extension keeps the sandbox from freezing.
//!
//! Lambda freezes a sandbox when the response is sent and every extension has asked for its next event. So this
//! extension asks only when the work is done. Nothing depends on it: work that a freeze cuts off is found again by the
//! next use that needs it.

use std::{future::Future, sync::Arc, time::Duration};

use lambda_extension::{Extension, LambdaEvent, service_fn};
use tokio::sync::{Mutex, watch};

/// How long the extension waits for a request to finish. Another function's event, or a request that never reaches the
/// handler, must not keep the sandbox awake.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A place to leave work.
#[derive(Clone, Debug)]
pub struct Afterwards {
    pending: Arc<watch::Sender<usize>>,
    finished: Arc<watch::Sender<u64>>,
}

impl Default for Afterwards {
    fn default() -> Self {
        Self { pending: Arc::new(watch::Sender::new(0)), finished: Arc::new(watch::Sender::new(0)) }
    }
}

impl Afterwards {
    /// Begins `work` and doesn't wait for it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let pending = Arc::clone(&self.pending);
        pending.send_modify(|count| *count += 1);
        tokio::spawn(async move {
            work.await;
            pending.send_modify(|count| *count -= 1);
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
        // Marks what it has seen: a request that was answered before its event got here is not waited for.
        let finished = Arc::new(Mutex::new(self.finished.subscribe()));
        let processor = service_fn(move |_: LambdaEvent| {
            let (this, finished) = (self.clone(), Arc::clone(&finished));
            async move {
                let _ = tokio::time::timeout(LONGEST_WAIT, finished.lock().await.changed()).await;
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
