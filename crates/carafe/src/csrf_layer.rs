//! The layer that rejects cross-site requests.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use carafe_core::{
    csrf::{CsrfPolicy, OriginHeaders, check},
    session::Slot,
};
use carafe_tokio::Checked;
use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

/// A layer that rejects cross-site requests that may change state, with a 403.
///
/// Add it before the [`SessionLayer`](crate::SessionLayer), so that it runs inside. Requests with a
/// bearer token or a session header are then accepted, because browsers do not send these
/// automatically. Outside of a session layer, all requests are checked.
///
/// ```
/// use axum::{Router, routing::post};
/// use carafe::{ClientSide, CsrfLayer, CsrfPolicy, SecretKey, SessionLayer};
///
/// # let key = SecretKey::short("flask-spec-secret")?;
/// let app: Router = Router::new()
///     .route("/order", post(async || "ordered"))
///     .layer(CsrfLayer::new(CsrfPolicy::new()))
///     .layer(SessionLayer::new(ClientSide::encrypted(key, "shop")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsrfLayer {
    policy: Arc<CsrfPolicy>,
}

impl CsrfLayer {
    /// Creates a layer.
    #[must_use]
    pub fn new(policy: CsrfPolicy) -> Self {
        let policy = Arc::new(policy);
        Self { policy }
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let policy = Arc::clone(&self.policy);
        CsrfService { inner, policy }
    }
}

/// The service created by [`CsrfLayer`].
#[derive(Clone, Debug)]
pub struct CsrfService<S> {
    inner: S,
    policy: Arc<CsrfPolicy>,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for CsrfService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: Default,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = Checked<S::Future, Result<Response<ResponseBody>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        let headers = OriginHeaders::of(request.headers(), authority);
        let slot = request.extensions().get::<Slot>();
        match check(request.method().as_str(), &headers, slot, &self.policy) {
            Ok(()) => Checked::passed(self.inner.call(request), std::convert::identity),
            Err(refused) => {
                let mut response = Response::new(ResponseBody::default());
                let status = StatusCode::from_u16(refused.answer(response.headers_mut()));
                *response.status_mut() = status.unwrap_or(StatusCode::FORBIDDEN);
                Checked::refused(Ok(response))
            }
        }
    }
}
