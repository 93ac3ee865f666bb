//! Counts the sessions of a sample.

use std::collections::HashMap;

use carafe_core::{
    clock::Timestamp,
    store::{Sample, SessionMeta},
};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// The upper limit of each group. The last group has none.
const AGES: [(&str, Option<u64>); 5] = [
    ("under an hour", Some(HOUR)),
    ("under a day", Some(DAY)),
    ("under a week", Some(7 * DAY)),
    ("under 30 days", Some(30 * DAY)),
    ("older", None),
];
/// Cumulative: each group includes the ones before it.
const EXPIRING: [(&str, Option<u64>); 3] = [
    ("an hour", Some(HOUR)),
    ("a day", Some(DAY)),
    ("a week", Some(7 * DAY)),
];
const USERS: usize = 10;

/// The counts of a store, scaled up from the sample except `users`.
pub(super) struct Counts {
    pub(super) anonymous: u64,
    pub(super) ages: Vec<Group>,
    pub(super) expiring: Vec<Group>,
    /// The users with the most sessions, most first, as many as fit on a screen.
    pub(super) users: Vec<(String, u64)>,
}

/// Number of sessions up to a duration.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) seconds: Option<u64>,
    pub(super) count: u64,
}

impl Counts {
    pub(super) fn of(sample: &Sample, now: Timestamp) -> Self {
        let count = |is_meant: &dyn Fn(&SessionMeta) -> bool| {
            let found = sample.sessions.iter().filter(|session| is_meant(session));
            scaled(found.count(), sample)
        };
        let age = |session: &SessionMeta| span(session.created, now);
        let left = |session: &SessionMeta| span(now, session.expires);
        let mut from = 0;
        let ages = AGES.map(|(name, seconds)| {
            let range = from..seconds.unwrap_or(u64::MAX);
            from = range.end;
            let count = count(&|session| range.contains(&age(session)));
            Group {
                name,
                seconds,
                count,
            }
        });
        let expiring = EXPIRING.map(|(name, seconds)| Group {
            name,
            seconds,
            count: count(&|session| seconds.is_none_or(|most| left(session) <= most)),
        });
        Self {
            anonymous: count(&|session| session.user.is_none()),
            ages: ages.into(),
            expiring: expiring.into(),
            users: users(&sample.sessions),
        }
    }
}

fn span(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.seconds_since(from)).unwrap_or(0)
}

fn scaled(count: usize, sample: &Sample) -> u64 {
    if sample.exact {
        return count as u64;
    }
    let sampled = sample.sessions.len().max(1) as u128;
    let estimate = (count as u128 * u128::from(sample.total) + sampled / 2) / sampled;
    u64::try_from(estimate).unwrap_or(u64::MAX)
}

fn users(sessions: &[SessionMeta]) -> Vec<(String, u64)> {
    let mut counts = HashMap::<&str, u64>::new();
    for user in sessions
        .iter()
        .filter_map(|session| session.user.as_deref())
    {
        *counts.entry(user).or_default() += 1;
    }
    let mut users: Vec<_> = counts.into_iter().collect();
    // Ties are ordered by name, so that the output is deterministic.
    users.sort_by(|(a, most), (b, more)| more.cmp(most).then(a.cmp(b)));
    let first = users.into_iter().take(USERS);
    first
        .map(|(user, count)| (user.to_owned(), count))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use carafe_core::store::PublicId;

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn session(age: i64, left: i64, user: Option<&str>) -> SessionMeta {
        let created = NOW.saturating_add(-age);
        let mut meta = SessionMeta::new(
            PublicId::from_bytes([1; 12]),
            created,
            NOW.saturating_add(left),
        );
        meta.user = user.map(str::to_owned);
        meta
    }

    #[test]
    fn a_sample_is_scaled_up_and_its_users_are_not() {
        let sessions = vec![
            session(0, 60, Some("ada")),
            session(3_600, 7_200, Some("ada")),
            session(86_400 * 400, 86_400 * 30, None),
            session(-5, 3_600, Some("bob")),
        ];
        let sample = |exact, total| Sample {
            sessions: sessions.clone(),
            total,
            exact,
        };
        for (exact, total, times) in [(true, 4, 1), (false, 400, 100)] {
            let counts = Counts::of(&sample(exact, total), NOW);
            let of = |groups: &[Group]| -> Vec<u64> {
                groups.iter().map(|group| group.count / times).collect()
            };
            assert_eq!(of(&counts.ages), [2, 1, 0, 0, 1]);
            assert_eq!(of(&counts.expiring), [2, 3, 3]);
            assert_eq!(counts.anonymous, times);
            assert_eq!(counts.users, [("ada".to_owned(), 2), ("bob".to_owned(), 1)]);
        }
    }
}
