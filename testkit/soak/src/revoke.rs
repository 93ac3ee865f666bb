//! Revokes all sessions of a user with very many sessions while other visitors are served.
//!
//! A second process revokes half of the sessions and is killed; then this process revokes the rest.
//! The newest sessions are revoked first, so the oldest are left after the kill, except for some of
//! the interrupted step. The report contains the durations of the visitors' calls, which the
//! campaign does not judge.

use std::{
    fmt,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use carafe_core::{
    clock::Timestamp,
    session::SessionManager,
    store::{Selection, StoreError},
};
use carafe_tokio::Sweeping;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::sleep,
};

use crate::{
    crowd::{Crowd, USER},
    site::Site,
    store::{self, Kind, Running},
    visitors::{Guests, ms},
};

/// Maximum number of sessions that one step revokes.
const STEP: usize = 500;
/// Number of errors at which the campaign fails. After an error, the next call revokes the rest.
const ERRORS: usize = 100;

pub(crate) async fn run(running: &Running, kind: Kind, count: u64, after: u64) -> Result<String> {
    let began = Instant::now();
    let crowd = Crowd::fill(&running.store, count).await?;
    let seconds = began.elapsed().as_secs();
    println!("{count} sessions on {kind:?}, created in {seconds} s");

    let deadlines = kind.deadlines();
    let store = running.with(deadlines).await?;
    let site = Site::new(Arc::clone(&store))?;
    let guests = Guests::new(Arc::clone(&store), deadlines).await?;
    let visitors = guests.visit();
    sleep(Duration::from_millis(200).max(Duration::from_secs(after.min(10)))).await;
    println!("  before\n{}", visitors.stop().await?);

    // As in a service: markers are swept while more are written.
    let sweeper = Sweeping::every(Duration::from_secs(5)).start(Arc::clone(&store));
    let (visitors, began) = (guests.visit(), Instant::now());
    let killed = kill(running, kind, count / 2).await?;
    let (calls, took) = (visitors.stop().await?, began.elapsed().as_secs_f64());
    println!("  {killed}, in {took:.1} s\n{calls}");
    let left = rest(running, &crowd).await?;
    ensure!(
        left > 0 && crowd.len() - left >= killed.progress,
        "{left} sessions are left: {killed}"
    );

    let (visitors, began) = (guests.visit(), Instant::now());
    let steps = Steps::revoke(site.manager(), left).await?;
    let (calls, took) = (visitors.stop().await?, began.elapsed().as_secs_f64());
    println!("  {steps}, in {took:.1} s\n{calls}");
    let began = Instant::now();
    let listed = site.manager().sessions_of(USER, None, Timestamp::now());
    ensure!(listed.await?.is_empty(), "some sessions are left");
    println!("  the empty list takes {:.1} ms", ms(began.elapsed()));

    if after > 0 {
        let visitors = guests.visit();
        sleep(Duration::from_secs(after)).await;
        let calls = visitors.stop().await?;
        println!("  the {after} s afterwards\n{calls}");
    }
    sweeper.stop().await;
    Ok(format!("{count} sessions of one user are revoked"))
}

/// Runs the second process. Prints the number of revoked sessions after each step.
pub(crate) async fn second(url: &str, kind: Kind) -> Result<()> {
    let site = Site::new(store::open(url, kind.deadlines()).await?)?;
    let progress = |revoked| println!("{revoked}");
    let manager = site.manager();
    manager
        .end_sessions_of_with(USER, Selection::All, progress)
        .await?;
    Ok(())
}

/// A killed process: the number of sessions that it revoked, and the number to revoke before the
/// kill.
struct Killed {
    progress: usize,
    at: usize,
}

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = self.progress;
        match progress >= self.at {
            true => write!(f, "a second process revokes {progress} and is killed"),
            false => write!(f, "a second process revokes {progress} and fails"),
        }
    }
}

