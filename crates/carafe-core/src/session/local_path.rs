//! A path on the application's own host, for redirects after a log-in.

use std::{error::Error, fmt};

/// The longest path, in bytes.
const MAX_BYTES: usize = 2_048;

/// A path on the application's own host, such as `/orders?page=2`, to redirect to.
///
/// A redirect to a path that a visitor chose is an open redirect if the browser reads the path as
/// another host (CWE-601): `//evil.example`, `/\evil.example`, and the same with characters that
/// browsers drop or that servers decode. Such paths are rejected, not repaired.
///
/// ```
/// use carafe_core::session::LocalPath;
///
/// assert_eq!(LocalPath::new("/orders?page=2")?.as_str(), "/orders?page=2");
/// assert!(LocalPath::new("//evil.example").is_err());
/// assert!(LocalPath::new("https://evil.example/").is_err());
/// # Ok::<(), carafe_core::session::NotLocal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Checks a path.
    ///
    /// ```
    /// use carafe_core::session::LocalPath;
    ///
    /// for path in ["orders", r"/\evil.example", "/a//b", "/%2f%2fevil.example", "/\t/"] {
    ///     assert!(LocalPath::new(path).is_err(), "{path:?}");
    /// }
    /// assert!(LocalPath::new("/orders?next=//evil.example").is_ok(), "a query is no host");
    /// ```
    ///
    /// # Errors
    /// [`NotLocal`] unless the text starts with one `/` and has printable ASCII characters only, no
    /// `\`, no empty segment, and no encoded `/` or `\` at the start of a segment.
    pub fn new(path: &str) -> Result<Self, NotLocal> {
        match is_local(path) {
            true => Ok(Self(path.to_owned())),
            false => Err(NotLocal),
        }
    }

    /// Checks a path. Returns `/` instead of an invalid one.
    ///
    /// ```
    /// use carafe_core::session::LocalPath;
    ///
    /// assert_eq!(LocalPath::or_root("/orders").as_str(), "/orders");
    /// assert_eq!(LocalPath::or_root("https://evil.example/").as_str(), "/");
    /// ```
    #[must_use]
    pub fn or_root(path: &str) -> Self {
        Self::new(path).unwrap_or_else(|NotLocal| Self("/".to_owned()))
    }

    /// Returns the path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path that may lead to another host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLocal;

impl fmt::Display for NotLocal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path is not a path on this host")
    }
}

impl Error for NotLocal {}

fn is_local(text: &str) -> bool {
    let is_printable = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let Some(segments) = path.strip_prefix('/') else {
        return false;
    };
    let is_safe = |(place, segment): (usize, &str)| {
        let is_last = place == segments.matches('/').count();
        let lower = segment.to_ascii_lowercase();
        (!segment.is_empty() || is_last) && !lower.starts_with("%2f") && !lower.starts_with("%5c")
    };
    text.len() <= MAX_BYTES && is_printable && segments.split('/').enumerate().all(is_safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn open_redirects_are_rejected() {
        for attack in [
            "",
            "evil.example",
            "https://evil.example",
            "https:evil.example",
            "http:/evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "//evil.example/%2f..",
            "/\\evil.example",
            "/\\/evil.example",
            "\\/evil.example",
            "\\\\evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "/\u{0}/evil.example",
            "/\u{7f}/evil.example",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%5C/evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/a//evil.example",
            "/\u{ff0f}evil.example",
            "/\u{2215}evil.example",
            "/a\r\nSet-Cookie: session=evil",
            "?next=/",
            "#/",
            ".",
            "./a",
            "@evil.example",
            ":80",
        ] {
            assert_eq!(LocalPath::new(attack), Err(NotLocal), "{attack:?}");
            assert_eq!(LocalPath::or_root(attack).as_str(), "/", "{attack:?}");
        }
        assert!(LocalPath::new(&format!("/{}", "a".repeat(MAX_BYTES))).is_err());
    }

    #[test]
    fn paths_on_this_host_are_accepted_unchanged() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/a/b.html",
            "/a?next=//evil.example",
            "/a?b=https://evil.example/#c",
            "/#//x",
            "/?",
            "/%C3%A9/x%2Fy",
            "/a/../b",
            "/@evil.example",
            "/a:80",
        ] {
            assert_eq!(LocalPath::new(path).unwrap().as_str(), path);
        }
    }

    proptest! {
        /// An accepted path resolves to the host that sent it (WHATWG URL).
        #[test]
        fn an_accepted_path_never_names_a_host(text in r"[/\\%2fF5cC.a:@?# \t\n]{0,12}") {
            if LocalPath::new(&text).is_ok() {
                let read: String = text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
                let read = read.replace('\\', "/");
                prop_assert!(read.starts_with('/') && !read.starts_with("//"));
            }
        }
    }
}
