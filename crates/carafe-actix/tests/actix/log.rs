//! Log events of failures.

use actix_web::{App, HttpResponse, rt::System, test::init_service, web};
use carafe_actix::{MemoryStore, ServerSide, Session, SessionError, SessionMiddleware, SetCookie};
use carafe_test_adapters::{lifecycle::noise, limits::BEYOND};
use carafe_test_fixtures::logs;

use super::{count, get, request, safe};

#[test]
fn a_session_without_a_middleware_is_a_500_and_the_log_says_what_to_add() {
    let lines = logs::lines_of(|| {
        System::new().block_on(async {
            let app = init_service(App::new().route("/", web::get().to(count))).await;
            assert_eq!(
                get(&app, request("/", &[]).to_request())
                    .await
                    .status
                    .as_u16(),
                500
            );
        });
    });
    let help = lines
        .iter()
        .filter(|line| line.text.contains(".wrap(SessionMiddleware::new("));
    let levels: Vec<_> = help.map(|line| line.level.as_str()).collect();
    assert_eq!(levels, ["ERROR"], "{lines:?}");
}

/// The event names the largest key, and no value.
#[test]
fn a_session_that_is_too_large_and_a_sessions_error_are_one_line_each() {
    async fn large(session: Session) -> Result<(), SessionError> {
        session.insert("shopping_cart", &noise())
    }
    async fn mistaken(session: Session) -> Result<String, SessionError> {
        session.insert("card", "4111-marker")?;
        session.get::<u64>("card").map(|_| String::new())
    }
    for (path, named) in [("/large", "shopping_cart"), ("/mistaken", "card")] {
        let lines = logs::lines_of(|| {
            System::new().block_on(async {
                let app = App::new()
                    .wrap(safe())
                    .route("/large", web::get().to(large))
                    .route("/mistaken", web::get().to(mistaken));
                let app = init_service(app).await;
                assert_eq!(
                    get(&app, request(path, &[]).to_request())
                        .await
                        .status
                        .as_u16(),
                    500
                );
            });
        });
        let ours: Vec<_> = lines
            .iter()
            .filter(|line| line.text.contains(named))
            .collect();
        assert_eq!(ours.len(), 1, "{lines:?}");
        assert_eq!(ours[0].level.as_str(), "ERROR");
        assert!(!ours[0].text.contains("4111"), "{lines:?}");
    }
}

#[test]
fn a_session_beyond_a_limit_is_one_line_that_names_the_largest_keys() {
    for (path, change, named) in BEYOND {
        let lines = logs::lines_of(|| {
            System::new().block_on(async {
                let handler = move |session: Session| async move { change(&session).map(|()| "") };
                let sessions = SessionMiddleware::new(ServerSide::new(MemoryStore::new()));
                let app = App::new()
                    .wrap(sessions)
                    .route(path, web::get().to(handler));
                let app = init_service(app).await;
                let answer = get(&app, request(path, &[]).to_request()).await;
                assert_eq!(answer.status.as_u16(), 500);
            });
        });
        let ours: Vec<_> = lines
            .iter()
            .filter(|line| line.text.contains(named))
            .collect();
        assert_eq!(ours.len(), 1, "{lines:?}");
        assert_eq!(ours[0].level.as_str(), "ERROR");
        assert!(!ours[0].text.contains("xxx"), "a value is logged");
    }
}

#[test]
fn a_cookie_that_cannot_be_written_is_one_line_that_says_why() {
    let handler = async || {
        let cookie = SetCookie::new("__Host-a", "marker-4111");
        HttpResponse::Ok().append_header(cookie).body("secret body")
    };
    let lines = logs::lines_of(|| {
        System::new().block_on(async {
            let app = init_service(App::new().route("/", web::get().to(handler))).await;
            assert_eq!(
                get(&app, request("/", &[]).to_request())
                    .await
                    .status
                    .as_u16(),
                500
            );
        });
    });
    let ours: Vec<_> = lines
        .iter()
        .filter(|line| line.text.contains("cookie"))
        .collect();
    assert_eq!(ours.len(), 1, "{lines:?}");
    assert!(ours[0].text.contains("needs Secure"), "{lines:?}");
    assert!(!ours[0].text.contains("marker"), "{lines:?}");
}
