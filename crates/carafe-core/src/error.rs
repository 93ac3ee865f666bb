//! Responsibility for errors, and the text of an error with its causes.
//!
//! An error's own text says what failed. The causes are in `source()` and are printed once, by
//! [`ErrorChain`].
//!
//! ```
//! use carafe_core::error::{ErrorChain, Fault};
//! use carafe_core::session::SessionError;
//! use carafe_core::store::StoreError;
//!
//! let error = SessionError::Store(StoreError::unavailable("connection refused"));
//! assert_eq!((error.fault(), error.status()), (Fault::Store, 503));
//! let text = "the session store failed: the session store is unavailable: connection refused";
//! assert_eq!(ErrorChain::of(&error).to_string(), text);
//! ```

use std::{error::Error, fmt};

/// The party that is responsible for an error.
///
/// Only [`Fault::Store`] counts as an outage: `carafe::Guarded` counts no other fault, and no other
/// error results in `503` and `Retry-After`.
///
/// ```
/// use carafe_core::error::Fault;
/// use carafe_core::store::StoreError;
///
/// let outage = StoreError::unavailable("connection refused");
/// assert_eq!(outage.fault(), Fault::Store);
/// let too_large = StoreError::TooLarge { size: 70_000, limit: 65_536 };
/// assert_eq!(too_large.fault(), Fault::Data, "a retry would fail in the same way");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The program requests an unsupported operation, such as one that its store lacks.
    Caller,
    /// The session's content cannot be stored or read. A retry fails in the same way.
    Data,
    /// Another request has changed a value that this request relies on.
    ///
    /// This also covers changes that a rule of the application rejects.
    Conflict,
    /// The store or the machine has failed, independent of the operation. A retry may succeed.
    Store,
}

impl Fault {
    /// Returns the status of the response to a request that fails.
    ///
    /// The status is 503 for [`Fault::Store`], together with `Retry-After`, 409 for
    /// [`Fault::Conflict`] and 500 for the others.
    ///
    /// ```
    /// use carafe_core::error::Fault;
    ///
    /// assert_eq!(Fault::Caller.status(), 500);
    /// assert_eq!(Fault::Data.status(), 500);
    /// assert_eq!(Fault::Conflict.status(), 409);
    /// assert_eq!(Fault::Store.status(), 503);
    /// ```
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Caller | Self::Data => 500,
            Self::Conflict => 409,
            Self::Store => 503,
        }
    }
}

/// The operating system returned no random bytes. No weaker source is used instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system returned no random bytes")
    }
}

impl Error for NoRandomness {}

/// Displays an error's text followed by the text of each of its causes.
///
/// A cause is omitted if its text is already included, because errors of other crates often repeat
/// their causes.
///
/// ```
/// use carafe_core::{error::ErrorChain, store::StoreError};
///
/// let error = StoreError::unavailable("connection refused");
/// assert_eq!(error.to_string(), "the session store is unavailable");
/// assert_eq!(
///     ErrorChain::of(&error).to_string(),
///     "the session store is unavailable: connection refused"
/// );
/// ```
#[derive(Clone, Copy)]
pub struct ErrorChain<'e>(&'e (dyn Error + 'static));

impl<'e> ErrorChain<'e> {
    /// Creates the chain that begins with `error`.
    ///
    /// ```
    /// use carafe_core::error::ErrorChain;
    /// use carafe_core::store::StoreError;
    ///
    /// let error = StoreError::unavailable("connection refused");
    /// assert_eq!(error.to_string(), "the session store is unavailable");
    /// assert_eq!(
    ///     ErrorChain::of(&error).to_string(),
    ///     "the session store is unavailable: connection refused",
    /// );
    /// ```
    #[must_use]
    pub fn of(error: &'e (dyn Error + 'static)) -> Self {
        Self(error)
    }
}

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut next = self.0.source();
        while let Some(error) = next {
            let cause = error.to_string();
            if !text.contains(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
            next = error.source();
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
