//! The service, which inserts a slot for the session into each request.

use std::{
    iter,
    sync::Arc,
    task::{Context, Poll},
};

use carafe_core::session::SessionManager;
use http::{HeaderName, HeaderValue, Request, Response, header};
use tower_service::Service;

use crate::ResponseFuture;

/// Fetch Metadata: distinguishes navigations from requests of scripts.
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The service created by [`SessionLayer`](crate::SessionLayer).
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    manager: Arc<SessionManager>,
}

impl<S> SessionService<S> {
    pub(crate) const fn new(inner: S, manager: Arc<SessionManager>) -> Self {
        Self { inner, manager }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SessionService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: Default,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResponseBody, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let slot = self.manager.begin();
        let mode = request.headers().get(FETCH_MODE);
        slot.set_fetch_mode(mode.map(HeaderValue::as_bytes));
        slot.note_token(request.headers());
        // Cloning a header value shares its bytes. Lazy, because the lines are rarely kept.
        let cookies = iter::once(request.headers())
            .flat_map(|headers| headers.get_all(header::COOKIE))
            .cloned();
        let cookies = self.manager.kept(cookies);
        request.extensions_mut().insert(slot.clone());
        ResponseFuture::new(self.inner.call(request), slot, cookies)
    }
}
