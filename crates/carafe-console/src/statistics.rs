//! Numbers about all live sessions, from a random sample. No call reads all sessions.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use carafe_core::{
    clock::Timestamp,
    store::{Sample, SessionMeta, StoreError},
};
use tokio::sync::Mutex;

use crate::{
    histogram::{Histogram, scaled, weight},
    monitored_store::MonitoredStore,
    per_user::PerUser,
};

/// Sessions per sample. Up to this number of sessions, every number is exact.
pub(super) const SAMPLE: usize = 2_000;
/// Minimum interval between two samples of the store.
const KEPT: Duration = Duration::from_secs(4);
/// Minimum interval between two counts of the sessions of sampled users, which cost more and change
/// slowly.
const FOLLOWED_FOR: Duration = Duration::from_secs(60);
/// After a failure, requests fail immediately for this long, instead of each waiting for its
/// deadline.
const GIVEN_UP_FOR: Duration = Duration::from_secs(1);

/// The numbers of the overview.
pub(super) struct Statistics {
    pub(super) total: u64,
    /// Whether the numbers are exact and not estimated.
    pub(super) exact: bool,
    /// Sessions in the sample.
    pub(super) sampled: usize,
    /// Sessions that belong to a user.
    pub(super) logged_in: u64,
    /// Sessions that expire within an hour unless they are used.
    pub(super) within_an_hour: u64,
    pub(super) begun: Histogram,
    pub(super) expiring: Histogram,
    /// `None` if counting took too long.
    pub(super) users: Option<Arc<PerUser>>,
}

/// The latest numbers.
#[derive(Default)]
pub(super) struct Cached {
    // An async lock, held across the call, so that only one of several concurrent requests calls
    // the store.
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    statistics: Option<(Instant, Arc<Statistics>)>,
    users: Option<(Instant, Option<Arc<PerUser>>)>,
    failed: Option<(Instant, ())>,
}

impl Cached {
    /// Returns numbers that are at most [`KEPT`] old.
    pub(super) async fn get_or_ask(
        &self,
        store: &MonitoredStore,
    ) -> Result<Arc<Statistics>, StoreError> {
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

    /// Discards the numbers after a revocation, so that the next page shows its effect.
    pub(super) async fn forget(&self) {
        *self.last.lock().await = Last::default();
    }
}

impl Last {
    async fn ask(
        &mut self,
        store: &MonitoredStore,
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
        store: &MonitoredStore,
        sample: &Sample,
        now: Timestamp,
    ) -> Result<Option<Arc<PerUser>>, StoreError> {
        if sample.exact {
            return Ok(Some(Arc::new(PerUser::counted(sample))));
        }
        if let Some(known) = young(self.users.as_ref(), FOLLOWED_FOR) {
            return Ok(known);
        }
        let users = PerUser::followed(store, sample, now).await?.map(Arc::new);
        self.users = Some((Instant::now(), users.clone()));
        Ok(users)
    }
}

/// Returns a cached value that is younger than `age`.
fn young<T: Clone>(kept: Option<&(Instant, T)>, age: Duration) -> Option<T> {
    kept.filter(|(at, _)| at.elapsed() < age)
        .map(|(_, known)| known.clone())
}

impl Statistics {
    fn new(sample: &Sample, users: Option<Arc<PerUser>>, now: Timestamp) -> Self {
        let weight = weight(sample);
        let sessions = &sample.sessions;
        let times = |of: fn(&SessionMeta) -> Timestamp| sessions.iter().map(of).collect::<Vec<_>>();
        let how_many = |is: &dyn Fn(&&SessionMeta) -> bool| {
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

#[cfg(test)]
mod tests {
    use carafe_core::store::PublicId;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn session(number: usize, user: Option<String>) -> SessionMeta {
        let mut public_id = [0; 12];
        public_id[..8].copy_from_slice(&number.to_be_bytes());
        let mut meta = SessionMeta::new(
            PublicId::from_bytes(public_id),
            NOW.saturating_add(-60 * i64::try_from(number).unwrap()),
            NOW.saturating_add(60 * i64::try_from(number).unwrap()),
        );
        meta.user = user;
        meta.renewed = NOW;
        meta.last_seen = NOW;
        meta
    }

    #[test]
    fn all_sessions_are_counted_and_a_part_stands_for_all() {
        let sessions: Vec<_> = (0..120)
            .map(|n| session(n, (n % 4 != 0).then(|| format!("user {}", n / 2))))
            .collect();
        let all = Sample {
            sessions: sessions.clone(),
            total: 120,
            exact: true,
        };
        assert_eq!(PerUser::counted(&all).users, [30, 30, 0, 0, 0, 0]);
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
