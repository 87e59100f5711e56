//! A trap on the way: it holds one call for ever, so that a process can be killed at exactly that point.

use tokio::sync::oneshot;

/// Where a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the engine has seen it.
    Before,
    /// After the engine has applied it, before its caller knows.
    After,
}

pub(super) struct Trap {
    left: usize,
    moment: Moment,
    sprung: Option<oneshot::Sender<()>>,
}

impl Trap {
    pub(super) fn new(calls: usize, moment: Moment) -> (Self, oneshot::Receiver<()>) {
        let (sprung, when) = oneshot::channel();
        (Self { left: calls, moment, sprung: Some(sprung) }, when)
    }

    /// Whether the call that is at `moment` now is held: the one that it was set for, and all that follow.
    pub(super) fn springs(&mut self, moment: Moment) -> bool {
        if moment != self.moment {
            return self.sprung.is_none();
        }
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => {
                let _ = self.sprung.take().map(|sprung| sprung.send(()));
            }
        }
        self.sprung.is_none()
    }
}
