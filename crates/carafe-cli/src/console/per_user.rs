//! How many users have how many sessions, counted or estimated.

use std::{collections::HashMap, time::Duration};

use carafe_core::{
    clock::Timestamp,
    store::{Sample, StoreError, Summary},
};
use tokio::time::timeout;

use super::{histogram::scaled, statistics::weight, watched::Watched};

/// How many sessions are followed to their users where the sample is not all there is.
const FOLLOWED: usize = 48;
/// And for how long: a user may have very many.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many users have how many sessions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PerUser {
    /// In the order of [`PerUser::GROUPS`].
    pub(super) users: [u64; 6],
    /// How many users this was learnt from; `None` if from all.
    pub(super) followed: Option<usize>,
}

impl PerUser {
    pub(super) const GROUPS: [&str; 6] = ["1", "2", "3", "4–5", "6–10", "11 or more"];

    pub(super) fn counted(sessions: &[Summary]) -> Self {
        let mut of_user = HashMap::<&str, u64>::new();
        for user in sessions
            .iter()
            .filter_map(|session| session.user.as_deref())
        {
            *of_user.entry(user).or_default() += 1;
        }
        let mut users = [0; 6];
        for count in of_user.into_values() {
            users[group(count)] += 1;
        }
        Self {
            users,
            followed: None,
        }
    }

    /// From some sessions to their users: a user with `n` sessions is met `n` times as often, so it counts for
    /// one `n`-th (Horvitz and Thompson). `None` if it takes too long.
    pub(super) async fn followed(
        store: &Watched,
        sample: &Sample,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let users = sample.sessions.iter().filter_map(|one| one.user.as_deref());
        let (all, mut counts) = (users.clone().count(), Vec::new());
        let asked = async {
            for user in users.take(FOLLOWED) {
                counts.push(store.of_user(user, now).await?.len() as u64);
            }
            Ok::<_, StoreError>(())
        };
        match timeout(PATIENCE, asked).await {
            Err(_) => return Ok(None),
            Ok(done) => done?,
        }
        let logged_in = all as f64 * weight(sample);
        Ok(Some(Self::estimated(&counts, logged_in)))
    }

    /// `counts` are how many sessions the users of some sessions have, of `logged_in` sessions in all.
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

    /// 900 users with one session, 100 users with nine: half of the sessions each, about.
    #[test]
    fn users_with_many_sessions_do_not_count_more_often() {
        let met: Vec<_> = (0..100).map(|n| if n % 2 == 0 { 1 } else { 9 }).collect();
        let found = PerUser::estimated(&met, 1_800.0);
        assert_eq!(found.users, [900, 0, 0, 0, 100, 0]);
        assert_eq!(found.followed, Some(100));
        assert_eq!(PerUser::estimated(&[], 0.0).users, [0; 6]);
    }
}
