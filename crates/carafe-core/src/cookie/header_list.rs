//! Which `Set-Cookie` headers of a response set our cookie.
//!
//! A response must not carry two with one name (RFC 6265bis §4.1.1), so whoever adds ours drops those first
//! and keeps everybody else's. Never changes a header itself.

use super::scan::{find, trim_blanks};

/// Whether a `Set-Cookie` value sets the cookie called `name`, as a browser would read it.
///
/// ```
/// use carafe_core::cookie::sets_cookie;
/// assert!(sets_cookie(b" session = x; Path=/app", "session"));
/// assert!(!sets_cookie(b"Session=x", "session"));
/// assert!(!sets_cookie(b"a=session=x; session=y", "session"));
/// ```
#[must_use]
pub fn sets_cookie(header: &[u8], name: &str) -> bool {
    let name_end = find(header, 0, |byte| (byte == b'=') | (byte == b';'));
    let named = header.get(name_end) == Some(&b'=');
    named && trim_blanks(&header[..name_end]) == name.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::sets_cookie;

    #[test]
    fn ckw_6_names_are_read_as_browsers_read_them() {
        for header in ["s=x", "s=", "\ts \t=x", "s==", "s=x; Path=/; s=y"] {
            assert!(sets_cookie(header.as_bytes(), "s"), "{header:?}");
        }
        for header in [
            "",
            "s",
            "s; a=b",
            "=s",
            "S=x",
            "ss=x",
            "a=s",
            "a=x; s=y",
            "\u{2000}s=x",
            "%73=x",
            "\"s\"=x",
        ] {
            assert!(!sets_cookie(header.as_bytes(), "s"), "{header:?}");
        }
    }
}
