//! Object-safe forms of the traits of stores.
//!
//! The traits have `async` methods, which trait objects cannot have. Each trait has an object-safe
//! form, which every type that implements the trait has as well.

use super::StoreError;
use crate::future::{MaybeReady, poll_once};

/// Declares the object-safe form of a trait, and implements it for every type that has the trait.
///
/// The futures of the methods after `async` are boxed, or polled once if `never_waits`. The methods
/// after `sync` state their value, from the store `S` and a name for it.
macro_rules! erased {
    (
        $(#[$doc:meta])*
        trait $Erased:ident: $Trait:ident, never_waits: $never_waits:expr;
        async { $(fn $call:ident($($arg:ident: $type:ty),*) -> $Output:ty;)* }
        sync { $($(#[$about:meta])* fn $ask:ident($store:ident) -> $Answer:ty { $answer:expr })* }
    ) => {
        $(#[$doc])*
        pub trait $Erased: Send + Sync + 'static {
            $(
                #[doc = concat!("[`", stringify!($Trait), "::", stringify!($call), "`].")]
                fn $call<'a>(&'a self, $($arg: $type),*) -> $crate::future::MaybeReady<'a, Result<$Output, StoreError>>;
            )*
            $(
                $(#[$about])*
                fn $ask(&self) -> $Answer;
            )*
        }

        impl<S: $Trait> $Erased for S {
            $(
                fn $call<'a>(&'a self, $($arg: $type),*) -> $crate::future::MaybeReady<'a, Result<$Output, StoreError>> {
                    $crate::store::erase::erase($never_waits, || <S as $Trait>::$call(self, $($arg),*))
                }
            )*
            $(
                fn $ask(&self) -> $Answer {
                    let $store = self;
                    $answer
                }
            )*
        }
    };
}

pub(super) use erased;

/// Polls the future once if it never waits, and boxes it otherwise.
pub(super) fn erase<'a, T, F>(
    never_waits: bool,
    make: impl FnOnce() -> F,
) -> MaybeReady<'a, Result<T, StoreError>>
where
    T: Send + 'a,
    F: Future<Output = Result<T, StoreError>> + Send + 'a,
{
    match never_waits {
        true => MaybeReady::now(poll_once(make).unwrap_or_else(|| {
            Err(StoreError::unavailable(
                "a store whose NEVER_WAITS is true has waited",
            ))
        })),
        false => MaybeReady::later(make()),
    }
}
