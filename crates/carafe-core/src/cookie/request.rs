//! All cookies of a request, owned: what handlers look into.
//!
//! Names are case-sensitive and the first of several counts, as in Flask's `request.cookies`. Two allocations
//! hold everything. Never shows a value in `Debug`.

use std::fmt;

use super::{
    Grammar,
    parse::{Pair, each_pair},
};

/// The cookies of a request, decoded to text.
///
/// Bytes that are no UTF-8 become U+FFFD in a value; a cookie with such a name is dropped, because no `&str` names it.
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
    /// All names and values, one after the other.
    text: String,
    /// Where in `text` each cookie's name ends and its value ends.
    ends: Vec<(usize, usize)>,
}

impl RequestCookies {
    /// Reads all `Cookie` header lines of a request, in order.
    pub fn parse<'h>(headers: impl IntoIterator<Item = &'h [u8]>, grammar: Grammar) -> Self {
        let mut cookies = Self::default();
        each_pair(headers, grammar, |pair| cookies.push(pair));
        cookies
    }

    /// The value of the first cookie called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The values of all cookies called `name`, in the order they were sent.
    pub fn get_all<'c>(&'c self, name: &str) -> impl Iterator<Item = &'c str> {
        self.iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Names and values of all cookies, in the order they were sent.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, RequestCookies};
    /// let cookies = RequestCookies::parse([b"a=1; b=2".as_slice()], Grammar::Strict);
    /// assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|&(_, value_end)| value_end));
        // `push` cut the text at these places, so the slices exist.
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let cookie = move |(start, &(name_end, value_end))| {
            (part(start, name_end), part(name_end, value_end))
        };
        starts.zip(&self.ends).map(cookie)
    }

    /// How many cookies there are, counting a name as often as it was sent.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no cookie.
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
