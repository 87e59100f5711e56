//! What happens to one call, as the dice say.

use std::time::Duration;

use fastrand::Rng;

use super::{Delivery, Fault, Odds, Reply, weather};

/// What the dice say of one call.
pub(super) struct Fate {
    pub(super) fault: Option<Fault>,
    millis: std::ops::RangeInclusive<u64>,
    longest_delay: u64,
    rng: Rng,
}

impl Fate {
    pub(super) fn roll(rng: &mut Rng, odds: &Odds) -> Self {
        let fault = odds.roll(rng);
        Self { fault, millis: odds.millis.clone(), longest_delay: odds.longest_delay, rng: rng.fork() }
    }

    pub(super) fn leg(&mut self) -> Duration {
        Duration::from_millis(self.rng.u64(self.millis.clone()))
    }

    pub(super) fn delay(&mut self) -> Duration {
        if self.fault != Some(Fault::Delayed) {
            return Duration::ZERO;
        }
        Duration::from_millis(self.rng.u64(0..=self.longest_delay))
    }

    /// How long an index or another replica takes to follow: mostly moments, sometimes seconds.
    pub(super) fn lag(&mut self) -> Duration {
        let longest = if self.rng.u8(..) < 26 { 3000 } else { 50 };
        Duration::from_millis(self.rng.u64(0..=longest))
    }

    pub(super) fn toss(&mut self) -> bool {
        self.rng.bool()
    }

    pub(super) fn lost(&mut self) -> Delivery {
        if self.toss() { Delivery::Closed } else { Delivery::Silence }
    }

    pub(super) fn garbage(&mut self, reply: &Reply) -> Reply {
        weather::garbage(reply, &mut self.rng)
    }
}
