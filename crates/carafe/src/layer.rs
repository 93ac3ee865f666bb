//! The layer: configuration that clones.

use std::sync::Arc;

use carafe_core::{
    cookie::CookieError,
    session::{SessionConfig, SessionManager, Side},
};
use tower_layer::Layer;

use crate::SessionService;

/// Gives the routes inside it sessions. Add it after the routes: `Router::layer` covers what is there.
///
/// ```
/// use axum::{Router, routing::get};
/// use carafe::{ClientSide, SecretKey, Session, SessionConfig, SessionLayer};
///
/// let key = SecretKey::short("flask-spec-secret")?;
/// let layer = SessionLayer::with_config(ClientSide::signed(key), SessionConfig::flask())?;
/// let app: Router = Router::new()
///     .route("/", get(async |session: Session| session.len().to_string()))
///     .layer(layer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer {
    manager: Arc<SessionManager>,
}

impl SessionLayer {
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

    /// What the layer asks; share it to change the lifetime while running.
    #[must_use]
    pub fn manager(&self) -> &Arc<SessionManager> {
        &self.manager
    }
}

impl From<Arc<SessionManager>> for SessionLayer {
    fn from(manager: Arc<SessionManager>) -> Self {
        Self { manager }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(inner, Arc::clone(&self.manager))
    }
}
