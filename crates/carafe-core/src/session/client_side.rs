//! Client-side sessions: the cookie contains the whole session.

use std::time::Duration;

use super::{Duplicates, Loaded, Rejection, SessionData, lifetime, loaded::LoadedSession};
use crate::{
    clock::Timestamp,
    cookie::Candidates,
    json::JsonDialect,
    key::KeyRing,
    token::{
        Opened, PayloadError, SealError, TokenError,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions},
    },
};

/// Keeps sessions in their cookies, without a store and limited to 4 KB.
///
/// Client-side sessions cannot be revoked: a copy of a cookie stays valid until it expires.
///
/// ```
/// use carafe_core::{key::{KeyRing, SecretKey}, session::ClientSide};
/// # use carafe_core::{clock::Timestamp, session::{SessionConfig, SessionManager}};
/// # futures_executor::block_on(async {
///
/// let secret = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
/// let keys = KeyRing::new(SecretKey::new(secret)?);
/// let value = async |side: ClientSide| -> Result<String, Box<dyn std::error::Error>> {
///     let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::flask())?);
///     let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_000));
///     manager.open(&slot, [], now).await?.insert("user_id", &42)?;
///     let changes = manager.commit(&slot, [], 200, now).await?;
///     Ok(changes.set_cookie.unwrap_or_default())
/// };
/// // Flask's format, which the client can read: base64 of `{"user_id":42}`.
/// let signed = value(ClientSide::signed(keys.clone())).await?;
/// assert!(signed.starts_with("session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA."));
/// let encrypted = value(ClientSide::encrypted(keys, "shop")).await?;
/// assert!(!encrypted.contains("eyJ1c2VyX2lkIjo0Mn0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct ClientSide {
    keys: KeyRing,
    format: Format,
}

#[derive(Clone, Debug)]
enum Format {
    Signed(SignedFormat),
    Encrypted { application: String },
}

impl ClientSide {
    /// Uses Flask's format: the client can read the session, but cannot change it.
    ///
    /// ```
    /// use carafe_core::{key::SecretKey, session::ClientSide};
    /// # use carafe_core::{clock::Timestamp, session::{SessionConfig, SessionManager}};
    /// # futures_executor::block_on(async {
    ///
    /// let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
    /// let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::flask())?);
    /// // A cookie that Flask has written.
    /// let cookie: &[u8] = b"session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw";
    /// let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_060));
    /// let session = manager.open(&slot, [cookie], now).await?;
    /// assert_eq!(session.get("user_id")?, Some(42));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn signed(keys: impl Into<KeyRing>) -> Self {
        Self::signed_as(keys, SignedFormat::flask())
    }

    /// Uses a signed format with other settings.
    ///
    /// For Quart, Starlette, or a Flask application with a custom session interface.
    ///
    /// ```
    /// use carafe_core::{key::SecretKey, session::ClientSide, token::signed::SignedFormat};
    /// # use carafe_core::{clock::Timestamp, session::{SessionConfig, SessionManager}};
    /// # futures_executor::block_on(async {
    ///
    /// let key = SecretKey::short("flask-spec-secret")?;
    /// let side = ClientSide::signed_as(key, SignedFormat::starlette());
    /// let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::starlette())?);
    /// let (slot, now) = (manager.begin(), Timestamp::from_unix(1_700_000_000));
    /// manager.open(&slot, [], now).await?.insert("user_id", &42)?;
    /// let line = manager.commit(&slot, [], 200, now).await?.set_cookie.unwrap_or_default();
    /// assert!(line.starts_with("session=eyJ1c2VyX2lkIjogNDJ9."), "{line}"); // {"user_id": 42}
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn signed_as(keys: impl Into<KeyRing>, format: SignedFormat) -> Self {
        Self {
            keys: keys.into(),
            format: Format::Signed(format),
        }
    }

    /// Uses Carafe's encrypted format.
    ///
    /// Only services with the same key, `application` and cookie name can read the session. The
    /// application's name separates applications that share a key (CVE-2020-17526).
    ///
    /// ```
    /// use carafe_core::{key::SecretKey, session::ClientSide};
    /// # use carafe_core::{clock::Timestamp, session::{SessionConfig, SessionManager}};
    /// # futures_executor::block_on(async {
    ///
    /// let key = SecretKey::new(SecretKey::random_text()?.as_bytes())?;
    /// let manager = |application: &str| {
    ///     let side = ClientSide::encrypted(key.clone(), application);
    ///     SessionManager::new(side, SessionConfig::flask()).map(std::sync::Arc::new)
    /// };
    /// let (shop, blog) = (manager("shop")?, manager("blog")?);
    /// let (slot, now) = (shop.begin(), Timestamp::from_unix(0));
    /// shop.open(&slot, [], now).await?.insert("user_id", &42)?;
    /// let line = shop.commit(&slot, [], 200, now).await?.set_cookie.unwrap_or_default();
    /// let cookie = line.split(';').next().unwrap_or_default().as_bytes();
    ///
    /// let slot = blog.begin();
    /// let session = blog.open(&slot, [cookie], now).await?;
    /// assert_eq!(session.rejection().map(|reason| reason.code()), Some("bad-signature"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn encrypted(keys: impl Into<KeyRing>, application: impl Into<String>) -> Self {
        Self {
            keys: keys.into(),
            format: Format::Encrypted {
                application: application.into(),
            },
        }
    }

    /// Prepares the keys for the cookie `name`.
    pub(super) fn prepare(self, name: &str, clock_skew: Duration) -> Codec {
        match self.format {
            Format::Signed(format) => {
                Codec::Signed(SignedSessions::new(&self.keys, &format).with_clock_skew(clock_skew))
            }
            Format::Encrypted { application } => {
                let sessions = EncryptedSessions::new(&self.keys, &application, name);
                Codec::Encrypted(sessions.with_clock_skew(clock_skew))
            }
        }
    }
}

