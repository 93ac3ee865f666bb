//! Who looks: the session behind a request that has passed the gate.

use axum::http::{HeaderMap, header};
use carafe::{Session, SessionError, Timestamp};

use super::{
    guard::LIVE,
    token::{Token, same},
};

/// Keys of the operator's session.
const SINCE: &str = "since";
const CSRF: &str = "csrf";
/// Category of messages.
const NOTE: &str = "note";

/// Characters.
const LONGEST_NOTE: usize = 200;

/// Seconds from coming in to having to come in again, whatever was done.
const ABSOLUTE: i64 = 12 * 60 * 60;

/// Somebody who has come in.
#[derive(Clone)]
pub(super) struct Operator {
    session: Session,
    /// The CSRF token of this session, which every form has.
    pub(super) csrf: String,
    /// Whether the page's script asks, and not a person.
    pub(super) is_live: bool,
    /// The version of the page that the script has.
    pub(super) known: Option<String>,
}

impl Operator {
    /// Whose session it is, if its owner has come in and not too long ago.
    pub(super) fn of(session: Session, now: Timestamp) -> Option<Self> {
        let since = session.get::<i64>(SINCE).ok().flatten()?;
        let csrf = session.get::<String>(CSRF).ok().flatten()?;
        let age = now.unix() - since;
        (age < ABSOLUTE).then_some(Self {
            session,
            csrf,
            is_live: false,
            known: None,
        })
    }

    /// The same, asking for a page with these headers.
    pub(super) fn asking(self, headers: &HeaderMap) -> Self {
        let known = headers.get(header::IF_NONE_MATCH);
        Self {
            is_live: headers.contains_key(LIVE),
            known: known.and_then(|tag| Some(tag.to_str().ok()?.to_owned())),
            ..self
        }
    }

    /// Lets whoever has shown the token in.
    pub(super) fn let_in(session: &Session, now: Timestamp) -> Result<(), SessionError> {
        session.clear()?;
        session.insert(SINCE, &now.unix())?;
        // Without random bytes there is no CSRF token, and so nobody comes in.
        if let Ok(csrf) = Token::random() {
            session.insert(CSRF, csrf.as_str())?;
        }
        Ok(())
    }

    /// Whether a form came from a page of this session (OWASP, synchronizer token pattern).
    pub(super) fn has_sent(&self, csrf: &str) -> bool {
        same(&self.csrf, csrf)
    }

    /// A message for the next page; of a very long one the beginning, because a cookie takes only so much.
    pub(super) fn note(&self, text: &str) {
        let short: String = text.chars().take(LONGEST_NOTE).collect();
        // Fails only once the response is on its way.
        let _ = self.session.flash(NOTE, &short);
    }

    /// The messages since the last page; the script leaves them to a page that a person sees.
    pub(super) fn notes(&self) -> Vec<String> {
        if self.is_live {
            return Vec::new();
        }
        let flashes = self.session.take_flashes().unwrap_or_default();
        flashes.into_iter().map(|flash| flash.message).collect()
    }

    pub(super) fn leave(&self) {
        // Fails only once the response is on its way.
        let _ = self.session.log_out();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use carafe::{ClientSide, SecretKey, SessionConfig, SessionManager};

    use super::*;

    #[tokio::test]
    async fn nobody_stays_longer_than_half_a_day() {
        let key = SecretKey::new(SecretKey::random_text().unwrap().as_bytes()).unwrap();
        let side = ClientSide::encrypted(key, "test");
        let manager = Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
        let slot = manager.begin();
        let noon = Timestamp::from_unix(1_700_000_000);
        let session = manager.open(&slot, [], noon).await.unwrap();
        assert!(
            Operator::of(session.clone(), noon).is_none(),
            "nobody is in"
        );
        session.insert("left", &"over").unwrap();
        Operator::let_in(&session, noon).unwrap();
        assert!(!session.contains_key("left"), "a new session begins");
        let after = |seconds| Operator::of(session.clone(), noon.saturating_add(seconds));
        let operator = after(ABSOLUTE - 1).expect("still in");
        assert!(after(ABSOLUTE).is_none());
        let csrf = operator.csrf.clone();
        assert!(operator.has_sent(&csrf) && !operator.has_sent(""));
        operator.note(&"x".repeat(1_000));
        assert_eq!(operator.notes(), ["x".repeat(LONGEST_NOTE)]);
    }
}
