//! Session writes after the response's head was sent.

use std::{
    convert::Infallible,
    future::ready,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use actix_web::{
    App, HttpResponse,
    body::{BodySize, MessageBody},
    test::init_service,
    web,
};
use carafe_actix::{Session, SessionError};

use super::{flask, get, request};

/// A body that writes to the session when it is polled.
struct Late {
    session: Option<Session>,
    found: Arc<Mutex<Option<Result<(), SessionError>>>>,
}

impl MessageBody for Late {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        Poll::Ready(self.session.take().map(|session| {
            *self.found.lock().unwrap() = Some(session.insert("late", &1));
            Ok(web::Bytes::from_static(b"streamed"))
        }))
    }
}

/// The write fails instead of being lost silently.
#[actix_web::test]
async fn a_write_in_a_streamed_body_is_an_error() {
    let found = Arc::default();
    let handler = {
        let found = Arc::clone(&found);
        move |session: Session| {
            let written = session.insert("before", &1);
            let body = Late {
                session: Some(session),
                found: Arc::clone(&found),
            };
            ready(written.map(|()| HttpResponse::Ok().body(body)))
        }
    };
    let app = App::new().wrap(flask()).route("/", web::get().to(handler));
    let answer = get(&init_service(app).await, request("/", &[]).to_request()).await;
    assert_eq!(answer.body, "streamed");
    assert!(answer.pair().starts_with("session=eyJ"));
    let found = found.lock().unwrap();
    assert!(
        matches!(*found, Some(Err(SessionError::AlreadySent))),
        "{found:?}"
    );
}
