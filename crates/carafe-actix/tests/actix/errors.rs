//! Errors of handlers and middlewares: they stay errors, and lose neither the session nor `Vary`.

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    error::{ErrorImATeapot, ErrorInternalServerError, PayloadError},
    middleware::{Next, from_fn},
    test::init_service,
    web,
};
use carafe_actix::{
    MemoryStore, ServerSide, Session, SessionConfig, SessionError, SessionMiddleware, StoreError,
};
use carafe_core::store::conformance::Spy;

use super::{flask, get, request, safe, told};

async fn fails(session: Session) -> Result<String, Error> {
    session.insert("a", &1)?;
    Err(ErrorImATeapot("no coffee"))
}

#[actix_web::test]
async fn an_error_of_a_handler_is_answered_with_its_session() {
    let app = App::new().wrap(flask()).route("/", web::get().to(fails));
    let app = init_service(app).await;
    let answer = get(&app, request("/", &[]).to_request()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (418, "no coffee")
    );
    assert!(answer.pair().starts_with("session=eyJ"));
    assert_eq!(answer.all("vary"), ["Cookie"]);
}

/// A middleware between the session and the handler makes an error of the answer.
async fn spoils(
    error: fn() -> Error,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse, Error> {
    next.call(request).await?;
    Err(error())
}

async fn breaks(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse, Error> {
    spoils(|| ErrorInternalServerError("broken"), request, next).await
}

async fn overflows(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse, Error> {
    spoils(|| PayloadError::Overflow.into(), request, next).await
}

#[actix_web::test]
async fn an_error_of_a_middleware_stays_an_error_and_is_answered_with_its_session() {
    let app = App::new()
        .route(
            "/write",
            web::get().to(async |session: Session| session.insert("a", &1)),
        )
        .route(
            "/read",
            web::get().to(async |session: Session| session.len().to_string()),
        )
        .route("/untouched", web::get().to(async || ""))
        .wrap(from_fn(overflows))
        .wrap(flask());
    let app = init_service(app).await;
    for (path, is_used, writes) in [
        ("/write", true, true),
        ("/read", true, false),
        ("/untouched", false, false),
    ] {
        let answer = app.call(request(path, &[]).to_request()).await;
        let Err(error) = &answer else {
            panic!("{path}: it is an error")
        };
        assert!(
            error.as_error::<PayloadError>().is_some(),
            "it keeps its type"
        );
        let (_, answer) = told(answer).await;
        assert_eq!(answer.status.as_u16(), 413);
        assert_eq!(answer.set_cookies().len(), usize::from(writes), "{path}");
        assert_eq!(answer.all("vary").len(), usize::from(is_used), "{path}");
        assert_eq!(
            answer.all("cache-control").len(),
            usize::from(writes),
            "{path}"
        );
    }
}

/// The safe preset saves nothing where the answer is a server's error, but for a log-out.
#[actix_web::test]
async fn an_errors_status_counts_as_a_responses_does() {
    let app = App::new()
        .route(
            "/fails",
            web::get().to(async |session: Session| session.insert("a", &1)),
        )
        .route(
            "/leaves",
            web::get().to(async |session: Session| session.log_out()),
        )
        .wrap(from_fn(breaks))
        .wrap(safe());
    let app = init_service(app).await;
    let answer = get(&app, request("/fails", &[]).to_request()).await;
    assert!(answer.set_cookies().is_empty());
    let answer = get(&app, request("/leaves", &[]).to_request()).await;
    assert!(answer.set_cookies()[0].contains("Max-Age=0"));
}

/// What could not be saved replaces an error, too, which could claim as much as a response.
#[actix_web::test]
async fn an_error_whose_session_was_not_saved_is_a_503() {
    let store = Spy::new(MemoryStore::new());
    store.before(|_| Box::pin(async { Err(StoreError::unavailable("connection refused")) }));
    let sessions = SessionMiddleware::with_config(ServerSide::new(store), SessionConfig::flask());
    let app = App::new()
        .route(
            "/",
            web::get().to(async |session: Session| session.insert("a", &1)),
        )
        .wrap(from_fn(overflows))
        .wrap(sessions.unwrap());
    let app = init_service(app).await;
    let (is_error, answer) = told(app.call(request("/", &[]).to_request()).await).await;
    assert!(is_error);
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (503, ""));
    assert_eq!(answer.all("retry-after"), ["1"]);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert!(answer.set_cookies().is_empty());
}

/// `?` in a handler that gives actix-web's error, and in one that gives ours.
#[actix_web::test]
async fn a_sessions_error_is_a_500_by_either_way() {
    async fn ours(session: Session) -> Result<String, SessionError> {
        session.insert("card", "4111-marker")?;
        Ok(session
            .get::<u64>("card")?
            .map_or_else(String::new, |n| n.to_string()))
    }
    async fn theirs(session: Session) -> Result<String, Error> {
        Ok(ours(session).await?)
    }
    let app = App::new()
        .wrap(safe())
        .route("/ours", web::get().to(ours))
        .route("/theirs", web::get().to(theirs));
    let app = init_service(app).await;
    for path in ["/ours", "/theirs"] {
        let answer = get(&app, request(path, &[]).to_request()).await;
        assert_eq!(answer.status.as_u16(), 500);
        assert_eq!(answer.body, "Internal Server Error");
    }
}
