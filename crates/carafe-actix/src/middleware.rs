//! The middleware, which inserts a slot for the session into each request.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::header::{self, HeaderName, HeaderValue},
};
use carafe_core::{
    cookie::CookieError,
    session::{SessionBackend, SessionConfig, SessionManager},
};

use crate::ResponseFuture;

/// A middleware that provides sessions to the handlers of an `App` or a `Scope`.
///
/// Create it once and clone it for each worker.
///
/// ```
/// use actix_web::{App, web};
/// use carafe_actix::{ClientSide, SecretKey, Session, SessionConfig, SessionMiddleware};
///
/// let key = SecretKey::short("flask-spec-secret")?;
/// let sessions = SessionMiddleware::with_config(ClientSide::signed(key), SessionConfig::flask())?;
/// let app = move || {
///     App::new()
///         .wrap(sessions.clone())
///         .route("/", web::get().to(async |session: Session| session.len().to_string()))
/// };
/// # let _ = app();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionMiddleware {
    manager: Arc<SessionManager>,
}

impl SessionMiddleware {
    /// Creates a middleware with [`SessionConfig::default`].
    #[must_use]
    pub fn new(side: impl Into<SessionBackend>) -> Self {
        Self::with_config(side, SessionConfig::default())
            .expect("the default configuration is good")
    }

    /// Creates a middleware with the given configuration.
    ///
    /// # Errors
    ///
    /// Returns [`CookieError`], with the required change, if browsers would reject the cookie.
    pub fn with_config(
        side: impl Into<SessionBackend>,
        config: SessionConfig,
    ) -> Result<Self, CookieError> {
        Ok(Self {
            manager: Arc::new(SessionManager::new(side, config)?),
        })
    }

    /// Returns the middleware's session manager. Use it to change the lifetime at run time.
    #[must_use]
    pub fn manager(&self) -> &Arc<SessionManager> {
        &self.manager
    }
}

impl From<Arc<SessionManager>> for SessionMiddleware {
    fn from(manager: Arc<SessionManager>) -> Self {
        Self { manager }
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let manager = Arc::clone(&self.manager);
        ready(Ok(SessionService { inner, manager }))
    }
}

/// Fetch Metadata: distinguishes navigations from requests of scripts.
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The service created by [`SessionMiddleware`], which provides sessions to its handlers.
#[derive(Debug)]
pub struct SessionService<S> {
    inner: S,
    manager: Arc<SessionManager>,
}

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, B>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let slot = self.manager.begin();
        let mode = request.headers().get(FETCH_MODE);
        slot.set_fetch_mode(mode.map(HeaderValue::as_bytes));
        slot.note_token(request.headers());
        // Cloning a header value shares its bytes.
        let cookies = request.headers().get_all(header::COOKIE).cloned();
        let cookies = self.manager.kept(cookies);
        request.extensions_mut().insert(slot.clone());
        ResponseFuture::new(self.inner.call(request), slot, cookies)
    }
}
