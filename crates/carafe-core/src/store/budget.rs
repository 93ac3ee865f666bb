//! One bound for all calls of a store that a request needs in a row.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use super::{SessionStore, StoreError};

/// What `work` gives, which calls `store`, or the error with which the store's [`budget`](SessionStore::budget) ends. Work
/// that never waits needs no timer, and what is cut off is dropped, as if the client had gone.
pub(crate) async fn within<T>(
    store: &dyn SessionStore,
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
