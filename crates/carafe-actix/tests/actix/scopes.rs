//! Positions of the middleware: around a scope, twice, with other middleware.

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    test::init_service,
    web,
};
use carafe_actix::Session;
use carafe_test_adapters::tokens::{flask_cookie, inside};

use super::{count, flask, get, named, request, safe};

#[actix_web::test]
async fn a_scope_has_sessions_of_its_own() {
    let scope = web::scope("/inside")
        .wrap(flask())
        .route("", web::get().to(count));
    let app = App::new()
        .service(scope)
        .route("/outside", web::get().to(count));
    let app = init_service(app).await;
    assert_eq!(
        get(&app, request("/inside", &[]).to_request()).await.body,
        "1"
    );
    assert_eq!(
        get(&app, request("/outside", &[]).to_request())
            .await
            .status
            .as_u16(),
        500
    );
}

/// A handler gets the session of the innermost middleware; the outer session stays untouched.
#[actix_web::test]
async fn two_middlewares_of_different_cookies_do_not_disturb_each_other() {
    let scope = web::scope("/inner")
        .wrap(named("inner"))
        .route("", web::get().to(count));
    let app = App::new()
        .service(scope)
        .route("/outer", web::get().to(count))
        .wrap(named("outer"));
    let app = init_service(app).await;
    let outer = get(&app, request("/outer", &[]).to_request()).await;
    let inner = get(&app, request("/inner", &[outer.pair()]).to_request()).await;
    assert_eq!((outer.body.as_str(), inner.body.as_str()), ("1", "1"));
    assert!(outer.pair().starts_with("outer=") && inner.pair().starts_with("inner="));
    let both = [outer.pair(), inner.pair()];
    for path in ["/outer", "/inner"] {
        assert_eq!(get(&app, request(path, &both).to_request()).await.body, "2");
    }
}

/// The same middleware around an app and around one of its scopes.
///
/// The outer middleware refreshes the incoming session, and must not undo changes made in the
/// scope.
#[actix_web::test]
async fn a_middleware_twice_loses_no_change_and_no_log_out() {
    for sessions in [flask(), safe()] {
        let scope = web::scope("/inner")
            .wrap(sessions.clone())
            .route("/count", web::get().to(count))
            .route(
                "/leave",
                web::get().to(async |session: Session| session.log_out()),
            );
        let app = init_service(App::new().service(scope).wrap(sessions.clone())).await;
        let name = sessions.manager().cookie().name();
        let brought = flask_cookie(r#"{"_permanent":true,"n":7}"#, 60);
        let cookie = format!("{name}={brought}");
        let answer = get(&app, request("/inner/count", &[&cookie]).to_request()).await;
        assert_eq!(answer.body, "8");
        let (_, value) = answer.pair().split_once('=').unwrap();
        assert!(inside(value).0.contains(r#""n":8"#), "{name}");
        let answer = get(&app, request("/inner/leave", &[&cookie]).to_request()).await;
        let [only] = answer.set_cookies()[..] else {
            panic!("{name}: {:?}", answer.set_cookies())
        };
        assert!(only.contains("Max-Age=0"), "{name}: {only}");
    }
}

/// A middleware inside the session middleware shares the handler's session.
#[actix_web::test]
async fn middleware_and_handler_share_one_session() {
    let handler = async |session: Session| {
        assert_eq!(session.get::<u8>("before")?, Some(1));
        session.insert("handler", &3)
    };
    async fn stamp(
        session: Session,
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        session.insert("before", &1)?;
        let response = next.call(request).await?;
        session.insert("after", &2)?;
        Ok(response)
    }
    let app = App::new()
        .route("/", web::get().to(handler))
        .wrap(from_fn(stamp))
        .wrap(flask());
    let app = init_service(app).await;
    let answer = get(&app, request("/", &[]).to_request()).await;
    let (_, value) = answer.pair().split_once('=').unwrap();
    assert_eq!(inside(value).0, r#"{"after":2,"before":1,"handler":3}"#);
}
