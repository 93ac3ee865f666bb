//! How sessions behave, decided once, at start.

use std::time::Duration;

use super::{Policy, Refresh};
use crate::{
    cookie::{Candidates, CookiePolicy, CookiePolicyBuilder, Grammar, SameSite},
    token::DEFAULT_CLOCK_SKEW,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of sessions. Start from a preset and change what you need; the manager checks the result.
///
/// * [`SessionConfig::default`] is what a new application should run.
/// * [`SessionConfig::flask`] behaves as Flask does when nothing is configured.
/// * [`SessionConfig::development`] is the default for plain HTTP in browsers that keep no `Secure`
///   cookie there.
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
    pub(super) grammar: Grammar,
    pub(super) duplicates: Duplicates,
    pub(super) lifetime: Duration,
    pub(super) always_kept: bool,
    pub(super) clock_skew: Duration,
    pub(super) policy: Policy,
}

/// What to do when a browser sends several cookies of the session's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// Accept the one that verifies; if two different ones do, none. Their order proves nothing
    /// (RFC 6265bis §4.2.2).
    Refuse,
    /// Take the first, good or bad, as Flask does.
    TakeFirst,
}

impl Duplicates {
    /// Those of several cookies that are looked at.
    pub(super) fn looks_at<'c>(
        self,
        candidates: &'c Candidates<'_>,
    ) -> impl Iterator<Item = &'c [u8]> {
        let count = match self {
            Self::TakeFirst => 1,
            Self::Refuse => candidates.len(),
        };
        candidates.iter().take(count).map(AsRef::as_ref)
    }
}

impl SessionConfig {
    /// Flask's defaults: cookie `session` with `HttpOnly; Path=/`, 31 days, a permanent session is
    /// refreshed by every response, and a response of status 500 saves.
    pub fn flask() -> Self {
        Self {
            cookie: CookiePolicy::flask("session"),
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
        }
    }

    /// Starlette's defaults: cookie `session` with `HttpOnly; Path=/; SameSite=Lax`, kept for 14 days
    /// from the last change.
    pub fn starlette() -> Self {
        Self {
            cookie: CookiePolicy::flask("session").same_site(SameSite::Lax),
            lifetime: 14 * DAY,
            always_kept: true,
            policy: Policy {
                refresh: Refresh::Never,
                save_on_server_error: true,
                remove_rejected: false,
            },
            ..Self::flask()
        }
    }

    /// [`SessionConfig::default`] with a cookie that every browser keeps on plain HTTP: `session`,
    /// without `Secure`. Not for production.
    pub fn development() -> Self {
        Self::default().with_cookie(CookiePolicy::flask("session").same_site(SameSite::Lax))
    }

    /// The cookie's name and attributes.
    pub fn with_cookie(self, cookie: CookiePolicyBuilder) -> Self {
        Self { cookie, ..self }
    }

    /// How long a session lives after its cookie was last written, in whole seconds (fractions are
    /// dropped); checked on the server whether the browser keeps the cookie or not. 31 days unless set.
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// When a cookie is sent again without a change.
    pub fn with_refresh(mut self, refresh: Refresh) -> Self {
        self.policy.refresh = refresh;
        self
    }

    /// Whether a response of status 500 or above saves the changes of its request. `log_out` always counts.
    pub fn with_save_on_server_error(mut self, save: bool) -> Self {
        self.policy.save_on_server_error = save;
        self
    }

    /// Whether a cookie that was refused is removed from the browser.
    pub fn with_remove_rejected(mut self, remove: bool) -> Self {
        self.policy.remove_rejected = remove;
        self
    }

    /// What to do with several cookies of one name.
    pub fn with_duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// How `Cookie` headers are read: see [`Grammar`].
    pub fn with_grammar(self, grammar: Grammar) -> Self {
        Self { grammar, ..self }
    }

    /// How far in the future a cookie may have been made, because clocks differ. 5 s unless set.
    pub fn with_clock_skew(self, clock_skew: Duration) -> Self {
        Self { clock_skew, ..self }
    }
}

impl Default for SessionConfig {
    /// Cookie `__Host-Http-session` with `Secure; HttpOnly; Path=/; SameSite=Lax`, 31 days from the last
    /// use, nothing saved by a server error, refused cookies removed.
    fn default() -> Self {
        Self {
            cookie: CookiePolicy::builder("__Host-Http-session"),
            duplicates: Duplicates::Refuse,
            policy: Policy {
                refresh: Refresh::WhenUsed,
                save_on_server_error: false,
                remove_rejected: true,
            },
            ..Self::flask()
        }
    }
}
