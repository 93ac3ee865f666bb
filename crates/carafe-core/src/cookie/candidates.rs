//! The values of one cookie name over all `Cookie` lines, as read by every request with a session.
//!
//! Browsers send cookies of one name with several paths or domains in an order that servers should
//! not rely on (RFC 6265bis §4.2.2), and a sibling domain can add its own cookie ("cookie
//! tossing"). The caller therefore receives up to four values to choose from. Unquoted values are
//! never copied, and this module does not choose between values.

use std::{borrow::Cow, fmt, ops::Deref};

use super::{Grammar, parse::each_pair};

/// Maximum number of values of one name that are read.
pub const MAX_CANDIDATES: usize = 4;

/// Up to [`MAX_CANDIDATES`] values of one name, in the order of the header, as byte slices.
///
/// `Debug` shows only the number of values.
///
/// ```
/// use carafe_core::cookie::{Grammar, values_of};
///
/// let header: &[u8] = b"sid=one; theme=dark; sid=two";
/// let values = values_of([header], "sid", Grammar::Strict);
/// assert_eq!(values.len(), 2);
/// assert_eq!(values[0].as_ref(), b"one");
/// assert_eq!(format!("{values:?}"), "Candidates { count: 2, .. }");
/// ```
#[derive(Clone, Default)]
pub struct Candidates<'h> {
    values: [Cow<'h, [u8]>; MAX_CANDIDATES],
    count: usize,
    /// The last value of the request, if it exceeds the capacity of `values`.
    beyond: Option<Cow<'h, [u8]>>,
}

impl<'h> Candidates<'h> {
    /// Returns a single value.
    pub(crate) fn of(value: &'h [u8]) -> Self {
        let mut candidates = Self::default();
        candidates.values[0] = Cow::Borrowed(value);
        candidates.count = 1;
        candidates
    }
}

impl Candidates<'_> {
    /// Returns whether the request has more than [`MAX_CANDIDATES`] values of the name.
    ///
    /// The values beyond the limit are not read, so the value that the application has set may be
    /// missing.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, values_of};
    /// let values = values_of([b"s=1; s=2; s=3; s=4; s=5".as_slice()], "s", Grammar::Strict);
    /// assert!(values.exceeds());
    /// assert_eq!(values.len(), 4);
    /// ```
    #[must_use]
    pub const fn exceeds(&self) -> bool {
        self.beyond.is_some()
    }

    /// Returns the last value of the request, regardless of the limit.
    ///
    /// ```
    /// use carafe_core::cookie::{Grammar, values_of};
    /// let values = values_of([b"s=1; s=2; s=3; s=4; s=5".as_slice()], "s", Grammar::Strict);
    /// assert_eq!(values.sent_last(), Some(b"5".as_slice()));
    /// ```
    #[must_use]
    pub fn sent_last(&self) -> Option<&[u8]> {
        let last = self.beyond.as_ref().or_else(|| self.last());
        last.map(AsRef::as_ref)
    }
}

/// Returns the values of the cookies `name`, from all `Cookie` header lines of a request in order.
///
/// Names are compared byte for byte. Nothing is allocated unless a value has escapes.
///
/// ```
/// use carafe_core::cookie::{Grammar, values_of};
/// let lines = [b"a=1; session=x".as_slice(), b"session=y; Session=z"];
/// let values = values_of(lines, "session", Grammar::Strict);
/// assert_eq!(values.len(), 2);
/// assert_eq!(values.first().unwrap().as_ref(), b"x");
/// ```
#[must_use]
pub fn values_of<'h>(
    headers: impl IntoIterator<Item = &'h [u8]>,
    name: &str,
    grammar: Grammar,
) -> Candidates<'h> {
    let mut found = Candidates::default();
    found.read(headers, (name, None), grammar);
    found
}

impl<'h> Candidates<'h> {
    /// Adds the values of the cookies `name`. Returns whether the request has a cookie with the
    /// name `other`.
    pub(crate) fn read<'c: 'h>(
        &mut self,
        headers: impl IntoIterator<Item = &'c [u8]>,
        (name, other): (&str, Option<&str>),
        grammar: Grammar,
    ) -> bool {
        let mut has_other = false;
        each_pair(headers, grammar, |pair| {
            if pair.name() != name.as_bytes() {
                has_other |= other.is_some_and(|other| pair.name() == other.as_bytes());
                return;
            }
            match self.values.get_mut(self.count) {
                Some(place) => {
                    *place = pair.value();
                    self.count += 1;
                }
                None => self.beyond = Some(pair.value()),
            }
        });
        has_other
    }
}

impl<'h> Deref for Candidates<'h> {
    type Target = [Cow<'h, [u8]>];

    fn deref(&self) -> &Self::Target {
        // The first `count` slots are filled.
        self.values.get(..self.count).unwrap_or_default()
    }
}

impl fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidates")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
