//! Group commit: several jobs share one transaction and one `fsync`.
//!
//! Each job has a savepoint, so a job that fails rolls back only its own changes. A success is
//! reported only after the commit. If the whole transaction is lost (a full disk rolls back
//! everything), each job is retried in its own transaction, so that only the jobs that cannot
//! succeed fail.

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

/// Pause between attempts while another process holds the lock.
///
/// The pause is short because the lock is free for only some 20 µs between two commits of another
/// process. SQLite's own busy handler sleeps up to 100 ms and would miss these gaps for seconds.
const PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_micros(500);

/// The writer's connection and the deadline of its jobs.
pub(crate) struct Batches {
    db: Connection,
    deadline: Duration,
}

impl Batches {
    pub(crate) fn new(db: Connection, deadline: Duration) -> Self {
        Self { db, deadline }
    }

    /// Runs `jobs` and replies to each of them.
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

    /// Opens a transaction for the jobs that have not timed out; `None` if no job is left.
    ///
    /// A job that has passed its deadline is not run. All jobs have the same deadline, so the jobs
    /// queued behind this batch do not wait longer than theirs.
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

    /// Runs the jobs and commits; after an error, the changes of all jobs are rolled back.
    fn commit(&self, jobs: &mut [Job]) -> rusqlite::Result<()> {
        let result = jobs
            .iter_mut()
            .try_for_each(|job| self.run(job))
            .and_then(|()| self.execute("COMMIT"));
        if result.is_err() && !self.db.is_autocommit() {
            // The first error is the one to report. If ROLLBACK fails too, the next BEGIN reports
            // it.
            drop(self.execute("ROLLBACK"));
        }
        result
    }

    /// Runs one job in a savepoint.
    ///
    /// A failure of the job is kept in the job; an error returned here means that the transaction
    /// is lost.
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

/// Replies to every job with an error that concerns all of them.
fn fail(jobs: Vec<Job>, error: rusqlite::Error) {
    let error = Arc::new(error);
    for job in jobs {
        job.failed(of_shared(&error));
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use carafe_test_fixtures::Dir;
    use futures_channel::oneshot::Receiver;

    use super::*;
    use crate::{Durability, connect};

    type Answer<T> = Receiver<Result<T, StoreError>>;

    const FAR: Duration = Duration::from_secs(60);

    #[test]
    fn a_job_that_fails_takes_back_its_own_changes_only() -> Result<(), Box<dyn Error>> {
        let batches = Batches::new(connect::memory()?, FAR);
        let (first, first_answer) = mark(1, Ok);
        let (second, second_answer) = mark(2, |_| Err(StoreError::Conflict));
        let (third, third_answer) = mark(3, Ok);
        batches.settle(vec![first, second, third]);
        assert!(matches!(answer(first_answer), Ok(1)));
        assert!(matches!(answer(second_answer), Err(StoreError::Conflict)));
        assert!(matches!(answer(third_answer), Ok(3)));
        assert_eq!(marks(&batches)?, [1, 3]);
        Ok(())
    }

    #[test]
    fn a_full_disk_fails_what_does_not_fit_and_nothing_else() -> Result<(), Box<dyn Error>> {
        let dir = Dir::new("full-disk");
        let file = dir.join("sessions.db");
        connect::migrate(&file)?;
        let db = connect::writer(&file, Durability::Full)?;
        let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        db.query_row(
            &format!("PRAGMA max_page_count = {}", pages + 2),
            [],
            |_| Ok(()),
        )?;
        let batches = Batches::new(db, FAR);
        for round in 0..3 {
            let (small, small_answer) = mark(10 + round, Ok);
            let (large, large_answer) = fill("x".repeat(1_000_000));
            let (last, last_answer) = mark(20 + round, Ok);
            batches.settle(vec![small, large, last]);
            assert!(answer(small_answer).is_ok());
            assert!(matches!(answer(large_answer), Err(StoreError::Full)));
            assert!(answer(last_answer).is_ok());
        }
        assert_eq!(marks(&batches)?, [10, 11, 12, 20, 21, 22]);
        Ok(())
    }

    #[test]
    fn a_lost_transaction_is_tried_again_job_by_job() -> Result<(), Box<dyn Error>> {
        let batches = Batches::new(connect::memory()?, FAR);
        let (first, first_answer) = mark(1, Ok);
        // SQLite itself rolls back everything after a disk error.
        let (second, second_answer) = Job::new(Instant::now() + FAR, |db| {
            drop(db.execute_batch("ROLLBACK"));
            Err::<(), _>(StoreError::Conflict)
        });
        batches.settle(vec![first, second]);
        assert!(matches!(answer(first_answer), Ok(1)));
        assert!(matches!(answer(second_answer), Err(StoreError::Conflict)));
        assert_eq!(marks(&batches)?, [1]);
        Ok(())
    }

    #[test]
    fn a_late_job_is_not_run() -> Result<(), Box<dyn Error>> {
        let batches = Batches::new(connect::memory()?, FAR);
        let (late, late_answer) = Job::new(Instant::now(), |_| -> Result<(), _> {
            panic!("it was run")
        });
        batches.settle(vec![late]);
        assert!(matches!(answer(late_answer), Err(StoreError::Timeout(FAR))));
        Ok(())
    }

    /// Inserts a row that a test can find, then returns the result of `end`.
    fn mark(
        number: i64,
        end: impl Fn(i64) -> Result<i64, StoreError> + Send + 'static,
    ) -> (Job, Answer<i64>) {
        Job::new(Instant::now() + FAR, move |db| {
            let sql = "INSERT INTO session_former_keys VALUES (randomblob(32), NULL, ?1)";
            db.execute(sql, [number])
                .map_err(crate::error::of_statement)?;
            end(number)
        })
    }

    fn fill(text: String) -> (Job, Answer<usize>) {
        Job::new(Instant::now() + FAR, move |db| {
            let sql = "INSERT INTO sessions VALUES (randomblob(32), '', ?1, '', 1, 1, 1, 1, 1, 1, NULL, '')";
            db.execute(sql, [&text]).map_err(crate::error::of_statement)
        })
    }

    fn answer<T>(mut answer: Answer<T>) -> Result<T, StoreError> {
        answer
            .try_recv()
            .ok()
            .flatten()
            .unwrap_or(Err(StoreError::Full))
    }

    fn marks(batches: &Batches) -> rusqlite::Result<Vec<i64>> {
        let mut statement = batches
            .db
            .prepare("SELECT kept_until FROM session_former_keys ORDER BY 1")?;
        statement.query_map([], |row| row.get(0))?.collect()
    }
}
