//! [`Context`], what a page knows of its request.

use std::{ops::Deref, sync::Arc};

use axum::{
    extract::{OriginalUri, Request},
    http::{HeaderMap, HeaderName, Uri, header},
};

use crate::{operator::Operator, state::Console};

/// The header of requests that the script of a page sends to update it. Such a request is no
/// activity of the operator, so an application need not count it as a use of the operator's
/// session.
pub const LIVE_HEADER: HeaderName = HeaderName::from_static("x-carafe-live");

/// A request of an operator.
#[derive(Clone)]
pub(crate) struct Context {
    console: Arc<Console>,
    pub(crate) operator: Operator,
    base: BasePath,
    /// Whether the request was sent by the script of a page.
    pub(crate) is_live: bool,
    /// The version of the page that the script already has.
    pub(crate) known: Option<String>,
}

/// The path of the console in the URLs that browsers see.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BasePath {
    /// Empty, or a path such as `/ops/carafe`, without a trailing slash.
    prefix: String,
    /// The path of the overview.
    home: String,
}

impl Context {
    pub(crate) fn new(console: Arc<Console>, operator: Operator, request: &Request) -> Self {
        let headers: &HeaderMap = request.headers();
        let known = headers.get(header::IF_NONE_MATCH);
        let base = match &console.settings.public_path {
            Some(path) => BasePath::public(path),
            None => {
                let original = request.extensions().get::<OriginalUri>();
                let original = original.map_or(request.uri(), |OriginalUri(uri)| uri);
                BasePath::of_mount(original, request.uri())
            }
        };
        Self {
            is_live: headers.contains_key(LIVE_HEADER),
            known: known.and_then(|tag| Some(tag.to_str().ok()?.to_owned())),
            console,
            operator,
            base,
        }
    }

    /// Returns the state that all requests share.
    pub(crate) fn console(&self) -> &Arc<Console> {
        &self.console
    }

    /// Returns the path under which browsers reach `path`, which begins with a slash.
    pub(crate) fn href(&self, path: &str) -> String {
        match path {
            "/" => self.base.home.clone(),
            _ => format!("{}{path}", self.base.prefix),
        }
    }

    /// Returns the token of the operator's forms.
    pub(crate) fn form_token(&self) -> String {
        self.tokens.token(&self.operator)
    }

    /// Adds a message to the operator's next page.
    pub(crate) fn note(&self, text: &str) {
        self.notes.add(&self.operator, text);
    }

    /// Takes the messages since the last page. A request of the script takes none, because the
    /// operator may not see its page.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        match self.is_live {
            true => Vec::new(),
            false => self.notes.take(&self.operator),
        }
    }
}

impl Deref for Context {
    type Target = Console;

    fn deref(&self) -> &Console {
        &self.console
    }
}

impl BasePath {
    /// The path that the application has set.
    fn public(path: &str) -> Self {
        let inner = path.trim_matches('/');
        match inner {
            "" => Self::root(),
            _ if path.ends_with('/') => Self {
                prefix: format!("/{inner}"),
                home: format!("/{inner}/"),
            },
            _ => Self::mounted(format!("/{inner}")),
        }
    }

    /// The part of the request's path that routers above have stripped.
    fn of_mount(original: &Uri, inner: &Uri) -> Self {
        let path = original.path();
        let prefix = match inner.path() {
            // A nested router sees the path `/` both with and without a trailing slash.
            "/" => path.trim_end_matches('/'),
            inner => path.strip_suffix(inner).unwrap_or_default(),
        };
        match prefix {
            "" => Self::root(),
            // Browsers would interpret `//name` as the name of another host.
            _ if prefix.starts_with("//") => Self::root(),
            _ => Self::mounted(prefix.to_owned()),
        }
    }

    fn mounted(prefix: String) -> Self {
        Self {
            home: prefix.clone(),
            prefix,
        }
    }

    fn root() -> Self {
        Self {
            prefix: String::new(),
            home: "/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_what_routers_have_stripped() {
        for (original, inner, prefix, home) in [
            ("/", "/", "", "/"),
            ("/sessions?q=a", "/sessions?q=a", "", "/"),
            ("/admin/sessions", "/", "/admin/sessions", "/admin/sessions"),
            (
                "/admin/sessions/",
                "/",
                "/admin/sessions",
                "/admin/sessions",
            ),
            (
                "/admin/sessions/x?y",
                "/x?y",
                "/admin/sessions",
                "/admin/sessions",
            ),
            (
                "/a/sessions/sessions",
                "/sessions",
                "/a/sessions",
                "/a/sessions",
            ),
            ("//evil.example/x", "/x", "", "/"),
            ("/x", "/unrelated", "", "/"),
        ] {
            let found = BasePath::of_mount(&original.parse().unwrap(), &inner.parse().unwrap());
            assert_eq!((&*found.prefix, &*found.home), (prefix, home), "{original}");
        }
    }

    #[test]
    fn a_public_path_says_whether_the_overview_has_a_slash() {
        for (path, prefix, home) in [
            ("", "", "/"),
            ("/", "", "/"),
            ("ops", "/ops", "/ops"),
            ("/ops/carafe", "/ops/carafe", "/ops/carafe"),
            ("/ops/carafe/", "/ops/carafe", "/ops/carafe/"),
        ] {
            let found = BasePath::public(path);
            assert_eq!((&*found.prefix, &*found.home), (prefix, home), "{path}");
        }
    }
}
