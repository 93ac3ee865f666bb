//! Requests without a log-in, forms of other sites, read-only consoles.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::post};
use carafe::SecretKey;
use carafe_console::{Access, ConsoleOptions};

use crate::app::{App, END_ALL, MOUNT, SAME_SITE};

/// Returns every page, for a session with this public ID.
fn pages(id: &str) -> Vec<String> {
    let paths = [
        "",
        "/sessions",
        "/sessions?q=grace",
        &format!("/sessions/{id}"),
        &format!("/sessions/{id}/revoke"),
        "/revoke-user?name=grace",
        "/end-all",
        "/style.css",
        "/console.js",
        "/nowhere",
    ];
    paths.map(|path| format!("{MOUNT}{path}")).into()
}

/// Returns every form that revokes something, without its token.
fn forms(id: &str) -> [(String, &'static str); 3] {
    [
        (format!("{MOUNT}/sessions/{id}/revoke"), ""),
        (format!("{MOUNT}/revoke-user"), "&name=grace"),
        (format!("{MOUNT}/end-all"), "&typed=revoke+all+sessions"),
    ]
}

#[tokio::test]
async fn a_request_without_the_log_in_sees_and_does_nothing() {
    let mut app = App::new(ConsoleOptions::new());
    let id = app.session("grace").await;
    let token = app.token(END_ALL).await;
    app.who = None;
    for path in pages(&id) {
        for method in ["GET", "HEAD"] {
            let page = app.send(method, &path, &[], "").await;
            assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(page.body.is_empty(), "{path}");
        }
    }
    for (path, fields) in forms(&id) {
        let body = format!("csrf={token}{fields}");
        let page = app.send("POST", &path, &[SAME_SITE], &body).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(app.ids("grace").await.len(), 1);
}

/// An application that mounts the console without a log-in.
#[tokio::test]
async fn a_console_without_an_operator_shows_and_does_nothing() {
    let mut app = App::with(|store| {
        let console = carafe_console::router(Arc::clone(store), ConsoleOptions::new());
        Router::new().nest(MOUNT, console)
    });
    let id = app.session("grace").await;
    for path in pages(&id) {
        let page = app.get(&path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(
            page.body, "Only operators may use this console.\n",
            "{path}"
        );
    }
    for (path, fields) in forms(&id) {
        let page = app
            .send("POST", &path, &[SAME_SITE], &format!("csrf={fields}"))
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(app.ids("grace").await.len(), 1);
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let mut app = App::new(ConsoleOptions::new());
    let id = app.session("grace").await;
    let token = app.token(END_ALL).await;
    for (path, fields) in forms(&id) {
        let body = format!("csrf={token}{fields}");
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "http://evil.example")],
            &[("origin", "null")],
        ] {
            let page = app.send("POST", &path, headers, &body).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert_eq!(page.body, "This form was sent by another site.\n");
        }
    }
    assert_eq!(app.ids("grace").await.len(), 1);
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_log_in() {
    let mut app = App::new(ConsoleOptions::new());
    let id = app.session("grace").await;
    let token = app.token(END_ALL).await;
    let mut tokens = vec![String::new(), "x".to_owned(), token[1..].to_owned()];
    for who in ["ada/2", "bob/1"] {
        app.who = Some(who);
        tokens.push(app.token(END_ALL).await);
    }
    tokens.push(App::new(ConsoleOptions::new()).token(END_ALL).await);
    app.who = Some("ada/1");
    for (path, fields) in forms(&id) {
        for wrong in &tokens {
            let body = format!("csrf={wrong}{fields}");
            let page = app.send("POST", &path, &[SAME_SITE], &body).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {wrong}");
            assert!(page.body.contains("Nothing was changed."), "{}", page.body);
        }
    }
    let long = format!("csrf={token}&name={}", "x".repeat(20_000));
    let path = format!("{MOUNT}/revoke-user");
    let page = app.send("POST", &path, &[SAME_SITE], &long).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(app.ids("grace").await.len(), 1);
}

#[tokio::test]
async fn two_processes_with_one_key_accept_each_others_forms() {
    let key = || SecretKey::new("0123456789abcdef0123456789abcdef").unwrap();
    let options = || ConsoleOptions::new().with_form_key(key());
    let (mut one, mut other) = (App::new(options()), App::new(options()));
    let id = other.session("grace").await;
    let token = one.token(END_ALL).await;
    let path = format!("{MOUNT}/sessions/{id}/revoke");
    let done = other
        .send("POST", &path, &[SAME_SITE], &format!("csrf={token}"))
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
}

#[tokio::test]
async fn a_read_only_console_revokes_nothing() {
    let log_out = post(async || StatusCode::NO_CONTENT);
    let options = ConsoleOptions::new()
        .with_access(Access::ReadOnly)
        .with_log_out(log_out);
    let mut app = App::new(options);
    let id = app.session("grace").await;
    let token = app.token(MOUNT).await;
    let page = app.look(MOUNT).await;
    assert!(page.contains("Read-only") && !page.contains("Revoke all sessions"));
    assert!(
        !app.look(&format!("{MOUNT}/sessions/{id}"))
            .await
            .contains("evoke")
    );
    for (path, fields) in forms(&id) {
        assert_eq!(app.get(&path).await.status, StatusCode::FORBIDDEN, "{path}");
        let body = format!("csrf={token}{fields}");
        let page = app.send("POST", &path, &[SAME_SITE], &body).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.body.contains("This console is read-only"), "{path}");
    }
    assert_eq!(app.ids("grace").await.len(), 1);
    let leave = format!("{MOUNT}/leave");
    let left = app
        .send("POST", &leave, &[SAME_SITE], &format!("csrf={token}"))
        .await;
    assert_eq!(left.status, StatusCode::NO_CONTENT, "leaving is no change");
}

#[tokio::test]
async fn every_response_has_the_headers() {
    let mut app = App::new(ConsoleOptions::new());
    let id = app.session("grace").await;
    for path in pages(&id) {
        let page = app.get(&path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(page.header(name), Some(value), "{path}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
        assert!(
            !page.body.contains(" style=") && !page.body.contains("onclick"),
            "{path}"
        );
    }
}
