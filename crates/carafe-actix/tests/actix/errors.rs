//! Errors of handlers and middleware: they stay errors, and keep the session and `Vary`.

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
    CommitError, CookieError, MemoryStore, ServerSide, Session, SessionConfig, SessionError,
    SessionMiddleware, SessionRejection, StoreError,
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

/// A middleware that replaces the handler's response with an error.
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

/// The safe preset does not save a session if the response is a server error, except for a log-out.
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

/// A failed commit also replaces an error, because an error's response could claim success, too.
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

/// actix-web's `Option<T>` drops the error, so only `Result` distinguishes a failing store from a
/// missing layer.
#[actix_web::test]
async fn an_optional_session_is_none_without_a_layer_and_a_result_tells_why() {
    async fn is_some(session: Option<Session>) -> String {
        session.is_some().to_string()
    }
    async fn why(session: Result<Session, SessionRejection>) -> String {
        match session {
            Ok(_) => "session".to_owned(),
            Err(SessionRejection::MissingLayer(_)) => "no layer".to_owned(),
            Err(SessionRejection::Store(error)) => error.code().to_owned(),
            Err(other) => other.to_string(),
        }
    }
    let routes = |path: &str| {
        web::scope(path)
            .route("/option", web::get().to(is_some))
            .route("/result", web::get().to(why))
    };
    let store = Spy::new(MemoryStore::new());
    store.before(|_| Box::pin(async { Err(StoreError::unavailable("connection refused")) }));
    let failing = SessionMiddleware::with_config(ServerSide::new(store), SessionConfig::flask());
    let app = App::new()
        .service(routes("/inside").wrap(flask()))
        .service(routes("/outside"))
        .service(routes("/failing").wrap(failing.unwrap()));
    let app = init_service(app).await;
    let id = format!("session={}", "A".repeat(43));
    for (path, body) in [
        ("/inside/option", "true"),
        ("/inside/result", "session"),
        ("/outside/option", "false"),
        ("/outside/result", "no layer"),
        ("/failing/option", "false"),
        ("/failing/result", "unavailable"),
    ] {
        let answer = get(&app, request(path, &[&id]).to_request()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (200, body),
            "{path}"
        );
        assert!(answer.set_cookies().is_empty(), "{path}");
    }
}

#[actix_web::test]
async fn a_handler_can_return_every_error_of_a_session_a_store_and_a_cookie() {
    let app = App::new()
        .route(
            "/store",
            web::get().to(async || Err::<String, _>(StoreError::unavailable("refused"))),
        )
        .route(
            "/corrupt",
            web::get().to(async || Err::<String, _>(StoreError::corrupt("no JSON"))),
        )
        .route(
            "/commit",
            web::get().to(async || Err::<String, _>(CommitError::Conflict)),
        )
        .route(
            "/cookie",
            web::get().to(async || Err::<String, _>(CookieError::SameSite)),
        );
    let app = init_service(app).await;
    for (path, status, retries, caches) in [
        ("/store", 503, true, false),
        ("/corrupt", 503, false, false),
        ("/commit", 409, false, false),
        ("/cookie", 500, false, true),
    ] {
        let answer = get(&app, request(path, &[]).to_request()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(!answer.all("retry-after").is_empty(), retries, "{path}");
        assert_eq!(answer.all("cache-control").is_empty(), caches, "{path}");
        assert!(!answer.body.contains("refused") && !answer.body.contains("JSON"));
    }
}

/// `?` in a handler that returns actix-web's error, and in one that returns Carafe's.
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