async fn kill(running: &Running, kind: Kind, at: u64) -> Result<Killed> {
    let (mut progress, at) = (0, usize::try_from(at)?);
    let mut second = Command::new(std::env::current_exe()?)
        .args(["revoke-second", "--url", &running.url])
        .args(["--store", kind.name()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = second.stdout.take().context("it was asked for")?;
    let mut lines = BufReader::new(output).lines();
    while progress < at
        && let Some(line) = lines.next_line().await?
    {
        let revoked = line.parse()?;
        ensure!(
            revoked > progress,
            "progress goes from {progress} to {revoked}"
        );
        progress = revoked;
    }
    second.kill().await?;
    // The server may still complete the interrupted step.
    sleep(Duration::from_secs(1)).await;
    Ok(Killed { progress, at })
}

/// Returns the number of remaining sessions, which must be the oldest.
async fn rest(running: &Running, crowd: &Crowd) -> Result<usize> {
    let site = Site::new(Arc::clone(&running.store))?;
    let (mut left, mut newest, mut after) = (0, None, None);
    let (mut pages, mut slowest) = (0, Duration::ZERO);
    loop {
        let began = Instant::now();
        let page = site.manager().sessions_of(USER, after, Timestamp::now());
        let page = page.await?;
        (pages, slowest) = (pages + 1, slowest.max(began.elapsed()));
        for session in &page {
            let position = session.position();
            ensure!(
                after.is_none_or(|after| position < after),
                "the list is out of order"
            );
            newest = newest.or(Some(crowd.rank(&position)?));
            after = Some(position);
        }
        left += page.len();
        if page.len() < SessionManager::LIST_LIMIT {
            break;
        }
    }
    let older = newest.map_or(0, |rank| rank + 1);
    ensure!(
        older - left < STEP,
        "{left} are left of {older}: the newest were not revoked first"
    );
    println!(
        "  the {left} oldest are left, but for {}; listed in {pages} pages, the slowest {:.1} ms",
        older - left,
        ms(slowest)
    );
    Ok(left)
}

/// The result of the resumed call.
#[derive(Default)]
struct Steps {
    revoked: u64,
    steps: usize,
    largest: u64,
    slowest: Duration,
    errors: Vec<StoreError>,
}

impl Steps {
    async fn revoke(manager: &SessionManager, left: usize) -> Result<Self> {
        let mut all = Self::default();
        loop {
            let (mut before, mut began) = (0, Instant::now());
            let progress = |revoked: u64| {
                all.steps += 1;
                all.slowest = all.slowest.max(began.elapsed());
                all.largest = all.largest.max(revoked - before);
                all.revoked += revoked - before;
                (before, began) = (revoked, Instant::now());
            };
            match manager
                .end_sessions_of_with(USER, Selection::All, progress)
                .await
            {
                Ok(revoked) => {
                    ensure!(revoked == before, "{revoked} is not the last progress");
                    // The last step, which finds no session.
                    all.slowest = all.slowest.max(began.elapsed());
                }
                Err(error) => {
                    all.errors.push(error);
                    ensure!(all.errors.len() < ERRORS, "{:?}", all.errors);
                    continue;
                }
            }
            break;
        }
        ensure!(all.largest <= STEP as u64, "a step revoked {}", all.largest);
        // A step with a lost reply may have revoked some sessions.
        let is_all = all.revoked == left as u64 || !all.errors.is_empty();
        ensure!(is_all, "{} were revoked of {left}", all.revoked);
        Ok(all)
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            revoked,
            steps,
            largest,
            ..
        } = self;
        let slowest = ms(self.slowest);
        write!(
            f,
            "the next call revokes {revoked} in {steps} steps of at most {largest}, the slowest {slowest:.1} ms"
        )?;
        match &self.errors[..] {
            [] => Ok(()),
            [first, ..] => write!(f, "; {} errors, the first: {first}", self.errors.len()),
        }
    }
}
