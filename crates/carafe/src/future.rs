//! The end of a request: commits the session before the response's head leaves.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    clock::Timestamp,
    cookie::positions_setting,
    session::{Effects, Slot, vary_with_cookie},
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, header::Entry};
use pin_project_lite::pin_project;

pin_project! {
    /// The response of [`SessionService`](crate::SessionService).
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        slot: Slot,
        cookies: Vec<HeaderValue>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) const fn new(inner: F, slot: Slot, cookies: Vec<HeaderValue>) -> Self {
        Self {
            inner,
            slot,
            cookies,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(context))?;
        Poll::Ready(Ok(committed(response, this.slot, this.cookies)))
    }
}

fn committed<B: Default>(
    mut response: Response<B>,
    slot: &Slot,
    cookies: &[HeaderValue],
) -> Response<B> {
    let manager = slot.manager();
    let used = slot.is_open();
    if !used && !manager.commits_untouched() {
        manager.close(slot);
        return response;
    }
    let lines = cookies.iter().map(HeaderValue::as_bytes);
    match manager.commit(slot, lines, response.status().as_u16(), Timestamp::now()) {
        Ok(effects) => {
            apply(
                effects,
                response.headers_mut(),
                manager.cookie().name(),
                used,
            );
            response
        }
        Err(error) => {
            tracing::error!(
                "the session was not saved, so the response was replaced by a 500: {error}"
            );
            failed()
        }
    }
}

/// `used` says whether a handler used the session. If none did, the cookie is only refreshed, and must not
/// replace one that a session layer further inside has written or removed.
fn apply(mut effects: Effects, headers: &mut HeaderMap, cookie: &str, used: bool) {
    let values = headers.get_all(header::SET_COOKIE).iter();
    let others: Vec<_> = positions_setting(values.map(HeaderValue::as_bytes), cookie).collect();
    if !used && !others.is_empty() {
        effects.set_cookie = None;
    }
    if let Some(text) = effects.set_cookie {
        let value =
            HeaderValue::try_from(text).expect("rendered cookies have no control characters");
        drop_at(&others, headers);
        headers.append(header::SET_COOKIE, value);
    }
    if effects.vary_cookie {
        add_vary(headers);
    }
    if effects.no_store {
        let value = HeaderValue::from_static("no-store");
        headers.entry(header::CACHE_CONTROL).or_insert(value);
    }
}

/// A response has one `Set-Cookie` of a name (RFC 6265bis §4.1.1); those of other names stay, in order.
fn drop_at(positions: &[usize], headers: &mut HeaderMap) {
    if positions.is_empty() {
        return;
    }
    let all: Vec<_> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .cloned()
        .collect();
    headers.remove(header::SET_COOKIE);
    let kept = all.into_iter().enumerate();
    for (_, value) in kept.filter(|(position, _)| !positions.contains(position)) {
        headers.append(header::SET_COOKIE, value);
    }
}

fn add_vary(headers: &mut HeaderMap) {
    match headers.entry(header::VARY) {
        Entry::Vacant(vary) => _ = vary.insert(HeaderValue::from_static("Cookie")),
        Entry::Occupied(mut vary) => {
            let lines = vary.iter().filter_map(|value| value.to_str().ok());
            let merged = vary_with_cookie(lines);
            if let Some(value) = merged.and_then(|vary| HeaderValue::try_from(vary).ok()) {
                vary.insert(value);
            }
        }
    }
}

/// What the client gets when the session was not saved: nothing of the handler's answer, which would
/// claim that it was.
fn failed<B: Default>() -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
