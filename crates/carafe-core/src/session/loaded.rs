//! The session loaded for a request, and the reasons for rejecting a cookie.

use super::SessionData;
use crate::{
    clock::Timestamp,
    error::ErrorChain,
    key::KeyUse,
    store::{Record, Renewal, StoreKey},
    token::{SessionId, TokenError},
};

/// The origin of a request's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// The request has no session cookie.
    Absent,
    /// A verified cookie.
    Valid {
        /// The key that verified the cookie.
        key: KeyUse,
        /// The time when the cookie was issued.
        issued: Timestamp,
    },
    /// An ID that refers to a record in the store.
    Stored,
    /// A rejected cookie. The session is empty.
    Rejected(Rejection),
}

/// The reason why a request's cookie is treated like a missing one.
///
/// ```
/// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// let mut client = TestClient::signed_in(&manager, "ada").await?;
/// let copy = client.clone();
/// let request = client.begin().await?;
/// request.session().log_out()?;
/// client.finish(request, 200).await?;
///
/// let rejection = copy.session().await?.rejection();
/// assert_eq!(rejection, Some(Rejection::Retired));
/// assert_eq!(rejection.map(|rejection| rejection.code()), Some("retired-id"));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The cookie is not a valid token.
    Token(TokenError),
    /// The session with this ID has expired, was revoked, or never existed.
    UnknownId,
    /// The ID was retired recently, or its grace period after a timed renewal is over.
    ///
    /// A log-in, a log-out, [`Session::renew`](super::Session::renew) or a revocation retires an
    /// ID. The request is anonymous and creates no session, because that would replace a newer one
    /// in the browser. A change is a conflict ([`Conflict`](super::Conflict)).
    Retired,
    /// The record cannot be read, and [`OnCorrupt::Anonymous`](super::OnCorrupt::Anonymous) is set.
    Unreadable,
    /// Two different cookies with the session's name verify.
    ///
    /// Another party, such as a sibling subdomain, has set one of them.
    Ambiguous,
    /// Two [transports](super::Transport) of the request carry different tokens.
    SeveralTransports,
    /// `Authorization: Bearer` is followed by text that is not a token (RFC 6750 §2.1).
    MalformedBearer,
}

/// The session loaded for a request. Immutable, so that a commit can use it while handlers read.
pub(super) struct LoadedSession {
    pub(super) loaded: Loaded,
    /// The time when the session was opened. Calls of handlers use this time.
    pub(super) opened: Timestamp,
    content: Content,
}

/// The location of the dictionary.
enum Content {
    /// In this value, because the session is not in a store.
    Here(SessionData),
    Stored(Stored),
}

/// An ID of a session, with its key in the store.
#[derive(Clone)]
pub(super) struct SessionRef {
    pub(super) id: SessionId,
    pub(super) key: StoreKey,
    /// The key that signed the ID. The current key if IDs are not signed.
    pub(super) signed_by: KeyUse,
}

/// A session that was loaded from a store.
///
/// Boxed parts, because a loaded session is moved several times on its way into the slot.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) at: Box<SessionRef>,
    /// Whether the ID is the session's current one. Otherwise a timed renewal has replaced the ID.
    pub(super) is_current: bool,
    pub(super) record: Box<Record>,
}

impl Stored {
    /// Returns the current ID if the browser may have missed the response of a timed renewal.
    pub(super) fn successor(&self) -> Option<SessionId> {
        match self.is_current {
            true => None,
            false => successor(&self.at.id, &self.at.key, &self.record),
        }
    }

    /// Returns whether this request is the first to present the ID of a timed renewal.
    pub(super) fn confirms(&self) -> bool {
        let renewal = self.record.meta.renewal.as_ref();
        self.is_current && renewal.is_some_and(Renewal::is_pending)
    }
}

impl LoadedSession {
    /// Returns a session that is not in a store.
    pub(super) fn new(loaded: Loaded, data: SessionData, opened: Timestamp) -> Self {
        Self {
            loaded,
            opened,
            content: Content::Here(data),
        }
    }

    /// Returns the empty session of a request without a valid one.
    pub(super) fn nothing(loaded: Loaded, opened: Timestamp) -> Self {
        Self::new(loaded, SessionData::default(), opened)
    }

    /// Returns a session that is in a store.
    pub(super) const fn stored(stored: Stored, opened: Timestamp) -> Self {
        Self {
            loaded: Loaded::Stored,
            opened,
            content: Content::Stored(stored),
        }
    }

    /// Returns the session in the store.
    pub(super) fn in_store(&self) -> Option<&Stored> {
        match &self.content {
            Content::Stored(stored) => Some(stored),
            Content::Here(_) => None,
        }
    }

    /// Returns the record in the store.
    pub(super) fn record(&self) -> Option<&Record> {
        self.in_store().map(|stored| &*stored.record)
    }

    /// Returns the dictionary.
    pub(super) fn data(&self) -> &SessionData {
        match &self.content {
            Content::Stored(stored) => &stored.record.data,
            Content::Here(data) => data,
        }
    }
}

/// Returns the ID that replaces `id` in the pending renewal of `record`.
///
/// Returns `None` if that renewal does not replace `key`, the key of `id`. All requests with `id`
/// get the same successor.
pub(super) fn successor(id: &SessionId, key: &StoreKey, record: &Record) -> Option<SessionId> {
    let renewal = record.meta.renewal.as_ref()?;
    (renewal.is_pending() && renewal.from == *key.as_bytes()).then(|| id.successor(&renewal.nonce))
}

impl Rejection {
    /// Returns a short, stable word for logs and metrics, such as `bad-signature`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::UnknownId => "unknown-id",
            Self::Retired => "retired-id",
            Self::Unreadable => "unreadable",
            Self::Ambiguous => "ambiguous",
            Self::SeveralTransports => "several-transports",
            Self::MalformedBearer => "malformed-bearer",
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token(error) => ErrorChain::of(error).fmt(f),
            Self::UnknownId => f.write_str("no session has this id"),
            Self::Retired => f.write_str("the session's id was retired"),
            Self::Unreadable => f.write_str("the session's record cannot be read"),
            Self::Ambiguous => f.write_str("two different cookies of this name verify"),
            Self::SeveralTransports => {
                f.write_str("two transports of the request carry different tokens")
            }
            Self::MalformedBearer => f.write_str("the bearer token is malformed"),
        }
    }
}
