//! The changes of a session to the headers of a response.

use std::sync::Arc;

use crate::cookie::CookiePolicy;

/// The header changes of one commit. An adapter applies them without any decision.
///
/// `Debug` shows which cookies and tokens are set, and none of their values.
///
/// ```
/// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// # let now = Timestamp::from_unix(1_700_000_000);
/// let slot = manager.begin();
/// manager.open(&slot, [], now).await?.insert("theme", "dark")?;
/// let changes = manager.commit(&slot, [], 200, now).await?;
/// assert!(changes.set_cookie.is_some() && changes.token.is_none());
/// assert!(changes.vary_cookie && changes.no_store);
///
/// // A request that does not use its session changes no header.
/// let changes = manager.commit(&manager.begin(), [], 200, now).await?;
/// assert_eq!(changes, HeaderChanges::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderChanges {
    /// The value of a `Set-Cookie` header. Replaces any other value for the same cookie.
    pub set_cookie: Option<String>,
    /// The values of further `Set-Cookie` headers, which remove the cookies of former policies.
    pub former_removals: Option<Arc<[String]>>,
    /// The value of a `Set-Cookie` header that removes Flask-Login's "remember me" cookie.
    ///
    /// An existing `Set-Cookie` with the same name takes precedence.
    pub remember_cookie: Option<String>,
    /// A response header with the session's new token, instead of `set_cookie`.
    pub token: Option<TokenHeader>,
    /// The value of `Clear-Site-Data`, after a log-out.
    pub clear_site_data: Option<Arc<str>>,
    /// The names of further request headers that `Vary` must contain.
    pub vary_headers: Option<Arc<[String]>>,
    /// Whether `Vary` must contain `Cookie`.
    pub vary_cookie: bool,
    /// Whether the response needs `Cache-Control: no-store`, unless the handler has set the header.
    ///
    /// See the OWASP Session Management Cheat Sheet.
    pub no_store: bool,
    /// Whether an existing `Set-Cookie` with the cookie's name takes precedence.
    ///
    /// Set if no handler used the session and its cookie is only refreshed, because an inner
    /// session layer may have written or removed the cookie.
    pub only_if_unset: bool,
}

/// A response header that carries a session's token outside cookies.
///
/// `Debug` does not show the token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHeader {
    /// The name of the header, in lower case.
    pub name: Arc<str>,
    /// The token. Empty if the session was revoked.
    pub value: String,
}

impl std::fmt::Debug for TokenHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenHeader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Browser state that a log-out removes in addition to the session.
#[derive(Default)]
pub(super) struct Removed {
    /// The removal of Flask-Login's "remember me" cookie.
    pub(super) remember_cookie: Option<String>,
    /// The value of `Clear-Site-Data`.
    pub(super) clear_site_data: Option<Arc<str>>,
}

/// A session's token, or its removal, in the form of the response.
pub(super) enum NewToken {
    /// The value of `Set-Cookie`.
    Cookie(String),
    Header(TokenHeader),
}

impl NewToken {
    /// Returns the `Set-Cookie` value and the header, exactly one of which is present.
    pub(super) fn split(token: Option<Self>) -> (Option<String>, Option<TokenHeader>) {
        match token {
            None => (None, None),
            Some(Self::Cookie(text)) => (Some(text), None),
            Some(Self::Header(header)) => (None, Some(header)),
        }
    }
}

impl HeaderChanges {
    pub(super) fn new(new: Option<NewToken>, vary_cookie: bool) -> Self {
        let (set_cookie, token) = NewToken::split(new);
        Self {
            no_store: set_cookie.is_some() || token.is_some(),
            set_cookie,
            former_removals: None,
            remember_cookie: None,
            token,
            clear_site_data: None,
            vary_headers: None,
            vary_cookie,
            only_if_unset: false,
        }
    }

    /// Adds the removal of former policies' cookies if the session's cookie changes.
    pub(super) fn with_former(mut self, policy: &CookiePolicy) -> Self {
        let former = policy.former_removals();
        if self.set_cookie.is_some() && !former.is_empty() {
            self.former_removals = Some(Arc::clone(former));
        }
        self
    }

    /// Adds the other removals of a log-out.
    pub(super) fn forgetting(mut self, removed: Removed) -> Self {
        self.no_store |= removed.remember_cookie.is_some();
        self.remember_cookie = removed.remember_cookie;
        self.clear_site_data = removed.clear_site_data;
        self
    }

    /// Marks the changes of a session that no handler has used.
    pub(super) const fn of_untouched(mut self) -> Self {
        self.only_if_unset = self.set_cookie.is_some() || self.token.is_some();
        self
    }
}

/// Omits the cookies.
impl std::fmt::Debug for HeaderChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeaderChanges")
            .field("sets_cookie", &self.set_cookie.is_some())
            .field("sets_token", &self.token.is_some())
            .field("sets_remember_cookie", &self.remember_cookie.is_some())
            .field("vary_cookie", &self.vary_cookie)
            .field("vary_headers", &self.vary_headers)
            .field("no_store", &self.no_store)
            .field("only_if_unset", &self.only_if_unset)
            .finish()
    }
}

/// Returns the value that replaces the `Vary` lines in `existing` and adds `further` names.
///
/// Returns `None` if all are already listed. The list keeps its order and is joined by `", "`, as
/// in Flask.
pub(super) fn vary_with<'v>(
    existing: impl IntoIterator<Item = &'v str>,
    further: impl IntoIterator<Item = &'v str>,
) -> Option<String> {
    let mut names: Vec<_> = existing
        .into_iter()
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    names.retain(|name| !name.is_empty());
    let before = names.len();
    for further in further {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(further)) {
            names.push(further);
        }
    }
    (names.len() > before).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vary_is_merged_as_flask_merges_it() {
        for (existing, merged) in [
            (&["Accept-Encoding, cookie"][..], None),
            (&["COOKIE"], None),
            (&["Origin", "x, Cookie"], None),
            (&["*"], Some("*, Cookie")),
            (
                &["Accept-Encoding,Origin"],
                Some("Accept-Encoding, Origin, Cookie"),
            ),
            (&["a", "b ,c"], Some("a, b, c, Cookie")),
            (&["", " , "], Some("Cookie")),
        ] {
            assert_eq!(
                vary_with(existing.iter().copied(), ["Cookie"]).as_deref(),
                merged,
                "{existing:?}"
            );
        }
    }
}
