//! The locations from which a session's token is read, and to which a new one is written.
//!
//! All functions are pure. `open` reads the token, and `commit` writes it. A session does not
//! depend on its transport.

use std::sync::Arc;

use super::{Field, Rejection, ResponseHead};
use crate::{
    cookie::{Candidates, CookieError, find},
    store::ClientKind,
};

/// Header names that a transport must not use, in lower case.
///
/// A cross-site page can set the CORS-safelisted headers without a preflight request (Fetch
/// §2.2.2), so such a header would not protect from CSRF. The others have another meaning.
const RESERVED: [&str; 17] = [
    "accept",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "origin",
    "range",
    "set-cookie",
    "te",
    "transfer-encoding",
    "upgrade",
    "vary",
];
const RESERVED_PREFIXES: [&str; 2] = ["sec-", "proxy-"];

/// The location from which a session's token is read, and to which a new token is written.
///
/// | transport | token of a request | new token | `Vary` |
/// |---|---|---|---|
/// | [`Transport::cookie`] | `Cookie` | `Set-Cookie` | `Cookie` |
/// | [`Transport::bearer`] | `Authorization: Bearer` (RFC 6750) | a header | `Authorization` |
/// | [`Transport::header`] | a request header | the header of that name | that header |
///
/// A response header with a new token replaces the client's token. An empty value means that the
/// session was revoked. Browsers do not send these tokens automatically, so a request with one
/// needs no CSRF check.
///
/// ```
/// use carafe_core::session::{SessionConfig, Transport, TransportKind};
/// # use carafe_core::{session::{ServerSide, SessionManager}, store::MemoryStore};
///
/// let config = SessionConfig::default()
///     .with_transports([Transport::cookie(), Transport::bearer("x-session-token")]);
/// let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config)?;
/// assert_eq!(manager.response_header_of(TransportKind::Bearer), Some("x-session-token"));
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    kind: TransportKind,
    /// The name of the response header, in lower case. Empty for a cookie.
    header: Arc<str>,
}

/// The kind of a [`Transport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportKind {
    /// [`Transport::cookie`]
    Cookie,
    /// [`Transport::bearer`]
    Bearer,
    /// [`Transport::header`]
    Header,
}

impl TransportKind {
    /// Returns the kind of client that uses this kind of transport.
    ///
    /// ```
    /// use carafe_core::{session::TransportKind, store::ClientKind};
    ///
    /// assert_eq!(TransportKind::Bearer.client(), ClientKind::Bearer);
    /// ```
    #[must_use]
    pub const fn client(self) -> ClientKind {
        match self {
            Self::Cookie => ClientKind::Cookie,
            Self::Bearer => ClientKind::Bearer,
            Self::Header => ClientKind::Header,
        }
    }
}

impl Transport {
    /// Returns the transport in the configured cookie, which is the default.
    #[must_use]
    pub fn cookie() -> Self {
        Self::new(TransportKind::Cookie, "")
    }

    /// Returns the transport in `Authorization: Bearer`. A new token is sent in `response_header`.
    ///
    /// `Authorization` with another scheme is ignored.
    ///
    /// ```
    /// use carafe_core::session::{Transport, TransportKind};
    ///
    /// let transport = Transport::bearer("X-Session-Token");
    /// assert_eq!(transport.kind(), TransportKind::Bearer);
    /// assert_eq!(transport.response_header(), Some("x-session-token"));
    /// ```
    #[must_use]
    pub fn bearer(response_header: &str) -> Self {
        Self::new(TransportKind::Bearer, response_header)
    }

