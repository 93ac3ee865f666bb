//! The console, attacked: who comes in, what a foreign page can do, what is never shown.

use crate::support::console::{Console, Sessions, Wanted};

/// Every page, for a session with this handle.
fn pages(handle: &str) -> Vec<String> {
    vec![
        "/".to_owned(),
        "/sessions".to_owned(),
        "/sessions?q=ada".to_owned(),
        format!("/sessions?q={handle}"),
        format!("/sessions/{handle}"),
        format!("/sessions/{handle}/revoke"),
        "/revoke-user?name=ada".to_owned(),
        "/end-all".to_owned(),
        "/nowhere".to_owned(),
    ]
}

/// Every form that revokes something.
fn forms(handle: &str) -> [(String, Vec<(&'static str, &'static str)>); 3] {
    [
        (format!("/sessions/{handle}/revoke"), vec![]),
        ("/revoke-user".to_owned(), vec![("name", "ada")]),
        (
            "/end-all".to_owned(),
            vec![("typed", "revoke all sessions")],
        ),
    ]
}

fn one_session() -> (Sessions, String) {
    let sessions = Sessions::new();
    let handle = sessions.add(Wanted {
        user: Some("ada"),
        ..Wanted::default()
    });
    (sessions, handle)
}

#[test]
fn nothing_is_shown_or_done_without_the_token() {
    let (sessions, handle) = one_session();
    let mut console = Console::start(&sessions.file(), &[]);
    for path in pages(&handle) {
        let page = console.get(&path);
        assert_eq!(
            (page.status, page.header("location")),
            (303, Some("/enter")),
            "{path}"
        );
        assert!(page.body.is_empty());
    }
    for (path, fields) in forms(&handle) {
        assert_eq!(
            console.post(&path, &fields).header("location"),
            Some("/enter"),
            "{path}"
        );
    }
    assert_eq!(sessions.rows(), 1);
    assert!(
        console
            .get("/?entered")
            .header("location")
            .unwrap()
            .ends_with("/enter?refused")
    );
    assert!(
        console
            .get("/enter?refused")
            .body
            .contains("did not store the cookie")
    );
}

