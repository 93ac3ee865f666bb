//! The two ways to carry a session: the sessions' managers, and what the page says about them.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    session::{ClientSide, SessionConfig, SessionManager},
    token::encrypted::EncryptedSessions,
};
use serde::Deserialize;

use super::cookie_parts;
use crate::{failure::Failure, format::TokenFormat, inspection::Inspection};

/// The name that keeps the demo's encrypted cookies apart from those of other applications.
const APPLICATION: &str = "carafe demo";

/// Which way, as it stands in addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WayId {
    Signed,
    Encrypted,
}

/// One way to carry a session.
pub(super) struct Way {
    pub(super) id: WayId,
    pub(super) title: &'static str,
    pub(super) tagline: &'static str,
    pub(super) manager: Arc<SessionManager>,
    /// The id that encrypted cookies made with the current key carry.
    pub(super) current_key_id: Option<[u8; 4]>,
    keys: KeyRing,
    format: TokenFormat,
}

impl Way {
    /// Flask's cookie with Flask's rules.
    pub(super) fn signed(keys: KeyRing) -> Result<Self, Failure> {
        let side = ClientSide::signed(keys.clone());
        Ok(Self {
            id: WayId::Signed,
            title: "Signed",
            tagline: "Anybody can read it, nobody can change it. Flask’s format.",
            manager: manager(side, SessionConfig::flask())?,
            current_key_id: None,
            keys,
            format: TokenFormat::flask(),
        })
    }

    /// Carafe's default.
    pub(super) fn encrypted(keys: KeyRing) -> Result<Self, Failure> {
        let side = ClientSide::encrypted(keys.clone(), APPLICATION);
        let manager = manager(side, SessionConfig::default())?;
        let name = manager.cookie().name().to_owned();
        Ok(Self {
            id: WayId::Encrypted,
            title: "Encrypted",
            tagline: "Nobody can read it, nobody can change it. Carafe’s default.",
            manager,
            current_key_id: key_id(&keys, &name)?,
            keys,
            format: TokenFormat::encrypted(APPLICATION, &name),
        })
    }

    /// What is to be said about a cookie of this way.
    pub(super) fn inspect(&self, cookie: &str, now: Timestamp) -> Inspection {
        Inspection::of(
            &self.format,
            Some(&self.keys),
            cookie,
            Some(self.manager.lifetime()),
            now,
        )
    }

    pub(super) fn cookie_name(&self) -> &str {
        self.manager.cookie().name()
    }
}

impl WayId {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Encrypted => "encrypted",
        }
    }
}

/// A key that dies with the process.
pub(super) fn random_keys() -> Result<KeyRing, Failure> {
    let text = SecretKey::random_text().map_err(Failure::trouble)?;
    SecretKey::new(text.as_bytes())
        .map(KeyRing::new)
        .map_err(Failure::trouble)
}

/// A cookie that is refused stays in the browser, so that it can be looked at and put right again.
fn manager(side: ClientSide, config: SessionConfig) -> Result<Arc<SessionManager>, Failure> {
    let manager = SessionManager::new(side, config.with_remove_rejected(false));
    manager.map(Arc::new).map_err(Failure::trouble)
}

/// Taken from a cookie made for this, because nothing else shows it.
fn key_id(keys: &KeyRing, cookie_name: &str) -> Result<Option<[u8; 4]>, Failure> {
    let sessions = EncryptedSessions::new(keys, APPLICATION, cookie_name);
    let (start, end) = (Timestamp::from_unix(0), Timestamp::from_unix(0));
    let cookie = sessions.seal("{}", start, end).map_err(Failure::trouble)?;
    Ok(cookie_parts::key_id(&cookie))
}
