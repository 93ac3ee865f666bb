//! The configuration of sessions, fixed at startup.

use std::{sync::Arc, time::Duration};

use super::{FlaskLogin, LocalPath, Policy, Refresh, Transport};
use crate::{
    cookie::{Candidates, CookiePolicy, CookiePolicyBuilder, Grammar, SameSite},
    token::DEFAULT_CLOCK_SKEW,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The configuration of sessions. Start from a preset; the manager validates the result.
///
/// * [`SessionConfig::default`] is recommended for new applications.
/// * [`SessionConfig::flask`] behaves like Flask with its default configuration.
/// * [`SessionConfig::development`] is the default for plain HTTP in browsers that reject `Secure`
///   cookies there.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::{cookie::CookiePolicy, session::SessionConfig};
///
/// let config = SessionConfig::default()
///     .with_cookie(CookiePolicy::builder("__Host-shop"))
///     .with_lifetime(Duration::from_secs(8 * 3600));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionConfig {
    pub(super) cookie: CookiePolicyBuilder,
    pub(super) transports: Vec<Transport>,
    pub(super) grammar: Grammar,
    pub(super) duplicates: Duplicates,
    pub(super) lifetime: Duration,
    pub(super) always_kept: bool,
    pub(super) clock_skew: Duration,
    pub(super) policy: Policy,
    pub(super) on_conflict: Conflict,
    pub(super) flask_login: Option<FlaskLogin>,
    pub(super) clear_site_data: Vec<ClearSiteData>,
    pub(super) login_page: Option<LocalPath>,
}

/// A kind of data that the browser deletes after a log-out (`Clear-Site-Data`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClearSiteData {
    /// The cache, including pages that the Back button would show.
    Cache,
    /// All cookies of the registrable domain, including those of sibling hosts.
    Cookies,
    /// Local storage, IndexedDB, service workers and so on.
    Storage,
}

impl ClearSiteData {
    /// Returns the value of the header. `None` for an empty list.
    pub(super) fn header(list: &[Self]) -> Option<Arc<str>> {
        let names: Vec<_> = list.iter().map(|kind| kind.directive()).collect();
        (!names.is_empty()).then(|| names.join(", ").into())
    }

    const fn directive(self) -> &'static str {
        match self {
            Self::Cache => "\"cache\"",
            Self::Cookies => "\"cookies\"",
            Self::Storage => "\"storage\"",
        }
    }
}

/// The behavior for changes that come too late.
///
/// A change is too late if the request's session was revoked, or given a new ID by a log-in or
/// [`Session::renew`](super::Session::renew), after the request opened it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conflict {
    /// Replaces the response with a 409, because the original response would claim a change that
    /// was lost.
    ///
    /// A request is not affected if its handler changed nothing or only took flash messages.
    #[default]
    Reject,
    /// Drops the changes with one log event and sends the handler's response.
    Discard,
}

/// The behavior for several cookies with the session's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicates {
    /// Accepts the only cookie that verifies, and none if two different cookies do.
    ///
    /// The order of cookies proves nothing (RFC 6265bis §4.2.2).
    Refuse,
    /// Takes the first cookie, valid or not, as Flask and Quart do.
    TakeFirst,
    /// Takes the last cookie, valid or not, as Starlette does.
    TakeLast,
}

impl Duplicates {
    /// Returns whether there are too many cookies to check that only one of them verifies.
    pub(super) fn refuses(self, candidates: &Candidates<'_>) -> bool {
        self == Self::Refuse && candidates.exceeds()
    }

    /// Returns the cookies to verify.
    pub(super) fn looks_at<'c>(
        self,
        candidates: &'c Candidates<'_>,
    ) -> impl Iterator<Item = &'c [u8]> {
        let (count, last) = match self {
            Self::TakeFirst => (1, None),
            Self::TakeLast => (0, candidates.sent_last()),
            Self::Refuse => (candidates.len(), None),
        };
        let first = candidates.iter().take(count).map(AsRef::as_ref);
        first.chain(last)
    }
}

