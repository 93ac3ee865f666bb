//! The end of a request: commits the session before the response's head leaves.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    Answer,
    clock::Timestamp,
    session::{CommitError, Effects, Slot},
};
use pin_project_lite::pin_project;

use crate::saving::Saving;

/// How a framework answers; what an adapter implements.
///
/// Beside it, an adapter says how its framework keeps a response's head
/// ([`ResponseHead`](carafe_core::session::ResponseHead)), puts a slot into each request, and lets handlers open it. This
/// is all of it for a framework whose requests and responses have their headers in a list:
///
/// ```
/// use std::sync::Arc;
/// use carafe_core::{
///     clock::Timestamp,
///     key::SecretKey,
///     session::{
///         ClientSide, CommitError, Effects, Field, ResponseHead, Session, SessionConfig, SessionManager,
///     },
/// };
/// use carafe_tokio::{Ending, Framework};
///
/// struct Response { status: u16, head: Head, body: String }
///
/// #[derive(Default)]
/// struct Head(Vec<(&'static str, String)>);
///
/// fn name(field: Field) -> &'static str {
///     match field {
///         Field::CacheControl => "Cache-Control",
///         Field::RetryAfter => "Retry-After",
///         Field::SetCookie => "Set-Cookie",
///         Field::Vary => "Vary",
///     }
/// }
///
/// impl ResponseHead for Head {
///     fn values(&self, field: Field) -> impl Iterator<Item = &[u8]> {
///         let ours = self.0.iter().filter(move |(known, _)| *known == name(field));
///         ours.map(|(_, value)| value.as_bytes())
///     }
///     fn append(&mut self, field: Field, value: String) {
///         self.0.push((name(field), value));
///     }
///     fn replace(&mut self, field: Field, value: String) {
///         self.retain(field, |_| false);
///         self.append(field, value);
///     }
///     fn set_if_absent(&mut self, field: Field, value: &'static str) -> bool {
///         let is_there = self.values(field).next().is_some();
///         if !is_there {
///             self.append(field, value.to_owned());
///         }
///         is_there
///     }
///     fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
///         self.0.retain(|(known, value)| *known != name(field) || keep(value.as_bytes()));
///     }
/// }
///
/// struct Lists;
///
/// impl Framework for Lists {
///     type Inner = Response;
///     type Outer = Response;
///     type CookieLine = String;
///
///     fn status(answer: &Response) -> Option<u16> {
///         Some(answer.status)
///     }
///     fn finished(mut answer: Response, effects: Effects, cookie: &str) -> Response {
///         effects.apply(&mut answer.head, cookie);
///         answer
///     }
///     fn failed(_: Response, error: CommitError) -> Response {
///         let mut head = Head::default();
///         let status = error.answer(&mut head);
///         Response { status, head, body: String::new() }
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// // The middleware, with a handler that counts:
/// let key = SecretKey::short("flask-spec-secret")?;
/// let manager = Arc::new(SessionManager::new(ClientSide::signed(key), SessionConfig::flask())?);
/// let cookies = vec!["session=eyJuIjo3fQ.ZVPxAA.of-another-key".to_owned()];
/// let slot = manager.begin();
/// let handler = async {
///     let lines = cookies.iter().map(String::as_bytes);
///     let session: Session = manager.open(&slot, lines, Timestamp::now()).await?;
///     let n = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
///     Ok::<_, Box<dyn std::error::Error>>(Response { status: 200, head: Head::default(), body: n.to_string() })
/// };
/// let handler = async { handler.await.expect("signed cookies need no store") };
/// let kept = manager.kept(cookies.iter().cloned());
/// let response = Ending::<_, Lists>::new(handler, slot.clone(), kept).await;
/// assert_eq!(response.body, "1", "the cookie of another key is an empty session");
/// assert!(response.head.values(Field::SetCookie).next().unwrap().starts_with(b"session=eyJuIjoxfQ."));
/// assert!(response.head.values(Field::Vary).eq([b"Cookie"]));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Framework {
    /// What the service inside the session layer gives.
    type Inner;
    /// What the session layer makes of it.
    type Outer;
    /// A value of the request's `Cookie` header.
    type CookieLine: AsRef<[u8]>;

    /// The response's status; `None` if there is no response, and so no session to commit.
    fn status(answer: &Self::Inner) -> Option<u16>;

    /// Writes `effects` into the response's head. `cookie` is the name of the session's cookie.
    fn finished(answer: Self::Inner, effects: Effects, cookie: &str) -> Self::Outer;

    /// Replaces the response by [that of the error](CommitError::answer).
    fn failed(answer: Self::Inner, error: CommitError) -> Self::Outer;
}

pin_project! {
    /// The answer of a session layer: the handler's, once its session is committed.
    pub struct Ending<F, W: Framework> {
        #[pin]
        inner: F,
        slot: Slot,
        cookies: Vec<W::CookieLine>,
        unsaved: Option<Box<Unsaved<W::Inner>>>,
    }
}

/// An answer that waits for the store. Boxed in its future, which for most requests never needs it.
struct Unsaved<A> {
    answer: A,
    saving: Saving,
}

impl<F, W: Framework> Ending<F, W> {
    /// `inner` is the handler's answer, `slot` was in its request. `cookies` are the request's, as far as
    /// [`SessionManager::kept`](carafe_core::session::SessionManager::kept).
    pub const fn new(inner: F, slot: Slot, cookies: Vec<W::CookieLine>) -> Self {
        Self {
            inner,
            slot,
            cookies,
            unsaved: None,
        }
    }
}

impl<F, W> Future for Ending<F, W>
where
    F: Future<Output = W::Inner>,
    W: Framework,
{
    type Output = W::Outer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Outer> {
        let this = self.project();
        let manager = this.slot.manager();
        let finished = |answer, result| match result {
            Ok(effects) => W::finished(answer, effects, manager.cookie().name()),
            Err(error) => W::failed(answer, error),
        };
        if this.unsaved.is_none() {
            let answer = ready!(this.inner.poll(context));
            let Some(status) = W::status(&answer) else {
                return Poll::Ready(finished(answer, Ok(Effects::default())));
            };
            let lines = this.cookies.iter().map(AsRef::as_ref);
            match manager.end(this.slot, lines, status, Timestamp::now) {
                Answer::Now(result) => {
                    let result = result.expect("a fresh commit has its result");
                    return Poll::Ready(finished(answer, result));
                }
                Answer::Later(commit) => {
                    let saving = Saving::new(commit);
                    *this.unsaved = Some(Box::new(Unsaved { answer, saving }));
                }
            }
        }
        let unsaved = this.unsaved.as_mut();
        let unsaved = unsaved.expect("set above, and taken only with the answer");
        let result = ready!(Pin::new(&mut unsaved.saving).poll(context));
        let Unsaved { answer, .. } = *this.unsaved.take().expect("borrowed above");
        Poll::Ready(finished(answer, result))
    }
}

impl<F, W: Framework> fmt::Debug for Ending<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ending(…)")
    }
}
