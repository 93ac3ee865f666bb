//! What only actix-web can do, and what only a look into the log can tell; what every adapter must do is in
//! `adapter.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod errors;
mod log;
#[path = "../../../carafe-core/tests/security/logs.rs"]
mod logs;
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

/// Flask's preset, with the cookie called so.
fn named(name: &str) -> SessionMiddleware {
    let config = SessionConfig::flask().with_cookie(CookiePolicy::flask(name));
    SessionMiddleware::with_config(side(), config).unwrap()
}

/// The safe preset, for which browsers would want TLS; there is no browser here.
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

    /// `name=value` of the only cookie that it sets.
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

/// Whether an answer is a response or an error, as an outermost middleware sees it, and what its client gets.
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
