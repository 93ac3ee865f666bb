//! A patch or a rotation on its way. It is made here, on what the caller has loaded, and takes place if that is still
//! there; where somebody has written since, it is made again on what is there. The scripts compare, `verbs` and
//! `rotate` call them.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Record, StoreError, StoreKey},
};

use crate::{
    RedisStore,
    found::Found,
    layout::{rest_in, rest_of},
    turns::Turn,
};

pub(crate) struct Change<'a> {
    store: &'a RedisStore,
    /// Where the record is.
    pub(crate) key: StoreKey,
    base: &'a Record,
    patch: &'a Patch,
    /// Where it goes, if it moves.
    to: Option<&'a StoreKey>,
    now: Timestamp,
    /// What there is to be changed if it is not `base` any more.
    newer: Option<Box<Record>>,
    /// The value that this is, as `unlike.lua` compares it.
    pub(crate) was: String,
    turn: Option<Turn<'a>>,
}

/// What comes of it.
pub(crate) struct Next {
    // On the heap, where it ends up: futures hold it in several places.
    pub(crate) record: Box<Record>,
    /// Its value, from behind the second until which the indices list it.
    pub(crate) rest: String,
    /// Whether it lives longer than before.
    pub(crate) grows: bool,
}

impl<'a> Change<'a> {
    pub(crate) fn new(
        store: &'a RedisStore,
        key: &StoreKey,
        to: Option<&'a StoreKey>,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> Self {
        Self {
            store,
            key: *key,
            base,
            patch,
            to,
            now,
            newer: None,
            was: rest_of(key, base),
            turn: None,
        }
    }

    fn newest(&self) -> &Record {
        self.newer.as_deref().unwrap_or(self.base)
    }

    /// The record after the change; `None` if there is none to change.
    pub(crate) async fn next(&mut self) -> Result<Option<Next>, StoreError> {
        while self.newest().is_expired(self.now) {
            // By what the caller knows. Somebody may have used it since.
            let found = Box::pin(self.store.value(&self.key)).await?;
            if !Box::pin(self.meet(found)).await? {
                return Ok(None);
            }
        }
        let newest = self.newest();
        let next = match self.to {
            Some(_) => newest.rotated(self.base, self.patch, self.now)?,
            None => newest.after(self.base, self.patch)?,
        };
        Ok(next.map(|record| Next {
            rest: rest_of(self.to.unwrap_or(&self.key), &record),
            grows: record.expires > newest.expires,
            record: Box::new(record),
        }))
    }

    /// Takes in what is there instead; `false` if there is nothing to change.
    pub(crate) async fn meet(&mut self, found: Option<Vec<u8>>) -> Result<bool, StoreError> {
        let mut met = self.read(found)?;
        if self.turn.is_none() && matches!(met, (Found::Record(_), _)) {
            let turn = self.store.turns.take(&self.key).await;
            if turn.waited {
                met = self.read(self.store.value(&self.key).await?)?;
            }
            self.turn = Some(turn);
        }
        match met {
            (Found::Record(record), rest) => {
                let is_there = !record.is_expired(self.now);
                (self.newer, self.was) = (Some(Box::new(record)), rest);
                Ok(is_there)
            }
            // Who rotates has met an id that somebody else has replaced already.
            (Found::Alias(to, until), _) if self.to.is_none() && self.now < until => {
                (self.key, self.was) = (to, rest_of(&to, self.newest()));
                Ok(true)
            }
            (Found::Pending(..), _) => {
                self.store.pause().await;
                Ok(true)
            }
            (Found::Alias(..) | Found::Nothing, _) => Ok(false),
        }
    }

    /// What was found, and as it is compared: byte for byte, not as it would be written now.
    fn read(&self, found: Option<Vec<u8>>) -> Result<(Found, String), StoreError> {
        let Some(value) = found else {
            return Ok((Found::Nothing, String::new()));
        };
        let text = std::str::from_utf8(&value).map_err(StoreError::corrupt)?;
        let rest = rest_in(text).unwrap_or_default().to_owned();
        Ok((Found::read(value, &self.key)?, rest))
    }
}
