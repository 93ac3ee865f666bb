//! Which of the two readings of a `Cookie` header Flask applications have.

/// How a `Cookie` header is read. For cookies that Flask or Carafe wrote, both read the same.
///
/// They differ on what somebody else wrote: a value with a blank or a stray quotation mark, such as `a=b c` or `a={"k":1}`.
///
/// ```
/// use carafe_core::cookie::{Grammar, pairs};
/// let header = b"a=b c; session=x";
/// assert_eq!(pairs(header, Grammar::Strict).count(), 1);
/// assert_eq!(pairs(header, Grammar::Lenient).count(), 2);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Grammar {
    /// Werkzeug 3.1.9: what is not well-formed is dropped up to the next `;`.
    #[default]
    Strict,
    /// Werkzeug 2.3 to 3.1.8: a value is whatever stands before the next `;`.
    Lenient,
}
