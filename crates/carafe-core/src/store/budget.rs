//! One deadline for all consecutive store calls of a request.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use super::{ErasedStore, StoreError};

/// Runs `work`, which calls `store`, within the store's [`budget`](ErasedStore::budget).
///
/// Returns the budget's error once the budget is exceeded. Work that never waits needs no timer.
/// Work that exceeds the budget is dropped, as if the client had disconnected.
pub(crate) async fn with_budget<T>(
    store: &dyn ErasedStore,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let (mut work, mut budget) = (pin!(work), None);
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(done);
        }
        match budget.get_or_insert_with(|| store.budget()) {
            Some(budget) => budget.as_mut().poll(context).map(Err),
            None => Poll::Pending,
        }
    })
    .await
}
