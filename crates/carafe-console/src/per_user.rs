//! The distribution of sessions over users, counted or estimated.

use std::{collections::HashMap, time::Duration};

use carafe_core::{
    clock::Timestamp,
    store::{Sample, StoreError},
};
use tokio::time::timeout;

use crate::{
    histogram::{scaled, weight},
    monitored_store::MonitoredStore,
};

/// Number of users with an exact count of sessions, if the sample is incomplete.
const FOLLOWED: usize = 48;
/// Maximum number of sessions of one user that are counted. For a user with more, the number is
/// estimated from the sample.
const COUNTED: usize = 500;
/// Time limit of all counts. After that, the estimate uses the counts so far.
const PATIENCE: Duration = Duration::from_secs(1);

/// Numbers of users, grouped by their number of sessions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PerUser {
    /// In the order of [`PerUser::GROUPS`].
    pub(super) users: [u64; 6],
    /// The number of counts that an estimate is based on. `None` if all users were counted.
    pub(super) followed: Option<usize>,
}

impl PerUser {
    pub(super) const GROUPS: [&str; 6] = ["1", "2", "3", "4–5", "6–10", "11 or more"];

    /// Counts the users of a complete sample.
    pub(super) fn counted(sample: &Sample) -> Self {
        let mut users = [0; 6];
        for count in in_sample(sample).into_values() {
            users[group(count)] += 1;
        }
        Self {
            users,
            followed: None,
        }
    }

    /// Estimates the distribution from the users of some sampled sessions. A user with `n` sessions
    /// is `n` times as likely to be in the sample, so each user has the weight 1/`n`
    /// (Horvitz–Thompson estimator). Returns `None` if counting takes too long.
    pub(super) async fn followed(
        store: &MonitoredStore,
        sample: &Sample,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let sampled = in_sample(sample);
        let users = sample.sessions.iter().filter_map(|one| one.user.as_deref());
        let (all, mut counts) = (users.clone().count(), Vec::new());
        let mut known = HashMap::new();
        let asked = async {
            for user in users.take(FOLLOWED) {
                let count = match known.get(user) {
                    Some(&count) => count,
                    None => {
                        let listed = store.newest_of_user(user, COUNTED, now).await?.len();
                        let sampled = sampled.get(user).copied().unwrap_or_default();
                        count(listed, sampled, weight(sample))
                    }
                };
                known.insert(user, count);
                counts.push(count);
            }
            Ok::<_, StoreError>(())
        };
        match timeout(PATIENCE, asked).await {
            Err(_) if counts.is_empty() && all > 0 => return Ok(None),
            Err(_) => {}
            Ok(done) => done?,
        }
        let logged_in = all as f64 * weight(sample);
        Ok(Some(Self::estimated(&counts, logged_in)))
    }

    /// Estimates from the `counts` of sessions of some users, with `logged_in` sessions in all.
    fn estimated(counts: &[u64], logged_in: f64) -> Self {
        let mut shares = [0.0; 6];
        for &count in counts.iter().filter(|&&count| count > 0) {
            shares[group(count)] += 1.0 / count as f64;
        }
        let each = logged_in / counts.len().max(1) as f64;
        Self {
            users: shares.map(|share| scaled(1, share * each)),
            followed: Some(counts.len()),
        }
    }
}

/// Returns the number of sampled sessions by user.
fn in_sample(sample: &Sample) -> HashMap<&str, u64> {
    let mut of_user = HashMap::<&str, u64>::new();
    let users = sample.sessions.iter().filter_map(|one| one.user.as_deref());
    for user in users {
        *of_user.entry(user).or_default() += 1;
    }
    of_user
}

/// Returns the number of sessions of a user. `listed` is the number of sessions that were listed,
/// up to [`COUNTED`], and `sampled` the number in the sample.
fn count(listed: usize, sampled: u64, weight: f64) -> u64 {
    match listed {
        COUNTED.. => scaled(sampled, weight).max(COUNTED as u64),
        _ => listed as u64,
    }
}

const fn group(count: u64) -> usize {
    match count {
        0..=1 => 0,
        2 => 1,
        3 => 2,
        4..=5 => 3,
        6..=10 => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 900 users with one session and 100 users with nine: about half of the sessions each.
    #[test]
    fn users_with_many_sessions_do_not_count_more_often() {
        let met: Vec<_> = (0..100).map(|n| if n % 2 == 0 { 1 } else { 9 }).collect();
        let found = PerUser::estimated(&met, 1_800.0);
        assert_eq!(found.users, [900, 0, 0, 0, 100, 0]);
        assert_eq!(found.followed, Some(100));
        assert_eq!(PerUser::estimated(&[], 0.0).users, [0; 6]);
    }

    /// Two users with a quarter of 1,000,000 sessions each, of which 500 are counted. Half of the
    /// sessions belong to users with one session.
    #[test]
    fn users_with_very_many_sessions_are_estimated_from_the_sample() {
        let met = (0..48).map(|n| match n % 2 {
            0 => count(1, 1, 500.0),
            _ => count(COUNTED, 500, 500.0),
        });
        let found = PerUser::estimated(&met.collect::<Vec<_>>(), 1_000_000.0);
        assert_eq!(found.users, [500_000, 0, 0, 0, 0, 2]);
        assert_eq!(count(COUNTED - 1, 9, 500.0), 499);
        assert_eq!(count(COUNTED, 0, 500.0), 500);
    }
}
