//! One of the modes to carry a session: its manager, its keys or store, and its texts on the page.
//! `modes` has all three.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    cookie::CookiePolicy,
    key::KeyRing,
    session::{ClientSide, ServerSide, SessionBackend, SessionConfig, SessionManager, Timeouts},
    store::{ErasedStore, Record, StoreError, StoreKey},
    token::SessionId,
};

use super::{
    key_list::KeyList,
    mode_id::{APPLICATION, ENCRYPTED, ModeId},
};
use carafe_program::{failure::Failure, format::TokenFormat, inspection::Inspection};

/// The name of the cookie of a session in the store.
const STORED: &str = "__Host-Http-id";

/// One mode to carry a session.
pub(super) struct Mode {
    pub(super) id: ModeId,
    pub(super) title: &'static str,
    pub(super) tagline: &'static str,
    pub(super) manager: Arc<SessionManager>,
    behind: Behind,
}

/// The keys or the store that validate the cookies of a mode.
enum Behind {
    Keys {
        ring: KeyRing,
        /// The key IDs that are accepted, the current one first.
        ids: Vec<[u8; 4]>,
        format: TokenFormat,
    },
    Store(Arc<dyn ErasedStore>),
}

/// The result of reading a cookie.
pub(super) enum Found {
    /// A cookie that contains the whole session.
    Token(Inspection),
    /// A cookie with an ID, and the record if the store has one.
    Record(Option<Box<StoredRecord>>),
}

/// A record and its store key.
pub(super) struct StoredRecord {
    pub(super) key: StoreKey,
    pub(super) record: Record,
}

impl Mode {
    /// Flask's cookie, with Flask's rules.
    pub(super) fn signed(keys: &KeyList) -> Result<Self, Failure> {
        let ring = keys.ring()?;
        Ok(Self {
            id: ModeId::Signed,
            title: "Signed",
            tagline: "Anybody can read it, nobody can change it. Flask’s format.",
            manager: manager(ClientSide::signed(ring.clone()), SessionConfig::flask())?,
            behind: Behind::Keys {
                ring,
                ids: Vec::new(),
                format: TokenFormat::flask(),
            },
        })
    }

    /// Carafe's default.
    pub(super) fn encrypted(keys: &KeyList) -> Result<Self, Failure> {
        let ring = keys.ring()?;
        let side = ClientSide::encrypted(ring.clone(), APPLICATION);
        let config = SessionConfig::default().with_cookie(CookiePolicy::builder(ENCRYPTED));
        Ok(Self {
            id: ModeId::Encrypted,
            title: "Encrypted",
            tagline: "Nobody can read it, nobody can change it. Carafe’s default.",
            manager: manager(side, config)?,
            behind: Behind::Keys {
                ring,
                ids: keys.iter().map(|key| key.id).collect(),
                format: TokenFormat::encrypted(APPLICATION, ENCRYPTED),
            },
        })
    }

    /// An ID in the cookie, and the session in a store.
    pub(super) fn stored(store: Arc<dyn ErasedStore>) -> Result<Self, Failure> {
        Ok(Self {
            id: ModeId::Stored,
            title: "Server-side",
            tagline: "The cookie is a random ID; the content is in a database. Can be revoked.",
            manager: in_store(Arc::clone(&store))?,
            behind: Behind::Store(store),
        })
    }

    /// Returns the content behind a cookie of this mode.
    ///
    /// # Errors
    /// Errors of the store.
    pub(super) async fn look(&self, cookie: &str, now: Timestamp) -> Result<Found, StoreError> {
        match &self.behind {
            Behind::Keys { ring, format, .. } => {
                let lifetime = Some(self.manager.lifetime());
                let found = Inspection::of(format, Some(ring), cookie, lifetime, now);
                Ok(Found::Token(found))
            }
            Behind::Store(store) => {
                let Some(id) = SessionId::parse(cookie.as_bytes()) else {
                    return Ok(Found::Record(None));
                };
                let key = id.store_key();
                let record = store.load(&key, now).await?.into_record();
                Ok(Found::Record(
                    record.map(|record| Box::new(StoredRecord { key, record })),
                ))
            }
        }
    }

    pub(super) fn cookie_name(&self) -> &str {
        self.manager.cookie().name()
    }

    /// Returns whether the key ID in a cookie belongs to a known key.
    pub(super) fn knows_key(&self, id: [u8; 4]) -> bool {
        matches!(&self.behind, Behind::Keys { ids, .. } if ids.contains(&id))
    }
}

impl Found {
    /// Returns whether the cookie was created here and has not been changed, expired or not.
    pub(super) fn is_authentic(&self) -> bool {
        match self {
            Self::Token(inspection) => inspection.is_authentic(),
            Self::Record(kept) => kept.is_some(),
        }
    }

    /// Returns the content of a token.
    pub(super) fn token(&self) -> Option<&Inspection> {
        match self {
            Self::Token(inspection) => Some(inspection),
            Self::Record(_) => None,
        }
    }
}

/// Returns a manager of the demo's server-side sessions over `store`.
pub(super) fn in_store(store: Arc<dyn ErasedStore>) -> Result<Arc<SessionManager>, Failure> {
    let side = ServerSide::shared(store).with_timeouts(Timeouts::asvs_l2());
    let cookie = CookiePolicy::builder(STORED);
    manager(side, SessionConfig::default().with_cookie(cookie))
}

/// A rejected cookie stays in the browser, so that the page can show it and change it back.
fn manager(
    side: impl Into<SessionBackend>,
    config: SessionConfig,
) -> Result<Arc<SessionManager>, Failure> {
    let manager = SessionManager::new(side, config.with_remove_rejected(false));
    manager.map(Arc::new).map_err(Failure::trouble)
}
