//! The demo's server-side sessions, its race and its keys, over HTTP.

use std::{collections::BTreeMap, fs};

use carafe_core::store::StoreKey;
use carafe_test_browser::Client;
use tempfile::TempDir;

use super::{flask_cookie, run_with, start, start_as, start_with};

const STORED: &str = "__Host-Http-id";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// Returns a section of the page, by its anchor.
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("\" id=\"{id}\">")).unwrap();
    let end = rest
        .find("<div class=\"section-head\">")
        .map_or(0, |head| head + 1);
    let next = rest[end..]
        .find("<div class=\"section-head\">")
        .map_or(rest.len(), |next| next + end);
    &rest[..next]
}

/// Returns the number that a lane of the race shows.
fn count(page: &str, lane: &str) -> u64 {
    let (_, rest) = page.split_once(&format!("id=\"race-{lane}\"")).unwrap();
    let (_, rest) = rest.split_once("<strong>").unwrap();
    rest.split('<').next().unwrap().parse().unwrap()
}

/// Returns the public IDs that the page offers to revoke.
fn others(page: &str) -> Vec<String> {
    let fields = page.split("name=\"public_id\" value=\"").skip(1);
    fields.map(|field| field[..16].to_owned()).collect()
}

fn log_in(demo: &mut Client, name: &str) -> String {
    demo.submit("/devices/log-in", &[("name", name)])
}

fn set(demo: &mut Client, way: &str, key: &str, value: &str) -> String {
    let fields = [("key", key), ("value", value), ("as", "json")];
    demo.submit(&format!("/{way}/set"), &fields)
}

#[test]
fn the_database_has_the_hash_of_the_id_and_the_browser_has_nothing_else() {
    let mut demo = start();
    let page = set(&mut demo, "stored", "drink", "\"espresso\"");
    let id = &demo.cookies[STORED];
    let key = StoreKey::of_id(id);
    let hex: String = key
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(page.contains(&format!("<code class=\"hash\">{hex}</code>")));
    assert!(
        page.contains("<dt>Version</dt><dd>1</dd>"),
        "the message was taken by this page"
    );
    let page = set(&mut demo, "stored", "drink", "\"tea\"");
    assert!(page.contains("<dt>Version</dt><dd>3</dd>"));
    assert_eq!(demo.cookies.len(), 1);
}

#[test]
fn fifty_increments_at_once_are_fifty_and_the_whole_record_is_what_its_store_holds() {
    let mut demo = start();
    for run in 0..3 {
        let page = demo.submit("/race", &[]);
        assert_eq!(count(&page, "carafe"), 50, "run {run}");
        assert!(page.contains("<code class=\"data-key\">count</code>"));
        let whole = count(&page, "whole");
        assert!((1..=50).contains(&whole), "{whole}");
        let lost = format!("{} increments lost", 50 - whole);
        assert!(whole > 48 || page.contains(&lost), "{lost}");
        assert!(
            page.contains(&format!(
                "&quot;whole&quot;</span>:<wbr><span class=\"tok-number\">{whole}<"
            )) || page.contains(&format!(
                "&quot;whole&quot;</span>:<span class=\"tok-number\">{whole}<"
            ))
        );
    }
    let page = set(&mut demo, "stored", "race", "\"nonsense\"");
    assert!(
        page.contains("Not run yet."),
        "what a person sets is not shown as a result"
    );
}

#[test]
fn a_race_keeps_what_the_session_held_and_who_is_logged_in() {
    let mut demo = start();
    set(&mut demo, "stored", "drink", "\"tea\"");
    log_in(&mut demo, "ada");
    let before = demo.cookies.clone();
    let page = demo.submit("/race", &[]);
    assert_eq!(demo.cookies, before, "the same session under the same id");
    assert!(page.contains("<code class=\"data-key\">drink</code>"));
    assert!(section(&page, "devices").contains("You are <strong>ada</strong>"));
    assert_eq!(
        others(&page).len(),
        0,
        "the sessions of the comparison are nobody's"
    );
}

#[test]
fn a_revoked_browser_is_out_at_its_next_request() {
    let mut demo = start();
    let mut second = BTreeMap::new();
    log_in(&mut demo, "ada");
    demo.switch(&mut second);
    log_in(&mut demo, "ada");
    let page = demo.page();
    assert_eq!(page.matches(">This browser</span>").count(), 1);
    let handles = others(&page);
    assert_eq!(handles.len(), 1);
    let page = demo.submit("/devices/revoke", &[("public_id", &handles[0])]);
    assert!(page.contains("Ended 1 session") && others(&page).is_empty());
    demo.switch(&mut second);
    let page = demo.page();
    assert!(section(&page, "devices").contains("Your session is over"));
    assert!(page.contains("This session is over") && !page.contains("You are <strong>"));
    let page = demo.submit("/stored/clear", &[]);
    assert!(demo.cookies.is_empty() && !page.contains("is over"));
}

