//! The end of a request: commits the session before the response's head leaves.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    Answer,
    clock::Timestamp,
    cookie::positions_setting,
    session::{CommitError, Committing, Effects, Slot, vary_with_cookie},
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, header::Entry};
use pin_project_lite::pin_project;

use crate::saving::Saving;

pin_project! {
    /// The response of [`SessionService`](crate::SessionService).
    pub struct ResponseFuture<F, B> {
        #[pin]
        inner: F,
        slot: Slot,
        cookies: Vec<HeaderValue>,
        unsaved: Option<Box<Unsaved<B>>>,
    }
}

/// A response that waits for the store. Boxed in its future, which for most requests never needs it.
struct Unsaved<B> {
    response: Response<B>,
    used: bool,
    saving: Saving,
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) const fn new(inner: F, slot: Slot, cookies: Vec<HeaderValue>) -> Self {
        Self {
            inner,
            slot,
            cookies,
            unsaved: None,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let cookie = this.slot.manager().cookie().name();
        if this.unsaved.is_none() {
            let mut response = ready!(this.inner.poll(context))?;
            let used = this.slot.is_open();
            if !used && !this.slot.manager().commits_untouched() {
                this.slot.manager().close(this.slot);
                return Poll::Ready(Ok(response));
            }
            let manager = this.slot.manager();
            if let Some(effects) = manager.commit_read(this.slot, response.status().as_u16()) {
                apply(effects, response.headers_mut(), cookie, used);
                return Poll::Ready(Ok(response));
            }
            match begin_commit(&response, this.slot, this.cookies) {
                Answer::Now(result) => {
                    let result = result.expect("a fresh commit has its result");
                    return Poll::Ready(Ok(finished(response, used, result, cookie)));
                }
                Answer::Later(commit) => {
                    *this.unsaved = Some(Box::new(Unsaved {
                        response,
                        used,
                        saving: Saving::new(commit),
                    }));
                }
            }
        }
        let unsaved = this.unsaved.as_mut();
        let unsaved = unsaved.expect("set above, and taken only with the answer");
        let result = ready!(Pin::new(&mut unsaved.saving).poll(context));
        let Unsaved { response, used, .. } = *this.unsaved.take().expect("borrowed above");
        Poll::Ready(Ok(finished(response, used, result, cookie)))
    }
}

fn begin_commit<B>(response: &Response<B>, slot: &Slot, cookies: &[HeaderValue]) -> Committing {
    let lines = cookies.iter().map(HeaderValue::as_bytes);
    slot.manager()
        .commit(slot, lines, response.status().as_u16(), Timestamp::now())
}

fn finished<B: Default>(
    mut response: Response<B>,
    used: bool,
    result: Result<Effects, CommitError>,
    cookie: &str,
) -> Response<B> {
    match result {
        Ok(effects) => {
            apply(effects, response.headers_mut(), cookie, used);
            response
        }
        Err(error) => {
            tracing::error!("the session was not saved, so the response was replaced: {error}");
            failed(error)
        }
    }
}

/// `used` says whether a handler used the session. If none did, the cookie is only refreshed, and must not
/// replace one that a session layer further inside has written or removed.
fn apply(effects: Effects, headers: &mut HeaderMap, cookie: &str, used: bool) {
    if let Some(text) = effects.set_cookie {
        let values = headers.get_all(header::SET_COOKIE).iter();
        let others: Vec<_> = positions_setting(values.map(HeaderValue::as_bytes), cookie).collect();
        if used || others.is_empty() {
            let value =
                HeaderValue::try_from(text).expect("rendered cookies have no control characters");
            drop_at(&others, headers);
            headers.append(header::SET_COOKIE, value);
        }
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
fn failed<B: Default>(error: CommitError) -> Response<B> {
    let mut response = Response::new(B::default());
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let CommitError::Store { set_cookie, .. } = error else {
        return response;
    };
    if let Some(value) = set_cookie.and_then(|text| HeaderValue::try_from(text).ok()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}
