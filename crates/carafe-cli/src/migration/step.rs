//! What happens to one session.
//!
//! A copy makes the target hold what the source holds; nobody else writes to the target meanwhile. A move is for
//! stores in use, by services that have a `carafe_core::store::Moving` of the two: see there for why a
//! log-out wins over it.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Brought, Created, Moving, Record, SessionStore, StoreError, bring_over},
};

use super::source::{Found, Source};

/// Whether sessions stay in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Copy,
    Move,
}

/// What became of a session.
#[derive(Debug)]
pub(super) enum Fate {
    /// The target has it now.
    Arrived,
    /// The target had an older state of it, and has this one now.
    Updated,
    /// The target had it already.
    WasThere,
    /// The target has a newer state of it, which stays.
    NewerThere,
    /// As `WasThere` or `NewerThere`, in a move: the source's remains are to be deleted, unless whoever brings
    /// it over at this moment does so.
    ToBeSettled,
    /// It was ended between the look at it and the move.
    Ended,
    /// Nothing to move: it is over.
    Expired,
    /// Its id is so young that an older one may still lead to it. Later.
    TooYoung,
}

/// Both ends of the way, and how to go it.
#[derive(Clone, Copy)]
pub(super) struct Way<'w> {
    pub(super) source: &'w dyn Source,
    pub(super) target: &'w dyn SessionStore,
    pub(super) mode: Mode,
}

impl Way<'_> {
    /// Takes one session along.
    pub(super) async fn take(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        if record.is_expired(now) {
            return Ok(Fate::Expired);
        }
        match self.mode {
            Mode::Copy => self.copy(found, record, now).await,
            Mode::Move if self.source.has_aliases() && Moving::is_too_young(record, now) => {
                Ok(Fate::TooYoung)
            }
            Mode::Move => self.bring(found, record, now).await,
        }
    }

    async fn copy(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        if self.target.create(&found.key, record, now).await? == Created::Created {
            return Ok(Fate::Arrived);
        }
        let there = self.there(found, now).await?;
        if is_same(record, &there) {
            return Ok(Fate::WasThere);
        }
        if age(&there) > age(record) {
            return Ok(Fate::NewerThere);
        }
        self.replace(found, record, now).await
    }

    async fn bring(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        let old = (self.source.store(), &found.name);
        let brought = bring_over(old, (self.target, &found.key), record, now).await?;
        match brought {
            Brought::Over => return Ok(Fate::Arrived),
            Brought::Ended => return Ok(Fate::Ended),
            Brought::WasThere => {}
        }
        // Left by an earlier copy, if it is older.
        let there = self.there(found, now).await?;
        if age(record) > age(&there) {
            self.replace(found, record, now).await?;
        }
        Ok(Fate::ToBeSettled)
    }

    /// Ends what [`Fate::ToBeSettled`] has left in the source, some time later.
    pub(super) async fn settle(self, found: &Found) -> Result<(), StoreError> {
        self.source.store().delete(&found.name).await.map(drop)
    }

    /// There is no upsert. In between the target has none, and the source has it.
    async fn replace(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<Fate, StoreError> {
        self.target.delete(&found.key).await?;
        match self.target.create(&found.key, record, now).await? {
            Created::Created => Ok(Fate::Updated),
            Created::Taken => Err(StoreError::Conflict),
        }
    }

    /// What the target has where it took nothing. Something expired would have been swept at the start.
    async fn there(self, found: &Found, now: Timestamp) -> Result<Record, StoreError> {
        let there = self.target.load(&found.key, now).await?;
        there.ok_or(StoreError::Conflict)
    }
}

/// What grows as a session is used.
fn age(record: &Record) -> (u64, Timestamp, Timestamp) {
    (record.version, record.last_seen, record.expires)
}

/// Whether nothing tells the two apart.
pub(super) fn is_same(a: &Record, b: &Record) -> bool {
    let text = |record: &Record| Patch::default().render(&record.data, Record::STYLE);
    a.summary() == b.summary() && text(a) == text(b)
}
