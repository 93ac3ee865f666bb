//! The migration of one session.
//!
//! A copy makes the target hold what the source holds; nothing else writes to the target meanwhile.
//! A move is for stores in use, by services that have a `carafe::store::MigratingStore` of the two:
//! see there for why a log-out wins over it.

use carafe_core::{
    clock::Timestamp,
    store::{
        Created, ErasedStore, KeyState, Migrated, MigratingStore, Record, StoreError, finish,
        retired_until,
    },
};

use crate::{
    retry::again,
    source::{Found, Source, is_same},
};

/// Number of expired records of the target that are removed in one step.
const SWEPT: usize = 1_000;

/// Whether sessions are copied or moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The source keeps its sessions.
    Copy,
    /// A session is deleted from the source once the target has it.
    Move,
}

/// The outcome for one session.
#[derive(Debug)]
pub enum Outcome {
    /// The session was added to the target.
    Arrived,
    /// The target had an older version of the session, which was replaced.
    Updated,
    /// The target already had the session.
    WasThere,
    /// The target has a newer version of the session, which stays.
    NewerThere,
    /// As `WasThere` or `NewerThere`, in a move.
    ///
    /// The source's remains are to be deleted, unless a service that moves the session at this
    /// moment does so.
    ToBeSettled,
    /// The target returned the session with other contents. The session stays in the source only.
    ComesBackDifferent,
    /// The session was revoked after it was read from the source.
    Ended,
    /// The session has expired and is not transferred.
    Expired,
    /// The session has a previous ID that may still be in use. Another pass transfers it.
    TooYoung,
}

/// The source, the target and the mode.
#[derive(Clone, Copy)]
pub struct Transfer<'w> {
    /// The source of the sessions.
    pub source: &'w dyn Source,
    /// The target of the sessions.
    pub target: &'w dyn ErasedStore,
    /// Whether the sessions are copied or moved.
    pub mode: Mode,
    /// Whether a moved session is read back before it is deleted from the source.
    pub reads_back: bool,
}

impl Transfer<'_> {
    /// Deletes the expired sessions of the target, which would refuse new ones with the same key.
    ///
    /// # Errors
    /// The target's, after several tries.
    pub async fn sweep_target(self) -> Result<(), StoreError> {
        let Some(sweeper) = self.target.powers().sweeper() else {
            return Ok(());
        };
        while again(|| sweeper.sweep(SWEPT, Timestamp::now())).await? > 0 {}
        Ok(())
    }

    /// Transfers one session.
    pub(crate) async fn take(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        if record.is_expired(now) {
            return Ok(Outcome::Expired);
        }
        match self.mode {
            Mode::Copy => self.copy(found, record, now).await,
            Mode::Move if self.source.has_aliases() && MigratingStore::must_stay(record, now) => {
                Ok(Outcome::TooYoung)
            }
            Mode::Move => self.bring(found, record, now).await,
        }
    }

    async fn copy(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        if self.target.create(&found.key, record, now).await? == Created::Created {
            return Ok(Outcome::Arrived);
        }
        let Some(there) = self.there(found, now).await? else {
            return Ok(Outcome::Ended);
        };
        if self.source.is_same(record, &there) {
            return Ok(Outcome::WasThere);
        }
        if age(&there) > age(record) {
            return Ok(Outcome::NewerThere);
        }
        self.replace(found, record, now).await
    }

    async fn bring(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let (old, new) = (
            (self.source.store(), &found.name),
            (self.target, &found.key),
        );
        match self.target.create(&found.key, record, now).await? {
            Created::Created if !self.is_read_back(found, record, now).await? => {
                self.take_back(found, now).await?;
                return Ok(Outcome::ComesBackDifferent);
            }
            Created::Created => {
                return Ok(match finish(old, new, now).await? {
                    Migrated::Ended => Outcome::Ended,
                    Migrated::Over | Migrated::WasThere => Outcome::Arrived,
                });
            }
            Created::Taken => {}
        }
        let Some(there) = self.there(found, now).await? else {
            // A service has moved and revoked this session since the source was read.
            self.settle(found).await?;
            return Ok(Outcome::Ended);
        };
        // Older versions are left over from an earlier copy.
        if age(record) > age(&there) {
            self.replace(found, record, now).await?;
        }
        Ok(Outcome::ToBeSettled)
    }

    /// Whether the target gives back what it was given, if that is to be known.
    ///
    /// A service may have used or revoked the session meanwhile.
    async fn is_read_back(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.reads_back {
            return Ok(true);
        }
        let there = self.target.load(&found.key, now).await?.into_record();
        Ok(there.is_none_or(|there| is_same(record, &there) || age(&there) > age(record)))
    }

    /// Deletes a session from the source after [`Outcome::ToBeSettled`].
    pub(crate) async fn settle(self, found: &Found) -> Result<(), StoreError> {
        let deleted = self.source.store().delete(&found.name, Timestamp::now());
        deleted.await.map(drop)
    }

    /// Replaces the session in the target. Stores have no upsert, so in between only the source has
    /// the session.
    async fn replace(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        self.take_back(found, now).await?;
        match self.target.create(&found.key, record, now).await? {
            Created::Created => Ok(Outcome::Updated),
            Created::Taken => Err(StoreError::Conflict),
        }
    }

    /// Deletes what the target has without a trace.
    ///
    /// A marker of now would refuse the session itself.
    async fn take_back(self, found: &Found, now: Timestamp) -> Result<(), StoreError> {
        let over = now.saturating_add(now.seconds_since(retired_until(now)));
        self.target.delete(&found.key, over).await?;
        match self.target.powers().sweeper() {
            Some(sweeper) => sweeper.sweep(SWEPT, now).await.map(drop),
            None => Ok(()),
        }
    }

    /// Returns the record that made the target refuse this one.
    ///
    /// Returns `None` if the target has retired the key.
    async fn there(self, found: &Found, now: Timestamp) -> Result<Option<Record>, StoreError> {
        match self.target.load(&found.key, now).await? {
            KeyState::Retired => Ok(None),
            // Expired records were swept at the start, so another session is under the key.
            state => state.into_record().map(Some).ok_or(StoreError::Conflict),
        }
    }
}

/// Returns the values that increase as a session is used.
fn age(record: &Record) -> (u64, Timestamp, Timestamp) {
    (
        record.meta.version,
        record.meta.last_seen,
        record.meta.expires,
    )
}
