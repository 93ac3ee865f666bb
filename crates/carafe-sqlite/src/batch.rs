//! Group commit: several jobs, one transaction, one `fsync`.
//!
//! Each job has a savepoint, so that one that fails takes back its own changes only. Nobody hears of a
//! success before it is committed. If the transaction as a whole is lost (a full disk rolls back
//! everything), each job is tried once more on its own, so that only those fail that must.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use carafe_core::store::StoreError;
use rusqlite::Connection;

use crate::{
    error::{is_busy, of_shared},
    job::Job,
};

/// The pauses while another process has the lock. Short, because between two of its commits the lock is
/// free for some 20 µs, and SQLite's own waiting, which goes up to 100 ms, would miss them for seconds.
const PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_micros(500);

/// The writer's connection, and how long a job may wait.
pub(crate) struct Batches {
    db: Connection,
    deadline: Duration,
}

impl Batches {
    pub(crate) fn new(db: Connection, deadline: Duration) -> Self {
        Self { db, deadline }
    }

    /// Runs all of `jobs` and answers each of them.
    pub(crate) fn settle(&self, jobs: Vec<Job>) {
        let mut jobs = match self.begin(jobs) {
            Some(jobs) => jobs,
            None => return,
        };
        match self.commit(&mut jobs) {
            Ok(()) => jobs.into_iter().for_each(Job::done),
            Err(error) if jobs.len() == 1 => fail(jobs, error),
            Err(_) => jobs.into_iter().for_each(|job| self.settle(vec![job])),
        }
    }

    /// Opens a transaction for those of `jobs` that can still wait for it; `None` if all are answered.
    ///
    /// The deadline holds here: a job that has passed it is not run. All jobs have the same time to wait,
    /// so those that queue behind this batch are not kept past theirs.
    fn begin(&self, mut jobs: Vec<Job>) -> Option<Vec<Job>> {
        let mut pause = PAUSE;
        loop {
            jobs = self.still_wanted(jobs);
            if jobs.is_empty() {
                return None;
            }
            match self.execute("BEGIN IMMEDIATE") {
                Ok(()) => return Some(jobs),
                Err(error) if is_busy(&error) => thread::sleep(pause),
                Err(error) => {
                    fail(jobs, error);
                    return None;
                }
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    fn still_wanted(&self, jobs: Vec<Job>) -> Vec<Job> {
        let now = Instant::now();
        let (late, wanted): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| job.deadline <= now);
        for job in late {
            job.failed(StoreError::Timeout(self.deadline));
        }
        wanted
    }

    /// Runs the jobs and commits; after an error nothing of any of them is left.
    fn commit(&self, jobs: &mut [Job]) -> rusqlite::Result<()> {
        let result = jobs
            .iter_mut()
            .try_for_each(|job| self.run(job))
            .and_then(|()| self.execute("COMMIT"));
        if result.is_err() && !self.db.is_autocommit() {
            // The first error is the one to report. Should this fail too, the next BEGIN does, and says so.
            drop(self.execute("ROLLBACK"));
        }
        result
    }

    /// A failure of the job stays in the job; an error here means that the transaction is lost.
    fn run(&self, job: &mut Job) -> rusqlite::Result<()> {
        self.execute("SAVEPOINT job")?;
        if !job.run(&self.db) {
            self.execute("ROLLBACK TO job")?;
        }
        self.execute("RELEASE job")
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute([]).map(drop)
    }
}

/// Answers every job with what went wrong for all of them.
fn fail(jobs: Vec<Job>, error: rusqlite::Error) {
    let error = Arc::new(error);
    for job in jobs {
        job.failed(of_shared(&error));
    }
}
