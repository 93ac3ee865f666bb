//! axum without sessions: the floor, and a layer that does nothing.

use std::task::{Context, Poll};

use axum::{
    Router,
    http::{Request, StatusCode},
    routing::get,
};
use tower::Service;

/// No layer at all.
pub(crate) fn bare() -> Router {
    let ok = || get(async || StatusCode::OK);
    super::routes(ok(), ok(), ok(), ok())
}

/// The same below a layer: what axum takes for any layer, whatever it does.
pub(crate) fn with_idle_layer() -> Router {
    bare().layer(tower::layer::layer_fn(Idle))
}

/// Passes every request on.
#[derive(Clone)]
struct Idle<S>(S);

impl<S: Service<Request<B>>, B> Service<Request<B>> for Idle<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.call(request)
    }
}
