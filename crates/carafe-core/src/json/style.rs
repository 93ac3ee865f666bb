//! How JSON text is spelled. Four writers of Python web sessions differ in four choices.

/// The choices a writer of JSON has.
///
/// ```
/// use carafe_core::json::{Style, to_text};
/// assert_eq!(to_text(&("é", 1.0), Style::FLASK).unwrap(), r#"["\u00e9",1.0]"#);
/// assert_eq!(to_text(&("é", 1.0), Style::STARLETTE).unwrap(), r#"["\u00e9", 1.0]"#);
/// assert_eq!(to_text(&("é", 1.0), Style::COMPACT).unwrap(), r#"["é",1.0]"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Keys in code point order at every level, as Flask's JSON provider does; otherwise as they come.
    pub sort_keys: bool,
    /// Everything outside printable ASCII as `\u` and four hexadecimal digits.
    pub ascii: bool,
    /// `", "` and `": "` as separators instead of `","` and `":"`.
    pub spaced: bool,
    /// Flask's tags for what JSON lacks: tuples, bytes, markup, UUIDs, datetimes.
    pub tags: bool,
}

impl Style {
    /// Flask's session cookie.
    pub const FLASK: Self = Self {
        sort_keys: true,
        ascii: true,
        spaced: false,
        tags: true,
    };
    /// Quart's session cookie: Flask's, but keys are never sorted.
    pub const QUART: Self = Self {
        sort_keys: false,
        ..Self::FLASK
    };
    /// Starlette's session cookie: `json.dumps` with nothing set.
    pub const STARLETTE: Self = Self {
        sort_keys: false,
        ascii: true,
        spaced: true,
        tags: false,
    };
    /// What itsdangerous' own serializers write when nothing is set.
    pub const COMPACT: Self = Self {
        sort_keys: false,
        ascii: false,
        spaced: false,
        tags: false,
    };

    /// Appends the separator of items. By character, because copying one or two bytes through a slice of
    /// unknown length is a call, and there is one beside each value.
    #[inline]
    pub(super) fn push_comma(self, out: &mut String) {
        self.push_separator(',', out);
    }

    /// Appends what stands between a key and its value.
    #[inline]
    pub(super) fn push_colon(self, out: &mut String) {
        self.push_separator(':', out);
    }

    #[inline]
    fn push_separator(self, sign: char, out: &mut String) {
        out.push(sign);
        if self.spaced {
            out.push(' ');
        }
    }

    pub(super) const fn comma(self) -> &'static str {
        if self.spaced { ", " } else { "," }
    }

    pub(super) const fn colon(self) -> &'static str {
        if self.spaced { ": " } else { ":" }
    }
}
