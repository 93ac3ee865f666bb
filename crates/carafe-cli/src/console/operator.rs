//! The session of an operator who has entered with the token.

use carafe::{Session, SessionError, Timestamp};
use carafe_console::Operator;

use super::{entered::Entered, token::Token};

/// The key of the operator's session that holds its identifier.
const ID: &str = "operator";

/// The name of operators in audit events. All of them enter with the same token.
const NAME: &str = "operator";

/// An open session.
#[derive(Clone)]
pub(super) struct OperatorSession {
    session: Session,
    /// A random text that only this session has.
    id: String,
}

impl OperatorSession {
    /// Returns the operator of an open session.
    pub(super) fn of(session: Session, entered: &Entered, now: Timestamp) -> Option<Self> {
        let id = session.get::<String>(ID).ok().flatten()?;
        entered.contains(&id, now).then_some(Self { session, id })
    }

    /// Opens a session for a client that has sent the token.
    pub(super) fn open(
        session: &Session,
        entered: &Entered,
        now: Timestamp,
    ) -> Result<(), SessionError> {
        // The browser's cookie is replaced, so a copy of the old cookie must become invalid.
        if let Ok(Some(old)) = session.get::<String>(ID) {
            entered.remove(&old);
        }
        session.clear()?;
        // Without random bytes there is no identifier and no session.
        if let Ok(id) = Token::random() {
            session.insert(ID, id.as_str())?;
            entered.add(id.as_str(), now);
        }
        Ok(())
    }

    /// Returns the operator for the pages. Their forms are bound to this session.
    pub(super) fn operator(&self) -> Operator {
        Operator::new(NAME).with_session(&self.id)
    }

    /// Closes the session, which invalidates every copy of its cookie.
    pub(super) fn leave(&self, entered: &Entered) {
        entered.remove(&self.id);
        // Fails only after the head of the response was sent.
        let _ = self.session.log_out();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use carafe::{ClientSide, SecretKey, SessionConfig, SessionManager};

    use super::*;

    #[tokio::test]
    async fn only_an_open_session_lets_in() {
        let key = SecretKey::new(SecretKey::random_text().unwrap().as_bytes()).unwrap();
        let side = ClientSide::encrypted(key, "test");
        let manager = Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
        let slot = manager.begin();
        let noon = Timestamp::from_unix(1_700_000_000);
        let session = manager.open(&slot, [], noon).await.unwrap();
        let entered = Entered::default();
        let operator = |session: &Session| OperatorSession::of(session.clone(), &entered, noon);
        assert!(operator(&session).is_none());
        session.insert("left", &"over").unwrap();
        OperatorSession::open(&session, &entered, noon).unwrap();
        assert!(!session.contains_key("left"), "a new session begins");
        let first = operator(&session).expect("is in");
        assert_eq!(first.operator(), operator(&session).unwrap().operator());

        OperatorSession::open(&session, &entered, noon).unwrap();
        assert!(!entered.contains(&first.id, noon), "entering again ends it");
        let second = operator(&session).expect("is in");
        assert_ne!(
            first.operator(),
            second.operator(),
            "forms are of one session"
        );
        second.leave(&entered);
        assert!(!entered.contains(&second.id, noon));
    }
}