    /// Returns the transport in the header `name` of requests and responses.
    ///
    /// The name must be the application's own. [`SessionManager::new`](super::SessionManager::new)
    /// rejects a name with another meaning:
    ///
    /// ```
    /// use carafe_core::session::{ServerSide, SessionConfig, SessionManager, Transport};
    /// use carafe_core::store::MemoryStore;
    ///
    /// for (name, is_valid) in [("x-session", true), ("origin", false), ("sec-session", false)] {
    ///     let config = SessionConfig::default().with_transports([Transport::header(name)]);
    ///     let manager = SessionManager::new(ServerSide::new(MemoryStore::new()), config);
    ///     assert_eq!(manager.is_ok(), is_valid, "{name}");
    /// }
    /// ```
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self::new(TransportKind::Header, name)
    }

    fn new(kind: TransportKind, header: &str) -> Self {
        let header = header.to_ascii_lowercase().into();
        Self { kind, header }
    }

    /// Returns the kind of the transport.
    #[must_use]
    pub const fn kind(&self) -> TransportKind {
        self.kind
    }

    /// Returns the name of the response header that carries a new token.
    ///
    /// Returns `None` for a cookie.
    #[must_use]
    pub fn response_header(&self) -> Option<&str> {
        (self.kind != TransportKind::Cookie).then_some(&*self.header)
    }

    pub(super) fn shared_response_header(&self) -> Option<Arc<str>> {
        self.response_header()?;
        Some(Arc::clone(&self.header))
    }

    /// Returns the name of the request header that carries the token.
    fn request_header(&self) -> &str {
        match self.kind {
            TransportKind::Cookie => "cookie",
            TransportKind::Bearer => "authorization",
            TransportKind::Header => &self.header,
        }
    }

    /// Returns the name of the request header as `Vary` lists it.
    fn vary(&self) -> &str {
        match self.kind {
            TransportKind::Cookie => "Cookie",
            TransportKind::Bearer => "Authorization",
            TransportKind::Header => &self.header,
        }
    }

    fn check(&self) -> Result<(), CookieError> {
        let Some(name) = self.response_header() else {
            return Ok(());
        };
        let refused = |reason| {
            let name = name.to_owned();
            Err(CookieError::Transport { name, reason })
        };
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return refused("use ASCII letters, digits and hyphens");
        }
        let is_prefixed = RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if is_prefixed || RESERVED.contains(&name) {
            return refused("the header has another meaning; use a name of your own");
        }
        Ok(())
    }
}

/// The checked transports of a manager, in order.
pub(super) struct Transports {
    list: Box<[Transport]>,
    /// The index of the cookie.
    pub(super) cookie: Option<u8>,
    /// The request headers other than `Cookie` that select a session, for `Vary`.
    pub(super) vary: Option<Arc<[String]>>,
}

impl Transports {
    pub(super) fn new(list: Vec<Transport>) -> Result<Self, CookieError> {
        let refused = |name: &str, reason| {
            let name = name.to_owned();
            Err(CookieError::Transport { name, reason })
        };
        if list.is_empty() || list.len() > 16 {
            return refused("", "configure 1 to 16 transports");
        }
        for (place, transport) in list.iter().enumerate() {
            transport.check()?;
            let earlier = list.iter().take(place);
            if earlier
                .map(Transport::request_header)
                .any(|name| name == transport.request_header())
            {
                return refused(
                    transport.request_header(),
                    "two transports read this header",
                );
            }
        }
        let is_cookie = |transport: &Transport| transport.kind == TransportKind::Cookie;
        let others = list.iter().filter(|transport| !is_cookie(transport));
        let vary: Arc<[String]> = others.map(|other| other.vary().to_owned()).collect();
        Ok(Self {
            cookie: list
                .iter()
                .position(is_cookie)
                .and_then(|place| place.try_into().ok()),
            vary: (!vary.is_empty()).then_some(vary),
            list: list.into(),
        })
    }

    /// Returns whether only the cookie carries tokens.
    pub(super) const fn is_cookie_only(&self) -> bool {
        self.vary.is_none()
    }

    /// Returns the transport at an index, or the first one.
    pub(super) fn at(&self, place: Option<u8>) -> &Transport {
        let place = place.and_then(|place| self.list.get(usize::from(place)));
        place.unwrap_or(&self.list[0])
    }

    /// Returns the index of the first transport of a kind.
    pub(super) fn place_of(&self, kind: TransportKind) -> Option<u8> {
        let place = self.list.iter().position(|known| known.kind == kind);
        place.and_then(|place| place.try_into().ok())
    }

    /// Returns the token that a request presents outside its cookies, and the place of the first
    /// transport that carries the token.
    pub(super) fn presented(&self, head: &impl RequestHead) -> Option<(u8, Presented)> {
        let mut presented: Option<(u8, Presented)> = None;
        for (place, transport) in (0_u8..).zip(&self.list) {
            let name = transport.request_header();
            for line in head.lines(name) {
                let line = line.trim_ascii();
                let token = match transport.kind {
                    TransportKind::Cookie => break,
                    TransportKind::Bearer => bearer_token(line),
                    TransportKind::Header => (!line.is_empty()).then_some(Ok(line)),
                };
                let Some(token) = token else {
                    continue;
                };
                match &mut presented {
                    None => presented = Some((place, Presented(token.map(Copied::of)))),
                    Some((_, Presented(known))) => {
                        let is_same = matches!((&known, &token), (Ok(known), Ok(token)) if known.as_bytes() == *token);
                        if !is_same {
                            *known = Err(NoToken::Several);
                        }
                    }
                }
            }
        }
        presented
    }
}

