//! The dialect of JSON text: options in which the JSON writers of Python's web frameworks differ.

/// Options of a JSON writer.
///
/// ```
/// use carafe_core::json::{JsonDialect, to_text};
/// assert_eq!(to_text(&("é", 1.0), JsonDialect::FLASK).unwrap(), r#"["\u00e9",1.0]"#);
/// assert_eq!(to_text(&("é", 1.0), JsonDialect::STARLETTE).unwrap(), r#"["\u00e9", 1.0]"#);
/// assert_eq!(to_text(&("é", 1.0), JsonDialect::COMPACT).unwrap(), r#"["é",1.0]"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonDialect {
    /// Sorts the keys by code point at every level, as Flask's JSON provider does.
    ///
    /// If `false`, keys keep their order.
    pub sort_keys: bool,
    /// Escapes every character outside printable ASCII as `\u` and four hexadecimal digits.
    pub ascii: bool,
    /// Writes `", "` and `": "` as separators instead of `","` and `":"`.
    pub spaced: bool,
    /// Writes Flask's tags for types that JSON lacks: tuples, bytes, markup, UUIDs and datetimes.
    pub tags: bool,
}

impl JsonDialect {
    /// The dialect of Flask's session cookie.
    pub const FLASK: Self = Self {
        sort_keys: true,
        ascii: true,
        spaced: false,
        tags: true,
    };
    /// The dialect of Quart's session cookie: [`FLASK`](Self::FLASK) with unsorted keys.
    pub const QUART: Self = Self {
        sort_keys: false,
        ..Self::FLASK
    };
    /// The dialect of Starlette's session cookie: the defaults of `json.dumps`.
    pub const STARLETTE: Self = Self {
        sort_keys: false,
        ascii: true,
        spaced: true,
        tags: false,
    };
    /// The default dialect of itsdangerous' own serializers.
    pub const COMPACT: Self = Self {
        sort_keys: false,
        ascii: false,
        spaced: false,
        tags: false,
    };

    /// Appends the separator between items.
    ///
    /// Pushing single characters avoids the call that copying a slice of unknown length costs for
    /// every value.
    #[inline]
    pub(super) fn push_comma(self, out: &mut String) {
        self.push_separator(',', out);
    }

    /// Appends the separator between a key and its value.
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