#[test]
fn the_token_lets_in_and_the_cookie_is_as_strict_as_can_be() {
    let (sessions, _) = one_session();
    let mut console = Console::start(&sessions.file(), &[]);
    let token = console.token.clone();
    assert_eq!(token.len(), 64);
    for wrong in ["", "x", &token[..63], &format!("{token}0"), &"0".repeat(64)] {
        let page = console.enter(wrong);
        assert_eq!((page.status, page.header("set-cookie")), (403, None));
        assert!(!page.body.contains(&token));
    }
    let page = console.enter(&format!(" {token}\n"));
    assert_eq!(
        (page.status, page.header("location")),
        (303, Some("/?entered"))
    );
    let cookie = page.header("set-cookie").unwrap().to_owned();
    let port = console.host.rsplit_once(':').unwrap().1.to_owned();
    assert!(
        cookie.starts_with(&format!("__Host-Http-console-{port}=")),
        "{cookie}"
    );
    for attribute in ["; HttpOnly", "; Secure", "; Path=/", "; SameSite=Lax"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(
        !cookie.contains("Max-Age") && !cookie.contains("Expires"),
        "{cookie}"
    );
    assert!(!cookie.contains(&token));
    console.look("/");

    // Leaving takes the cookie away; a cookie of another console is worth nothing here.
    let name = console.cookies.keys().next().unwrap().clone();
    let value = console.cookies[&name].clone();
    let left = console.send_form("/leave", &[]);
    assert_eq!(
        (left.status, left.header("location")),
        (303, Some("/enter"))
    );
    assert!(console.cookies.is_empty());
    assert_eq!(console.get("/").status, 303);
    let mut other = Console::start(&sessions.file(), &[]);
    let port = other.host.rsplit_once(':').unwrap().1.to_owned();
    other
        .cookies
        .insert(format!("__Host-Http-console-{port}"), value);
    assert_eq!(other.get("/").status, 303);
}

#[test]
fn wrong_tokens_are_throttled_and_keep_nobody_out() {
    let (sessions, _) = one_session();
    let mut console = Console::start(&sessions.file(), &[]);
    for _ in 0..10 {
        assert_eq!(console.enter("wrong").status, 403);
    }
    let throttled = |console: &mut Console, client: &str| {
        // A count per address would begin again with each of these.
        let headers = [
            ("X-Forwarded-For", client),
            ("Forwarded", &*format!("for={client}")),
            ("X-Real-IP", client),
        ];
        let page = console.post_with("/enter", &[("token", "wrong")], &headers);
        assert_eq!((page.status, page.header("set-cookie")), (429, None));
        let seconds: i64 = page.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert!(page.body.contains("accepted at any time"));
    };
    for client in ["192.0.2.1", "192.0.2.2", "2001:db8::3"] {
        throttled(&mut console, client);
    }
    let token = console.token.clone();
    assert_eq!(console.enter(&token).status, 303);
    console.look("/");
    // Entering is no new beginning for those who guess.
    throttled(&mut console, "192.0.2.4");
    assert_eq!(console.enter(&token).status, 303);
}

#[test]
fn after_leaving_no_copy_of_the_cookie_shows_or_does_anything() {
    let (sessions, handle) = one_session();
    let mut console = Console::entered(&sessions, &[]);
    let csrf = console.csrf();
    let copy = console.cookies.clone();
    // A page that was asked for meanwhile has sent the cookie again.
    let (name, _) = copy.first_key_value().unwrap();
    console.look("/");
    let newer = console.cookies.clone();
    assert_eq!(console.send_form("/leave", &[]).status, 303);
    for jar in [copy.clone(), newer] {
        let is_out = |console: &mut Console, method: &str, path: &str, body: &str| {
            console.cookies.clone_from(&jar);
            let headers = [("Sec-Fetch-Site", "same-origin"), ("X-Carafe-Live", "1")];
            for headers in [&headers[..1], &headers] {
                let page = console.send(method, path, body, headers);
                assert_eq!(
                    (page.status, page.header("location")),
                    (303, Some("/enter")),
                    "{method} {path}"
                );
                assert!(page.body.is_empty() && page.header("set-cookie").is_none());
            }
        };
        for path in pages(&handle) {
            is_out(&mut console, "GET", &path, "");
            is_out(&mut console, "HEAD", &path, "");
        }
        for (path, fields) in forms(&handle) {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("&{name}={value}"));
            let body = format!("csrf={csrf}{}", fields.collect::<String>());
            is_out(&mut console, "POST", &path, &body.replace(' ', "+"));
        }
        is_out(&mut console, "POST", "/leave", &format!("csrf={csrf}"));
    }
    assert_eq!(sessions.rows(), 1);

    // Entering again opens another session, and closes the one of the replaced cookie.
    let token = console.token.clone();
    console.cookies.clone_from(&copy);
    assert_eq!(console.enter(&token).status, 303);
    let second = console.cookies.clone();
    assert_ne!(second[name], copy[name]);
    console.look("/");
    assert_eq!(console.enter(&token).status, 303);
    console.look("/");
    console.cookies = second;
    assert_eq!(console.get("/").status, 303);
}

#[test]
fn leaving_ends_no_other_session() {
    let (sessions, _) = one_session();
    let mut console = Console::entered(&sessions, &[]);
    let first = std::mem::take(&mut console.cookies);
    let token = console.token.clone();
    assert_eq!(console.enter(&token).status, 303);
    assert_eq!(console.send_form("/leave", &[]).status, 303);
    console.cookies = first;
    console.look("/");
}

#[test]
fn forms_of_other_pages_do_nothing() {
    let (sessions, handle) = one_session();
    let mut console = Console::entered(&sessions, &[]);
    let csrf = console.csrf();
    let mut other = Console::entered(&sessions, &[]);
    let foreign = other.csrf();
    assert_ne!(csrf, foreign);
    for (path, fields) in forms(&handle) {
        for wrong in [None, Some(""), Some(&*foreign), Some(&csrf[1..])] {
            let mut all: Vec<(&str, &str)> = fields.clone();
            all.extend(wrong.map(|token| ("csrf", token)));
            let page = console.post(&path, &all);
            assert_eq!(page.status, 403, "{path} {wrong:?}");
            assert!(page.body.contains("Nothing was changed."));
        }
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields.iter().copied());
        for headers in [
            &[("Sec-Fetch-Site", "cross-site")][..],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Origin", "http://evil.example")],
            &[("Origin", "null")],
        ] {
            assert_eq!(
                console.post_with(&path, &all, headers).status,
                403,
                "{path} {headers:?}"
            );
        }
    }
    let token = console.token.clone();
    let from_elsewhere = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(
        console
            .post_with("/enter", &[("token", &token)], &from_elsewhere)
            .status,
        403
    );
    let long = "x".repeat(20_000);
    assert_eq!(
        console
            .post("/revoke-user", &[("csrf", &csrf), ("name", &long)])
            .status,
        413
    );
    assert_eq!(sessions.rows(), 1);
}

