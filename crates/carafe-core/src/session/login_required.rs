//! Extractors of a logged-in user, and the response to requests without one.

use std::{fmt, fmt::Write as _, time::Duration};

use super::{BearerChallenge, Field, ResponseHead, Session, SessionRejection, TransportKind};

/// A session with a logged-in user, as an extractor.
///
/// A request without a user is redirected to the [login
/// page](super::SessionConfig::with_login_page) if it is a navigation, and gets a 401 otherwise.
/// The handler's response gets `Cache-Control: no-store`, unless the handler sets the header, so
/// that the browser's Back button does not show the page after a log-out.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The user of [`Session::log_in`].
    pub user: String,
    /// The session.
    pub session: Session,
}

/// A [`LoggedIn`] whose user has authenticated in the last `MINUTES`, as an extractor.
///
/// For a change of a password or an address (OWASP ASVS 7.5.1). A user with an older log-in gets
/// the same response as without a log-in. The response to a bearer client contains the required age
/// (RFC 9470). Client-side sessions do not record the time of the log-in and are never recent.
#[derive(Clone, Debug)]
pub struct RecentlyAuthenticated<const MINUTES: u32 = 15>(pub LoggedIn);

/// The parts of a request's head that determine the response to a missing log-in.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'r> {
    /// The method.
    pub method: &'r str,
    /// The path and the query of the request's target.
    pub target: &'r str,
    /// The value of `Sec-Fetch-Mode`.
    pub fetch_mode: Option<&'r [u8]>,
    /// The value of `Accept`.
    pub accept: Option<&'r [u8]>,
}

impl Visit<'_> {
    /// Returns whether the request is a navigation of a browser.
    fn is_navigation(&self) -> bool {
        let wants_html = |accept: &[u8]| accept.windows(9).any(|part| part == b"text/html");
        self.fetch_mode.map_or_else(
            || self.accept.is_some_and(wants_html),
            |mode| mode == b"navigate",
        )
    }
}

impl LoggedIn {
    /// Returns the logged-in user of a session.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let visit = Visit { method: "GET", target: "/orders", fetch_mode: None, accept: None };
    /// let visitor = client.session().await?;
    /// assert_eq!(LoggedIn::of(visitor, visit).unwrap_err().status(), 401, "no login page is set");
    ///
    /// let ada = TestClient::signed_in(&manager, "ada").await?.session().await?;
    /// assert_eq!(LoggedIn::of(ada, visit)?.user, "ada");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`LoginRequired`] with the response.
    pub fn of(session: Session, visit: Visit<'_>) -> Result<Self, LoginRequired> {
        session.forbid_storing();
        match session.user() {
            Some(user) => Ok(Self { user, session }),
            None => Err(LoginRequired::new(&session, visit, None)),
        }
    }
}

impl<const MINUTES: u32> RecentlyAuthenticated<MINUTES> {
    /// Returns the recently authenticated user of a session.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, testing::Clock};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager.with_clock(clock.reader()));
    /// let ada = TestClient::signed_in(&manager, "ada").await?;
    /// let visit = Visit { method: "POST", target: "/password", fetch_mode: None, accept: None };
    /// clock.advance(std::time::Duration::from_secs(10 * 60));
    /// let session = ada.session().await?;
    /// assert!(RecentlyAuthenticated::<15>::of(session.clone(), visit).is_ok());
    /// assert!(RecentlyAuthenticated::<5>::of(session, visit).is_err(), "ask for the password");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`LoginRequired`] with the response.
    pub fn of(session: Session, visit: Visit<'_>) -> Result<Self, LoginRequired> {
        let within = Duration::from_secs(u64::from(MINUTES) * 60);
        let logged_in = LoggedIn::of(session, visit)?;
        match logged_in.session.is_recently_authenticated(within) {
            true => Ok(Self(logged_in)),
            false => Err(LoginRequired::new(&logged_in.session, visit, Some(within))),
        }
    }
}

/// The response to a request that needs a log-in, or a more recent one.
///
/// A redirect for a navigation of a browser, a `WWW-Authenticate` for a bearer client, and a plain
/// 401 otherwise. See [`SessionConfig::with_login_page`](super::SessionConfig::with_login_page) for
/// an example.
#[derive(Debug)]
pub struct LoginRequired(Kind);

