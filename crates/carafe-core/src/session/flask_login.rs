//! Flask-Login's data: the session keys that its log-in writes, and its "remember me" cookie.
//!
//! Carafe never signs or verifies this cookie: only Flask-Login reads it, and a log-out removes it.

use std::net::IpAddr;

use sha2::{Digest, Sha512};

use crate::cookie::{CookieError, CookiePolicy, CookiePolicyBuilder};

/// Flask-Login's key that indicates a recent authentication.
pub(super) const FRESH: &str = "_fresh";
/// Flask-Login's key for the client that logged in.
pub(super) const IDENTIFIER: &str = "_id";

/// The options for sessions shared with Flask-Login.
///
/// Part of [`SessionConfig::flask`](super::SessionConfig::flask).
///
/// A log-in also marks the session as fresh (`_fresh`) and records the client (`_id`), which
/// Flask-Login's session protection uses to detect a stolen session. A log-out also removes
/// Flask-Login's "remember me" cookie, which would otherwise log the user in again on the next
/// page.
///
/// ```
/// use carafe_core::{clock::Timestamp, key::SecretKey, session::*};
/// # futures_executor::block_on(async {
///
/// let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
/// let manager = std::sync::Arc::new(SessionManager::new(side, SessionConfig::flask())?);
/// let (slot, now) = (manager.begin(), Timestamp::from_unix(0));
/// let peer = std::net::Ipv4Addr::LOCALHOST.into();
/// slot.note_client(None, Some(peer), Some(b"curl/8"));
/// let session = manager.open(&slot, [&b"remember_token=42|5f35"[..]], now).await?;
/// session.log_in("42")?;
/// assert_eq!(session.keys(), ["_user_id", "_fresh", "_id"]);
///
/// session.log_out()?;
/// let removal = manager.commit(&slot, [], 200, now).await?.remember_cookie.unwrap_or_default();
/// assert!(removal.starts_with("remember_token=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FlaskLogin {
    remember: CookiePolicyBuilder,
    protects: bool,
}

impl FlaskLogin {
    /// Returns Flask-Login's defaults.
    ///
    /// The cookie is `remember_token` with `Path=/`, and session protection is enabled.
    pub fn new() -> Self {
        Self {
            remember: CookiePolicy::flask("remember_token"),
            protects: true,
        }
    }

    /// Sets the "remember me" cookie: the `REMEMBER_COOKIE_…` settings.
    ///
    /// Name, domain and path must match the application's settings. Otherwise a log-out does not
    /// remove the cookie.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, cookie::CookiePolicy, key::SecretKey, session::*};
    /// # futures_executor::block_on(async {
    ///
    /// let cookie = CookiePolicy::flask("remember_shop").path("/shop");
    /// let login = FlaskLogin::new().with_remember_cookie(cookie);
    /// let config = SessionConfig::flask().with_flask_login(login);
    /// # let side = ClientSide::signed(SecretKey::short("flask-spec-secret")?);
    /// # let manager = std::sync::Arc::new(SessionManager::new(side, config)?);
    /// # let (slot, now) = (manager.begin(), Timestamp::from_unix(0));
    /// let session = manager.open(&slot, [&b"remember_shop=42|5f35"[..]], now).await?;
    /// session.log_out()?;
    /// let changes = manager.commit(&slot, [], 200, now).await?;
    /// let removal = changes.remember_cookie.unwrap_or_default();
    /// assert!(removal.starts_with("remember_shop=;") && removal.ends_with("; Path=/shop"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub fn with_remember_cookie(self, remember: CookiePolicyBuilder) -> Self {
        Self { remember, ..self }
    }

    /// Disables session protection, so that sessions record no client: `SESSION_PROTECTION = None`.
    ///
    /// ```
    /// use carafe_core::session::{FlaskLogin, ServerSide, SessionConfig, SessionManager};
    /// use carafe_core::store::MemoryStore;
    ///
    /// let login = FlaskLogin::new().without_session_protection();
    /// let config = SessionConfig::flask().with_flask_login(login);
    /// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
    /// assert!(!manager.notes_clients());
    /// # Ok::<(), carafe_core::cookie::CookieError>(())
    /// ```
    pub fn without_session_protection(self) -> Self {
        Self {
            protects: false,
            ..self
        }
    }

    pub(super) fn prepare(self) -> Result<Prepared, CookieError> {
        Ok(Prepared {
            remember: self.remember.build()?,
            protects: self.protects,
        })
    }
}

impl Default for FlaskLogin {
    fn default() -> Self {
        Self::new()
    }
}

