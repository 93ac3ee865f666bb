//! axum without sessions: the floor, and an idle layer.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, http::Request, routing::get};
use tower::{Service, layer::layer_fn};

/// Returns a service without a layer.
pub(crate) fn bare() -> Router {
    let ok = || get(async || super::OK);
    super::routes(ok(), ok(), ok(), ok(), ok())
}

/// Returns a service with an idle layer: the cost of any axum layer.
pub(crate) fn with_idle_layer() -> Router {
    let shared = Arc::new(());
    bare().layer(layer_fn(move |inner| Idle {
        inner,
        _shared: Arc::clone(&shared),
    }))
}

/// Forwards every request.
///
/// Shares a value with its clones, as every layer with a configuration does: axum clones the layer
/// for each request.
#[derive(Clone)]
struct Idle<S> {
    inner: S,
    _shared: Arc<()>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Idle<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.inner.call(request)
    }
}
