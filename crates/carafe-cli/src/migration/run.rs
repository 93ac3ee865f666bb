//! Batch after batch.

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

/// The most passes of a move over sessions with an earlier id that may still be in use.
const PASSES: usize = 3;
/// The grace time of a renewal unless it is set.
const GRACE: Duration = Duration::from_secs(30);

/// How a migration goes.
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// In a move: whether each session is read back before the source lets go of it.
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
    /// Runs it to its end, from where the last run has stopped. The place is kept after each batch,
    /// so whatever stops it, the same command goes on.
    pub(crate) async fn run(&self) -> Result<Tally, Failure> {
        let swept = self.transfer().sweep_target().await;
        swept.map_err(|error| self.to.failure(&error))?;
        let (mut cursor, mut tally) = self.state.read()?;
        for pass in 1..=PASSES {
            self.pass(&mut cursor, &mut tally).await?;
            if tally.left_for_later == 0 || pass == PASSES {
                break;
            }
            self.wait_for_the_young(&tally).await?;
            tally.left_for_later = 0;
        }
        self.state.remove()?;
        Ok(tally)
    }

    /// Once through the source.
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
        let mut pace = Throttle::new(self.settings.rate);
        loop {
            let (next, seen) = self.batch(cursor.as_ref(), tally, &pace).await?;
            *cursor = next;
            if let Some(place) = cursor {
                self.state.write(place, tally)?;
            }
            // Only what is kept is said to be done.
            progress.at(tally.seen);
            if cursor.is_none() {
                return Ok(());
            }
            if self.stop.within(pace.rest(seen)).await {
                return Err(self.stopped(tally));
            }
        }
    }

    /// One batch; where the next begins, and how many there were.
    async fn batch(
        &self,
        after: Option<&Cursor>,
        tally: &mut Tally,
        pace: &Throttle,
    ) -> Result<(Option<Cursor>, usize), Failure> {
        let limit = pace.limit(self.settings.batch);
        let stretch = again(|| self.source.scan(after, limit)).await;
        let stretch = stretch.map_err(|error| self.halted(self.from, &error))?;
        // Only a batch that is done is counted: the next run does it again.
        let mut counted = tally.clone();
        let taken = self
            .transfer()
            .take_all(&stretch, &mut counted, Timestamp::now())
            .await;
        taken.map_err(|halt| match halt {
            Halt::Source(error) => self.halted(self.from, &error),
            Halt::Target(error) => self.halted(self.to.url(), &error),
        })?;
        *tally = counted;
        Ok((stretch.next, stretch.found.len()))
    }

    fn transfer(&self) -> Transfer<'_> {
        Transfer {
            source: self.source,
            target: self.to.sessions(),
            mode: self.settings.mode,
            reads_back: self.settings.reads_back,
        }
    }

    async fn wait_for_the_young(&self, tally: &Tally) -> Result<(), Failure> {
        let (count, wait) = (tally.left_for_later, GRACE);
        crate::output::note(&format!(
            "{count} sessions have a renewed id that the browser may not have yet; going through again in {} s",
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

    /// Trouble with a store, and that it is not the end.
    fn halted(&self, store: &StoreUrl, error: &StoreError) -> Failure {
        store.failure(error).and(self.how_to_go_on())
    }

    fn how_to_go_on(&self) -> &'static str {
        match self.state.is_kept() {
            true => "the same command goes on from here",
            false => {
                "the same command begins again and skips what is there; with --state it would go on from here"
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
