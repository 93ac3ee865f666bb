//! Enables a limit of sessions per user for a user with many more sessions. Each log-in then
//! revokes some of the oldest.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use carafe_core::{clock::Timestamp, session::SessionManager};

use crate::{
    crowd::{Crowd, USER},
    site::Site,
    store::{Kind, Running},
    visitors::{Guests, ms},
};

const LOG_INS: usize = 20;
/// The default of [`carafe_core::session::ServerSide`].
const LIMIT: usize = 1_000;
/// Maximum number of sessions that a log-in revokes.
const STEP: usize = 200;

pub(crate) async fn run(running: &Running, kind: Kind, count: u64) -> Result<String> {
    let crowd = Crowd::fill(&running.store, count).await?;
    let deadlines = kind.deadlines();
    let store = running.with(deadlines).await?;
    let site = Site::new(Arc::clone(&store))?;
    let visitors = Guests::new(store, deadlines).await?.visit();
    let (mut expected, mut took) = (crowd.len(), Vec::new());
    for _ in 0..LOG_INS {
        let began = Instant::now();
        site.begin(|session| Ok(session.log_in(USER)?)).await?;
        took.push(began.elapsed());
        expected += 1;
        expected -= expected.saturating_sub(LIMIT).min(STEP);
    }
    let calls = visitors.stop().await?;
    check(site.manager(), &crowd, expected).await?;
    let mut report = String::new();
    writeln!(
        report,
        "{count} sessions, then a limit of {LIMIT}: the first log-in {:.1} ms, the slowest of {LOG_INS} {:.1} ms \
         of {} ms; {expected} are left, the newest",
        ms(took[0]),
        ms(took.into_iter().max().unwrap_or(Duration::ZERO)),
        deadlines.write.as_millis(),
    )?;
    writeln!(report, "  meanwhile\n{calls}")?;
    Ok(report)
}

/// Checks that the log-ins' own sessions and the newest others remain.
async fn check(manager: &SessionManager, crowd: &Crowd, expected: usize) -> Result<()> {
    let (mut left, mut after) = (0, None);
    loop {
        let page = manager.sessions_of(USER, after, Timestamp::now()).await?;
        for session in &page {
            let position = session.position();
            if left >= LOG_INS {
                let newer = crowd.len() - 1 - crowd.rank(&position)?;
                ensure!(
                    newer == left - LOG_INS,
                    "a session is left that should be revoked"
                );
            }
            (left, after) = (left + 1, Some(position));
        }
        if page.len() < SessionManager::LIST_LIMIT {
            break;
        }
    }
    ensure!(left == expected, "{left} are left instead of {expected}");
    Ok(())
}