/// The content of a valid cookie.
type Good = (Loaded, SessionData);

/// A token format with its keys prepared.
pub(super) enum Codec {
    Signed(SignedSessions),
    Encrypted(EncryptedSessions),
}

impl Codec {
    /// Loads the session from a request's cookies.
    pub(super) fn load(
        &self,
        candidates: &Candidates<'_>,
        (duplicates, newest): (Duplicates, bool),
        lifetime: Duration,
        now: Timestamp,
    ) -> LoadedSession {
        match self.choose(candidates, (duplicates, newest), lifetime, now) {
            None => LoadedSession::nothing(Loaded::Absent, now),
            Some(Ok((loaded, data))) => LoadedSession::new(loaded, data, now),
            Some(Err(rejection)) => LoadedSession::nothing(Loaded::Rejected(rejection), now),
        }
    }

    fn choose(
        &self,
        candidates: &Candidates<'_>,
        (duplicates, newest): (Duplicates, bool),
        lifetime: Duration,
        now: Timestamp,
    ) -> Option<Result<Good, Rejection>> {
        if duplicates.refuses(candidates) {
            return Some(Err(Rejection::Ambiguous));
        }
        let mut chosen: Option<(&[u8], Result<Good, Rejection>)> = None;
        for value in duplicates
            .looks_at(candidates)
            .filter(|value| !value.is_empty())
        {
            let result = self.read(value, lifetime, now).map_err(Rejection::Token);
            match (&chosen, &result) {
                (Some((_, Ok((first, _)))), Ok((second, _))) if newest => {
                    if first.issued() <= second.issued() {
                        chosen = Some((value, result));
                    }
                }
                (Some((known, Ok(_))), Ok(_)) if *known != value => {
                    return Some(Err(Rejection::Ambiguous));
                }
                (Some((_, Ok(_))), _) | (Some(_), Err(_)) => {}
                _ => chosen = Some((value, result)),
            }
        }
        chosen.map(|(_, result)| result)
    }

    fn read(&self, value: &[u8], lifetime: Duration, now: Timestamp) -> Result<Good, TokenError> {
        let opened = self.open(value, lifetime, now)?;
        let data = SessionData::parse(opened.payload, self.style()).map_err(PayloadError::Json)?;
        let (own, age) = (data.lifetime(), now.seconds_since(opened.issued));
        if let Some(own) = own.filter(|_| lifetime::has_expired(own, age)) {
            let max_age = super::expiry::seconds(own);
            return Err(TokenError::Expired { age, max_age });
        }
        Ok((
            Loaded::Valid {
                key: opened.key,
                issued: opened.issued,
            },
            data,
        ))
    }

    pub(super) const fn style(&self) -> JsonDialect {
        match self {
            Self::Signed(sessions) => sessions.style(),
            Self::Encrypted(_) => JsonDialect::FLASK,
        }
    }

    pub(super) fn open(
        &self,
        cookie: &[u8],
        max_age: Duration,
        now: Timestamp,
    ) -> Result<Opened, TokenError> {
        match self {
            Self::Signed(sessions) => sessions.open(cookie, Some(max_age), now),
            Self::Encrypted(sessions) => sessions.open(cookie, Some(max_age), now),
        }
    }

    pub(super) fn seal(
        &self,
        payload: &str,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<String, SealError> {
        match self {
            Self::Signed(sessions) => Ok(sessions.seal(payload, issued)),
            Self::Encrypted(sessions) => sessions.seal(payload, issued, expires),
        }
    }
}
