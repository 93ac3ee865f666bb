//! One order to end sessions: whose, and which of those that a store has.

use std::sync::Arc;

use crate::{
    clock::Timestamp,
    store::{Handle, Record, StoreKey, Summary, Which},
};

/// Whose sessions a [`LogOut`] ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The one under this key.
    Key(StoreKey),
    /// The one with this public name.
    Handle(Handle),
    /// Those of a user.
    User(Arc<str>, Which),
    /// Everybody's.
    Everyone,
}

/// An order to end sessions.
///
/// ```
/// use carafe_core::{clock::Timestamp, store::{Handle, Summary, Which, guard::{LogOut, Whose}}};
///
/// let noon = Timestamp::from_unix(1_700_000_000);
/// let order = LogOut { whose: Whose::User("ann".into(), Which::All), at: noon };
/// let session = |authenticated| Summary {
///     handle: Handle::from_bytes([1; 12]), user: Some("ann".to_owned()), device: None, created: noon, renewed: noon,
///     last_seen: noon, expires: noon, authenticated: Some(authenticated), version: 0,
/// };
/// assert!(order.ends(&session(noon)));
/// assert!(!order.ends(&session(noon.saturating_add(1))), "ann has logged in since");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOut {
    /// Whose.
    pub whose: Whose,
    /// When it was given. A log-in after this second is not meant.
    pub at: Timestamp,
}

/// What a [`LogOut`] goes by, of a [`Record`] or a [`Summary`].
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    user: Option<&'a str>,
    handle: Handle,
    created: Timestamp,
    authenticated: Option<Timestamp>,
}

impl LogOut {
    /// Whether this session is meant: of [`Whose::User`] what was last authenticated at the time of the order or
    /// before, whatever id it got since; of [`Whose::Everyone`] what began then or before. A record does not
    /// know its key, so [`Whose::Key`] means none here.
    #[must_use]
    pub fn ends<'a>(&self, session: impl Into<Standing<'a>>) -> bool {
        let session = session.into();
        let since = match &self.whose {
            Whose::User(..) => session.authenticated.unwrap_or(session.created),
            Whose::Key(_) | Whose::Handle(_) | Whose::Everyone => session.created,
        };
        let once = matches!(self.whose, Whose::Handle(_));
        self.concerns(session) && (once || since <= self.at)
    }

    /// Whether this session is of those that the order is about, whenever it began.
    #[must_use]
    pub fn concerns<'a>(&self, session: impl Into<Standing<'a>>) -> bool {
        let session = session.into();
        match &self.whose {
            Whose::Key(_) => false,
            Whose::Handle(handle) => session.handle == *handle,
            Whose::User(user, which) => {
                session.user == Some(user) && which.includes(session.handle)
            }
            Whose::Everyone => true,
        }
    }

    /// What is left to be told to a store that lists these sessions of the user. One call for all, if no
    /// session stands beside them that has come since the order; otherwise one call for each.
    #[must_use]
    pub fn left(&self, listed: &[Summary]) -> Vec<Which> {
        let Whose::User(_, which) = &self.whose else {
            return Vec::new();
        };
        let meant = listed.iter().filter(|session| self.ends(*session));
        let ended: Vec<_> = meant.map(|session| Which::Only(session.handle)).collect();
        let concerned = listed.iter().filter(|session| self.concerns(*session));
        match ended.len() > 1 && ended.len() == concerned.count() {
            true => vec![*which],
            false => ended,
        }
    }
}

impl<'a> From<&'a Record> for Standing<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            user: record.user.as_deref(),
            handle: record.handle,
            created: record.created,
            authenticated: record.authenticated,
        }
    }
}

impl<'a> From<&'a Summary> for Standing<'a> {
    fn from(session: &'a Summary) -> Self {
        Self {
            user: session.user.as_deref(),
            handle: session.handle,
            created: session.created,
            authenticated: session.authenticated,
        }
    }
}

impl<'a> Standing<'a> {
    /// The user it belongs to.
    #[must_use]
    pub const fn user(self) -> Option<&'a str> {
        self.user
    }

    /// The public name.
    #[must_use]
    pub const fn handle(self) -> Handle {
        self.handle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Timestamp = Timestamp::from_unix(1_700_000_000);
    const BEFORE: Timestamp = ORDER.saturating_add(-1);
    const AFTER: Timestamp = ORDER.saturating_add(1);

    fn handle(number: u8) -> Handle {
        Handle::from_bytes([number; 12])
    }

    fn session(number: u8, created: Timestamp, authenticated: Option<Timestamp>) -> Summary {
        Summary {
            handle: handle(number),
            user: Some("ann".to_owned()),
            device: None,
            created,
            renewed: AFTER,
            last_seen: AFTER,
            expires: AFTER,
            authenticated,
            version: 0,
        }
    }

    fn of_ann(which: Which) -> LogOut {
        let whose = Whose::User("ann".into(), which);
        LogOut { whose, at: ORDER }
    }

    #[test]
    fn the_truth_table_of_who_is_meant() {
        let all = of_ann(Which::All);
        for (created, authenticated, ends) in [
            (BEFORE, Some(BEFORE), true),
            // The second of the order is before it: the safe side.
            (BEFORE, Some(ORDER), true),
            // Logged in since, with a dictionary from before.
            (BEFORE, Some(AFTER), false),
            (AFTER, Some(AFTER), false),
            // A store that does not keep the time of the log-in.
            (ORDER, None, true),
            (AFTER, None, false),
        ] {
            assert_eq!(all.ends(&session(1, created, authenticated)), ends);
        }
        let old = session(1, BEFORE, Some(BEFORE));
        assert!(of_ann(Which::Only(handle(1))).ends(&old));
        assert!(!of_ann(Which::Only(handle(2))).ends(&old));
        assert!(of_ann(Which::AllBut(handle(2))).ends(&old));
        assert!(!of_ann(Which::AllBut(handle(1))).ends(&old));
        let (mut bobs, mut nobodys) = (old.clone(), old.clone());
        bobs.user = Some("bob".to_owned());
        nobodys.user = None;
        assert!(!all.ends(&bobs) && !all.ends(&nobodys));
        let everyone = |at| LogOut {
            whose: Whose::Everyone,
            at,
        };
        assert!(everyone(BEFORE).ends(&nobodys) && everyone(BEFORE).ends(&bobs));
        assert!(!everyone(BEFORE).ends(&session(1, ORDER, None)));
        let by_name = |number| LogOut {
            whose: Whose::Handle(handle(number)),
            at: BEFORE,
        };
        assert!(by_name(1).ends(&old) && !by_name(2).ends(&old));
    }

    #[test]
    fn a_session_that_has_come_since_is_left_alone_by_what_the_store_is_told() {
        let (old, older) = (session(1, BEFORE, None), session(2, BEFORE, None));
        let new = session(3, AFTER, None);
        let (one, two) = (Which::Only(handle(1)), Which::Only(handle(2)));
        let but = Which::AllBut(handle(1));
        for (which, listed, told) in [
            (Which::All, vec![&old, &older], vec![Which::All]),
            (Which::All, vec![&old, &older, &new], vec![one, two]),
            (Which::All, vec![&new], vec![]),
            (Which::All, vec![&old], vec![one]),
            (but, vec![&old, &older, &new], vec![two]),
            (but, vec![&old], vec![]),
            (two, vec![&old, &older], vec![two]),
        ] {
            let listed: Vec<_> = listed.into_iter().cloned().collect();
            assert_eq!(of_ann(which).left(&listed), told, "{which:?}");
        }
    }
}
