//! Numbers about all live sessions, from a random sample of them: no question goes through all sessions.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use carafe_core::{
    clock::Timestamp,
    store::{Sample, StoreError, Summary},
};
use tokio::sync::Mutex;

use super::{
    histogram::{Histogram, scaled},
    per_user::PerUser,
    watched::Watched,
};

/// Up to this many sessions every number is exact.
pub(super) const SAMPLE: usize = 2_000;
/// However many look, the store is asked this often,
const KEPT: Duration = Duration::from_secs(4);
/// and sessions are followed to their users this often: it costs more, and changes slowly.
const FOLLOWED_FOR: Duration = Duration::from_secs(60);
/// After an answer that did not come, nobody waits for another in vain for so long: those who look wait in one line.
const GIVEN_UP_FOR: Duration = Duration::from_secs(1);

/// What the overview shows.
pub(super) struct Statistics {
    pub(super) total: u64,
    /// Whether every number is counted; otherwise they are estimated.
    pub(super) exact: bool,
    /// How many sessions were looked at.
    pub(super) sampled: usize,
    /// Sessions that belong to a user.
    pub(super) logged_in: u64,
    /// Sessions that are over within an hour unless they are used.
    pub(super) within_an_hour: u64,
    pub(super) begun: Histogram,
    pub(super) expiring: Histogram,
    /// `None` if that took too long.
    pub(super) users: Option<Arc<PerUser>>,
}

/// The last numbers.
#[derive(Default)]
pub(super) struct Cached {
    // A lock that is held across the wait on purpose: of those who look at once, one asks the store.
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    statistics: Option<(Instant, Arc<Statistics>)>,
    users: Option<(Instant, Option<Arc<PerUser>>)>,
    failed: Option<(Instant, ())>,
}

impl Cached {
    /// Numbers that are a few seconds old at most.
    pub(super) async fn get_or_ask(&self, store: &Watched) -> Result<Arc<Statistics>, StoreError> {
        let mut last = self.last.lock().await;
        if let Some(known) = young(last.statistics.as_ref(), KEPT) {
            return Ok(known);
        }
        if let (Some(()), Some(outage)) =
            (young(last.failed.as_ref(), GIVEN_UP_FOR), store.outage())
        {
            return Err(StoreError::unavailable(outage.why));
        }
        let fresh = last.ask(store, Timestamp::now()).await;
        last.failed = fresh.is_err().then(|| (Instant::now(), ()));
        fresh
    }

    /// Forgets them: something was ended, and whoever did it wants to see that.
    pub(super) async fn forget(&self) {
        *self.last.lock().await = Last::default();
    }
}

impl Last {
    async fn ask(
        &mut self,
        store: &Watched,
        now: Timestamp,
    ) -> Result<Arc<Statistics>, StoreError> {
        let sample = store.sample(SAMPLE, now).await?;
        let users = self.users_of(store, &sample, now).await?;
        let fresh = Arc::new(Statistics::new(&sample, users, now));
        self.statistics = Some((Instant::now(), Arc::clone(&fresh)));
        Ok(fresh)
    }

    async fn users_of(
        &mut self,
        store: &Watched,
        sample: &Sample,
        now: Timestamp,
    ) -> Result<Option<Arc<PerUser>>, StoreError> {
        if sample.exact {
            return Ok(Some(Arc::new(PerUser::counted(&sample.sessions))));
        }
        if let Some(known) = young(self.users.as_ref(), FOLLOWED_FOR) {
            return Ok(known);
        }
        let users = PerUser::followed(store, sample, now).await?.map(Arc::new);
        self.users = Some((Instant::now(), users.clone()));
        Ok(users)
    }
}

/// What was kept, if not for too long.
fn young<T: Clone>(kept: Option<&(Instant, T)>, age: Duration) -> Option<T> {
    kept.filter(|(at, _)| at.elapsed() < age)
        .map(|(_, known)| known.clone())
}

impl Statistics {
    fn new(sample: &Sample, users: Option<Arc<PerUser>>, now: Timestamp) -> Self {
        let weight = weight(sample);
        let sessions = &sample.sessions;
        let times = |of: fn(&Summary) -> Timestamp| sessions.iter().map(of).collect::<Vec<_>>();
        let how_many = |is: &dyn Fn(&&Summary) -> bool| {
            scaled(sessions.iter().filter(is).count() as u64, weight)
        };
        let hour = now.saturating_add(3_600);
        Self {
            total: sample.total,
            exact: sample.exact,
            sampled: sessions.len(),
            logged_in: how_many(&|session| session.user.is_some()),
            within_an_hour: how_many(&|session| session.expires <= hour),
            begun: Histogram::of(&times(|session| session.created), weight, now),
            expiring: Histogram::of(&times(|session| session.expires), weight, now),
            users,
        }
    }
}

/// How many sessions one of the sample stands for.
pub(super) fn weight(sample: &Sample) -> f64 {
    match (sample.exact, sample.sessions.len()) {
        (true, _) | (_, 0) => 1.0,
        (false, sampled) => sample.total as f64 / sampled as f64,
    }
}

#[cfg(test)]
mod tests {
    use carafe_core::store::Handle;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn session(number: usize, user: Option<String>) -> Summary {
        let mut handle = [0; 12];
        handle[..8].copy_from_slice(&number.to_be_bytes());
        Summary {
            handle: Handle::from_bytes(handle),
            user,
            device: None,
            created: NOW.saturating_add(-60 * i64::try_from(number).unwrap()),
            renewed: NOW,
            last_seen: NOW,
            expires: NOW.saturating_add(60 * i64::try_from(number).unwrap()),
            authenticated: None,
            version: 0,
        }
    }

    #[test]
    fn all_sessions_are_counted_and_a_part_stands_for_all() {
        let sessions: Vec<_> = (0..120)
            .map(|n| session(n, (n % 4 != 0).then(|| format!("user {}", n / 2))))
            .collect();
        let users = PerUser::counted(&sessions);
        assert_eq!(users.users, [30, 30, 0, 0, 0, 0]);
        for (total, exact, weight) in [(120, true, 1), (1_200, false, 10)] {
            let sample = Sample {
                sessions: sessions.clone(),
                total,
                exact,
            };
            let found = Statistics::new(&sample, None, NOW);
            assert_eq!(found.logged_in, 90 * weight);
            assert_eq!(found.within_an_hour, 61 * weight);
            for histogram in [&found.begun, &found.expiring] {
                let sum: u64 = histogram.bars.iter().map(|bar| bar.count).sum();
                assert_eq!(sum, total);
            }
        }
    }
}
