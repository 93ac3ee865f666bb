//! Requests of one session, like those of an application.

use std::sync::Arc;

use anyhow::{Context, Result};
use carafe_core::{
    clock::Timestamp,
    session::{ServerSide, Session, SessionConfig, SessionManager},
    store::ErasedStore,
};

#[derive(Clone)]
pub(crate) struct Site(Arc<SessionManager>);

impl Site {
    pub(crate) fn new(store: Arc<dyn ErasedStore>) -> Result<Self> {
        let side = ServerSide::shared(store);
        let manager = SessionManager::new(side, SessionConfig::development())?;
        Ok(Self(Arc::new(manager)))
    }

    pub(crate) fn manager(&self) -> &SessionManager {
        &self.0
    }

    /// Sends a request with this `Cookie` header, which is empty for a new visitor. Returns the
    /// result of `handler`, and the `Cookie` header after the response if the response sets a
    /// cookie.
    pub(crate) async fn visit<R>(
        &self,
        cookie: &str,
        handler: impl FnOnce(&Session) -> Result<R>,
    ) -> Result<(R, Option<String>)> {
        let (slot, now) = (self.0.begin(), Timestamp::now());
        let session = self.0.open(&slot, [cookie.as_bytes()], now).await?;
        let result = handler(&session)?;
        let effects = self.0.commit(&slot, [], 200, now).await?;
        let line = |header: String| header.split(';').next().map(str::to_owned);
        Ok((result, effects.set_cookie.and_then(line)))
    }

    /// Creates a session with `fill`; returns its cookie.
    pub(crate) async fn begin(&self, fill: impl FnOnce(&Session) -> Result<()>) -> Result<String> {
        let ((), cookie) = self.visit("", fill).await?;
        cookie.context("a new session has a cookie")
    }
}
