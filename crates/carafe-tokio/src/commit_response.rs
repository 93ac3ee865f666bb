//! Commits the session at the end of a request, before the head of the response is sent.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use carafe_core::{
    MaybeReady,
    session::{CommitError, HeaderChanges, Slot},
};
use pin_project_lite::pin_project;

use crate::detached_commit::DetachedCommit;

/// Adapts the responses of a framework; implemented by each adapter.
///
/// An adapter also implements [`ResponseHead`](carafe_core::session::ResponseHead) for the
/// framework's response head, inserts a slot into each request, and lets handlers open the slot.
/// This is a complete adapter for a framework that keeps headers in a list:
///
/// ```
/// use std::sync::Arc;
/// use carafe_core::{
///     clock::Timestamp,
///     key::SecretKey,
///     session::{
///         ClientSide, CommitError, Field, HeaderChanges, ResponseHead, Session, SessionConfig,
///         SessionManager,
///     },
/// };
/// use carafe_tokio::{CommitResponse, ResponseAdapter};
///
/// struct Response { status: u16, head: Head, body: String }
///
/// #[derive(Default)]
/// struct Head(Vec<(String, String)>);
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
///         self.0.push((name(field).to_owned(), value));
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
///     fn contains(&self, name: &str) -> bool {
///         self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
///     }
///     fn set(&mut self, name: &str, value: String) {
///         self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
///         self.0.push((name.to_owned(), value));
///     }
///     fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
///         self.0.retain(|(known, value)| *known != name(field) || keep(value.as_bytes()));
///     }
/// }
///
/// struct Lists;
///
/// impl ResponseAdapter for Lists {
///     type Inner = Response;
///     type Outer = Response;
///     type CookieLine = String;
///
///     fn status(answer: &Response) -> Option<u16> {
///         Some(answer.status)
///     }
///     fn on_commit(mut answer: Response, effects: HeaderChanges, cookie: &str) -> Response {
///         effects.apply(&mut answer.head, cookie);
///         answer
///     }
///     fn on_error(_: Response, error: CommitError) -> Response {
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
///     let (head, body) = (Head::default(), n.to_string());
///     Ok::<_, Box<dyn std::error::Error>>(Response { status: 200, head, body })
/// };
/// let handler = async { handler.await.expect("signed cookies need no store") };
/// let kept = manager.kept(cookies.iter().cloned());
/// let response = CommitResponse::<_, Lists>::new(handler, slot.clone(), kept).await;
/// assert_eq!(response.body, "1", "the cookie of another key is an empty session");
/// let set_cookie = response.head.values(Field::SetCookie).next().unwrap();
/// assert!(set_cookie.starts_with(b"session=eyJuIjoxfQ."));
/// assert!(response.head.values(Field::Vary).eq([b"Cookie"]));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ResponseAdapter {
    /// The output of the service inside the session layer.
    type Inner;
    /// The output of the session layer.
    type Outer;
    /// A value of the request's `Cookie` header.
    type CookieLine: AsRef<[u8]>;

    /// Returns the status of the response. `None` if there is no response, and then no session is
    /// committed.
    fn status(answer: &Self::Inner) -> Option<u16>;

    /// Writes `effects` into the response's head. `cookie` is the name of the session's cookie.
    fn on_commit(answer: Self::Inner, effects: HeaderChanges, cookie: &str) -> Self::Outer;

    /// Replaces the response with [the response of the error](CommitError::answer).
    fn on_error(answer: Self::Inner, error: CommitError) -> Self::Outer;
}

pin_project! {
    /// A future that resolves to the handler's response after committing its session.
    pub struct CommitResponse<F, W: ResponseAdapter> {
        #[pin]
        inner: F,
        slot: Slot,
        cookies: Vec<W::CookieLine>,
        unsaved: Option<Box<PendingCommit<W::Inner>>>,
    }

    impl<F, W: ResponseAdapter> PinnedDrop for CommitResponse<F, W> {
        /// Performs the log-out of the handler if the client has disconnected or the handler has
        /// panicked.
        fn drop(this: Pin<&mut Self>) {
            let slot = &this.slot;
            let manager = slot.manager();
            if let Some(commit) = manager.abandon(slot, || manager.time()) {
                DetachedCommit::detach(commit);
            }
        }
    }
}

/// A response that waits for the store.
///
/// Boxed to keep the future small: most requests do not need it.
struct PendingCommit<A> {
    answer: A,
    saving: DetachedCommit,
}

impl<F, W: ResponseAdapter> CommitResponse<F, W> {
    /// Creates the future from the handler's future and the slot of its request.
    ///
    /// `cookies` are the request's cookie lines, filtered by
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

impl<F, W> Future for CommitResponse<F, W>
where
    F: Future<Output = W::Inner>,
    W: ResponseAdapter,
{
    type Output = W::Outer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<W::Outer> {
        let this = self.project();
        let manager = this.slot.manager();
        let finished = |answer, result| match result {
            Ok(effects) => W::on_commit(answer, effects, manager.cookie().name()),
            Err(error) => W::on_error(answer, error),
        };
        if this.unsaved.is_none() {
            let answer = ready!(this.inner.poll(context));
            let Some(status) = W::status(&answer) else {
                return Poll::Ready(finished(answer, Ok(HeaderChanges::default())));
            };
            let lines = this.cookies.iter().map(AsRef::as_ref);
            match manager.end(this.slot, lines, status, || manager.time()) {
                MaybeReady::Now(result) => {
                    let result = result.expect("a fresh commit has its result");
                    return Poll::Ready(finished(answer, result));
                }
                MaybeReady::Later(commit) => {
                    let saving = DetachedCommit::new(commit);
                    *this.unsaved = Some(Box::new(PendingCommit { answer, saving }));
                }
            }
        }
        let unsaved = this.unsaved.as_mut();
        let unsaved = unsaved.expect("set above, and taken only with the answer");
        let result = ready!(Pin::new(&mut unsaved.saving).poll(context));
        let PendingCommit { answer, .. } = *this.unsaved.take().expect("borrowed above");
        Poll::Ready(finished(answer, result))
    }
}

impl<F, W: ResponseAdapter> fmt::Debug for CommitResponse<F, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ending(…)")
    }
}