impl SessionConfig {
    /// Returns Flask's defaults. Includes [`FlaskLogin`].
    ///
    /// The cookie is `session` with `HttpOnly; Path=/` and a lifetime of 31 days. Every response
    /// refreshes a permanent session, and a response with status 500 saves changes.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// use std::time::Duration;
    ///
    /// let config = SessionConfig::flask().with_lifetime(Duration::from_secs(3600));
    /// ```
    pub fn flask() -> Self {
        Self {
            cookie: CookiePolicy::flask("session"),
            transports: vec![Transport::cookie()],
            grammar: Grammar::Strict,
            duplicates: Duplicates::TakeFirst,
            lifetime: 31 * DAY,
            always_kept: false,
            clock_skew: DEFAULT_CLOCK_SKEW,
            policy: Policy {
                refresh: Refresh::PermanentAlways,
                save_on_server_error: true,
                remove_rejected: false,
            },
            on_conflict: Conflict::Reject,
            flask_login: Some(FlaskLogin::new()),
            clear_site_data: Vec::new(),
            login_page: None,
        }
    }

    /// Returns Starlette's defaults.
    ///
    /// The cookie is `session` with `HttpOnly; Path=/; SameSite=Lax` and expires 14 days after the
    /// last change. Of several cookies with the name, the last one is used.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    ///
    /// let config = SessionConfig::starlette();
    /// ```
    pub fn starlette() -> Self {
        Self {
            cookie: CookiePolicy::flask("session").same_site(SameSite::Lax),
            transports: vec![Transport::cookie()],
            grammar: Grammar::Lenient,
            duplicates: Duplicates::TakeLast,
            lifetime: 14 * DAY,
            always_kept: true,
            clock_skew: DEFAULT_CLOCK_SKEW,
            policy: Policy {
                refresh: Refresh::Never,
                save_on_server_error: true,
                remove_rejected: false,
            },
            on_conflict: Conflict::Reject,
            flask_login: None,
            clear_site_data: Vec::new(),
            login_page: None,
        }
    }

    /// Returns [`SessionConfig::default`] with a cookie that every browser accepts over plain HTTP.
    ///
    /// The cookie is `session` without `Secure`. Not for production.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    ///
    /// let is_local = cfg!(debug_assertions);
    /// let config = if is_local { SessionConfig::development() } else { SessionConfig::default() };
    /// ```
    pub fn development() -> Self {
        Self::default().with_cookie(CookiePolicy::flask("session").same_site(SameSite::Lax))
    }

    /// Sets the cookie's name and attributes.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// use carafe_core::cookie::{CookiePolicy, SameSite};
    ///
    /// let cookie = CookiePolicy::builder("__Host-shop").same_site(SameSite::Strict);
    /// let config = SessionConfig::default().with_cookie(cookie);
    /// ```
    pub fn with_cookie(self, cookie: CookiePolicyBuilder) -> Self {
        Self { cookie, ..self }
    }

    /// Sets the transports from which a session's token is read, and to which a new one is written.
    ///
    /// The default is the cookie alone. A request may present its token in any of the transports. A
    /// request with two different tokens is treated as one without a session. The first transport
    /// carries the token of a session that a request without a token creates, unless the handler
    /// selects another one with [`Session::set_transport`](super::Session::set_transport).
    ///
    /// ```
    /// use carafe_core::session::{SessionConfig, Transport};
    ///
    /// let transports = [Transport::cookie(), Transport::bearer("x-session-token")];
    /// let config = SessionConfig::default().with_transports(transports);
    /// ```
    pub fn with_transports(self, transports: impl IntoIterator<Item = Transport>) -> Self {
        Self {
            transports: transports.into_iter().collect(),
            ..self
        }
    }