/// The only token that a request presents outside its cookies.
pub(super) struct Presented(Result<Copied, NoToken>);

/// Room for the text of an ID, also of a signed one.
const INLINE: usize = 78;

/// A copy of a token, which outlives the request's head. IDs need no allocation.
enum Copied {
    Inline([u8; INLINE], u8),
    Boxed(Box<[u8]>),
}

impl Copied {
    fn of(token: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..token.len()), u8::try_from(token.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(token);
                Self::Inline(bytes, length)
            }
            _ => Self::Boxed(token.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline(bytes, length) => &bytes[..usize::from(*length)],
            Self::Boxed(bytes) => bytes,
        }
    }
}

/// The reason why a request with tokens has no valid one. Smaller than [`Rejection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoToken {
    Several,
    Malformed,
}

impl From<NoToken> for Rejection {
    fn from(reason: NoToken) -> Self {
        match reason {
            NoToken::Several => Self::SeveralTransports,
            NoToken::Malformed => Self::MalformedBearer,
        }
    }
}

impl Presented {
    /// Returns the only token of the request, given the values of the session's cookie.
    pub(super) fn beside<'t>(&'t self, cookies: &Candidates<'_>) -> Result<&'t [u8], Rejection> {
        let token = self.0.as_ref().map(Copied::as_bytes);
        let differs = |cookie: &[u8]| !cookie.is_empty() && token != Ok(cookie);
        if cookies.exceeds() || cookies.iter().any(|cookie| differs(cookie)) {
            return Err(Rejection::SeveralTransports);
        }
        token.map_err(|reason| Rejection::from(*reason))
    }
}

/// Returns the token in an `Authorization` value (RFC 6750 §2.1).
///
/// Returns `None` for another scheme.
fn bearer_token(value: &[u8]) -> Option<Result<&[u8], NoToken>> {
    let end = value
        .iter()
        .position(|byte| *byte == b' ' || *byte == b'\t');
    let (scheme, rest) = value.split_at(end.unwrap_or(value.len()));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    let token = rest.trim_ascii();
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let (letters, _) = token.split_at(token.len() - padding);
    let are_letters = find(letters, 0, |byte| !is_letter(byte)) == letters.len();
    match !letters.is_empty() && are_letters {
        true => Some(Ok(token)),
        false => Some(Err(NoToken::Malformed)),
    }
}

/// Returns whether a byte is a letter of `b64token` (RFC 6750 §2.1), without a branch.
fn is_letter(byte: u8) -> bool {
    let is_alphabetic = (byte | 0x20).wrapping_sub(b'a') < 26;
    // From `-` to `9`: the digits with `-`, `.` and `/`.
    let is_digit = byte.wrapping_sub(b'-') < 13;
    is_alphabetic | is_digit | (byte == b'+') | (byte == b'_') | (byte == b'~')
}

/// The head of a request.
///
/// ```
/// use carafe_core::session::RequestHead;
///
/// struct Head(Vec<(&'static str, &'static str)>);
///
/// impl RequestHead for Head {
///     fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
///         let lines = self.0.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
///         lines.map(|(_, value)| value.as_bytes())
///     }
/// }
///
/// let head = Head(vec![("Cookie", "a=1"), ("Host", "shop.example"), ("Cookie", "b=2")]);
/// assert_eq!(head.lines("cookie").count(), 2);
/// ```
pub trait RequestHead {
    /// Returns the values of the header `name`, which is in lower case, in order.
    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]>;
}

/// A session's token as text, for the body of a response:
/// [`Session::token`](super::Session::token).
///
/// `Debug` does not show the token.
///
/// See [`Session::token`](super::Session::token) for an example.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(pub(super) String);

impl SessionToken {
    /// Returns the token. The token gives access to the session.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// The value of `WWW-Authenticate` in the response to a bearer request (RFC 6750 §3).
///
/// The application sends the value with a 401, or with a 403 for
/// [`BearerChallenge::InsufficientScope`].
///
/// ```
/// use carafe_core::session::BearerChallenge;
///
/// let challenge = BearerChallenge::InvalidToken;
/// assert_eq!(challenge.value("shop"), r#"Bearer realm="shop", error="invalid_token""#);
/// assert_eq!(BearerChallenge::Missing.value("shop"), r#"Bearer realm="shop""#);
/// assert_eq!(challenge.status(), 401);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerChallenge {
    /// The request has no token.
    Missing,
    /// The request is malformed: `invalid_request`.
    InvalidRequest,
    /// The token is expired, revoked, malformed or unknown: `invalid_token`.
    InvalidToken,
    /// The session does not have the necessary privileges: `insufficient_scope`.
    InsufficientScope,
    /// The user authenticated too long ago: `insufficient_user_authentication` (RFC 9470).
    InsufficientAuthentication {
        /// The accepted age of the authentication, in seconds.
        max_age: u64,
    },
}

