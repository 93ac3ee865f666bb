//! What a session does to the headers of a response.

/// The header changes of one commit. An adapter carries them out and decides nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// The value of a `Set-Cookie` header. Replaces any other of the same name.
    pub set_cookie: Option<String>,
    /// Whether `Cookie` must stand in `Vary`: see [`vary_with_cookie`].
    pub vary_cookie: bool,
    /// Whether the response needs `Cache-Control: no-store`, unless the handler chose another
    /// (OWASP Session Management Cheat Sheet).
    pub no_store: bool,
    /// No handler used the session, so its cookie is only refreshed: it gives way to one of its name that a session layer
    /// further inside has written or removed.
    pub gives_way: bool,
}

impl Effects {
    pub(super) fn new(set_cookie: Option<String>, vary_cookie: bool) -> Self {
        Self {
            no_store: set_cookie.is_some(),
            set_cookie,
            vary_cookie,
            gives_way: false,
        }
    }

    /// The same of a session that no handler has used.
    pub(super) const fn of_untouched(mut self) -> Self {
        self.gives_way = self.set_cookie.is_some();
        self
    }
}

/// Never shows the cookie.
impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Effects")
            .field("sets_cookie", &self.set_cookie.is_some())
            .field("vary_cookie", &self.vary_cookie)
            .field("no_store", &self.no_store)
            .field("gives_way", &self.gives_way)
            .finish()
    }
}

/// The one `Vary` value that replaces the lines `existing`, with `Cookie` in it; `None` if it is there
/// already. The list keeps its order and is joined by `", "`, as Flask does it.
///
/// ```
/// use carafe_core::session::vary_with_cookie;
///
/// assert_eq!(vary_with_cookie(["Accept-Encoding,Origin"]).as_deref(), Some("Accept-Encoding, Origin, Cookie"));
/// assert_eq!(vary_with_cookie([]).as_deref(), Some("Cookie"));
/// assert_eq!(vary_with_cookie(["Accept-Encoding, cookie"]), None);
/// ```
#[must_use]
pub fn vary_with_cookie<'v>(existing: impl IntoIterator<Item = &'v str>) -> Option<String> {
    let mut names: Vec<_> = existing
        .into_iter()
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    names.retain(|name| !name.is_empty());
    if names.iter().any(|name| name.eq_ignore_ascii_case("cookie")) {
        return None;
    }
    names.push("Cookie");
    Some(names.join(", "))
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
                vary_with_cookie(existing.iter().copied()).as_deref(),
                merged,
                "{existing:?}"
            );
        }
    }
}
