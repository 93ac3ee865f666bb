//! `carafe sessions` on an SQLite file.

use crate::support::{
    carafe, json, run,
    stores::{Dir, block_on, file, fill, key, load, record},
};
use carafe_core::{
    clock::Timestamp,
    store::{ClientKind, PublicId, SessionStore as _},
};

/// A file with sessions 0 to 24, and an expired one.
fn filled() -> (Dir, String) {
    let (dir, store) = (Dir::new(), "a.db");
    let url = dir.url(store);
    block_on(async {
        let store = dir.store(store);
        fill(&store, 0..25).await;
        let mut over = record(99);
        over.meta.expires = Timestamp::now();
        file(&store, &key(99), &over).await;
    });
    (dir, url)
}

fn listed(url: &str, more: &[&str]) -> (Vec<String>, Option<String>) {
    let page = json(&[&["sessions", "list", "--json", "--store", url], more].concat());
    let handles = page["sessions"].as_array().unwrap();
    let handles = handles
        .iter()
        .map(|session| session["public_id"].as_str().unwrap().to_owned());
    (handles.collect(), page["next"].as_str().map(str::to_owned))
}

#[test]
fn pages_show_every_live_session_once_the_newest_first() {
    let (dir, url) = filled();
    let (mut all, mut after) = (Vec::new(), None::<String>);
    for pages in 1.. {
        let place = after
            .as_deref()
            .map_or(vec![], |after| vec!["--after", after]);
        let (page, next) = listed(&url, &[&["--limit", "10"][..], &place].concat());
        all.extend(page);
        after = next;
        if after.is_none() {
            assert_eq!(pages, 3);
            break;
        }
    }
    let store = dir.store("a.db");
    let by_age = block_on(async {
        let mut records = Vec::new();
        for number in 0..25 {
            records.push(load(&store, number).await.unwrap());
        }
        records.sort_by_key(|record| std::cmp::Reverse(record.meta.position()));
        records
            .iter()
            .map(|record| record.meta.public_id.to_string())
            .collect::<Vec<_>>()
    });
    assert_eq!(all, by_age);
}

#[test]
fn the_table_is_aligned_and_has_no_colours_in_a_pipe() {
    let (_dir, url) = filled();
    let run = run(&["sessions", "list", "--limit", "3", "--store", &url]);
    assert_eq!(run.code, 0);
    assert!(!run.out.contains('\u{1b}'));
    let lines: Vec<_> = run.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.out);
    let column = lines[0].find("EXPIRES").unwrap();
    for line in &lines[1..] {
        let cell: String = line.chars().skip(column).collect();
        assert!(
            cell.contains(", in 23 h") || cell.contains(", in 24 h"),
            "{line}"
        );
    }
    assert!(run.err.contains("--after "), "{}", run.err);
}

#[test]
fn lists_say_which_kind_of_client_a_session_belongs_to() {
    let (dir, url) = (Dir::new(), "a.db");
    let store = dir.store(url);
    let url = dir.url(url);
    let known = ClientKind::ALL.map(|client| (Some(client), PublicId::random_for(client).unwrap()));
    let unknown = (None, PublicId::from_bytes([7; 12]));
    let all = known.into_iter().chain([unknown]);
    for (number, (client, public_id)) in all.enumerate() {
        let number = u64::try_from(number).unwrap();
        let mut record = record(number);
        record.meta.public_id = public_id;
        block_on(file(&store, &key(number), &record));
        let (code, text) = match client {
            Some(client) => (client.code(), client.to_string()),
            None => ("-", "client".to_owned()),
        };
        let public_id = public_id.to_string();
        let list = run(&["sessions", "list", "--store", &url]).out;
        let line = list.lines().find(|line| line.contains(&public_id)).unwrap();
        let column = list.lines().next().unwrap().find("CLIENT").unwrap();
        let cell: String = line.chars().skip(column).collect();
        assert_eq!(cell.split("  ").next(), Some(code), "{list}");
        let shown = run(&["sessions", "show", "--store", &url, "--", &public_id]).out;
        assert_eq!(shown.contains(&text), client.is_some(), "{shown}");
        let report = json(&[
            "sessions", "show", "--json", "--store", &url, "--", &public_id,
        ]);
        let listed = json(&["sessions", "list", "--json", "--store", &url]);
        let listed = listed["sessions"].as_array().unwrap();
        let listed = listed.iter().find(|one| one["public_id"] == *public_id);
        for object in [&report, listed.unwrap()] {
            assert_eq!(object["client"].as_str(), client.map(ClientKind::code));
        }
    }
}

