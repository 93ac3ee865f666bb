//! actix-web without sessions: the floor, an idle middleware, and the calling of services.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use actix_web::{
    App, Error, FromRequest, Handler, Responder,
    body::{BoxBody, MessageBody},
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse, Transform},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    test::{TestRequest, init_service},
    web,
};

use super::TOKEN;
use crate::requests::{Caller, Carrier};

/// A started application.
#[derive(Clone)]
pub(crate) struct Site(Rc<dyn Fn(TestRequest) -> Answering>);

type Answering = Pin<Box<dyn Future<Output = ServiceResponse<BoxBody>>>>;

/// The routes of [`super::routes`].
pub(crate) struct Routes<Start, Read, Write, LogIn> {
    pub(crate) start: Start,
    pub(crate) read: Read,
    pub(crate) write: Write,
    pub(crate) log_in: LogIn,
}

impl<Start, Read, Write, LogIn> Routes<Start, Read, Write, LogIn> {
    /// Adds handlers with these extractors.
    pub(crate) fn add<A, B, C, D>(self, config: &mut web::ServiceConfig)
    where
        Start: Handler<A, Output: Responder + 'static>,
        Read: Handler<B, Output: Responder + 'static>,
        Write: Handler<C, Output: Responder + 'static>,
        LogIn: Handler<D, Output: Responder + 'static>,
        A: FromRequest + 'static,
        B: FromRequest + 'static,
        C: FromRequest + 'static,
        D: FromRequest + 'static,
    {
        config
            .route("/start/{browser}/{digits}", web::get().to(self.start))
            .route("/untouched", web::get().to(untouched))
            .route("/read", web::get().to(self.read))
            .route("/write", web::get().to(self.write))
            .route("/login", web::get().to(self.log_in));
    }
}

async fn untouched() -> &'static str {
    "ok"
}

/// Returns the response of a handler that has read the user.
pub(crate) fn verdict(user: Option<u64>) -> (&'static str, StatusCode) {
    match super::verdict(user) {
        Ok(text) => (text, StatusCode::OK),
        Err(_) => ("", StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Starts an application.
pub(crate) fn started<T, B>(app: App<T>) -> Site
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let mut starting = Box::pin(init_service(app));
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(service) = starting.as_mut().poll(&mut context) else {
        unreachable!("nothing of it waits");
    };
    let service = Rc::new(service);
    Site(Rc::new(move |request| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let answer = service.call(request.to_request()).await;
            let answer = answer.expect("handlers answer");
            answer.map_into_boxed_body()
        })
    }))
}

/// Returns an application without middleware.
pub(crate) fn bare() -> Site {
    started(App::new().configure(ok_everywhere))
}

/// Returns an application with an idle middleware: the cost of any actix-web middleware.
pub(crate) fn with_idle_middleware() -> Site {
    started(App::new().configure(ok_everywhere).wrap(Idle))
}

fn ok_everywhere(config: &mut web::ServiceConfig) {
    let routes = Routes {
        start: untouched,
        read: untouched,
        write: untouched,
        log_in: untouched,
    };
    routes.add(config);
}

/// Forwards every request.
struct Idle;

struct IdleService<S>(S);

impl<S, B> Transform<S, ServiceRequest> for Idle
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = S::Response;
    type Error = Error;
    type Transform = IdleService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(IdleService(inner)))
    }
}

impl<S: Service<ServiceRequest>> Service<ServiceRequest> for IdleService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> S::Future {
        self.0.call(request)
    }
}

impl Caller for Site {
    type Path = String;
    type Answer = ServiceResponse<BoxBody>;
    type Value = HeaderValue;

    fn path(path: &str) -> String {
        path.to_owned()
    }

    fn value(text: &str) -> HeaderValue {
        text.parse().expect("it is text")
    }

    fn text(value: &HeaderValue) -> &str {
        value.to_str().expect("it is text")
    }

    async fn call(
        &mut self,
        path: &String,
        session: Option<(Carrier, &HeaderValue)>,
    ) -> Self::Answer {
        let mut request = TestRequest::get().uri(path);
        if let Some((carrier, value)) = session {
            let name = match carrier {
                Carrier::Cookie => header::COOKIE,
                Carrier::Bearer => header::AUTHORIZATION,
            };
            request = request.insert_header((name, value.clone()));
        }
        (self.0)(request).await
    }

    fn is_ok(answer: &Self::Answer) -> bool {
        answer.status() == StatusCode::OK
    }

    fn new_tokens(mut answer: Self::Answer, carrier: Carrier, take: impl FnMut(HeaderValue)) {
        let name = match carrier {
            Carrier::Cookie => header::SET_COOKIE.as_str(),
            Carrier::Bearer => TOKEN,
        };
        let removed = answer.headers_mut().remove(name);
        removed.for_each(take);
    }
}
