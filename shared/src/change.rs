//! Changes of keys, each a short sequence around one commit point:
//! audit intent → alias, if any → one conditional write on the hot item → about → audit outcome.
//!
//! Every step can be repeated, and repeating a change finishes what an interrupted one began. Success is answered after
//! the last step only.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    audit::{
        change::{Event, Subject},
        difference,
    },
    config::ChangeConfig,
    error::{Code, Error, Fault, Rejection},
    host::Host,
    id::KeyId,
    if_match::IfMatch,
    record::{Record, Revocation, Status},
    rotation,
    store::{
        Store,
        about::{About, AboutChange, Aftermath, SecretNote},
        audit::Phase,
        charge,
        commit::{Commit, Committed, StatusChange},
    },
    telemetry::cost,
    time::Timestamp,
};

/// The most notes that one change removes; the next one goes on. Keeps its expression far below DynamoDB's 4 KB.
const MOST_ENDED: usize = 50;

/// How long a write may be on its way and still arrive, in seconds. Much longer than any timeout.
const LONGEST_WAY: u64 = 900;

/// How often disabling a key gives way to other changes of it.
const MOST_RACES: u32 = 8;

/// Everything that changes keys, but for making secrets.
#[derive(Clone)]
pub struct Changes {
    /// The tables.
    pub store: Store,
    /// Time and randomness.
    pub host: Host,
    config: ChangeConfig,
}

/// A key as people see it: its record, and what else is known of it.
#[derive(Clone, Debug)]
pub struct Key {
    /// The hot item.
    pub record: Record,
    /// The about item.
    pub about: About,
}

/// The change of status that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusing {
    /// For now.
    Disable,
    /// For good, and why.
    Revoke(String),
}

/// A change that is in force, and not yet written down as done. Whoever has to tell of it does so now: what is told of only after
/// [`Changes::finish`] would never be told of, should it break off in between.
#[must_use]
pub struct InForce<'a> {
    /// The key after it.
    pub key: Key,
    event: Cow<'a, Event>,
    /// What the commit leaves to do; a change of status leaves nothing.
    committed: Option<Leftovers>,
}

/// What is left to do of a commit.
struct Leftovers {
    nonce: String,
    change: AboutChange,
    before_tags: Vec<String>,
}

impl InForce<'_> {
    /// Whether nobody has finished it yet, so that it may not have been told of.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        self.key.about.version < self.key.record.version
    }
}

impl Changes {
    /// Changes of the keys in `store`.
    #[must_use]
    pub const fn new(store: Store, host: Host, config: ChangeConfig) -> Self {
        Self { store, host, config }
    }

    /// Tables and retention.
    #[must_use]
    pub const fn config(&self) -> &ChangeConfig {
        &self.config
    }

    /// The key of that id, consistently read.
    ///
    /// # Errors
    /// `no_such_key`; a fault.
    pub async fn load(&self, id: &KeyId) -> Result<Key, Error> {
        // In this order: what is known of a key is never older than the record that a change is planned on.
        let record = self.store.record(id).await?.ok_or_else(no_such_key)?;
        let about = self.store.about(&record).await?.ok_or_else(no_such_key)?;
        Ok(Key { record, about })
    }

    /// The key of that id, to be changed if it may be.
    ///
    /// # Errors
    /// `no_such_key`, `key_revoked`, `precondition_failed`; a fault.
    pub async fn load_to_change(&self, id: &KeyId, if_match: &IfMatch) -> Result<Key, Error> {
        let key = self.load(id).await?;
        // In this order: a precondition counts only where the change would otherwise be made (RFC 9110, section 13.2.1).
        if let Status::Revoked(_) = key.record.status {
            return Err(rotation::revoked().into());
        }
        if_match.check(key.record.version)?;
        Ok(key)
    }

    /// Fails if `record` is to share limits that its owner's keys don't have: such a key could never be used.
    ///
    /// # Errors
    /// `invalid_field`; a fault.
    pub async fn check_sharing(&self, record: &Record) -> Result<(), Error> {
        if record.shared_limits && self.store.shared_limits(&record.owner).await?.is_none() {
            let detail = "can't be true: the owner's keys share no limits yet. PUT /v1/owners/{type}/{id}/limits first";
            return Err(Rejection::field("shared_limits", detail).into());
        }
        Ok(())
    }

    /// Writes down that a change begins. Without that, no change.
    ///
    /// # Errors
    /// A fault.
    pub async fn intend(
        &self,
        action: &'static str,
        subject: impl Into<Subject>,
        actor: &str,
        detail: Value,
    ) -> Result<Event, Error> {
        let event = Event::new(&self.host, action, subject, actor, detail)?;
        self.store.append(&event, Phase::Intent, self.config.audit_retention_seconds).await?;
        Ok(event)
    }

