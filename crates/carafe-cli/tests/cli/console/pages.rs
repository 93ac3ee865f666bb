//! The console, driven as an operator's browser drives it: what its pages show, and what they end.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    console::{Console, Sessions, Wanted, handles},
    run,
};

#[test]
fn sessions_are_listed_newest_first_and_page_by_page() {
    let sessions = Sessions::new();
    let filed: Vec<_> = (0..120)
        .map(|n| {
            sessions.add(Wanted {
                age: 10 * (120 - n),
                ..Wanted::default()
            })
        })
        .collect();
    sessions.add(Wanted {
        left: -1,
        ..Wanted::default()
    });
    let mut console = Console::entered(&sessions, &[]);
    let (mut path, mut listed) = ("/sessions".to_owned(), Vec::new());
    for size in [50, 50, 20] {
        let page = console.look(&path);
        let found = handles(&page);
        assert_eq!(found.len(), size);
        assert_eq!(page.contains("Back to the newest"), !listed.is_empty());
        listed.extend(found);
        let next = page.split_once("id=\"next\" href=\"");
        path = next.map_or(String::new(), |(_, rest)| {
            rest.split('"').next().unwrap().to_owned()
        });
    }
    assert_eq!(path, "", "the last page leads nowhere");
    assert!(
        listed.iter().eq(filed.iter().rev()),
        "the expired one is not there"
    );
    assert_eq!(console.get("/sessions?after=nowhere").status, 400);
}

#[test]
fn a_search_finds_users_and_handles() {
    let sessions = Sessions::new();
    let ada = |age| Wanted {
        user: Some("ada"),
        age,
        ..Wanted::default()
    };
    let (old, new) = (sessions.add(ada(900)), sessions.add(ada(60)));
    let other = sessions.add(Wanted::default());
    // A user named like the public ID of another user's session.
    let named = sessions.add(Wanted {
        user: Some(&other),
        ..Wanted::default()
    });
    let mut console = Console::entered(&sessions, &[]);
    let page = console.look("/sessions?q=ada");
    assert_eq!(handles(&page), [&*new, &*old]);
    assert!(page.contains("2 sessions of <bdi>ada</bdi>"));
    assert_eq!(
        handles(&console.look(&format!("/sessions?q={old}"))),
        [&*old]
    );
    let both = console.look(&format!("/sessions?q={other}"));
    assert_eq!(handles(&both), [&*other, &*named]);
    assert!(console.look("/sessions?q=nobody").contains("Nothing found"));
    assert_eq!(
        handles(&console.look("/sessions?q=%20")).len(),
        4,
        "no search"
    );
}

