//! One cookie of a request.

use std::{borrow::Cow, fmt};

use crate::cookie::value::unescape;

/// A cookie of a request. `Debug` shows only the name.
///
/// ```
/// use carafe_core::cookie::{Grammar, pairs};
///
/// let pair = pairs(br#"sid="a\"b""#, Grammar::Lenient).next().unwrap();
/// assert_eq!(pair.value().as_ref(), br#"a"b"#);
/// assert_eq!(format!("{pair:?}"), r#"Pair { name: "sid", .. }"#);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pair<'h> {
    pub(super) name: &'h [u8],
    pub(super) raw_value: &'h [u8],
    pub(super) quoted: bool,
}

impl<'h> Pair<'h> {
    /// Returns the bytes of the name, as sent. Never empty.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, pairs};
    /// assert_eq!(pairs(b"a=1", Grammar::Strict).next().unwrap().name(), b"a");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'h [u8] {
        self.name
    }

    /// Returns the bytes of the value, as sent, with quotation marks and escapes.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, pairs};
    /// let pair = pairs(br#"a="x\073y""#, Grammar::Strict).next().unwrap();
    /// assert_eq!(pair.raw_value(), br#""x\073y""#);
    /// ```
    #[must_use]
    pub const fn raw_value(&self) -> &'h [u8] {
        self.raw_value
    }

    /// Returns whether the value is in quotation marks.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, pairs};
    /// assert!(pairs(br#"a="1""#, Grammar::Strict).next().unwrap().is_quoted());
    /// ```
    #[must_use]
    pub const fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// Returns the bytes of the value, without quotation marks and with escapes resolved.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, pairs};
    /// let pair = pairs(br#"a="x\073y""#, Grammar::Strict).next().unwrap();
    /// assert_eq!(pair.value(), b"x;y".as_slice());
    /// ```
    #[must_use]
    pub fn value(&self) -> Cow<'h, [u8]> {
        match self.raw_value {
            [b'"', inside @ .., b'"'] if self.quoted => unescape(inside),
            plain => Cow::Borrowed(plain),
        }
    }
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("name", &String::from_utf8_lossy(self.name))
            .finish_non_exhaustive()
    }
}