    /// The commit of `event`'s change and all that follows it; `before` is the key that the change was planned on, with
    /// the note of a new secret, if there is one.
    ///
    /// # Errors
    /// `changed_meanwhile` or, if that is what `if_match` forbids, `precondition_failed`; `no_such_key`; a fault, after which
    /// the change may be in force.
    pub async fn commit(
        &self,
        event: &Event,
        before: Key,
        commit: Commit,
        change: AboutChange,
        if_match: &IfMatch,
    ) -> Result<Key, Error> {
        let in_force = self.put_in_force(event, before, commit, change, if_match).await?;
        self.finish(in_force).await
    }

    /// The same up to the commit. What follows is left to [`Changes::finish`].
    ///
    /// # Errors
    /// Those of [`Changes::commit`].
    pub async fn put_in_force<'a>(
        &self,
        event: &'a Event,
        before: Key,
        commit: Commit,
        change: AboutChange,
        if_match: &IfMatch,
    ) -> Result<InForce<'a>, Error> {
        let retention = self.config.retention_seconds;
        let nonce = charge::nonce(self.host.entropy.as_ref())?;
        let ready = self.prepare(&before, &commit, &change, &nonce).await?;
        let Key { record, mut about } = before;
        let committed = if ready { self.store.commit(&commit, &nonce, retention).await? } else { Committed::Conflict(None) };
        let rejection = match committed {
            Committed::Done => None,
            Committed::NoSuchKey => Some(no_such_key()),
            Committed::Conflict(version) => Some(if_match.lost(version)),
        };
        if let Some(rejection) = rejection {
            // The secret of this change alone: it never came to be.
            let had = |tag: &String| record.generations.iter().any(|generation| generation.tag == *tag);
            about.secrets.retain(|tag, _| !had(tag) && commit.record.generations.iter().any(|generation| generation.tag == *tag));
            self.end_aliases(&record, &about, event.at).await?;
            if !change.is_empty() {
                self.store.unstage(&record.id, &nonce).await?;
            }
            return Err(self.refused(event, rejection).await);
        }
        let before_tags: Vec<String> = record.generations.iter().map(|generation| generation.tag.clone()).collect();
        let record = Record { counters: record.counters, change: Some(nonce.clone()), ..commit.record };
        let committed = Some(Leftovers { nonce, change, before_tags });
        Ok(InForce { key: Key { record, about }, event: Cow::Borrowed(event), committed })
    }

    /// Does what is left of a change that is in force, and writes down that it is done.
    ///
    /// # Errors
    /// A fault; repeating the change finishes it.
    pub async fn finish(&self, in_force: InForce<'_>) -> Result<Key, Error> {
        let InForce { key: Key { record, mut about }, event, committed } = in_force;
        let retention = self.config.retention_seconds;
        let version = record.version;
        let about = match committed {
            None => {
                // Aliases before the index: whoever finds a key in it as revoked needs to do nothing more.
                if let Status::Revoked(revocation) = &record.status {
                    for (tag, note) in &about.secrets {
                        self.end_each((&record.id, tag, note), revocation.at).await?;
                    }
                }
                // What is staged stays: of a change that isn't committed yet, nobody can tell here whether it will be.
                self.store.update_about(&record, &about, None, event.at, retention).await?;
                about
            }
            Some(Leftovers { nonce, change, before_tags }) => {
                self.look_again(&record, &mut about, event.at).await?;
                // Aliases before notes: a note that is gone can't lead to its alias any more.
                let mut ended = self.end_aliases(&record, &about, event.at).await?;
                // The note of a secret that has just been replaced stays until the next change: an authorizer may be about to add
                // an alias.
                ended.retain(|tag| !before_tags.contains(tag));
                // All that was staged when this change was planned: it is settled, or its change has lost against this one.
                let left_over: Vec<String> = std::mem::take(&mut about.staged).into_keys().take(MOST_ENDED).collect();
                about.secrets.retain(|tag, _| !ended.contains(tag));
                let about = about.changed(&change);
                let aftermath = Aftermath { nonce: &nonce, change: &change, left_over: &left_over, ended: &ended };
                self.store.update_about(&record, &about, Some(aftermath), event.at, retention).await?;
                about
            }
        };
        self.done(&event).await?;
        Ok(Key { record, about: About { version, ..about } })
    }

    /// Makes the about item ready for `commit`; answers whether there is one, and none that a later change has written.
    async fn prepare(&self, before: &Key, commit: &Commit, change: &AboutChange, nonce: &str) -> Result<bool, Fault> {
        let Key { record, about } = before;
        // The commit overwrites the nonce that what is staged is found by.
        if let Some((nonce, change)) = about.unsettled(record) {
            self.store.settle(&record.id, nonce, change).await?;
        }
        if !change.is_empty() && !self.store.stage(&record.id, nonce, change).await? {
            return Ok(false);
        }
        if outlives(&commit.record, record) { self.store.keep_about(record).await } else { Ok(true) }
    }

    /// Gives every alias its end whose secret `record` ends, or doesn't have; answers with the tags of the latter, but for those
    /// whose alias may still be on its way.
    async fn end_aliases(&self, record: &Record, about: &About, now: Timestamp) -> Result<Vec<String>, Fault> {
        let mut ended = Vec::new();
        for (tag, note) in &about.secrets {
            let Some(end) = record.alias_ends_at(tag, now) else { continue };
            let found = self.end_each((&record.id, tag, note), end).await?;
            let settled = found || note.noted_at.until(now) >= LONGEST_WAY;
            let gone = record.generations.iter().all(|generation| generation.tag != *tag);
            ended.extend((gone && settled).then(|| tag.clone()));
            if ended.len() == MOST_ENDED {
                break;
            }
        }
        Ok(ended)
    }

    /// Adds to `about` the aliases that authorizers have noted since it was read, of secrets that `record` ends. Those that are noted
    /// from now on are ended by the authorizer, which looks at the record when it has stored one.
    async fn look_again(&self, record: &Record, about: &mut About, now: Timestamp) -> Result<(), Fault> {
        if about.secrets.keys().all(|tag| record.alias_ends_at(tag, now).is_none()) {
            return Ok(());
        }
        let Some(newer) = self.store.about(record).await? else { return Ok(()) };
        for (tag, note) in &mut about.secrets {
            if let Some(newer) = newer.secrets.get(tag) {
                note.clone_from(newer);
            }
        }
        Ok(())
    }

    /// Gives every alias of a secret its end; answers whether all of them are there.
    async fn end_each(&self, (key, tag, note): (&KeyId, &str, &SecretNote), end: Timestamp) -> Result<bool, Fault> {
        let mut found = true;
        for digest in note.digests.values() {
            found &= self.store.end_alias(digest, (key, tag), end.plus(self.config.retention_seconds)).await?;
        }
        Ok(found)
    }

    /// Disables or revokes a key, up to what [`Changes::finish`] does. Both always win over other changes, and repeating a revocation
    /// finishes it.
    ///
    /// # Errors
    /// `no_such_key`; `key_revoked` for disabling a revoked key; a fault.
    pub async fn refuse(&self, id: &KeyId, actor: &str, refusing: Refusing) -> Result<InForce<'static>, Error> {
        let now = self.host.clock.now();
        // Nothing is written down of what can't be, and nothing stands between a key and its end: not even a record that
        // can't be read. The authorizer refuses that one anyway; this keeps it refused when somebody has mended it.
        let known = match self.store.record(id).await {
            Ok(None) => return Err(no_such_key().into()),
            Ok(Some(Record { status: Status::Revoked(_), .. })) if refusing == Refusing::Disable => {
                return Err(rotation::revoked().into());
            }
            Ok(Some(record)) if self.is_withdrawn(&record, now).await => return Err(no_such_key().into()),
            Ok(Some(record)) => Some(record),
            Err(fault) if fault.is_corrupt() => None,
            Err(fault) => return Err(fault.into()),
        };
        let (action, status) = match &refusing {
            Refusing::Disable => ("disable", "disabled"),
            Refusing::Revoke(_) => ("revoke", "revoked"),
        };
        let mut detail = difference::status(known.as_ref(), status);
        if let Refusing::Revoke(reason) = &refusing {
            detail.insert("reason".to_owned(), reason.as_str().into());
        }
        let event = self.intend(action, id, actor, detail.into()).await?;
        let changed = match &refusing {
            Refusing::Disable => self.disable(id, known.map(|record| record.version)).await?,
            Refusing::Revoke(reason) => {
                let revocation = Revocation { at: now, by: actor.to_owned(), reason: reason.clone() };
                self.store.revoke(id, &revocation, now.plus(self.config.retention_seconds)).await?
            }
        };
        let record = match (changed, refusing) {
            (StatusChange::Done(record), _) | (StatusChange::Refused(record), Refusing::Revoke(_)) => record,
            (StatusChange::Refused(_), Refusing::Disable) => return Err(self.refused(&event, rotation::revoked()).await),
            (StatusChange::NoSuchKey, _) => return Err(self.refused(&event, no_such_key()).await),
        };
        self.with_status(event, record).await
    }

    /// Whether all but the hot item of `record` has been removed after its end: DynamoDB removes them in any order. Whoever can't
    /// be told so is not kept from refusing a key.
    async fn is_withdrawn(&self, record: &Record, now: Timestamp) -> bool {
        let over = record.end_of_life().is_some_and(|end| end.plus(self.config.retention_seconds) <= now);
        over && matches!(self.store.about(record).await, Ok(None))
    }

    /// Disables a key at the version that is `known`, so that a copy of the write that arrives late can't undo what was done
    /// after it. Should others change the key again and again meanwhile, then at last at any: refusing never waits.
    async fn disable(&self, id: &KeyId, mut known: Option<u64>) -> Result<StatusChange, Fault> {
        for _ in 0..MOST_RACES {
            match self.store.disable(id, known).await? {
                StatusChange::Refused(Record { version, status: Status::Active, .. }) => known = Some(version),
                // Perhaps by an earlier copy of this very write.
                StatusChange::Refused(disabled @ Record { status: Status::Disabled, .. }) => {
                    return Ok(StatusChange::Done(disabled));
                }
                settled => return Ok(settled),
            }
        }
        self.store.disable(id, None).await
    }

    /// Enables a disabled key; one that is active stays so.
    ///
    /// # Errors
    /// `no_such_key`, `key_revoked`, `precondition_failed`, `changed_meanwhile`; a fault.
    pub async fn enable(&self, id: &KeyId, actor: &str, if_match: &IfMatch) -> Result<Key, Error> {
        let key = self.load_to_change(id, if_match).await?;
        let record = Record { version: key.record.version + 1, status: Status::Active, ..key.record.clone() };
        let detail = difference::difference(&key, &record, &AboutChange::default());
        let event = self.intend("enable", id, actor, detail).await?;
        let commit = Commit { record, dropped: Vec::new(), unused: None };
        self.commit(&event, key, commit, AboutChange::default(), if_match).await
    }

    /// A change of status that is in force.
    async fn with_status(&self, event: Event, record: Record) -> Result<InForce<'static>, Error> {
        // Without an about item the key is refused all the same; that something is wrong must not be hidden, though.
        let about = self.store.about(&record).await?.ok_or_else(|| Fault::corrupt("about", "missing"))?;
        Ok(InForce { key: Key { record, about }, event: Cow::Owned(event), committed: None })
    }

    /// Writes down that a change is done. Without that, no success is answered.
    ///
    /// # Errors
    /// A fault.
    pub async fn done(&self, event: &Event) -> Result<(), Error> {
        self.outcome(event, Phase::Done).await
    }

    /// Writes down that nothing was changed; answers why.
    pub async fn refused(&self, event: &Event, rejection: Rejection) -> Error {
        match self.outcome(event, Phase::Refused(rejection.code.as_str())).await {
            Ok(()) => rejection.into(),
            Err(fault) => fault,
        }
    }

    async fn outcome(&self, event: &Event, phase: Phase) -> Result<(), Error> {
        let appended = self.store.append(event, phase, self.config.audit_retention_seconds).await;
        Ok(appended.inspect_err(|_| cost::audit_lost())?)
    }
}

/// Whether `after` may be needed for longer than `before`.
fn outlives(after: &Record, before: &Record) -> bool {
    match (after.end_of_life(), before.end_of_life()) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(after), Some(before)) => after > before,
    }
}

/// There is no key of that id, or it has been removed after its end.
#[must_use]
pub fn no_such_key() -> Rejection {
    Rejection::new(Code::NoSuchKey, "There is no key of that id.")
}

/// Fails if `record` would need more than one write unit once its counters have grown.
///
/// # Errors
/// `policy_too_large`, with the bytes that are too many.
pub fn check_size(record: &Record) -> Result<(), Rejection> {
    match crate::store::record::excess(record) {
        0 => Ok(()),
        excess => Err(Rejection::new(
            Code::PolicyTooLarge,
            format!(
                "Name, owner, scopes, ip_allowlist and limits together are {excess} bytes too long: shorten scopes or join networks."
            ),
        )),
    }
}

/// Another change was faster.
#[must_use]
pub fn changed_meanwhile() -> Rejection {
    Rejection::new(
        Code::ChangedMeanwhile,
        "Somebody else changed the key at the same moment; nothing of this change is in force. Try again.",
    )
}
