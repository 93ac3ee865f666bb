//! Pages and links under the path of the application.

use axum::{Router, http::StatusCode, response::Redirect, routing::post};
use carafe::TransportKind;
use carafe_console::ConsoleOptions;

use crate::app::{App, END_ALL, MOUNT, SAME_SITE, console, targets};

#[tokio::test]
async fn an_operator_lists_sessions_and_revokes_one() {
    let mut app = App::new(ConsoleOptions::new().with_store_name("Memory", "in this process"));
    let first = app.session("grace").await;
    let second = app.session("edsger").await;

    let overview = app.look(MOUNT).await;
    assert!(
        overview.contains("<dt>Live sessions</dt><dd>2</dd>"),
        "{overview}"
    );
    assert!(overview.contains("in this process"));
    let list = app.look(&format!("{MOUNT}/sessions")).await;
    for id in [&first, &second] {
        let link = format!("href=\"{MOUNT}/sessions/{id}\"");
        assert!(list.contains(&link), "{link} in {list}");
    }
    let found = app.look(&format!("{MOUNT}/sessions?q=grace")).await;
    assert!(found.contains(&first) && !found.contains(&second));

    let session = format!("{MOUNT}/sessions/{first}");
    let page = app.look(&session).await;
    assert!(page.contains("grace") && page.contains("espresso"));
    let revoke = format!("{session}/revoke");
    assert!(page.contains(&format!("href=\"{revoke}\"")));
    let token = app.token(&revoke).await;
    assert_eq!(
        app.ids("grace").await.len(),
        1,
        "a question revokes nothing"
    );
    let done = app
        .send("POST", &revoke, &[SAME_SITE], &format!("csrf={token}"))
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(done.header("location"), Some(&*format!("{MOUNT}/sessions")));
    assert!(app.ids("grace").await.is_empty());
    assert_eq!(app.ids("edsger").await.len(), 1);

    let message = format!("Revoked session {first}");
    app.who = Some("bob/1");
    assert!(
        !app.look(&format!("{MOUNT}/sessions"))
            .await
            .contains(&message)
    );
    app.who = Some("ada/1");
    assert!(
        app.look(&format!("{MOUNT}/sessions"))
            .await
            .contains(&message)
    );
    assert!(
        !app.look(&format!("{MOUNT}/sessions"))
            .await
            .contains(&message),
        "shown once"
    );
    assert_eq!(app.get(&session).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_session_shows_its_kind_of_client() {
    let mut app = App::new(ConsoleOptions::new());
    for (user, transport, text) in [
        ("grace", TransportKind::Cookie, "cookie"),
        ("edsger", TransportKind::Bearer, "bearer token"),
        ("radia", TransportKind::Header, "header token"),
    ] {
        let id = app.session_in(user, transport).await;
        let list = app.look(&format!("{MOUNT}/sessions?q={user}")).await;
        let cell = r#"<span class="cell-name" aria-hidden="true">Client: </span>"#;
        assert!(list.contains(&format!("{cell}{text}</td>")), "{list}");
        let page = app.look(&format!("{MOUNT}/sessions/{id}")).await;
        assert!(
            page.contains(&format!("<dt>Client</dt><dd>{text}</dd>")),
            "{page}"
        );
    }
}

#[tokio::test]
async fn all_sessions_of_a_user_and_all_sessions_are_revoked() {
    let mut app = App::new(ConsoleOptions::new());
    for user in ["grace", "grace", "edsger", "radia"] {
        app.session(user).await;
    }
    let token = app.token(END_ALL).await;
    let path = format!("{MOUNT}/revoke-user");
    let body = format!("csrf={token}&name=grace");
    let done = app.send("POST", &path, &[SAME_SITE], &body).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(app.ids("grace").await.is_empty());
    assert_eq!(app.ids("edsger").await.len(), 1);

    let body = format!("csrf={token}&typed=revoke+some");
    let refused = app.send("POST", END_ALL, &[SAME_SITE], &body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let body = format!("csrf={token}&typed=revoke+all+sessions");
    let done = app.send("POST", END_ALL, &[SAME_SITE], &body).await;
    assert_eq!(done.header("location"), Some(MOUNT));
    assert!(app.ids("edsger").await.is_empty() && app.ids("radia").await.is_empty());
    assert!(
        app.look(MOUNT)
            .await
            .contains("Revoked all sessions: 2 sessions")
    );
}

/// Follows every link, starting at the overview. Returns the paths.
async fn crawl(app: &mut App, home: &str) -> Vec<String> {
    let (mut seen, mut next) = (Vec::<String>::new(), vec![home.to_owned()]);
    while let Some(path) = next.pop() {
        if seen.contains(&path) {
            continue;
        }
        let page = app.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        if page.header("content-type") == Some("text/html; charset=utf-8") {
            let links = page.body.split("href=\"").chain(page.body.split("src=\""));
            let links = links.skip(1).map(|rest| rest.split('"').next().unwrap());
            next.extend(
                links
                    .filter(|link| link.starts_with('/'))
                    .map(str::to_owned),
            );
            for target in targets(&page.body) {
                assert!(
                    target.starts_with(home.trim_end_matches('/')),
                    "{path}: {target}"
                );
            }
        }
        seen.push(path);
    }
    seen
}

#[tokio::test]
async fn every_link_leads_to_a_page_under_the_mount_path() {
    type Routes = fn(Router) -> Router;
    let mounts: [(&str, &str, Routes); 6] = [
        (MOUNT, "", |console| Router::new().nest(MOUNT, console)),
        ("/tenant-7/console", "", |console| {
            Router::new().nest("/{tenant}/console", console)
        }),
        ("/ops/admin", "", |console| {
            Router::new().nest("/ops", Router::new().nest("/admin", console))
        }),
        ("/service", "", |console| {
            Router::new().nest_service("/service", console)
        }),
        ("/", "", |console| Router::new().merge(console)),
        // With a trailing slash in the public path, the path of the overview has one, too.
        ("/ops/carafe/", "/ops/carafe/", |console| {
            Router::new().nest_service("/ops/carafe/", console)
        }),
    ];
    for (home, public, routes) in mounts {
        let options = match public {
            "" => ConsoleOptions::new(),
            path => ConsoleOptions::new().with_public_path(path),
        };
        let mut app = App::with(|store| routes(console(store, options)));
        let id = app.session("grace").await;
        let pages = crawl(&mut app, home).await;
        let prefix = home.trim_end_matches('/');
        for path in [
            "/sessions",
            "/sessions?q=grace",
            "/style.css",
            "/console.js",
            "/end-all",
            &format!("/sessions/{id}"),
            &format!("/sessions/{id}/revoke"),
        ] {
            let path = format!("{prefix}{path}");
            assert!(pages.contains(&path), "{path} in {pages:?}");
        }
        let missing = app.get(&format!("{prefix}/nowhere")).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{home}");
        let token = app.token(&format!("{prefix}/end-all")).await;
        let revoke = format!("{prefix}/sessions/{id}/revoke");
        let done = app
            .send("POST", &revoke, &[SAME_SITE], &format!("csrf={token}"))
            .await;
        assert_eq!(
            done.header("location"),
            Some(&*format!("{prefix}/sessions"))
        );
        assert!(app.ids("grace").await.is_empty(), "{home}");
    }
}

#[tokio::test]
async fn the_log_out_is_the_applications() {
    let leave = format!("{MOUNT}/leave");
    let mut app = App::new(ConsoleOptions::new());
    assert!(!app.look(MOUNT).await.contains("Log out"));
    let token = app.token(END_ALL).await;
    let missing = app
        .send("POST", &leave, &[SAME_SITE], &format!("csrf={token}"))
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);

    let handler = post(async || Redirect::to("/goodbye"));
    let mut app = App::new(ConsoleOptions::new().with_log_out(handler));
    let page = app.look(MOUNT).await;
    assert!(page.contains(&format!("action=\"{leave}\"")), "{page}");
    assert_eq!(
        app.send("POST", &leave, &[SAME_SITE], "").await.status,
        StatusCode::FORBIDDEN
    );
    let token = app.token(MOUNT).await;
    let left = app
        .send("POST", &leave, &[SAME_SITE], &format!("csrf={token}"))
        .await;
    assert_eq!(left.header("location"), Some("/goodbye"));
}
