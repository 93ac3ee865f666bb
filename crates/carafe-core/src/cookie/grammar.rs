//! The two grammars with which Flask applications read a `Cookie` header.

/// The grammar of a `Cookie` header.
///
/// Both grammars parse cookies written by Flask or Carafe in the same way.
///
/// The grammars differ for cookies of other writers whose values contain a space or an unbalanced
/// quotation mark, such as `a=b c` or `a={"k":1}`.
///
/// ```
/// use carafe_core::cookie::{Grammar, pairs};
/// let header = b"a=b c; session=x";
/// assert_eq!(pairs(header, Grammar::Strict).count(), 1);
/// assert_eq!(pairs(header, Grammar::Lenient).count(), 2);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Grammar {
    /// Werkzeug 3.1.9: malformed text is dropped up to the next `;`.
    #[default]
    Strict,
    /// Werkzeug 2.3 to 3.1.8: a value extends to the next `;`.
    Lenient,
}
