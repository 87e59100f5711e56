//! Giving a key a new secret: note → alias → commit, as a rotation, or in the place of one whose answer was lost.

use crate::{
    audit::difference::difference,
    change::{Changes, Key, changed_meanwhile},
    error::Error,
    idempotency::{Claim, Remembered, Standing},
    if_match::IfMatch,
    key::Secret,
    mint::{Mint, Minted},
    rotation,
    store::{about::AboutChange, commit::Commit},
};

/// Makes secrets for keys that there are.
pub struct Renewal<'a> {
    /// The keys.
    pub changes: &'a Changes,
    /// The secrets.
    pub mint: &'a Mint,
    /// The principal that asks.
    pub actor: &'a str,
    /// The request, if it may be sent again.
    pub claim: Option<&'a Claim>,
}

impl Renewal<'_> {
    /// Gives `key` the newest secret of `commit`, which was planned on it; answers with it as it is then. `remembered` is what a
    /// former sending of the request has left, if there was one. If nothing comes of the first one, for a reason that is the
    /// caller's, it may be sent once more.
    ///
    /// # Errors
    /// Those of [`Changes::commit`]; `changed_meanwhile` as well if the same request is being made at the same moment.
    pub async fn commit(
        &self,
        mut key: Key,
        mut commit: Commit,
        if_match: &IfMatch,
        remembered: Option<&Remembered>,
    ) -> Result<(Key, Secret), Error> {
        let Self { changes, mint, actor, claim } = *self;
        let (id, number) = (key.record.id.clone(), commit.record.newest());
        let Minted { secret, digest, alias, note } =
            mint.mint(mint.generate(key.record.environment)?, &id, number, actor).await?;
        let tag = alias.proof.tag.clone();
        commit.tag_newest(&tag);
        let detail = difference(&key, &commit.record, &AboutChange::default());
        let event = changes.intend("rotate", &id, actor, detail).await?;
        if let Some(claim) = claim {
            // Before the commit: should its answer be lost, the next sending recognises the secret as its own.
            let own = match remembered {
                Some(remembered) => changes.store.remember_also(claim, remembered, (number, &tag)).await?,
                None => changes.store.remember(claim, &id, (number, &tag), changes.host.clock.now()).await?,
            };
            if !own {
                return Err(changes.refused(&event, changed_meanwhile()).await);
            }
        }
        changes.store.note_secret(&id, &tag, &note).await?;
        changes.store.put_alias(&digest, &alias).await?;
        key.about.secrets.insert(tag.clone(), note);
        let made = changes.commit(&event, key, commit, AboutChange::default(), if_match).await;
        if let (Some(claim), None, Err(Error::Rejected(_))) = (claim, remembered, &made) {
            // What others rotate from now on stays: this request may follow what there is, and nothing later.
            if let Some(record) = changes.store.record(&id).await? {
                changes.store.reopen(claim, &tag, record.newest()).await?;
            }
        }
        Ok((made?, secret))
    }

    /// Answers a request that was made before: with a secret in the place of the one that nobody has seen. None if nothing has
    /// come of it yet, and it is to be made as if for the first time.
    ///
    /// # Errors
    /// `secret_in_use`, `key_revoked`, `no_such_key`; those of [`Renewal::commit`].
    pub async fn again(&self, remembered: &Remembered) -> Result<Option<(Key, Secret)>, Error> {
        // Whatever version the caller named, the request itself has made another.
        let if_match = IfMatch::Absent;
        let key = self.changes.load_to_change(&remembered.key, &if_match).await?;
        match remembered.standing(&key.record)? {
            Standing::Open => Ok(None),
            Standing::Unseen => {
                let commit = rotation::replace(&key.record)?;
                self.commit(key, commit, &if_match, Some(remembered)).await.map(Some)
            }
        }
    }
}
