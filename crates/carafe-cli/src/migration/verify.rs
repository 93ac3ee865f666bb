//! Whether both sides hold the same: every live session of the one is looked for in the other.

use carafe_core::{
    clock::Timestamp,
    store::{Cursor, ErasedStore, KeyState, Record, StoreError, StoreKey},
};
use carafe_migration::{Found, OurSource, ScanPage, Source, Trouble, again, short};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::Progress;
use crate::{
    failure::Failure,
    stores::{OpenStore, StoreUrl},
};

/// How many loads at once.
const AT_ONCE: usize = 64;
/// How many sessions are named; all are counted.
const NAMED: usize = 20;

/// The findings. Fields are only added.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Comparison {
    /// Live sessions of the source that the target has, alike in every fact and value.
    pub(crate) same: u64,
    /// Live sessions of the source that the target lacks.
    pub(crate) missing: u64,
    /// Those that the two do not agree on.
    pub(crate) different: u64,
    /// Live sessions of the target that the source lacks; `None` if the source cannot be asked for
    /// them.
    pub(crate) extra: Option<u64>,
    /// The first of them.
    pub(crate) differences: Vec<Trouble>,
}

impl Comparison {
    /// Whether the two are alike.
    pub(crate) fn is_good(&self) -> bool {
        self.missing + self.different + self.extra.unwrap_or(0) == 0
    }

    fn note(&mut self, key: &StoreKey, look: Look) {
        match look {
            Look::Same => self.same += 1,
            Look::Over => {}
            Look::Missing => {
                self.missing += 1;
                self.name(key, "missing in the target");
            }
            Look::Different => {
                self.different += 1;
                self.name(key, "different in the target");
            }
        }
    }

    fn name(&mut self, key: &StoreKey, reason: &str) {
        if self.differences.len() < NAMED {
            self.differences.push(Trouble {
                key: short(key),
                reason: reason.to_owned(),
            });
        }
    }
}

/// The result of a comparison of both sides.
#[derive(Clone, Copy)]
enum Look {
    Same,
    Missing,
    Different,
    /// It is not in the source any more.
    Over,
}

/// Two stores beside each other.
pub(crate) struct Comparing<'c> {
    pub(crate) source: &'c dyn Source,
    pub(crate) from: &'c StoreUrl,
    pub(crate) to: &'c OpenStore,
    pub(crate) batch: usize,
    pub(crate) shows_progress: bool,
}

impl Comparing<'_> {
    /// Looks for every live session of each side in the other.
    pub(crate) async fn run(&self) -> Result<Comparison, Failure> {
        let mut comparison = Comparison::default();
        self.forth(&mut comparison).await?;
        self.back(&mut comparison).await?;
        Ok(comparison)
    }

    async fn forth(&self, comparison: &mut Comparison) -> Result<(), Failure> {
        let mut progress = self.progress(self.source, self.from, "comparing").await?;
        let (mut cursor, mut seen) = (None, 0);
        loop {
            let stretch = self
                .stretch(self.source, self.from, cursor.as_ref())
                .await?;
            let now = Timestamp::now();
            let looks = stretch.found.iter().map(|found| self.look(found, now));
            let looks: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
            for (found, look) in stretch.found.iter().zip(looks) {
                comparison.note(&found.key, look?);
            }
            seen += stretch.found.len() as u64;
            progress.at(seen);
            cursor = stretch.next;
            if cursor.is_none() {
                progress.done();
                return Ok(());
            }
        }
    }

    async fn back(&self, comparison: &mut Comparison) -> Result<(), Failure> {
        let target = OurSource::new(self.to.sessions(), self.to.listing()?);
        let mut progress = self
            .progress(&target, self.to.url(), "comparing back")
            .await?;
        let (mut cursor, mut seen) = (None, 0);
        loop {
            let stretch = self
                .stretch(&target, self.to.url(), cursor.as_ref())
                .await?;
            let now = Timestamp::now();
            let looks = stretch.found.iter().map(|found| self.look_back(found, now));
            let looks: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
            for (found, look) in stretch.found.iter().zip(looks) {
                let Some(is_extra) = look? else { return Ok(()) };
                *comparison.extra.get_or_insert(0) += u64::from(is_extra);
                if is_extra {
                    comparison.name(&found.key, "only in the target");
                }
            }
            comparison.extra.get_or_insert(0);
            seen += stretch.found.len() as u64;
            progress.at(seen);
            cursor = stretch.next;
            if cursor.is_none() {
                progress.done();
                return Ok(());
            }
        }
    }

    /// One of the source, in the target. Before anything is said of it, both are asked anew.
    async fn look(&self, found: &Found, now: Timestamp) -> Result<Look, Failure> {
        let walked = match &found.record {
            Ok(record) if !record.is_expired(now) => record,
            _ => return Ok(Look::Over),
        };
        let there = self
            .load(self.to.url(), self.to.sessions(), &found.key, now)
            .await?;
        if there.is_some_and(|there| self.source.is_same(walked, &there)) {
            return Ok(Look::Same);
        }
        let here = self
            .load(self.from, self.source.store(), &found.name, now)
            .await?;
        let there = self
            .load(self.to.url(), self.to.sessions(), &found.key, now)
            .await?;
        Ok(match (here, there) {
            (None, _) => Look::Over,
            (Some(_), None) => Look::Missing,
            (Some(here), Some(there)) if self.source.is_same(&here, &there) => Look::Same,
            (Some(_), Some(_)) => Look::Different,
        })
    }

    /// Whether one of the target is not in the source; `None` if the source cannot be asked for it.
    async fn look_back(&self, found: &Found, now: Timestamp) -> Result<Option<bool>, Failure> {
        let Some(name) = self.source.name_of(&found.key) else {
            return Ok(None);
        };
        let is_over = found
            .record
            .as_ref()
            .is_ok_and(|record| record.is_expired(now));
        if is_over
            || self
                .load(self.from, self.source.store(), &name, now)
                .await?
                .is_some()
        {
            return Ok(Some(false));
        }
        let there = self
            .load(self.to.url(), self.to.sessions(), &found.key, now)
            .await?;
        Ok(Some(there.is_some()))
    }

    async fn load(
        &self,
        side: &StoreUrl,
        store: &dyn ErasedStore,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Option<Record>, Failure> {
        match again(|| store.load(key, now)).await {
            // Not alike, whatever it is.
            Err(StoreError::Corrupt(_)) => Ok(None),
            loaded => loaded
                .map(KeyState::into_record)
                .map_err(|error| side.failure(&error)),
        }
    }

    async fn stretch(
        &self,
        source: &dyn Source,
        side: &StoreUrl,
        after: Option<&Cursor>,
    ) -> Result<ScanPage, Failure> {
        let stretch = again(|| source.scan(after, self.batch)).await;
        stretch.map_err(|error| side.failure(&error))
    }

    async fn progress(
        &self,
        source: &dyn Source,
        side: &StoreUrl,
        what: &'static str,
    ) -> Result<Progress, Failure> {
        let total = again(|| source.total(Timestamp::now())).await;
        let total = total.map_err(|error| side.failure(&error))?;
        Ok(Progress::new(what, total, self.shows_progress))
    }
}
