//! Which of the contract's errors an error of the driver is.

use carafe_core::store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// The contract's word for `error`.
pub(crate) fn typed(error: RedisError) -> StoreError {
    // What a script ran into has its own code in Redis 7 and stands in the text before that.
    let says = |word: &str| {
        error.code() == Some(word) || error.detail().is_some_and(|text| text.contains(word))
    };
    if says("WRONGTYPE") || error.kind() == ErrorKind::UnexpectedReturnType {
        StoreError::corrupt(error)
    } else if says("OOM") {
        StoreError::Full
    } else {
        StoreError::unavailable(error)
    }
}

/// Whether the connection went away, so that it is unknown whether the command took place.
pub(crate) fn is_lost(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse)
}

/// Whether the server has refused the command before it did anything, and another one would take it,
/// or the same one in a moment: a cluster or a fail-over is in motion.
pub(crate) fn is_elsewhere(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Server(
                ServerErrorKind::Moved
                    | ServerErrorKind::Ask
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::ReadOnly
            )
    )
}

/// Whether the server does not have the script (any more).
pub(crate) fn is_no_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