    /// Sets how long a session lives after its cookie was last written.
    ///
    /// The default is 14 days, and 31 days in Flask's preset. The lifetime is truncated to whole
    /// seconds. The server checks the lifetime whether or not the browser keeps the cookie.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// use std::time::Duration;
    ///
    /// let config = SessionConfig::default().with_lifetime(Duration::from_secs(8 * 3600));
    /// ```
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Sets when a cookie is refreshed without a change.
    ///
    /// ```
    /// use carafe_core::session::{Refresh, SessionConfig};
    ///
    /// let config = SessionConfig::flask().with_refresh(Refresh::WhenUsed);
    /// ```
    pub fn with_refresh(mut self, refresh: Refresh) -> Self {
        self.policy.refresh = refresh;
        self
    }

    /// Returns whether a request that has not used its session needs a commit.
    ///
    /// For adapters that open their store at the first use: with `false`, the request needs neither
    /// the store nor a [`SessionManager`](super::SessionManager). `brings_token` is whether the
    /// request has a `Cookie` header or another [transport](super::Transport)'s.
    ///
    /// ```
    /// use carafe_core::session::{Refresh, SessionConfig};
    ///
    /// let flask = SessionConfig::flask();
    /// assert!(flask.commits_untouched(true) && !flask.commits_untouched(false));
    /// assert!(!flask.with_refresh(Refresh::Never).commits_untouched(true));
    /// ```
    #[must_use]
    pub const fn commits_untouched(&self, brings_token: bool) -> bool {
        self.policy.commits_untouched(brings_token)
    }

    /// Sets whether a response with status 500 or above saves changes.
    ///
    /// A log-out takes effect in any case.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    ///
    /// let config = SessionConfig::flask().with_save_on_server_error(false);
    /// ```
    pub fn with_save_on_server_error(mut self, save: bool) -> Self {
        self.policy.save_on_server_error = save;
        self
    }

    /// Sets whether a rejected cookie is removed from the browser. The default is `false`.
    ///
    /// The default is recommended.
    ///
    /// The response that removes a rejected cookie may arrive after the response of a log-in, and
    /// would then remove the new session's cookie. A rejected cookie costs one signature check, and
    /// the next write replaces it.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    ///
    /// let config = SessionConfig::default().with_remove_rejected(true);
    /// ```
    pub fn with_remove_rejected(mut self, remove: bool) -> Self {
        self.policy.remove_rejected = remove;
        self
    }

    /// Sets the behavior for changes of a server-side session that come too late.
    ///
    /// ```
    /// use carafe_core::session::{Conflict, SessionConfig};
    ///
    /// let config = SessionConfig::default().with_conflict(Conflict::Discard);
    /// ```
    pub fn with_conflict(self, on_conflict: Conflict) -> Self {
        Self {
            on_conflict,
            ..self
        }
    }

    /// Sets the behavior for several cookies with the same name.
    ///
    /// ```
    /// use carafe_core::session::{Duplicates, SessionConfig};
    ///
    /// let config = SessionConfig::flask().with_duplicates(Duplicates::Refuse);
    /// ```
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Sets how `Cookie` headers are parsed: see [`Grammar`].
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// use carafe_core::cookie::Grammar;
    ///
    /// let config = SessionConfig::default().with_grammar(Grammar::Lenient);
    /// ```
    pub fn with_grammar(self, grammar: Grammar) -> Self {
        Self { grammar, ..self }
    }

    /// Sets the options for log-ins shared with Flask-Login. `None` disables them.
    ///
    /// ```
    /// use carafe_core::session::{FlaskLogin, SessionConfig};
    ///
    /// let shared = SessionConfig::default().with_flask_login(FlaskLogin::new());
    /// let apart = SessionConfig::flask().with_flask_login(None);
    /// ```
    pub fn with_flask_login(self, flask_login: impl Into<Option<FlaskLogin>>) -> Self {
        Self {
            flask_login: flask_login.into(),
            ..self
        }
    }

