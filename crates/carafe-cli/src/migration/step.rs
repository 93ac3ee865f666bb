//! What happens to one session.
//!
//! A copy makes the target hold what the source holds; nobody else writes to the target meanwhile. A move is for
//! stores in use, by services that have a `carafe_core::store::Moving` of the two: see there for why a
//! log-out wins over it.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Brought, Created, Moving, Record, SessionStore, StoreError, let_go},
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
    /// The target took it and gave back something else; it stays in the source alone.
    ComesBackDifferent,
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
    /// Whether what is moved is read back before the source lets go of it.
    pub(super) reads_back: bool,
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
        if self.source.is_same(record, &there) {
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
        let (old, new) = (
            (self.source.store(), &found.name),
            (self.target, &found.key),
        );
        match self.target.create(&found.key, record, now).await? {
            Created::Created if !self.is_read_back(found, record, now).await? => {
                self.target.delete(&found.key).await?;
                return Ok(Fate::ComesBackDifferent);
            }
            Created::Created => {
                return Ok(match let_go(old, new).await? {
                    Brought::Ended => Fate::Ended,
                    Brought::Over | Brought::WasThere => Fate::Arrived,
                });
            }
            Created::Taken => {}
        }
        // Left by an earlier copy, if it is older.
        let there = self.there(found, now).await?;
        if age(record) > age(&there) {
            self.replace(found, record, now).await?;
        }
        Ok(Fate::ToBeSettled)
    }

    /// Whether the target gives back what it was given, if that is to be known; a service may have used it
    /// meanwhile, or ended it.
    async fn is_read_back(
        self,
        found: &Found,
        record: &Record,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.reads_back {
            return Ok(true);
        }
        let there = self.target.load(&found.key, now).await?;
        Ok(there.is_none_or(|there| is_same(record, &there) || age(&there) > age(record)))
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