#[test]
fn everywhere_else_is_every_session_of_this_user_and_of_nobody_else() {
    let mut demo = start();
    let mut jars = vec![];
    for name in ["ada", "ada", "grace", "ada"] {
        let mut jar = BTreeMap::new();
        demo.switch(&mut jar);
        log_in(&mut demo, name);
        demo.switch(&mut jar);
        jars.push(jar);
    }
    let mut look = |demo: &mut Client, n: usize| {
        demo.switch(&mut jars[n]);
        let page = demo.page();
        let others = others(&page);
        demo.switch(&mut jars[n]);
        (page.contains("You are <strong>"), others)
    };
    let (_, of_ada) = look(&mut demo, 0);
    assert_eq!(of_ada.len(), 2);
    assert_eq!(look(&mut demo, 2), (true, vec![]), "grace sees her own");

    // A user can revoke neither another user's session nor an invalid ID.
    let mut grace = BTreeMap::new();
    demo.switch(&mut grace);
    log_in(&mut demo, "grace");
    for handle in [of_ada[0].as_str(), "nonsense"] {
        demo.submit("/devices/revoke", &[("public_id", handle)]);
    }
    demo.switch(&mut grace);
    assert!(look(&mut demo, 1).0 && look(&mut demo, 3).0);

    let mut ada = BTreeMap::new();
    demo.switch(&mut ada);
    log_in(&mut demo, "ada");
    let page = demo.submit("/devices/revoke-others", &[]);
    assert!(page.contains("Ended 3 sessions") && page.contains("You are <strong>ada</strong>"));
    demo.switch(&mut ada);
    let logged_in = [0, 1, 2, 3].map(|n| look(&mut demo, n).0);
    assert_eq!(logged_in, [false, false, true, false]);
}

#[test]
fn a_log_in_has_a_new_id_and_a_log_out_leaves_nothing() {
    let mut demo = start();
    set(&mut demo, "stored", "drink", "\"tea\"");
    let before = demo.cookies.clone();
    let answer = demo.post_with(
        "/devices/log-in",
        &[("name", "  ada ")],
        &[("Sec-Fetch-Site", "same-origin"), ("User-Agent", FIREFOX)],
    );
    assert_eq!(answer.status, 303);
    let page = demo.page();
    assert!(page.contains("Logged in as ada") && page.contains("<h3>Firefox on Linux"));
    assert!(
        page.contains("<code class=\"data-key\">drink</code>"),
        "what was collected stays"
    );
    let mut after = before.clone();
    demo.switch(&mut after);
    assert!(
        demo.page().contains("This session is over"),
        "the old id is dead"
    );
    demo.switch(&mut after);
    let copy = demo.cookies.clone();
    let page = demo.submit("/devices/log-out", &[]);
    assert!(demo.cookies.is_empty() && page.contains("Nobody is logged in."));
    demo.cookies = copy;
    assert!(
        demo.page().contains("This session is over"),
        "a copy of the cookie is worth nothing"
    );
}

#[test]
fn a_name_that_cannot_be_is_said_so_and_stays_in_the_form() {
    let mut demo = start();
    let long = "x".repeat(41);
    for (name, why) in [
        ("", "Type a name."),
        ("   ", "Type a name."),
        (long.as_str(), "at most 40 characters"),
    ] {
        let answer = demo.post("/devices/log-in", &[("name", name)]);
        assert_eq!(answer.status, 422);
        assert!(
            answer.body.contains(why)
                && answer
                    .body
                    .contains(&format!("name=\"name\" value=\"{name}\""))
        );
        assert!(demo.cookies.is_empty());
    }
    let evil = "\"><script>alert(1)</script>";
    let page = log_in(&mut demo, evil);
    assert!(!page.contains("<script") && page.contains("You are <strong>&quot;&gt;&lt;script&gt;"));
}

#[test]
fn nothing_happens_for_those_who_are_not_logged_in() {
    let mut demo = start();
    for path in [
        "/devices/log-out",
        "/devices/revoke-others",
        "/devices/revoke",
    ] {
        demo.submit(path, &[("public_id", "AAAAAAAAAAAAAAAA")]);
        assert!(demo.cookies.is_empty(), "{path}");
    }
}

#[test]
fn forms_of_other_sites_can_neither_log_in_nor_race_nor_rotate() {
    let mut demo = start();
    let before = section(&demo.page(), "keys").to_owned();
    for path in [
        "/race",
        "/keys/rotate",
        "/devices/log-in",
        "/devices/log-out",
        "/devices/revoke",
        "/devices/revoke-others",
    ] {
        let answer = demo.post_with(
            path,
            &[("name", "ada")],
            &[("Sec-Fetch-Site", "cross-site")],
        );
        assert_eq!(
            (answer.status, answer.header("set-cookie")),
            (403, None),
            "{path}"
        );
        assert_eq!(
            demo.get(path).header("location"),
            Some("/"),
            "a reload ends at the page"
        );
    }
    assert_eq!(section(&demo.page(), "keys"), before);
}