#[derive(Debug)]
enum Kind {
    Redirect { location: String },
    Unauthorized { challenge: Option<String> },
    Rejected(SessionRejection),
}

impl LoginRequired {
    fn new(session: &Session, visit: Visit<'_>, within: Option<Duration>) -> Self {
        let manager = session.manager();
        if let Some(page) = manager.login_page()
            && !session.presents_token()
            && manager.transports.cookie.is_some()
            && visit.is_navigation()
        {
            return Self(Kind::Redirect {
                location: location(page, visit),
            });
        }
        let has_bearer = manager.transports.place_of(TransportKind::Bearer).is_some();
        let challenge = has_bearer.then(|| {
            let challenge = match within {
                None => BearerChallenge::of(session.rejection().as_ref()),
                Some(within) => BearerChallenge::InsufficientAuthentication {
                    max_age: within.as_secs(),
                },
            };
            challenge.value(manager.cookie().name())
        });
        Self(Kind::Unauthorized { challenge })
    }

    /// Writes the headers of the response and returns its status.
    #[must_use]
    pub fn answer(&self, head: &mut impl ResponseHead) -> u16 {
        match &self.0 {
            Kind::Redirect { location } => {
                head.set("location", location.clone());
                head.set_if_absent(Field::CacheControl, "no-store");
                303
            }
            Kind::Unauthorized { challenge } => {
                if let Some(challenge) = challenge {
                    head.set("www-authenticate", challenge.clone());
                }
                head.set_if_absent(Field::CacheControl, "no-store");
                401
            }
            Kind::Rejected(rejection) => rejection.answer(head),
        }
    }

    /// Returns the status of the response.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match &self.0 {
            Kind::Redirect { .. } => 303,
            Kind::Unauthorized { .. } => 401,
            Kind::Rejected(rejection) => rejection.status(),
        }
    }
}

impl From<SessionRejection> for LoginRequired {
    fn from(rejection: SessionRejection) -> Self {
        Self(Kind::Rejected(rejection))
    }
}

impl fmt::Display for LoginRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Redirect { .. } | Kind::Unauthorized { .. } => {
                f.write_str("the request needs a log-in, or a more recent one")
            }
            Kind::Rejected(_) => f.write_str("the log-in cannot be checked"),
        }
    }
}

impl std::error::Error for LoginRequired {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Redirect { .. } | Kind::Unauthorized { .. } => None,
            Kind::Rejected(rejection) => Some(rejection),
        }
    }
}

/// Returns the URL of the login page, with the path to return to if the request is a GET and can be
/// repeated.
fn location(page: &str, visit: Visit<'_>) -> String {
    if visit.method != "GET" {
        return page.to_owned();
    }
    let separator = if page.contains('?') { '&' } else { '?' };
    let mut text = format!("{page}{separator}next=");
    for byte in visit.target.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            // Writing to a `String` does not fail.
            _ => _ = write!(text, "%{byte:02X}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Visit<'_> = Visit {
        method: "GET",
        target: "/a?b=c&d=é#\r\n",
        fetch_mode: None,
        accept: None,
    };

    #[test]
    fn a_navigation_is_told_from_a_request_of_a_script() {
        for (fetch_mode, accept, is_navigation) in [
            (Some("navigate"), None, true),
            (Some("cors"), Some("text/html"), false),
            (None, Some("text/html,*/*;q=0.8"), true),
            (None, Some("application/json"), false),
            (None, Some("*/*"), false),
            (None, None, false),
        ] {
            let visit = Visit {
                fetch_mode: fetch_mode.map(str::as_bytes),
                accept: accept.map(str::as_bytes),
                ..GET
            };
            assert_eq!(
                visit.is_navigation(),
                is_navigation,
                "{fetch_mode:?} {accept:?}"
            );
        }
    }

    #[test]
    fn the_path_to_return_to_is_one_parameter_of_a_get() {
        let next = "next=/a%3Fb%3Dc%26d%3D%C3%A9%23%0D%0A";
        assert_eq!(location("/login", GET), format!("/login?{next}"));
        assert_eq!(location("/login?x=1", GET), format!("/login?x=1&{next}"));
        let post = Visit {
            method: "POST",
            ..GET
        };
        assert_eq!(location("/login", post), "/login");
    }
}
