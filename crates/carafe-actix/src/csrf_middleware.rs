//! The middleware that rejects cross-site requests.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::StatusCode,
};
use carafe_core::{
    csrf::{CsrfPolicy, OriginHeaders, check},
    session::Slot,
};
use carafe_tokio::Checked;

/// A middleware that rejects cross-site requests that may change state, with a 403.
///
/// Register it before the [`SessionMiddleware`](crate::SessionMiddleware), so that it runs inside.
/// Requests with a bearer token or a session header are then accepted, because browsers do not send
/// these automatically. Outside of a session middleware, all requests are checked.
///
/// ```
/// use actix_web::{App, web};
/// use carafe_actix::{ClientSide, CsrfMiddleware, CsrfPolicy, SecretKey, SessionMiddleware};
///
/// let key = SecretKey::short("flask-spec-secret")?;
/// let sessions = SessionMiddleware::new(ClientSide::encrypted(key, "shop"));
/// let csrf = CsrfMiddleware::new(CsrfPolicy::new());
/// let app = move || {
///     App::new()
///         .wrap(csrf.clone())
///         .wrap(sessions.clone())
///         .route("/order", web::post().to(async || "ordered"))
/// };
/// # let _ = app();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsrfMiddleware {
    policy: Arc<CsrfPolicy>,
}

impl CsrfMiddleware {
    /// Creates a middleware.
    #[must_use]
    pub fn new(policy: CsrfPolicy) -> Self {
        let policy = Arc::new(policy);
        Self { policy }
    }
}

impl<S, B> Transform<S, ServiceRequest> for CsrfMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = CsrfService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let policy = Arc::clone(&self.policy);
        ready(Ok(CsrfService { inner, policy }))
    }
}

/// The service created by [`CsrfMiddleware`].
#[derive(Debug)]
pub struct CsrfService<S> {
    inner: S,
    policy: Arc<CsrfPolicy>,
}

impl<S, B> Service<ServiceRequest> for CsrfService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Checked<S::Future, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let slot = request.extensions().get::<Slot>().cloned();
        let authority = request.uri().authority();
        let authority = authority.map(actix_web::http::uri::Authority::as_str);
        let headers = OriginHeaders::of(request.headers(), authority);
        let method = request.method().as_str();
        match check(method, &headers, slot.as_ref(), &self.policy) {
            Ok(()) => Checked::passed(self.inner.call(request), |answer| {
                answer.map(ServiceResponse::map_into_left_body)
            }),
            Err(refused) => {
                let mut response = HttpResponse::new(StatusCode::FORBIDDEN);
                let status = StatusCode::from_u16(refused.answer(response.headers_mut()));
                *response.status_mut() = status.unwrap_or(StatusCode::FORBIDDEN);
                let response = request.into_response(response.map_into_right_body());
                Checked::refused(Ok(response))
            }
        }
    }
}
