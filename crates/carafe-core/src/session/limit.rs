//! The limit of sessions per user.

use crate::store::SessionMeta;

/// The behavior for a log-in beyond the limit of sessions per user.
///
/// See [`ServerSide::with_limit_per_user`](super::ServerSide::with_limit_per_user) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtLimit {
    /// Accepts the log-in and revokes the user's oldest session.
    EndOldest,
    /// Refuses the log-in.
    ///
    /// The error is [`CommitError::TooManySessions`](super::CommitError::TooManySessions).
    ///
    /// The user's sessions are kept. For a friendlier response, call
    /// [`SessionManager::sessions_of`](super::SessionManager::sessions_of) before the log-in.
    Refuse,
}

/// A limit and the behavior beyond it (OWASP ASVS 7.1.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) sessions: usize,
    pub(super) at: AtLimit,
    /// Whether the application has set the limit.
    pub(super) is_explicit: bool,
}

impl Limit {
    /// Returns the sessions to revoke from a user's live sessions, newest first.
    ///
    /// Each of several concurrent log-ins revokes the excess sessions after its own write, and all
    /// see the same order, so the last one to list the sessions leaves at most the limit.
    pub(super) fn surplus(self, newest_first: &[SessionMeta]) -> &[SessionMeta] {
        let count = newest_first.len();
        match self.at {
            AtLimit::EndOldest => &newest_first[self.sessions.min(count)..],
            AtLimit::Refuse => &newest_first[..count.saturating_sub(self.sessions)],
        }
    }

    /// Returns whether a user with `others` other sessions is refused another session.
    pub(super) fn refuses(self, others: usize) -> bool {
        self.at == AtLimit::Refuse && others >= self.sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Timestamp, store::PublicId};

    fn sessions(count: u8) -> Vec<SessionMeta> {
        let at = Timestamp::from_unix(1_700_000_000);
        let session = |number| {
            let mut meta = SessionMeta::new(PublicId::from_bytes([number; 12]), at, at);
            meta.user = Some("42".to_owned());
            meta.renewed = at.saturating_add(i64::from(number));
            meta.authenticated = Some(at);
            meta
        };
        (0..count).rev().map(session).collect()
    }

    fn numbers(sessions: &[SessionMeta]) -> Vec<u8> {
        sessions
            .iter()
            .map(|session| session.public_id.as_bytes()[0])
            .collect()
    }

    #[test]
    fn the_oldest_sessions_are_revoked_or_the_newest_refused() {
        let limit = |at| Limit {
            sessions: 2,
            at,
            is_explicit: true,
        };
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
