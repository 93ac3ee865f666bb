//! Compares two stores: every live session of each is looked up in the other.

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

/// Number of concurrent loads.
const CONCURRENCY: usize = 64;
/// Maximum number of sessions that the report names. All are counted.
const NAMED: usize = 20;

/// The result of a comparison. Fields are only added.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Comparison {
    /// Number of live sessions of the source that are equal in the target.
    pub(crate) same: u64,
    /// Number of live sessions of the source that are missing in the target.
    pub(crate) missing: u64,
    /// Number of sessions that differ.
    pub(crate) different: u64,
    /// Number of live sessions of the target that are missing in the source. `None` if the source
    /// cannot be asked by key.
    pub(crate) extra: Option<u64>,
    /// The first differences.
    pub(crate) differences: Vec<Trouble>,
}

impl Comparison {
    /// Whether the stores are equal.
    pub(crate) fn is_good(&self) -> bool {
        self.missing + self.different + self.extra.unwrap_or(0) == 0
    }

    fn note(&mut self, key: &StoreKey, result: Equality) {
        match result {
            Equality::Same => self.same += 1,
            Equality::Over => {}
            Equality::Missing => {
                self.missing += 1;
                self.name(key, "missing in the target");
            }
            Equality::Different => {
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

/// The comparison of one session.
#[derive(Clone, Copy)]
enum Equality {
    Same,
    Missing,
    Different,
    /// The session has left the source.
    Over,
}

/// A comparison of two stores.
pub(crate) struct Comparing<'c> {
    pub(crate) source: &'c dyn Source,
    pub(crate) from: &'c StoreUrl,
    pub(crate) to: &'c OpenStore,
    pub(crate) batch: usize,
    pub(crate) shows_progress: bool,
}

impl Comparing<'_> {
    /// Looks up every live session of each store in the other.
    pub(crate) async fn run(&self) -> Result<Comparison, Failure> {
        let mut comparison = Comparison::default();
        self.compare_source(&mut comparison).await?;
        self.compare_target(&mut comparison).await?;
        Ok(comparison)
    }

    async fn compare_source(&self, comparison: &mut Comparison) -> Result<(), Failure> {
        let mut progress = self.progress(self.source, self.from, "comparing").await?;
        let (mut cursor, mut seen) = (None, 0);
        loop {
            let page = self.scan(self.source, self.from, cursor.as_ref()).await?;
            let now = Timestamp::now();
            let results = page.found.iter().map(|found| self.compare(found, now));
            let results: Vec<_> = stream::iter(results).buffered(CONCURRENCY).collect().await;
            for (found, result) in page.found.iter().zip(results) {
                comparison.note(&found.key, result?);
            }
            seen += page.found.len() as u64;
            progress.at(seen);
            cursor = page.next;
            if cursor.is_none() {
                progress.done();
                return Ok(());
            }
        }
    }

    async fn compare_target(&self, comparison: &mut Comparison) -> Result<(), Failure> {
        let target = OurSource::new(self.to.sessions(), self.to.listing()?);
        let mut progress = self
            .progress(&target, self.to.url(), "comparing back")
            .await?;
        let (mut cursor, mut seen) = (None, 0);
        loop {
            let page = self.scan(&target, self.to.url(), cursor.as_ref()).await?;
            let now = Timestamp::now();
            let results = page.found.iter().map(|found| self.extra_of(found, now));
            let results: Vec<_> = stream::iter(results).buffered(CONCURRENCY).collect().await;
            for (found, result) in page.found.iter().zip(results) {
                let Some(is_extra) = result? else {
                    return Ok(());
                };
                *comparison.extra.get_or_insert(0) += u64::from(is_extra);
                if is_extra {
                    comparison.name(&found.key, "only in the target");
                }
            }
            comparison.extra.get_or_insert(0);
            seen += page.found.len() as u64;
            progress.at(seen);
            cursor = page.next;
            if cursor.is_none() {
                progress.done();
                return Ok(());
            }
        }
    }

    /// Compares a session of the source with the target. A difference is reported only if both
    /// stores, read again, still differ.
    async fn compare(&self, found: &Found, now: Timestamp) -> Result<Equality, Failure> {
        let walked = match &found.record {
            Ok(record) if !record.is_expired(now) => record,
            _ => return Ok(Equality::Over),
        };
        let there = self
            .load(self.to.url(), self.to.sessions(), &found.key, now)
            .await?;
        if there.is_some_and(|there| self.source.is_same(walked, &there)) {
            return Ok(Equality::Same);
        }
        let here = self
            .load(self.from, self.source.store(), &found.name, now)
            .await?;
        let there = self
            .load(self.to.url(), self.to.sessions(), &found.key, now)
            .await?;
        Ok(match (here, there) {
            (None, _) => Equality::Over,
            (Some(_), None) => Equality::Missing,
            (Some(here), Some(there)) if self.source.is_same(&here, &there) => Equality::Same,
            (Some(_), Some(_)) => Equality::Different,
        })
    }

    /// Whether a session of the target is missing in the source. `None` if the source cannot be
    /// asked for it.
    async fn extra_of(&self, found: &Found, now: Timestamp) -> Result<Option<bool>, Failure> {
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
            // An unreadable record equals no other.
            Err(StoreError::Corrupt(_)) => Ok(None),
            loaded => loaded
                .map(KeyState::into_record)
                .map_err(|error| side.failure(&error)),
        }
    }

    async fn scan(
        &self,
        source: &dyn Source,
        side: &StoreUrl,
        after: Option<&Cursor>,
    ) -> Result<ScanPage, Failure> {
        let page = again(|| source.scan(after, self.batch)).await;
        page.map_err(|error| side.failure(&error))
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
