//! The middleware: puts a slot into each request.

use std::{
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::header,
};
use carafe_core::{
    cookie::CookieError,
    session::{SessionConfig, SessionManager, Side},
};

use crate::ResponseFuture;

/// Gives the handlers of an `App` or a `Scope` sessions. Make one, and clone it for each worker.
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
    /// Sessions under [`SessionConfig::default`].
    #[must_use]
    pub fn new(side: impl Into<Side>) -> Self {
        Self::with_config(side, SessionConfig::default())
            .expect("the default configuration is good")
    }

    /// Sessions under rules of your own.
    ///
    /// # Errors
    /// [`CookieError`] if browsers would refuse the cookie, with what to change.
    pub fn with_config(side: impl Into<Side>, config: SessionConfig) -> Result<Self, CookieError> {
        Ok(Self {
            manager: Arc::new(SessionManager::new(side, config)?),
        })
    }

    /// What the middleware asks; share it to change the lifetime while running.
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

/// A service whose handlers can take sessions. Made by [`SessionMiddleware`].
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
        // Values are shared, not copied.
        let cookies = request.headers().get_all(header::COOKIE).cloned();
        let cookies = self.manager.kept(cookies);
        request.extensions_mut().insert(slot.clone());
        ResponseFuture::new(self.inner.call(request), slot, cookies)
    }
}
