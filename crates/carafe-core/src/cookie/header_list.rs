//! Finds the `Set-Cookie` headers of a response that set a given cookie.
//!
//! A response must not set the same cookie twice (RFC 6265bis §4.1.1). Adapters therefore remove
//! earlier headers for Carafe's own cookie before they add a new one, and keep every other header.
//! This module never changes a header itself.

use super::scan::{find, trim_blanks};

/// Returns whether a `Set-Cookie` value sets the cookie `name`, as a browser would parse the value.
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

/// Returns whether a browser treats two `Set-Cookie` values as the same cookie.
///
/// The cookies are the same if name, domain, path and partition are equal (RFC 6265bis §5.7,
/// CHIPS). A missing `Path` counts as equal, because the default path depends on the request.
#[must_use]
pub(crate) fn is_same_cookie(one: &[u8], other: &[u8]) -> bool {
    let path = |header| attribute(header, b"path").filter(|path| path.starts_with(b"/"));
    let domain = |header| {
        let domain = attribute(header, b"domain").unwrap_or_default();
        domain.strip_prefix(b".").unwrap_or(domain)
    };
    let is_partitioned = |header| attribute(header, b"partitioned").is_some();
    let is_path_equal = match (path(one), path(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    name_of(one) == name_of(other)
        && domain(one).eq_ignore_ascii_case(domain(other))
        && is_path_equal
        && is_partitioned(one) == is_partitioned(other)
}

fn name_of(header: &[u8]) -> &[u8] {
    let end = find(header, 0, |byte| (byte == b'=') | (byte == b';'));
    trim_blanks(&header[..end])
}

/// Returns the value of the last attribute `name`, which is the one that browsers use.
fn attribute<'h>(header: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    let attributes = header.split(|&byte| byte == b';').skip(1);
    let values = attributes.filter_map(|attribute| {
        let end = find(attribute, 0, |byte| byte == b'=');
        let is_named = trim_blanks(&attribute[..end]).eq_ignore_ascii_case(name);
        is_named.then(|| trim_blanks(attribute.get(end + 1..).unwrap_or_default()))
    });
    values.last()
}

#[cfg(test)]
mod tests {
    use super::{is_same_cookie, sets_cookie};

    #[test]
    fn names_are_read_as_browsers_read_them() {
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

    #[test]
    fn a_cookie_is_known_by_name_domain_path_and_partition() {
        let ours = b"s=x; HttpOnly; Path=/app; Domain=Example.com";
        for (other, same) in [
            (
                "s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; PATH = /app ; domain=.example.COM",
                true,
            ),
            ("s=y; Domain=example.com", true),
            ("s=y; Path=/app", false),
            ("s=y; Path=/; Domain=example.com", false),
            ("s=y; Path=/app; Domain=example.com; Partitioned", false),
            ("s=y; Path=/; Path=/app; Domain=example.com", true),
            ("S=y; Path=/app; Domain=example.com", false),
            ("t=s; Path=/app; Domain=example.com", false),
        ] {
            assert_eq!(is_same_cookie(ours, other.as_bytes()), same, "{other}");
            assert_eq!(is_same_cookie(other.as_bytes(), ours), same, "{other}");
        }
    }
}
