//! The count of a use against what its key shares with others of its owner: one write, before the key's own.

use std::sync::Arc;

use tokio::time::Instant;

use super::{TRIES, Verifier, in_time, pause};
use crate::{
    decision::Refusal,
    error::Fault,
    owner::Owner,
    shared_limits::SharedLimits,
    store::{
        charge,
        shared_limits::{self, SharedCharge},
    },
    time::Timestamp,
};

/// Counted, or why not; and the limits as they are then.
pub(super) type Shared = (Result<(), Refusal>, Arc<SharedLimits>);

impl Verifier {
    /// Counts one use, as [`Verifier::admit`] does at the key: without a read if the limits are known, and refused without a write if
    /// a window is full. A use whose answer was lost is repeated under the same nonce.
    pub(super) async fn share(&self, owner: &Owner, (now, deadline): (Timestamp, Instant)) -> Result<Shared, Fault> {
        let cached = self.cache().shared.get(owner);
        let mut certain = cached.is_none();
        let mut current = match cached {
            Some(limits) => limits,
            None => in_time(deadline, self.read_shared(owner)).await?,
        };
        let nonce = charge::nonce(self.host.entropy.as_ref())?;
        let (mut tries, mut fault) = (0, None);
        loop {
            let r#use = match current.decide(now) {
                Ok(Ok(r#use)) => r#use,
                Err(behind) => return Err(Fault::new("clock.behind", behind)),
                Ok(Err(refusal)) if certain => return Ok((Err(refusal), current)),
                Ok(Err(_)) => {
                    certain = true;
                    current = in_time(deadline, self.read_shared_again(owner)).await?;
                    continue;
                }
            };
            if tries == TRIES || Instant::now() >= deadline {
                let contended =
                    || Fault::new("use.contended", format_args!("what {owner} shares changed at each of {tries} tries"));
                return Err(fault.unwrap_or_else(contended));
            }
            if fault.is_some() {
                pause(tries).await;
            }
            tries += 1;
            let as_of_millis = self.host.clock.millis();
            match self.store.charge_shared(owner, &r#use, &nonce).await {
                Ok(SharedCharge::Counted(counted)) => {
                    return Ok((Ok(()), self.cache().shared.store(owner, counted, as_of_millis)));
                }
                Ok(SharedCharge::Refused(Some(found))) => {
                    let landed = found.last_request.as_ref() == Some(&nonce);
                    current = self.cache().shared.store(owner, found, as_of_millis);
                    if landed {
                        return Ok((Ok(()), current));
                    }
                    (certain, fault) = (true, None);
                }
                Ok(SharedCharge::Refused(None)) => return Err(self.missing(owner)),
                Err(failed) if failed.retryable => fault = Some(failed),
                // DynamoDB adds to no counter that isn't a number, and doesn't say that this was it.
                Err(failed) => {
                    return Err(self.store.shared_limits(owner).await.err().filter(Fault::is_corrupt).unwrap_or(failed));
                }
            }
        }
    }

    /// The limits again, after remembered ones have refused: at most once a second for each owner.
    async fn read_shared_again(&self, owner: &Owner) -> Result<Arc<SharedLimits>, Fault> {
        let recent = || self.cache().shared.recent(owner, self.host.clock.millis());
        if let Some(limits) = recent()? {
            return Ok(limits);
        }
        let _turn = self.shared_reads.take(owner.clone()).await;
        match recent()? {
            Some(limits) => Ok(limits),
            None => self.read_shared(owner).await,
        }
    }

    async fn read_shared(&self, owner: &Owner) -> Result<Arc<SharedLimits>, Fault> {
        let as_of_millis = self.host.clock.millis();
        match self.store.shared_limits(owner).await {
            Ok(Some(limits)) => Ok(self.cache().shared.store(owner, limits, as_of_millis)),
            Ok(None) => Err(self.missing(owner)),
            Err(fault) => {
                self.cache().shared.unread(owner, &fault, self.host.clock.millis());
                Err(fault)
            }
        }
    }

    fn missing(&self, owner: &Owner) -> Fault {
        self.cache().shared.forget(owner);
        shared_limits::missing()
    }
}
