//! Maps the driver's errors to those of the contract.

use carafe_core::store::{StoreError, redacted};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Returns the contract's error for `error`.
pub(crate) fn store_error(error: RedisError) -> StoreError {
    // An error inside a script has its own code since Redis 7, and is part of the text before that.
    let says = |word: &str| {
        error.code() == Some(word) || error.detail().is_some_and(|text| text.contains(word))
    };
    if says("WRONGTYPE") || error.kind() == ErrorKind::UnexpectedReturnType {
        StoreError::corrupt(redacted(error))
    } else if says("invalid bulk length") || says("invalid multibulk length") {
        // More than `proto-max-bulk-len`. The server closes the connection.
        StoreError::unstorable(redacted(error))
    } else if says("OOM") {
        StoreError::Full
    } else {
        StoreError::unavailable(redacted(error))
    }
}

/// Returns whether the connection was lost, so that it is unknown whether the command was executed.
pub(crate) fn is_lost(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse)
}

/// Returns whether the server rejected the command before executing it and a retry may succeed,
/// because a cluster is resharding or a fail-over is in progress.
pub(crate) fn is_retryable(error: &RedisError) -> bool {
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

/// Returns whether the script is missing in the server's script cache.
pub(crate) fn is_no_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
