//! How many sessions a user may have.

use crate::store::Summary;

/// What happens to one session of a user too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtLimit {
    /// The log-in goes through and the user's oldest session ends.
    EndOldest,
    /// The log-in is refused with [`CommitError::TooManySessions`](super::CommitError::TooManySessions), and what
    /// the user has stays. For a friendlier answer, ask
    /// [`SessionManager::sessions_of`](super::SessionManager::sessions_of) before the log-in.
    Refuse,
}

/// A number of sessions and what happens beyond it (OWASP ASVS 7.1.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) sessions: usize,
    pub(super) at: AtLimit,
}

impl Limit {
    /// Those of a user's live sessions that must end, where the newest come first.
    ///
    /// Each of several log-ins at once ends these after its own, and all see the same order, so the last one to
    /// look leaves no more than the limit.
    pub(super) fn surplus(self, newest_first: &[Summary]) -> &[Summary] {
        let count = newest_first.len();
        match self.at {
            AtLimit::EndOldest => &newest_first[self.sessions.min(count)..],
            AtLimit::Refuse => &newest_first[..count.saturating_sub(self.sessions)],
        }
    }

    /// Whether a user with these other sessions may not have one more.
    pub(super) fn refuses(self, others: usize) -> bool {
        self.at == AtLimit::Refuse && others >= self.sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Timestamp, store::Handle};

    fn sessions(count: u8) -> Vec<Summary> {
        let at = Timestamp::from_unix(1_700_000_000);
        let session = |number| Summary {
            handle: Handle::from_bytes([number; 12]),
            user: Some("42".to_owned()),
            device: None,
            created: at,
            renewed: at.saturating_add(i64::from(number)),
            last_seen: at,
            expires: at,
            authenticated: Some(at),
            version: 0,
        };
        (0..count).rev().map(session).collect()
    }

    fn numbers(sessions: &[Summary]) -> Vec<u8> {
        sessions
            .iter()
            .map(|session| session.handle.as_bytes()[0])
            .collect()
    }

    #[test]
    fn lif_9_the_oldest_go_or_the_newest_are_refused() {
        let limit = |at| Limit { sessions: 2, at };
        for (count, ended, refused) in [
            (0, &[][..], &[][..]),
            (2, &[], &[]),
            (3, &[0], &[2]),
            (5, &[2, 1, 0], &[4, 3, 2]),
        ] {
            let all = sessions(count);
            assert_eq!(numbers(limit(AtLimit::EndOldest).surplus(&all)), ended);
            assert_eq!(numbers(limit(AtLimit::Refuse).surplus(&all)), refused);
        }
        assert!(!limit(AtLimit::Refuse).refuses(1) && limit(AtLimit::Refuse).refuses(2));
        assert!(!limit(AtLimit::EndOldest).refuses(7));
    }
}