#[test]
fn a_session_is_shown_with_all_that_is_known_of_it() {
    let sessions = Sessions::new();
    let long = format!(
        r#"{{"cart":["tea",{{" d":"now"}}],"notes":"{}"}}"#,
        "x".repeat(1_000)
    );
    let handle = sessions.add(Wanted {
        user: Some("ada"),
        device: Some("Safari on iPhone"),
        age: 7_300,
        idle: 130,
        left: 1_900,
        json: &long,
        ..Wanted::default()
    });
    let mut console = Console::entered(&sessions, &[]);
    let page = console.look(&format!("/sessions/{handle}"));
    for text in [
        "<a href=\"/sessions?q=ada\"><bdi>ada</bdi></a>",
        "<bdi>Safari on iPhone</bdi>",
        ">2 h ago</time>",
        "<dt>Idle for</dt><dd>2 min</dd>",
        ">in 31 min</time>",
        "<dt>Changes</dt><dd>3</dd>",
        "<span class=\"tok-string\">&quot;tea&quot;</span>",
        "1,002 bytes</span>",
        "2 keys, ",
        "id=\"revoke\"",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let gone = console.get("/sessions/AAAAAAAAAAAAAAAA");
    assert_eq!(
        (
            gone.status,
            gone.body.contains("was revoked, or never existed")
        ),
        (404, true)
    );
    assert_eq!(console.get("/sessions/x").status, 404);
    assert_eq!(console.get("/nowhere").status, 404);
}

#[test]
fn foreign_text_is_text() {
    let sessions = Sessions::new();
    let evil = "<script>alert(1)</script>\u{202e}\"'&";
    let handle = sessions.add(Wanted {
        user: Some(evil),
        device: Some(evil),
        json: r#"{"<b>":"</code><script>"}"#,
        ..Wanted::default()
    });
    let mut console = Console::entered(&sessions, &[]);
    let name = carafe_test_browser::encoded(evil);
    for path in [
        "/".to_owned(),
        "/sessions".to_owned(),
        format!("/sessions?q={name}"),
        format!("/sessions/{handle}"),
        format!("/sessions/{handle}/revoke"),
        format!("/revoke-user?name={name}"),
    ] {
        let page = console.look(&path);
        assert!(!page.contains("<script>"), "{path}");
        assert!(
            !page.contains("<b>") && !page.contains("bdi><script"),
            "{path}"
        );
        assert!(
            page.contains("\\u{202e}") || path.ends_with("sessions"),
            "{path}"
        );
    }
    let done = console.send_form("/revoke-user", &[("name", evil)]);
    assert_eq!(done.status, 303);
    assert_eq!(sessions.rows(), 0);
}

#[test]
fn a_damaged_session_hides_no_other_and_can_be_revoked() {
    let sessions = Sessions::new();
    let (damaged, good) = (
        sessions.add(Wanted::default()),
        sessions.add(Wanted::default()),
    );
    let change = "UPDATE sessions SET data = 'no json' WHERE handle = ?1";
    sessions.raw().execute(change, [&damaged]).unwrap();
    let mut console = Console::entered(&sessions, &[]);
    assert!(handles(&console.look("/sessions")).contains(&good));
    let page = console.get(&format!("/sessions/{damaged}"));
    assert_eq!(page.status, 500);
    assert!(page.body.contains("This session cannot be read"));
    assert!(!page.body.contains("The store does not respond"));
    let revoke = format!("/sessions/{damaged}/revoke");
    assert!(
        console
            .look(&revoke)
            .contains("This session cannot be read.")
    );
    assert_eq!(console.send_form(&revoke, &[]).status, 303);
    assert_eq!(sessions.rows(), 1);
}

#[test]
fn one_session_is_revoked_and_then_all_of_a_user() {
    let sessions = Sessions::new();
    let ada = Wanted {
        user: Some("ada"),
        ..Wanted::default()
    };
    let handles_of_ada: Vec<_> = (0..3).map(|_| sessions.add(ada)).collect();
    let other = sessions.add(Wanted::default());
    let mut console = Console::entered(&sessions, &[]);
    let revoke = format!("/sessions/{}/revoke", handles_of_ada[0]);
    assert!(
        console
            .look(&revoke)
            .contains("The session belongs to <strong><bdi>ada</bdi></strong>")
    );
    assert_eq!(sessions.rows(), 4, "a question ends nothing");
    let done = console.send_form(&revoke, &[]);
    assert_eq!(done.header("location"), Some("/sessions"));
    let page = console.look("/sessions");
    assert!(page.contains(&format!("Revoked session {}", handles_of_ada[0])));
    assert_eq!(handles(&page).len(), 3);
    assert!(
        !console.look("/sessions").contains("Revoked session"),
        "it is said once"
    );
    assert_eq!(console.get(&revoke).status, 404);

    assert!(
        console
            .look("/revoke-user?name=ada")
            .contains("Revoke 2 sessions</button>")
    );
    assert_eq!(
        console.send_form("/revoke-user", &[("name", "ada")]).status,
        303
    );
    let page = console.look("/sessions");
    assert!(page.contains("Revoked 2 sessions of ada"));
    assert_eq!(handles(&page), [other]);
}

/// More than a page lists, and more than one transaction should delete.
#[test]
fn a_user_with_very_many_sessions_is_listed_in_part_and_revoked_in_steps() {
    let sessions = Sessions::new();
    sessions.fill(3_000, |n, file| {
        file(Wanted {
            user: Some(if n < 2_900 { "bot" } else { "ada" }),
            age: i64::from(n),
            ..Wanted::default()
        });
    });
    let damage = "UPDATE sessions SET handle = 'x' WHERE rowid = 7";
    assert_eq!(sessions.raw().execute(damage, []).unwrap(), 1);
    let mut console = Console::entered(&sessions, &[]);
    let page = console.look("/sessions?q=bot");
    assert_eq!(handles(&page).len(), 200);
    assert!(page.contains("more than 200 sessions of <bdi>bot</bdi>"));
    assert!(page.contains("The newest 200 are shown."));
    let page = console.look("/revoke-user?name=bot");
    assert!(page.contains("has more than 200 sessions."));
    assert!(page.contains("Revoke all sessions</button>"));
    let done = console.send_form("/revoke-user", &[("name", "bot")]);
    assert_eq!(done.header("location"), Some("/sessions"));
    let until = Instant::now() + Duration::from_secs(60);
    while !console
        .look("/sessions")
        .contains("Revoked 2,900 sessions of bot")
    {
        assert!(Instant::now() < until, "they end");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(sessions.rows(), 100);
    assert!(!console.look("/sessions?q=ada").contains("more than"));
}

#[test]
fn all_sessions_end_when_the_words_are_typed() {
    let sessions = Sessions::new();
    for _ in 0..3 {
        sessions.add(Wanted::default());
    }
    let mut console = Console::entered(&sessions, &[]);
    assert!(
        console
            .look("/end-all")
            .contains("There are <strong>3</strong> live sessions")
    );
    for typed in ["", "yes", "revoke all"] {
        let page = console.send_form("/end-all", &[("typed", typed)]);
        assert_eq!(page.status, 422);
        assert!(
            page.body
                .contains("The text does not match. No session was revoked.")
        );
    }
    assert_eq!(sessions.rows(), 3);
    let done = console.send_form("/end-all", &[("typed", "Revoke all sessions ")]);
    assert_eq!(done.header("location"), Some("/"));
    let page = console.look("/");
    assert!(page.contains("Revoked all sessions: 3 sessions"), "{page}");
    assert!(page.contains("No live sessions"));
    assert_eq!(sessions.rows(), 0);
}

#[test]
fn the_overview_counts_sessions_users_and_times() {
    let sessions = Sessions::new();
    for n in 0..60_i64 {
        let user = format!("user {}", n / 3);
        sessions.add(Wanted {
            user: (n % 3 != 2).then_some(&*user),
            age: 3_600 * n,
            left: 1_800 + 3_600 * n,
            ..Wanted::default()
        });
    }
    let mut console = Console::entered(&sessions, &[]);
    let page = console.look("/");
    let tile = |name: &str, count: &str| {
        let text = format!("<dt>{name}</dt><dd>{count}</dd>");
        assert!(page.contains(&text), "{text} in {page}");
    };
    tile("Live sessions", "60");
    tile("Logged in", "40");
    tile("Not logged in", "20");
    tile("Expire within an hour", "1");
    assert!(!page.contains("Estimated"));
    for plot in ["begun", "expiring"] {
        let (_, section) = page.split_once(&format!("id=\"{plot}\"")).unwrap();
        let (section, _) = section.split_once("</section>").unwrap();
        let cells = section.split("<td>").skip(1);
        let sum: u64 = cells
            .map(|cell| cell.split('<').next().unwrap().parse::<u64>().unwrap())
            .sum();
        assert_eq!(sum, 60, "the table of {plot} has them all");
        assert_eq!(
            section.matches("plot-bar\"").count(),
            section.matches("<td>").count()
        );
    }
    let (_, row) = page.split_once("<th scope=\"row\">2</th>").unwrap();
    let (row, _) = row.split_once("</tr>").unwrap();
    assert!(row.contains("<span>20</span>"), "20 users have 2");
    let (_, trend) = page.split_once("id=\"trend\"").unwrap();
    let (trend, _) = trend.split_once("</section>").unwrap();
    assert_eq!(
        trend.matches("plot-bar\"").count(),
        1,
        "one minute is known"
    );
    assert!(trend.contains("<td>60</td>"));
    assert_eq!(handles(&page).len(), 8);
}

#[test]
fn a_store_that_is_down_is_said_and_comes_back_by_itself() {
    let sessions = Sessions::new();
    let handle = sessions.add(Wanted {
        user: Some("ada"),
        ..Wanted::default()
    });
    let mut console = Console::entered(&sessions, &[]);
    let session = format!("/sessions/{handle}");
    let paths = ["/sessions", "/sessions?q=ada", &session];
    console.look("/sessions");
    let csrf = console.csrf();
    sessions
        .raw()
        .execute_batch("ALTER TABLE sessions RENAME TO away")
        .unwrap();
    for path in paths {
        let page = console.get(path);
        assert_eq!(page.status, 503, "{path}");
        assert!(page.body.contains("The store does not respond"), "{path}");
        assert!(page.body.contains("Since <time") && page.body.contains("no such table"));
        assert!(
            page.body.contains("aria-label=\"Console\""),
            "the navigation stays"
        );
    }
    let revoke = format!("{session}/revoke");
    assert_eq!(console.post(&revoke, &[("csrf", &csrf)]).status, 503);
    sessions
        .raw()
        .execute_batch("ALTER TABLE away RENAME TO sessions")
        .unwrap();
    for path in paths {
        assert!(
            !console.look(path).contains("The store does not respond"),
            "{path}"
        );
    }
    assert_eq!(sessions.rows(), 1);
}

#[test]
fn the_script_gets_what_has_changed_and_uses_no_session() {
    let sessions = Sessions::new();
    sessions.add(Wanted {
        age: 7_300,
        idle: 7_300,
        left: 9_000,
        ..Wanted::default()
    });
    let mut console = Console::entered(&sessions, &[]);
    let live = ("X-Carafe-Live", "1");
    let first = console.send("GET", "/sessions", "", &[live]);
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("set-cookie"), None);
    let again = console.send("GET", "/sessions", "", &[live, ("If-None-Match", &tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let handle = sessions.add(Wanted::default());
    let changed = console.send("GET", "/sessions", "", &[live, ("If-None-Match", &tag)]);
    assert_eq!(changed.status, 200);
    assert!(handles(&changed.body).contains(&handle));
    // A message is for the page that a person looks at.
    console.send_form(&format!("/sessions/{handle}/revoke"), &[]);
    assert!(
        !console
            .send("GET", "/sessions", "", &[live])
            .body
            .contains("Revoked")
    );
    assert!(console.look("/sessions").contains("Revoked"));
}

#[test]
fn what_it_cannot_use_is_refused_at_start() {
    let sessions = Sessions::new();
    let store = format!("sqlite:{}", sessions.file().display());
    for address in ["0.0.0.0", "::", "192.0.2.1"] {
        let refused = run(&["console", "--store", &store, "--address", address]);
        assert_eq!(refused.code, 2);
        assert!(
            refused.err.contains("only this machine may reach it"),
            "{}",
            refused.err
        );
    }
    let refused = run(&["console", "--store", &store, "--base-path", "/a b"]);
    assert_eq!(refused.code, 2);
    assert_eq!(run(&["console"]).code, 2, "no store");
    let missing = run(&[
        "console",
        "--store",
        "sqlite:/nowhere/sessions.db",
        "--port",
        "0",
    ]);
    assert_eq!(missing.code, 4, "{}", missing.err);
}
