//! Runs a migration batch by batch.

use std::{num::NonZeroU32, time::Duration};

use carafe_core::{
    clock::Timestamp,
    store::{Cursor, StoreError},
};

use carafe_migration::{Halt, Mode, Source, Tally, Transfer, again};

use super::{Progress, StateFile, Stop, throttle::Throttle};
use crate::{
    failure::Failure,
    stores::{OpenStore, StoreUrl},
};

/// Maximum number of passes of a move. Sessions with an earlier ID that may still be in use need
/// another pass.
const PASSES: usize = 3;
/// Default grace period of a renewal.
const GRACE: Duration = Duration::from_secs(30);

/// Settings of a migration.
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// Whether a move reads each session back before it is deleted from the source.
    pub(crate) reads_back: bool,
    pub(crate) batch: usize,
    pub(crate) rate: Option<NonZeroU32>,
    pub(crate) shows_progress: bool,
}

/// A migration, ready to run.
pub(crate) struct Migration<'m> {
    pub(crate) source: &'m dyn Source,
    pub(crate) from: &'m StoreUrl,
    pub(crate) to: &'m OpenStore,
    pub(crate) settings: Settings,
    pub(crate) state: StateFile,
    pub(crate) stop: Stop,
}

impl Migration<'_> {
    /// Runs the migration, from where the previous run stopped. The position is saved after each
    /// batch, so the same command continues after an interruption.
    pub(crate) async fn run(&self) -> Result<Tally, Failure> {
        let swept = self.transfer().sweep_target().await;
        swept.map_err(|error| self.to.failure(&error))?;
        let (mut cursor, mut tally) = self.state.read()?;
        for pass in 1..=PASSES {
            self.pass(&mut cursor, &mut tally).await?;
            if tally.left_for_later == 0 || pass == PASSES {
                break;
            }
            self.wait_for_grace(&tally).await?;
            tally.left_for_later = 0;
        }
        self.state.remove()?;
        Ok(tally)
    }

    /// Reads the whole source once.
    async fn pass(&self, cursor: &mut Option<Cursor>, tally: &mut Tally) -> Result<(), Failure> {
        let total = again(|| self.source.total(Timestamp::now())).await;
        let left = total.map_err(|error| self.from.failure(&error))?;
        let total = match self.settings.mode {
            Mode::Copy => left,
            // Moved sessions are no longer in the source.
            Mode::Move => left + tally.seen,
        };
        let wanted = self.settings.shows_progress;
        let mut progress = Progress::new(doing(self.settings.mode), total, wanted);
        let walked = self.walk(cursor, tally, &mut progress).await;
        progress.done();
        walked
    }

    async fn walk(
        &self,
        cursor: &mut Option<Cursor>,
        tally: &mut Tally,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut throttle = Throttle::new(self.settings.rate);
        loop {
            let (next, seen) = self.batch(cursor.as_ref(), tally, &throttle).await?;
            *cursor = next;
            if let Some(place) = cursor {
                self.state.write(place, tally)?;
            }
            // Progress counts only what the state file records.
            progress.at(tally.seen);
            if cursor.is_none() {
                return Ok(());
            }
            if self.stop.within(throttle.rest(seen)).await {
                return Err(self.stopped(tally));
            }
        }
    }

    /// Transfers one batch. Returns the position of the next one and the number of sessions.
    async fn batch(
        &self,
        after: Option<&Cursor>,
        tally: &mut Tally,
        throttle: &Throttle,
    ) -> Result<(Option<Cursor>, usize), Failure> {
        let limit = throttle.limit(self.settings.batch);
        let page = again(|| self.source.scan(after, limit)).await;
        let page = page.map_err(|error| self.halted(self.from, &error))?;
        // An incomplete batch is not counted, because the next run repeats it.
        let mut counted = tally.clone();
        let taken = self
            .transfer()
            .take_all(&page, &mut counted, Timestamp::now())
            .await;
        taken.map_err(|halt| match halt {
            Halt::Source(error) => self.halted(self.from, &error),
            Halt::Target(error) => self.halted(self.to.url(), &error),
        })?;
        *tally = counted;
        Ok((page.next, page.found.len()))
    }

    fn transfer(&self) -> Transfer<'_> {
        Transfer {
            source: self.source,
            target: self.to.sessions(),
            mode: self.settings.mode,
            reads_back: self.settings.reads_back,
        }
    }

    async fn wait_for_grace(&self, tally: &Tally) -> Result<(), Failure> {
        let (count, wait) = (tally.left_for_later, GRACE);
        crate::output::note(&format!(
            "{count} sessions have a renewed ID that the browser may not have yet; next pass in {} s",
            wait.as_secs()
        ))?;
        match self.stop.within(wait + Duration::from_secs(1)).await {
            true => Err(self.stopped(tally)),
            false => Ok(()),
        }
    }

    fn stopped(&self, tally: &Tally) -> Failure {
        Failure::stopped(format_args!(
            "after {} sessions, at the end of a batch; {}",
            tally.seen,
            self.how_to_go_on()
        ))
    }

    /// Returns the failure of a store, with how to continue.
    fn halted(&self, store: &StoreUrl, error: &StoreError) -> Failure {
        store.failure(error).and(self.how_to_go_on())
    }

    fn how_to_go_on(&self) -> &'static str {
        match self.state.is_kept() {
            true => "the same command continues from here",
            false => {
                "the same command starts again and skips what the target has; with --state it would continue from here"
            }
        }
    }
}

const fn doing(mode: Mode) -> &'static str {
    match mode {
        Mode::Copy => "copying",
        Mode::Move => "moving",
    }
}