/// The address of a request's peer, for [`FlaskLogin`]'s session protection.
///
/// With axum, insert the address into the request's extensions before the session layer. This is
/// unnecessary behind a proxy that sets `X-Forwarded-For`, which Flask-Login prefers, and with
/// actix-web, which provides the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

/// A [`FlaskLogin`] with a validated cookie.
pub(super) struct Prepared {
    pub(super) remember: CookiePolicy,
    pub(super) protects: bool,
}

/// Returns whether a write of the user's key is a log-in.
///
/// See [`SessionManager::is_log_in`](super::SessionManager::is_log_in).
pub(super) fn is_log_in(is_stored: bool, written: &str, known: Option<&str>) -> bool {
    is_stored && known != Some(written)
}

/// Flask-Login's description of a client, before hashing.
pub(super) struct Client(String);

impl Client {
    /// Returns `None` without an address. Flask always has one, so the identifiers would differ.
    pub(super) fn new(
        forwarded_for: Option<&[u8]>,
        peer: Option<IpAddr>,
        user_agent: Option<&[u8]>,
    ) -> Option<Self> {
        let mut text = String::new();
        match (forwarded_for, peer) {
            (Some(addresses), _) => {
                let first = addresses.split(|&byte| byte == b',').next();
                write_bytes(first.unwrap_or_default().trim_ascii(), &mut text);
            }
            (None, Some(peer)) => write_bytes(peer.to_string().as_bytes(), &mut text),
            (None, None) => return None,
        }
        text.push('|');
        match user_agent {
            Some(user_agent) => write_bytes(user_agent, &mut text),
            None => text.push_str("None"),
        }
        Some(Self(text))
    }

    /// Returns the JSON text of the identifier.
    pub(super) fn identifier(&self) -> String {
        let hash = Sha512::digest(&self.0);
        let digits = hash.iter().map(|byte| format!("{byte:02x}"));
        format!("\"{}\"", digits.collect::<String>())
    }
}

/// Writes Python's `repr` of a header, decoded as Latin-1 by WSGI and encoded as UTF-8.
fn write_bytes(latin_1: &[u8], out: &mut String) {
    let mark = match latin_1.contains(&b'\'') && !latin_1.contains(&b'"') {
        true => '"',
        false => '\'',
    };
    out.extend(['b', mark]);
    for &byte in latin_1 {
        match char::from(byte) {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            plain @ ' '..='~' if plain != mark => out.push(plain),
            quoted if quoted == mark => out.extend(['\\', mark]),
            other => {
                let mut buffer = [0; 4];
                for byte in other.encode_utf8(&mut buffer).bytes() {
                    out.push_str(&format!("\\x{byte:02x}"));
                }
            }
        }
    }
    out.push(mark);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_user_is_a_log_in_unless_it_is_known_or_the_session_has_no_id() {
        for (is_stored, written, known, expected) in [
            (true, "ada", None, true),
            (true, "ada", Some("bob"), true),
            (true, "ada", Some("ada"), false),
            (true, "", None, true),
            (false, "ada", None, false),
            (false, "ada", Some("bob"), false),
        ] {
            let found = is_log_in(is_stored, written, known);
            assert_eq!(found, expected, "{is_stored} {written:?} {known:?}");
        }
    }

    /// The expected identifiers are Flask-Login 0.6.3's for requests with these headers.
    #[test]
    fn a_client_has_the_identifier_that_flask_login_gives_it() {
        let peer = Some(IpAddr::from([127, 0, 0, 1]));
        for (forwarded_for, peer, user_agent, text, start) in [
            (
                None,
                peer,
                Some(&b"curl/8"[..]),
                "b'127.0.0.1'|b'curl/8'",
                "e3b66b456272032c",
            ),
            (None, peer, None, "b'127.0.0.1'|None", "656d8f867997c2a4"),
            (
                Some(&b" 203.0.113.9 , 10.0.0.1"[..]),
                peer,
                Some(b""),
                "b'203.0.113.9'|b''",
                "b8a55b6deab1320a",
            ),
            (
                None,
                Some(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])),
                Some(b"it's"),
                "b'::1'|b\"it's\"",
                "eca1874071d2260b",
            ),
            (
                Some(b""),
                peer,
                Some(b"a\\b\t'\"\xe9\x7f"),
                r#"b''|b'a\\b\t\'"\xc3\xa9\x7f'"#,
                "0840eb321b4e88a3",
            ),
        ] {
            let client = Client::new(forwarded_for, peer, user_agent).unwrap();
            assert_eq!(client.0, text);
            let identifier = client.identifier();
            assert_eq!(identifier.len(), 130);
            assert_eq!(identifier.get(1..17), Some(start), "{text}");
        }
        assert!(Client::new(None, None, Some(b"curl/8")).is_none());
    }
}
