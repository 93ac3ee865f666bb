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
///
/// let secret = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
/// let keys = KeyRing::new(SecretKey::new(secret)?);
/// let shared_with_flask = ClientSide::signed(keys.clone());
/// let ours_alone = ClientSide::encrypted(keys, "shop");
/// # Ok::<(), carafe_core::key::KeyError>(())
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
    ///
    /// let secret = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
    /// let key = SecretKey::new(secret)?;
    /// let side = ClientSide::signed(key);
    /// # Ok::<(), carafe_core::key::KeyError>(())
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
    ///
    /// let secret = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
    /// let key = SecretKey::new(secret)?;
    /// let side = ClientSide::signed_as(key, SignedFormat::starlette());
    /// # Ok::<(), carafe_core::key::KeyError>(())
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
    ///
    /// let secret = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
    /// let key = SecretKey::new(secret)?;
    /// let side = ClientSide::encrypted(key, "shop");
    /// # Ok::<(), carafe_core::key::KeyError>(())
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