impl BearerChallenge {
    /// Returns the challenge for a session without a user.
    ///
    /// `rejection` is the reason why its token was rejected.
    ///
    /// ```
    /// use carafe_core::session::{BearerChallenge, Rejection};
    ///
    /// assert_eq!(BearerChallenge::of(None), BearerChallenge::Missing);
    /// let expired = BearerChallenge::of(Some(&Rejection::UnknownId));
    /// assert_eq!(expired, BearerChallenge::InvalidToken);
    /// let two_tokens = BearerChallenge::of(Some(&Rejection::SeveralTransports));
    /// assert_eq!(two_tokens.status(), 400);
    /// ```
    #[must_use]
    pub const fn of(rejection: Option<&Rejection>) -> Self {
        match rejection {
            None => Self::Missing,
            Some(Rejection::SeveralTransports) => Self::InvalidRequest,
            Some(_) => Self::InvalidToken,
        }
    }

    /// Returns the value of the header.
    ///
    /// Characters of `realm` that are not printable ASCII are dropped.
    ///
    /// ```
    /// use carafe_core::session::BearerChallenge;
    ///
    /// let challenge = BearerChallenge::InsufficientAuthentication { max_age: 300 };
    /// let value = challenge.value("my \"shop\"\n");
    /// assert!(value.starts_with(r#"Bearer realm="my \"shop\"", error="insufficient_user_"#));
    /// assert!(value.ends_with(r#", max_age="300""#));
    /// ```
    #[must_use]
    pub fn value(self, realm: &str) -> String {
        let mut text = String::from("Bearer realm=\"");
        for letter in realm.chars().filter(|letter| matches!(letter, ' '..='~')) {
            if matches!(letter, '"' | '\\') {
                text.push('\\');
            }
            text.push(letter);
        }
        text.push('"');
        if let Some(error) = self.error() {
            text.push_str(", error=\"");
            text.push_str(error);
            text.push('"');
        }
        if let Self::InsufficientAuthentication { max_age } = self {
            text.push_str(&format!(", max_age=\"{max_age}\""));
        }
        text
    }

    /// Returns the status of the response.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Missing | Self::InvalidToken | Self::InsufficientAuthentication { .. } => 401,
            Self::InvalidRequest => 400,
            Self::InsufficientScope => 403,
        }
    }

    /// Returns the response with the challenge.
    #[must_use]
    pub fn response(self, realm: &str) -> BearerResponse {
        let value = self.value(realm);
        BearerResponse {
            challenge: self,
            value,
        }
    }

    const fn error(self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::InsufficientAuthentication { .. } => Some("insufficient_user_authentication"),
        }
    }
}

/// A response with a [`BearerChallenge`]. Handlers return it as their response or as their error.
///
/// See [`ResponseHead`] for an example.
#[derive(Clone, Debug)]
pub struct BearerResponse {
    challenge: BearerChallenge,
    value: String,
}

impl BearerResponse {
    /// Writes the headers of the response and returns its status.
    #[must_use]
    pub fn answer(&self, head: &mut impl ResponseHead) -> u16 {
        head.set("www-authenticate", self.value.clone());
        head.set_if_absent(Field::CacheControl, "no-store");
        self.challenge.status()
    }
}

impl std::fmt::Display for BearerResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the request has no acceptable bearer token")
    }
}

impl std::error::Error for BearerResponse {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cookie::{Grammar, values_of};

