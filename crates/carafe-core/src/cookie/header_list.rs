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

/// The positions of those `Set-Cookie` values that set the cookie called `name`: the ones to drop before ours is added.
///
/// ```
/// use carafe_core::cookie::positions_setting;
/// let headers = [b"a=1".as_slice(), b"session=x; Path=/", b"session=; Max-Age=0"];
/// assert_eq!(positions_setting(headers, "session").collect::<Vec<_>>(), [1, 2]);
/// ```
pub fn positions_setting<'a>(
    existing: impl IntoIterator<Item = &'a [u8]>,
    name: &str,
) -> impl Iterator<Item = usize> {
    let numbered = existing.into_iter().enumerate();
    numbered
        .filter(move |(_, header)| sets_cookie(header, name))
        .map(|(position, _)| position)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{positions_setting, sets_cookie};
    use crate::{clock::Timestamp, cookie::SetCookie};

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

    proptest! {
        #[test]
        fn ckw_6_one_cookie_of_our_name_is_left_and_foreign_ones_stay(
            headers in prop::collection::vec(("[sa]{1,2}", ".*").prop_map(|(n, v)| {
                SetCookie::new(n, v).render(Timestamp::from_unix(0)).unwrap()
            }), 0..8),
        ) {
            let dropped: Vec<_> = positions_setting(headers.iter().map(String::as_bytes), "s").collect();
            for (position, header) in headers.iter().enumerate() {
                prop_assert_eq!(dropped.contains(&position), header.starts_with("s="));
            }
        }
    }
}
