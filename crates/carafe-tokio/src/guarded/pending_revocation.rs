//! A revocation and the sessions that it applies to.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, Record, Selection, SessionMeta, StoreKey},
};

/// The sessions of a [`PendingRevocation`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum RevocationTarget {
    /// The session under this key.
    Key(StoreKey),
    /// The session with this public ID.
    PublicId(PublicId),
    /// The selected sessions of a user.
    User(Arc<str>, Selection),
    /// All sessions of the store.
    All,
}

/// A revocation that the store may not have received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PendingRevocation {
    pub(super) target: RevocationTarget,
    /// The time of the request. A session that was authenticated after this second is not revoked.
    pub(super) at: Timestamp,
}

/// The fields of a [`Record`] or a [`SessionMeta`] that decide whether a revocation applies.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionIdentity<'a> {
    user: Option<&'a str>,
    public_id: PublicId,
    created: Timestamp,
    authenticated: Option<Timestamp>,
}

impl PendingRevocation {
    /// Returns whether this session is revoked.
    ///
    /// [`RevocationTarget::User`] revokes sessions that were last authenticated at the time of the
    /// request or before, even under an earlier ID. [`RevocationTarget::All`] revokes those that
    /// were created by then. [`RevocationTarget::Key`] revokes none here, because a record does not
    /// contain its key.
    pub(super) fn revokes<'a>(&self, session: impl Into<SessionIdentity<'a>>) -> bool {
        let session = session.into();
        let in_time = match &self.target {
            RevocationTarget::User(..) => {
                session.authenticated.unwrap_or(session.created) <= self.at
            }
            RevocationTarget::All => session.created <= self.at,
            RevocationTarget::Key(_) | RevocationTarget::PublicId(_) => true,
        };
        in_time && self.covers(session)
    }

    /// Returns whether this session belongs to the target, regardless of its age.
    fn covers(&self, session: SessionIdentity<'_>) -> bool {
        match &self.target {
            RevocationTarget::Key(_) => false,
            RevocationTarget::PublicId(public_id) => session.public_id == *public_id,
            RevocationTarget::User(user, selection) => {
                session.user == Some(user) && selection.includes(session.public_id)
            }
            RevocationTarget::All => true,
        }
    }

    /// Returns the deletions for a store with these sessions of the user: one call for all if the
    /// revocation applies to each session of the target, and otherwise one call for each revoked
    /// session.
    pub(super) fn deletions(&self, listed: &[SessionMeta]) -> Vec<Selection> {
        let RevocationTarget::User(_, selection) = &self.target else {
            return Vec::new();
        };
        let revoked = listed.iter().filter(|session| self.revokes(*session));
        let each: Vec<_> = revoked
            .map(|session| Selection::Only(session.public_id))
            .collect();
        let covered = listed
            .iter()
            .filter(|session| self.covers((*session).into()));
        match each.len() > 1 && each.len() == covered.count() {
            true => vec![*selection],
            false => each,
        }
    }
}

impl<'a> From<&'a Record> for SessionIdentity<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            user: record.meta.user.as_deref(),
            public_id: record.meta.public_id,
            created: record.meta.created,
            authenticated: record.meta.authenticated,
        }
    }
}

impl<'a> From<&'a SessionMeta> for SessionIdentity<'a> {
    fn from(session: &'a SessionMeta) -> Self {
        Self {
            user: session.user.as_deref(),
            public_id: session.public_id,
            created: session.created,
            authenticated: session.authenticated,
        }
    }
}

impl<'a> SessionIdentity<'a> {
    pub(super) const fn user(self) -> Option<&'a str> {
        self.user
    }

    pub(super) const fn public_id(self) -> PublicId {
        self.public_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTED: Timestamp = Timestamp::from_unix(1_700_000_000);
    const BEFORE: Timestamp = REQUESTED.saturating_add(-1);
    const AFTER: Timestamp = REQUESTED.saturating_add(1);

    fn public_id(number: u8) -> PublicId {
        PublicId::from_bytes([number; 12])
    }

    fn session(number: u8, created: Timestamp, authenticated: Option<Timestamp>) -> SessionMeta {
        let mut meta = SessionMeta::new(public_id(number), created, AFTER);
        meta.user = Some("ann".to_owned());
        meta.renewed = AFTER;
        meta.last_seen = AFTER;
        meta.authenticated = authenticated;
        meta
    }

    fn of_ann(selection: Selection) -> PendingRevocation {
        PendingRevocation {
            target: RevocationTarget::User("ann".into(), selection),
            at: REQUESTED,
        }
    }

    #[test]
    fn a_revocation_applies_by_user_selection_and_time() {
        let all = of_ann(Selection::All);
        for (created, authenticated, revoked) in [
            (BEFORE, Some(BEFORE), true),
            // The second of the request counts as before it, which is the safe side.
            (BEFORE, Some(REQUESTED), true),
            // Authenticated after the request, with data from before.
            (BEFORE, Some(AFTER), false),
            (AFTER, Some(AFTER), false),
            // A store that does not keep the authentication time.
            (REQUESTED, None, true),
            (AFTER, None, false),
        ] {
            assert_eq!(all.revokes(&session(1, created, authenticated)), revoked);
        }
        let old = session(1, BEFORE, Some(BEFORE));
        assert!(of_ann(Selection::Only(public_id(1))).revokes(&old));
        assert!(!of_ann(Selection::Only(public_id(2))).revokes(&old));
        assert!(of_ann(Selection::AllBut(public_id(2))).revokes(&old));
        assert!(!of_ann(Selection::AllBut(public_id(1))).revokes(&old));
        let (mut of_bob, mut anonymous) = (old.clone(), old.clone());
        of_bob.user = Some("bob".to_owned());
        anonymous.user = None;
        assert!(!all.revokes(&of_bob) && !all.revokes(&anonymous));
        let everything = |at| PendingRevocation {
            target: RevocationTarget::All,
            at,
        };
        assert!(everything(BEFORE).revokes(&anonymous) && everything(BEFORE).revokes(&of_bob));
        assert!(!everything(BEFORE).revokes(&session(1, REQUESTED, None)));
        let by_public_id = |number| PendingRevocation {
            target: RevocationTarget::PublicId(public_id(number)),
            at: BEFORE,
        };
        assert!(by_public_id(1).revokes(&old) && !by_public_id(2).revokes(&old));
    }

    #[test]
    fn the_store_is_not_asked_to_delete_a_session_that_is_newer_than_the_request() {
        let (old, older) = (session(1, BEFORE, None), session(2, BEFORE, None));
        let new = session(3, AFTER, None);
        let (one, two) = (Selection::Only(public_id(1)), Selection::Only(public_id(2)));
        let but = Selection::AllBut(public_id(1));
        for (selection, listed, deletions) in [
            (Selection::All, vec![&old, &older], vec![Selection::All]),
            (Selection::All, vec![&old, &older, &new], vec![one, two]),
            (Selection::All, vec![&new], vec![]),
            (Selection::All, vec![&old], vec![one]),
            (but, vec![&old, &older, &new], vec![two]),
            (but, vec![&old], vec![]),
            (two, vec![&old, &older], vec![two]),
        ] {
            let listed: Vec<_> = listed.into_iter().cloned().collect();
            assert_eq!(
                of_ann(selection).deletions(&listed),
                deletions,
                "{selection:?}"
            );
        }
    }
}