#[test]
fn a_new_key_logs_nobody_out_and_each_cookie_is_written_again() {
    let mut demo = start();
    for way in ["signed", "encrypted", "stored"] {
        set(&mut demo, way, "visits", "3");
    }
    let mut later = demo.cookies.clone();
    let before = demo.cookies.clone();
    let answer = demo.post("/keys/rotate", &[]);
    assert_eq!((answer.status, answer.header("set-cookie")), (303, None));
    let page = demo.page();
    assert_eq!(page.matches("Written again under the new key").count(), 2);
    assert_eq!(
        page.matches("<code class=\"data-key\">visits</code>")
            .count(),
        3
    );
    assert!(section(&page, "keys").contains("Fallback 1"));
    assert_eq!(demo.cookies[STORED], before[STORED], "an id has no key");
    let parts = |jar: &BTreeMap<String, String>| {
        let parts: Vec<_> = jar["session"].split('.').map(str::to_owned).collect();
        (parts[..2].to_vec(), parts[2].clone())
    };
    let (old, new) = (parts(&before), parts(&demo.cookies));
    assert!(
        old.0 == new.0 && old.1 != new.1,
        "content and time stay, the signature does not"
    );
    assert!(!demo.page().contains("Written again"), "once");

    // A browser with a cookie from six rotations ago is accepted, and rejected after two more.
    (0..6).for_each(|_| drop(demo.submit("/keys/rotate", &[])));
    demo.switch(&mut later);
    let away = demo.cookies.clone();
    let page = demo.page();
    assert!(page.contains("Fallback 7") && page.matches("Written again under").count() == 2);
    (0..2).for_each(|_| drop(demo.post("/keys/rotate", &[])));
    demo.cookies = away;
    let page = demo.page();
    assert_eq!(page.matches("<strong>Cookie rejected</strong>").count(), 2);
    assert!(
        page.contains("<code class=\"data-key\">visits</code>"),
        "the session in the database"
    );
}

#[test]
fn the_keys_of_an_application_can_be_rotated_too() {
    let fallbacks = ("SECRET_KEY_FALLBACKS", "[\"an older key for this test\"]");
    let mut demo = start_with(&[("SECRET_KEY", "a key for this test"), fallbacks]);
    let text = "{\"drink\":\"tea\"}";
    let older = flask_cookie("an older key for this test", text);
    demo.submit("/keys/rotate", &[]);
    demo.cookies.insert("session".to_owned(), older);
    let page = demo.page();
    assert!(page.contains("<code class=\"data-key\">drink</code>") && page.contains("Fallback 2"));
    let twice = ("SECRET_KEY_FALLBACKS", "[\"a key for this test\"]");
    let refused = run_with(
        &[("SECRET_KEY", "a key for this test"), twice],
        &["--listen", "127.0.0.1:0"],
    );
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
}

#[cfg(unix)]
#[test]
fn the_private_file_goes_with_the_demo() {
    use std::os::unix::fs::MetadataExt as _;

    let mut demo = start();
    log_in(&mut demo, "ada");
    let entries = || {
        fs::read_dir(demo.temporary())
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let directories: Vec<_> = entries().collect();
    let [directory] = &directories[..] else {
        panic!("{directories:?}")
    };
    assert_eq!(fs::metadata(directory).unwrap().mode() & 0o777, 0o700);
    assert!(directory.join("sessions.db").is_file());
    let shown = format!(
        "<code>{}</code>, removed when the demo ends",
        directory.join("sessions.db").display()
    );
    let temporary = demo.temporary().to_owned();
    assert!(demo.page().contains(&shown));
    assert_eq!(demo.interrupt(), Some(0));
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_file_that_was_named_stays() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("sessions.db");
    let args = ["--file", file.to_str().unwrap()];
    let mut demo = start_as(&[], &args);
    log_in(&mut demo, "ada");
    let cookies = demo.cookies.clone();
    assert_eq!(demo.interrupt(), Some(0));
    let mut demo = start_as(&[], &args);
    demo.cookies = cookies;
    assert!(demo.page().contains("You are <strong>ada</strong>"));
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("notes.txt");
    fs::write(&file, "not a database, and dear to somebody").unwrap();
    let args = ["--listen", "127.0.0.1:0", "--file", file.to_str().unwrap()];
    let run = run_with(&[], &args);
    assert_eq!(
        (run.code, run.out.as_str(), run.err.lines().count()),
        (1, "", 1),
        "{}",
        run.err
    );
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "not a database, and dear to somebody"
    );
}
