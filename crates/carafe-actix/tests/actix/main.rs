//! The adapter for actix-web.
//!
//! | module | asserts |
//! |---|---|
//! | `adapter` | what every adapter must do, over real HTTP |
//! | `errors` | errors of handlers and middlewares keep the session |
//! | `live` | `examples/actix_live.rs`, over server-sent events |
//! | `log` | the log events of failures, recorded for each thread |
//! | `scopes` | the middleware around a scope, twice, with other middleware |
//! | `streams` | session writes after the head was sent |

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod adapter;
mod errors;
mod live;
mod log;
mod scopes;
mod streams;

use actix_web::{
    Error,
    body::{MessageBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::{StatusCode, header::HeaderMap},
    test::TestRequest,
};
use carafe_actix::{CookiePolicy, Session, SessionConfig, SessionError, SessionMiddleware};
use carafe_test_adapters::tokens::side;

fn flask() -> SessionMiddleware {
    SessionMiddleware::with_config(side(), SessionConfig::flask()).unwrap()
}

/// Flask's preset with this cookie name.
fn named(name: &str) -> SessionMiddleware {
    let config = SessionConfig::flask().with_cookie(CookiePolicy::flask(name));
    SessionMiddleware::with_config(side(), config).unwrap()
}

/// The safe preset, which requires TLS in browsers; these tests use no browser.
fn safe() -> SessionMiddleware {
    SessionMiddleware::new(side())
}

async fn count(session: Session) -> Result<String, SessionError> {
    let count = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1)?;
    Ok(count.to_string())
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name);
        values.map(|value| value.to_str().unwrap()).collect()
    }

    fn set_cookies(&self) -> Vec<&str> {
        self.all("set-cookie")
    }

    /// Returns `name=value` of the only cookie in the response.
    fn pair(&self) -> &str {
        let [only] = self.set_cookies()[..] else {
            panic!("{:?}", self.set_cookies())
        };
        only.split(';').next().unwrap()
    }
}

fn request(path: &str, cookies: &[&str]) -> TestRequest {
    let request = TestRequest::get().uri(path);
    match cookies {
        [] => request,
        cookies => request.insert_header(("cookie", cookies.join("; "))),
    }
}

/// Returns the client's response, and whether the outermost middleware sees an error.
async fn told<B: MessageBody + 'static>(
    answer: Result<ServiceResponse<B>, Error>,
) -> (bool, Answer) {
    let (is_error, response) = match answer {
        Ok(response) => (false, response.into_parts().1.map_into_boxed_body()),
        Err(error) => (true, error.error_response()),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let Ok(body) = to_bytes(response.into_body()).await else {
        panic!("the body has no end")
    };
    let answer = Answer {
        status,
        headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    (is_error, answer)
}

async fn get<S, R, B>(app: &S, request: R) -> Answer
where
    S: Service<R, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    told(app.call(request).await).await.1
}