    /// Sets what the browser deletes when a user logs out. The default is nothing.
    ///
    /// The response to a log-out gets `Clear-Site-Data`, unless the session has content again.
    /// Browsers honor the header over HTTPS only.
    ///
    /// ```
    /// use carafe_core::session::{ClearSiteData, SessionConfig};
    ///
    /// let config = SessionConfig::default()
    ///     .with_clear_site_data([ClearSiteData::Cache, ClearSiteData::Storage]);
    /// ```
    pub fn with_clear_site_data(self, kinds: impl IntoIterator<Item = ClearSiteData>) -> Self {
        Self {
            clear_site_data: kinds.into_iter().collect(),
            ..self
        }
    }

    /// Sets the page to which [`LoggedIn`](super::LoggedIn) redirects a visitor without a log-in.
    ///
    /// The parameter `next` is the path of the request. Check it with
    /// [`LocalPath`](super::LocalPath) before a redirect. If no login page is set, the response is
    /// a 401.
    ///
    /// ```
    /// use carafe_core::session::{LocalPath, SessionConfig};
    ///
    /// let config = SessionConfig::default().with_login_page(LocalPath::new("/login")?);
    /// # Ok::<(), carafe_core::session::NotLocal>(())
    /// ```
    pub fn with_login_page(self, page: LocalPath) -> Self {
        Self {
            login_page: Some(page),
            ..self
        }
    }

    /// Sets how far in the future the issue time of a cookie may be. The default is 5 s.
    ///
    /// This tolerates clock skew.
    ///
    /// ```
    /// use carafe_core::session::SessionConfig;
    /// use std::time::Duration;
    ///
    /// let config = SessionConfig::default().with_clock_skew(Duration::from_secs(30));
    /// ```
    pub fn with_clock_skew(self, clock_skew: Duration) -> Self {
        Self { clock_skew, ..self }
    }
}

impl Default for SessionConfig {
    /// Returns the recommended configuration for new applications.
    ///
    /// | option | value | Flask's |
    /// |---|---|---|
    /// | cookie name | `__Host-Http-session` | `session` |
    /// | attributes | `Secure; HttpOnly; Path=/; SameSite=Lax` | `HttpOnly; Path=/` |
    /// | lifetime | 14 days from last use | 31 days from last change; permanent: last response |
    /// | refresh | when used, after 1/20 of the lifetime | every response of a permanent session |
    /// | several cookies with the name | all are refused if two verify | the first one |
    /// | server error | saves nothing | saves changes |
    /// | Flask-Login | not shared | shared |
    /// | late change | 409 | 409, which Flask does not detect |
    fn default() -> Self {
        Self {
            cookie: CookiePolicy::builder("__Host-Http-session"),
            transports: vec![Transport::cookie()],
            grammar: Grammar::Strict,
            duplicates: Duplicates::Refuse,
            lifetime: 14 * DAY,
            always_kept: false,
            clock_skew: DEFAULT_CLOCK_SKEW,
            policy: Policy {
                refresh: Refresh::WhenUsed,
                save_on_server_error: false,
                remove_rejected: false,
            },
            on_conflict: Conflict::Reject,
            flask_login: None,
            clear_site_data: Vec::new(),
            login_page: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flasks_preset_has_flasks_values_and_the_default_its_own() {
        let (flask, default) = (SessionConfig::flask(), SessionConfig::default());
        assert_eq!((flask.lifetime, default.lifetime), (31 * DAY, 14 * DAY));
        assert_eq!(flask.duplicates, Duplicates::TakeFirst);
        assert_eq!(default.duplicates, Duplicates::Refuse);
        assert_eq!(flask.policy.refresh, Refresh::PermanentAlways);
        assert_eq!(default.policy.refresh, Refresh::WhenUsed);
        assert!(flask.policy.save_on_server_error && !default.policy.save_on_server_error);
        assert!(flask.flask_login.is_some() && default.flask_login.is_none());
        let cookie = default.cookie.build().unwrap();
        assert_eq!(cookie.name(), "__Host-Http-session");
        assert!(cookie.is_secure() && cookie.is_http_only());
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        let cookie = flask.cookie.build().unwrap();
        assert_eq!(cookie.name(), "session");
        assert!(!cookie.is_secure() && cookie.is_http_only());
        assert_eq!(cookie.same_site(), None);
    }
}