#[test]
fn the_sessions_of_a_user() {
    let (_dir, url) = filled();
    assert_eq!(listed(&url, &["--user", "user7"]).0.len(), 1);
    assert_eq!(listed(&url, &["--user", "nobody"]), (vec![], None));
}

#[test]
fn show_has_the_facts_and_the_dictionary_and_never_an_id() {
    let (dir, url) = filled();
    let record = block_on(load(&dir.store("a.db"), 7)).unwrap();
    let public_id = record.meta.public_id.to_string();
    let shown = run(&["sessions", "show", "--store", &url, "--", &public_id]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    for text in [
        &public_id,
        "user7",
        "Firefox",
        "\"number\": 7",
        "Zoë 7",
        "2 changes",
    ] {
        let text = text.trim_end_matches(" changes");
        assert!(shown.out.contains(text), "{text}: {}", shown.out);
    }
    let dictionary = [
        "{",
        r#"  "number": 7,"#,
        r#"  "cart": ["tea", {" t": [1, 2]}],"#,
        r#"  "name": "Zoë 7""#,
        "}\n",
    ];
    assert!(shown.out.ends_with(&dictionary.join("\n")), "{}", shown.out);
    let report = json(&["sessions", "show", "--json", "--store", &url, &public_id]);
    let data: serde_json::Value = serde_json::from_str(report["data"].as_str().unwrap()).unwrap();
    assert_eq!(data["name"], "Zoë 7");
    assert_eq!(report["version"], 2);
    assert_eq!(report["expires"], record.meta.expires.unix());
    let hex: String = key(7)
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let all = shown.out + &report.to_string();
    assert!(!all.contains(&hex[..12]) && !all.contains("session 7"));
}

#[test]
fn a_device_cannot_give_orders_to_the_terminal() {
    let (dir, url) = filled();
    let mut tricky = record(50);
    tricky.meta.device = Some("\u{1b}[2Jx".to_owned());
    block_on(file(&dir.store("a.db"), &key(50), &tricky));
    let public_id = tricky.meta.public_id.to_string();
    for args in [&["list"][..], &["show", "--", &public_id]] {
        let (verb, rest) = args.split_first().unwrap();
        let run = run(&[&["sessions", verb, "--store", &url], rest].concat());
        assert_eq!(run.code, 0, "{}", run.err);
        assert!(
            !run.out.contains('\u{1b}') && run.out.contains("\\u{1b}[2Jx"),
            "{}",
            run.out
        );
    }
}

#[test]
fn one_session_is_revoked_and_no_other() {
    let (dir, url) = filled();
    let public_id = block_on(load(&dir.store("a.db"), 7))
        .unwrap()
        .meta
        .public_id
        .to_string();
    let done = run(&["sessions", "revoke", "--store", &url, "--", &public_id]);
    assert_eq!((done.code, done.out.as_str()), (0, "1 session revoked\n"));
    for verb in ["revoke", "show"] {
        let again = run(&["sessions", verb, "--store", &url, &public_id]);
        assert_eq!((again.code, again.out.as_str()), (3, ""), "{}", again.err);
        assert!(again.err.contains(&public_id));
    }
    assert_eq!(listed(&url, &[]).0.len(), 24);
}

#[test]
fn a_users_sessions_are_revoked_but_one() {
    let (dir, url) = filled();
    let keep = record(500);
    block_on(async {
        let store = dir.store("a.db");
        for (number, base) in [(501, record(501)), (502, record(502)), (500, keep.clone())] {
            let mut mine = base;
            mine.meta.user = Some("ada".to_owned());
            file(&store, &key(number), &mine).await;
        }
    });
    let kept = keep.meta.public_id.to_string();
    let all_but = format!("--all-but={kept}");
    let args = [
        "sessions", "revoke", "--json", "--user", "ada", &all_but, "--store", &url,
    ];
    assert_eq!(json(&args), serde_json::json!({"revoked": 2}));
    assert_eq!(listed(&url, &["--user", "ada"]).0, [kept]);
    let nobody = run(&["sessions", "revoke", "--user", "nobody", "--store", &url]);
    assert_eq!(
        (nobody.code, nobody.out.as_str()),
        (0, "no session was found\n")
    );
}

#[test]
fn all_sessions_are_revoked_only_with_consent() {
    let (_dir, url) = filled();
    let asked = run(&["sessions", "revoke", "--all", "--store", &url]);
    assert_eq!(asked.code, 2);
    assert!(asked.err.contains("--yes"), "{}", asked.err);
    assert_eq!(listed(&url, &[]).0.len(), 25, "none was ended");
    let done = run(&["sessions", "revoke", "--all", "--yes", "--store", &url]);
    // The expired session that was not swept is deleted as well.
    assert_eq!((done.code, done.out.as_str()), (0, "26 sessions revoked\n"));
    assert!(listed(&url, &[]).0.is_empty());
}

#[test]
fn revoke_wants_exactly_one_target() {
    for args in [
        &[][..],
        &["--all", "--user", "x"],
        &["--all-but", "AAAAAAAAAAAAAAAA"],
        &["--yes"],
        &["AAAA"],
    ] {
        let run = run(&[&["sessions", "revoke", "--store", "sqlite:none.db"], args].concat());
        assert_eq!(run.code, 2, "{args:?}: {}", run.err);
    }
}

#[test]
fn sweep_removes_what_has_expired() {
    let (dir, url) = filled();
    let report = json(&["sessions", "sweep", "--json", "--store", &url]);
    assert_eq!(report, serde_json::json!({"swept": 1}));
    let again = run(&["sessions", "sweep", "--store", &url]);
    assert_eq!(
        (again.code, again.out.as_str()),
        (0, "0 expired sessions removed\n")
    );
    assert!(block_on(load(&dir.store("a.db"), 3)).is_some());
}

#[test]
fn stats_count_the_living() {
    let (_dir, url) = filled();
    let report = json(&["sessions", "stats", "--json", "--store", &url]);
    assert_eq!(report["total"], 25);
    assert_eq!(report["exact"], true);
    assert_eq!(report["anonymous"], 9);
    let counts = |field: &str| -> Vec<_> {
        let groups = report[field].as_array().unwrap().iter();
        groups
            .map(|group| group["count"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(counts("age"), [0, 25, 0, 0, 0]);
    assert_eq!(counts("expiring"), [0, 25, 25]);
    assert_eq!(counts("users").len(), 10);
    let text = run(&["sessions", "stats", "--store", &url]).out;
    assert!(text.starts_with("25 sessions\n"), "{text}");
    assert!(text.contains("under a day    25  ████████"), "{text}");
    assert!(!text.contains("about"), "{text}");
}

#[test]
fn an_estimate_is_called_one() {
    let dir = Dir::new();
    block_on(fill(&dir.store("a.db"), 0..2_000));
    let url = dir.url("a.db");
    let args = ["sessions", "stats", "--sample", "500", "--store", &url];
    let report = json(&[&args[..], &["--json"]].concat());
    assert_eq!(
        (&report["exact"], &report["sampled"]),
        (&false.into(), &500.into())
    );
    let total = report["total"].as_u64().unwrap();
    assert!((1_400..2_800).contains(&total), "{total}");
    let text = run(&args).out;
    assert!(
        text.starts_with("about ") && text.contains("a sample of 500"),
        "{text}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (_dir, url) = filled();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = carafe();
    command
        .args(["sessions", "list", "--store", &url])
        .stdout(writer);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
}

#[test]
fn a_session_that_ends_is_gone_for_services_too() {
    let (dir, url) = filled();
    let store = dir.store("a.db");
    assert_eq!(
        run(&["sessions", "revoke", "--user", "user7", "--store", &url]).code,
        0
    );
    let found = block_on(store.load(&key(7), Timestamp::now())).unwrap();
    assert!(
        found.record().is_none(),
        "the service that has the file open sees it"
    );
}
