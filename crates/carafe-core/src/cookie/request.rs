//! All cookies of a request as owned text, for handlers.
//!
//! Names are case-sensitive, and the first cookie of a name is used, as in Flask's
//! `request.cookies`. Two allocations contain all cookies. `Debug` never shows a value.

use std::fmt;

use super::{
    Grammar,
    parse::{Pair, each_pair},
};

/// The cookies of a request, decoded to text.
///
/// Bytes of a value that are not UTF-8 become U+FFFD. A cookie whose name is not UTF-8 is dropped,
/// because no `&str` can name it.
///
/// ```
/// use carafe_core::cookie::{Grammar, RequestCookies};
/// let cookies = RequestCookies::parse([b"theme=dark; tag=a; tag=b".as_slice()], Grammar::Strict);
/// assert_eq!(cookies.get("theme"), Some("dark"));
/// assert_eq!(cookies.get_all("tag").collect::<Vec<_>>(), ["a", "b"]);
/// assert_eq!(cookies.get("Theme"), None);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestCookies {
    /// All names and values, concatenated.
    text: String,
    /// The end of each cookie's name and of its value in `text`.
    ends: Vec<(usize, usize)>,
}

impl RequestCookies {
    /// Parses all `Cookie` header lines of a request, in order.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, RequestCookies};
    /// let lines = [b"a=1".as_slice(), b"b=2; =nameless"];
    /// assert_eq!(RequestCookies::parse(lines, Grammar::Strict).len(), 2);
    /// ```
    pub fn parse<'h>(headers: impl IntoIterator<Item = &'h [u8]>, grammar: Grammar) -> Self {
        let mut cookies = Self::default();
        each_pair(headers, grammar, |pair| cookies.push(pair));
        cookies
    }

    /// Returns the value of the first cookie `name`.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, RequestCookies};
    /// let cookies = RequestCookies::parse([b"a=1; a=2".as_slice()], Grammar::Strict);
    /// assert_eq!(cookies.get("a"), Some("1"));
    /// assert_eq!(cookies.get("b"), None);
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Returns the values of all cookies `name`, in the order of the header.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, RequestCookies};
    /// let cookies = RequestCookies::parse([b"a=1; a=2".as_slice()], Grammar::Strict);
    /// assert_eq!(cookies.get_all("a").collect::<Vec<_>>(), ["1", "2"]);
    /// ```
    pub fn get_all<'c>(&'c self, name: &str) -> impl Iterator<Item = &'c str> {
        self.iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Iterates over names and values of all cookies, in the order of the header.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, RequestCookies};
    /// let cookies = RequestCookies::parse([b"a=1; b=2".as_slice()], Grammar::Strict);
    /// assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|&(_, value_end)| value_end));
        // `push` has written the text at these offsets, so the slices exist.
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let cookie = move |(start, &(name_end, value_end))| {
            (part(start, name_end), part(name_end, value_end))
        };
        starts.zip(&self.ends).map(cookie)
    }

    /// Returns the number of cookies, counting a name as often as it was sent.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, RequestCookies};
    /// let cookies = RequestCookies::parse([b"a=1; a=2".as_slice()], Grammar::Strict);
    /// assert_eq!(cookies.len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether the request has no cookies.
    ///
    /// ```
    /// assert!(carafe_core::cookie::RequestCookies::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn push(&mut self, pair: Pair<'_>) {
        let Ok(name) = std::str::from_utf8(pair.name()) else {
            return;
        };
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(&String::from_utf8_lossy(&pair.value()));
        self.ends.push((name_end, self.text.len()));
    }
}

impl fmt::Debug for RequestCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestCookies ")?;
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}
