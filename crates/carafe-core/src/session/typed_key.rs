//! Session keys with the type of their value.

use std::{fmt, marker::PhantomData};

/// A key of a session together with the type of its value.
///
/// Usable wherever a session takes a key. Declare it once as a constant, and the compiler checks
/// the type of every use.
///
/// ```
/// use carafe_core::session::{Key, Session, SessionError};
///
/// const CART: Key<Vec<String>> = Key::new("cart");
///
/// # fn handler(session: &Session) -> Result<(), SessionError> {
/// let mut cart = session.get(CART)?.unwrap_or_default();
/// cart.push("tea".to_owned());
/// session.insert(CART, &cart)?;
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// # use carafe_core::session::{Key, Session};
/// # const CART: Key<Vec<String>> = Key::new("cart");
/// # fn handler(session: &Session) {
/// session.insert(CART, &42); // not the type of the key
/// # }
/// ```
pub struct Key<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// Returns the key with this name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let value = PhantomData;
        Self { name, value }
    }

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.name).finish()
    }
}

/// The name of a value in a session: a string, or a [`Key`].
///
/// ```
/// use carafe_core::session::{Key, KeyName};
///
/// const CART: Key<Vec<String>> = Key::new("cart");
/// let owned = String::from("theme");
/// assert_eq!((CART.as_name(), "cart".as_name(), (&owned).as_name()), ("cart", "cart", "theme"));
/// ```
pub trait KeyName: Copy {
    /// Returns the name.
    fn as_name(&self) -> &str;
}

/// The name of a `T` in a session: a string, which is valid for every type, or a [`Key<T>`](Key).
///
/// ```
/// use carafe_core::session::{Key, KeyOf};
///
/// fn name<T>(key: impl KeyOf<T>) -> String {
///     key.as_name().to_owned()
/// }
///
/// const VISITS: Key<u64> = Key::new("visits");
/// assert_eq!(name::<u64>(VISITS), "visits");
/// assert_eq!(name::<Vec<String>>("cart"), "cart", "a string is valid for every type");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session key for a value of type `{T}`",
    note = "a key is text, or a `Key<T>` with the type of the value"
)]
pub trait KeyOf<T: ?Sized>: KeyName {}

// Not implemented for `String`, because Clippy would then suggest a move in existing calls.
impl KeyName for &str {
    fn as_name(&self) -> &str {
        self
    }
}

impl KeyName for &&str {
    fn as_name(&self) -> &str {
        self
    }
}

impl KeyName for &String {
    fn as_name(&self) -> &str {
        self
    }
}

impl<T> KeyName for Key<T> {
    fn as_name(&self) -> &str {
        self.name
    }
}

impl<T> KeyName for &Key<T> {
    fn as_name(&self) -> &str {
        self.name
    }
}

impl<T: ?Sized> KeyOf<T> for &str {}
impl<T: ?Sized> KeyOf<T> for &&str {}
impl<T: ?Sized> KeyOf<T> for &String {}
impl<T> KeyOf<T> for Key<T> {}
impl<T> KeyOf<T> for &Key<T> {}
