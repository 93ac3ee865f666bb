//! The values of one name, over all `Cookie` lines: the way every request with a session takes.
//!
//! A browser sends cookies of one name and several paths or domains in an order that nobody should trust
//! (RFC 6265bis §4.2.2), and a neighbour domain can add its own ("cookie tossing"), so that the caller gets up to
//! four to choose from. Never copies an unquoted value, never decides between two.

use std::{borrow::Cow, fmt, ops::Deref};

use super::{Grammar, parse::each_pair};

/// The most values of one name that are looked at.
pub const MAX_CANDIDATES: usize = 4;

/// Up to [`MAX_CANDIDATES`] values of one name, in the order they were sent. A slice of bytes
/// each; `Debug` shows only how many.
#[derive(Clone, Default)]
pub struct Candidates<'h> {
    values: [Cow<'h, [u8]>; MAX_CANDIDATES],
    count: usize,
}

/// The values of the cookies called `name`, from all `Cookie` header lines of a request in order.
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
    each_pair(headers, grammar, |pair| {
        if pair.name() == name.as_bytes()
            && let Some(place) = found.values.get_mut(found.count)
        {
            *place = pair.value();
            found.count += 1;
        }
    });
    found
}

impl<'h> Deref for Candidates<'h> {
    type Target = [Cow<'h, [u8]>];

    fn deref(&self) -> &Self::Target {
        // `count` slots were filled, one by one.
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