    struct Head<'h>(&'h [(&'h str, &'h str)]);

    impl RequestHead for Head<'_> {
        fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
            let ours = self.0.iter().filter(move |(known, _)| *known == name);
            ours.map(|(_, value)| value.as_bytes())
        }
    }

    fn transports() -> Transports {
        let list = [
            Transport::cookie(),
            Transport::bearer("X-Session-Token"),
            Transport::header("x-session"),
        ];
        Transports::new(list.into()).unwrap()
    }

    #[test]
    fn a_bearer_token_has_the_syntax_of_rfc_6750() {
        let malformed = Some(Err(NoToken::Malformed));
        for (value, expected) in [
            ("Bearer abc", Some(Ok("abc"))),
            ("bEARER   aZ09-._~+/==", Some(Ok("aZ09-._~+/=="))),
            ("Bearer\tabc", Some(Ok("abc"))),
            ("Basic abc", None),
            ("Bearerabc", None),
            ("", None),
            ("Bearer", malformed),
            ("Bearer ", malformed),
            ("Bearer =", malformed),
            ("Bearer a b", malformed),
            ("Bearer a=b", malformed),
            ("Bearer a,b", malformed),
            ("Bearer \"a\"", malformed),
            ("Bearer é", malformed),
        ] {
            let expected = expected.map(|result| result.map(str::as_bytes));
            assert_eq!(bearer_token(value.as_bytes()), expected, "{value:?}");
        }
    }

    #[test]
    fn two_different_tokens_are_refused_and_two_equal_ones_are_one() {
        for (headers, cookie, expected) in [
            (&[][..], "s=a", None),
            (&[("authorization", "Basic a")], "s=a", None),
            (&[("x-session", "  ")], "s=a", None),
            (&[("authorization", "Bearer a")], "", Some((1, Ok("a")))),
            (
                &[("authorization", "Bearer a")],
                "s=a; t=b",
                Some((1, Ok("a"))),
            ),
            (&[("authorization", "Bearer a")], "s=", Some((1, Ok("a")))),
            (
                &[("authorization", "Bearer a")],
                "s=b",
                Some((1, Err(Rejection::SeveralTransports))),
            ),
            (
                &[("authorization", "Bearer a")],
                "s=a; s=b",
                Some((1, Err(Rejection::SeveralTransports))),
            ),
            (
                &[("authorization", "Bearer a")],
                "s=a; s=a; s=a; s=a; s=b",
                Some((1, Err(Rejection::SeveralTransports))),
            ),
            (
                &[("x-session", "b"), ("authorization", "Bearer a")],
                "",
                Some((1, Err(Rejection::SeveralTransports))),
            ),
            (
                &[("x-session", "a"), ("authorization", "Bearer a")],
                "",
                Some((1, Ok("a"))),
            ),
            (
                &[("x-session", "a"), ("x-session", "b")],
                "",
                Some((2, Err(Rejection::SeveralTransports))),
            ),
            (
                &[("authorization", "Bearer !")],
                "",
                Some((1, Err(Rejection::MalformedBearer))),
            ),
            (
                &[("authorization", "Bearer !")],
                "s=a",
                Some((1, Err(Rejection::SeveralTransports))),
            ),
            (
                &[("authorization", "Bearer !"), ("authorization", "Bearer a")],
                "",
                Some((1, Err(Rejection::SeveralTransports))),
            ),
        ] {
            let cookies = values_of([cookie.as_bytes()], "s", Grammar::Strict);
            let presented = transports().presented(&Head(headers));
            let found = presented.as_ref().map(|(place, presented)| {
                let token = presented.beside(&cookies);
                (*place, token.map(|token| str::from_utf8(token).unwrap()))
            });
            assert_eq!(found, expected, "{headers:?} {cookie:?}");
        }
    }

    #[test]
    fn a_transport_has_a_header_of_its_own() {
        for (list, accepted) in [
            (vec![], false),
            (vec![Transport::cookie()], true),
            (vec![Transport::cookie(), Transport::cookie()], false),
            (vec![Transport::bearer("x-token")], true),
            (vec![Transport::bearer("")], false),
            (vec![Transport::bearer("Set-Cookie")], false),
            (vec![Transport::header("Accept-Language")], false),
            (vec![Transport::header("Authorization")], false),
            (vec![Transport::header("Sec-Session")], false),
            (vec![Transport::header("x session")], false),
            (
                vec![Transport::header("X-A"), Transport::header("x-a")],
                false,
            ),
            (
                vec![Transport::header("x-a"), Transport::bearer("x-a")],
                true,
            ),
        ] {
            let text = format!("{list:?}");
            assert_eq!(Transports::new(list).is_ok(), accepted, "{text}");
        }
    }

    #[test]
    fn vary_lists_the_request_headers_beside_the_cookie() {
        let vary = transports().vary.unwrap();
        assert_eq!(*vary, ["Authorization", "x-session"]);
        assert!(
            Transports::new(vec![Transport::cookie()])
                .unwrap()
                .is_cookie_only()
        );
    }

    proptest! {
        #[test]
        fn a_challenge_is_one_quoted_string(realm in ".*") {
            let value = BearerChallenge::InvalidToken.value(&realm);
            prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            let inner = value.strip_prefix("Bearer realm=\"").unwrap();
            let inner = inner.strip_suffix("\", error=\"invalid_token\"").unwrap();
            let plain = inner.replace("\\\\", "").replace("\\\"", "");
            prop_assert!(!plain.contains(['"', '\\']));
        }
    }
}
