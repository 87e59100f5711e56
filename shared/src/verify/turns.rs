//! One at a time for each secret or key. A Lambda instance answers one request at a time anyway; a process that answers many
//! would otherwise do for each of the requests that come in at once what is needed once: run bcrypt, read a record.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

type Queue = Arc<tokio::sync::Mutex<()>>;

/// Who is looking at what: `K` names it.
pub(super) struct Turns<K: Clone + Eq + Hash>(Mutex<HashMap<K, Queue>>);

/// A turn, or the wait for one.
pub(super) struct Turn<'a, K: Clone + Eq + Hash> {
    turns: &'a Turns<K>,
    key: K,
    queue: Option<Queue>,
    held: Option<OwnedMutexGuard<()>>,
}

impl<K: Clone + Eq + Hash> Turns<K> {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Waits until nobody else looks at that. What they found is then in the cache.
    pub(super) async fn take(&self, key: K) -> Turn<'_, K> {
        let queue = Arc::clone(self.queues().entry(key.clone()).or_default());
        // Made before waiting, so that a wait that is given up is cleaned up after as well.
        let mut turn = Turn { turns: self, key, queue: Some(Arc::clone(&queue)), held: None };
        turn.held = Some(queue.lock_owned().await);
        turn
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<K, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        drop((self.held.take(), self.queue.take()));
        let mut queues = self.turns.queues();
        if queues.get(&self.key).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        task::{Context, Waker},
    };

    use super::*;

    #[tokio::test]
    async fn one_after_the_other_and_nothing_is_left_behind() {
        let turns = Turns::new();
        let first = turns.take(1).await;
        let _elsewhere = turns.take(2).await;
        {
            let mut waiting = std::pin::pin!(turns.take(1));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(first);
        assert_eq!(turns.queues().len(), 1, "the wait that was given up has left nothing");
        drop(turns.take(1).await);
        assert_eq!(turns.queues().len(), 1);
    }
}