#[test]
fn other_names_are_refused_unless_they_are_listed() {
    let (sessions, _) = one_session();
    let mut console = Console::entered(&sessions, &["--allow-host", "ops.example"]);
    for (host, status) in [
        ("evil.example", 421),
        ("ops.example.evil", 421),
        ("OPS.example", 200),
        ("ops.example:8443", 200),
        ("localhost:9", 200),
        ("[::1]:9", 200),
    ] {
        let page = console.send("GET", "/", "", &[("Host", host)]);
        assert_eq!(page.status, status, "{host}");
    }
}

#[test]
fn every_response_has_the_headers_and_no_page_shows_an_id_or_a_key() {
    let sessions = Sessions::new();
    let add = |user| {
        sessions.add(Wanted {
            user,
            ..Wanted::default()
        })
    };
    let handle = add(Some("ada"));
    for _ in 0..20 {
        add(Some("ada"));
        add(None);
    }
    let secrets = sessions.secrets();
    assert_eq!(secrets.len(), 41 * 4);
    let mut console = Console::entered(&sessions, &[]);
    let mut paths = pages(&handle);
    paths.extend(
        [
            "/enter",
            "/style.css",
            "/console.js",
            "/enter.js",
            "/sessions?after=x",
        ]
        .map(str::to_owned),
    );
    for path in paths {
        let page = console.get(&path);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(page.headers(name).collect::<Vec<_>>(), [value], "{path}");
        }
        let policy = page.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert!(
            !page.body.contains(" style=") && !page.body.contains("onclick"),
            "{path}"
        );
        for secret in &secrets {
            assert!(
                !page.body.contains(secret.as_str()),
                "{path} shows {secret}"
            );
        }
        assert!(!page.body.contains(&console.token), "{path}");
    }
}

#[test]
fn a_read_only_console_ends_nothing() {
    let (sessions, handle) = one_session();
    let mut console = Console::entered(&sessions, &["--read-only"]);
    for path in ["/", "/sessions?q=ada", &format!("/sessions/{handle}")] {
        let page = console.look(path);
        assert!(page.contains("Read-only"), "{path}");
        assert!(
            !page.contains("evoke") && !page.contains("/end-all"),
            "{path}"
        );
    }
    for (path, fields) in forms(&handle) {
        let page = console.send_form(&path, &fields);
        assert_eq!(page.status, 403, "{path}");
        assert!(page.body.contains("This console is read-only"));
    }
    for path in [
        &*format!("/sessions/{handle}/revoke"),
        "/revoke-user?name=ada",
        "/end-all",
    ] {
        assert_eq!(console.get(path).status, 403, "{path}");
    }
    assert_eq!(sessions.rows(), 1);
    assert_eq!(
        console.send_form("/leave", &[]).status,
        303,
        "leaving is no change"
    );
}

#[test]
fn under_a_path_every_address_is_under_it() {
    let (sessions, handle) = one_session();
    let mut console = Console::entered(&sessions, &["--base-path", "/ops/carafe/"]);
    assert_eq!(console.base, "/ops/carafe");
    assert_eq!(
        console.get("/ops/carafe").header("location"),
        Some("/ops/carafe/")
    );
    for path in pages(&handle) {
        let page = console.get(&format!("/ops/carafe{path}"));
        assert_eq!(
            page.status,
            if path == "/nowhere" { 404 } else { 200 },
            "{path}"
        );
        for attribute in ["href=\"", "action=\"", "src=\""] {
            let targets = page.body.split(attribute).skip(1);
            for target in targets.filter(|target| target.starts_with('/')) {
                assert!(
                    target.starts_with("/ops/carafe/"),
                    "{path}: {}",
                    &target[..40]
                );
            }
        }
    }
    for file in ["style.css", "console.js"] {
        assert_eq!(console.get(&format!("/ops/carafe/{file}")).status, 200);
    }
    let revoke = format!("/ops/carafe/sessions/{handle}/revoke");
    let done = console.send_form(&revoke, &[]);
    assert_eq!(done.header("location"), Some("/ops/carafe/sessions"));
    assert_eq!(sessions.rows(), 0);
}
