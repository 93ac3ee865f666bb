//! The console before a million sessions.

use crate::support::console::{Console, Sessions, Wanted, handle, handles};

const MILLION: u32 = 1_000_000;

/// The estimate behind `before`.
fn about(page: &str, before: &str) -> u64 {
    let (_, rest) = page
        .split_once(before)
        .unwrap_or_else(|| panic!("{before} in {page}"));
    let number = rest.split('<').next().unwrap();
    number.replace(',', "").parse().unwrap()
}

/// The estimated number of users in a group.
fn group(page: &str, name: &str) -> u64 {
    let (_, users) = page.split_once("id=\"users\"").unwrap();
    let (_, row) = users
        .split_once(&format!("<th scope=\"row\">{name}</th>"))
        .unwrap();
    about(row, "<span>about ")
}

fn tile(page: &str, name: &str) -> u64 {
    let before = format!("<dt>{name}</dt><dd><span class=\"tile-about\">about </span>");
    about(page, &before)
}

/// Half of all sessions belong to ten users, so a walk to a user's sessions meets 50,000 of them.
#[test]
#[ignore = "takes a minute; run by `cargo xtask test`"]
fn users_with_very_many_sessions_make_no_page_slow() {
    let sessions = Sessions::new();
    sessions.fill(MILLION, |n, file| {
        let user = match n % 2 {
            0 => format!("bot {}", n / 2 % 10),
            _ => format!("one {n}"),
        };
        file(Wanted {
            user: Some(&user),
            ..Wanted::default()
        });
    });
    let mut console = Console::entered(&sessions, &[]);
    let page = console.look("/");
    let (ones, many) = (group(&page, "1"), group(&page, "11 or more"));
    assert!((250_000..=750_000).contains(&ones), "500,000, not {ones}");
    assert!((2..=50).contains(&many), "10, not {many}");
    let page = console.look("/sessions?q=bot%207");
    assert_eq!(handles(&page).len(), 200);
    assert!(page.contains("more than 200 sessions"));
    console.look("/revoke-user?name=bot%207");
    console.look("/end-all");

    // Nine live sessions behind a million that no sweep has removed.
    let raw = sessions.raw();
    let expire =
        "UPDATE sessions SET expires = 1 WHERE key NOT IN (SELECT key FROM sessions LIMIT 9)";
    raw.execute(expire, []).unwrap();
    let page = console.look("/sessions");
    assert_eq!(handles(&page).len(), 9);
}

/// Numbers that are right, from pages that answer within the console's own deadlines; that no page
/// goes through all sessions is shown where the stores' queries are.
#[test]
#[ignore = "takes a minute; run by `cargo xtask test`"]
fn a_million_sessions_are_estimated_and_paged() {
    let sessions = Sessions::new();
    // Users with one session, and as many sessions of users with ten.
    sessions.fill(MILLION, |n, file| {
        let user = match n < MILLION / 2 {
            true => format!("one {n}"),
            false => format!("ten {}", n / 10),
        };
        let age = i64::from(MILLION - n);
        file(Wanted {
            user: Some(&user),
            age,
            idle: 0,
            ..Wanted::default()
        });
    });
    let mut console = Console::entered(&sessions, &[]);
    let page = console.look("/");
    let total = tile(&page, "Live sessions");
    assert!((850_000..1_150_000).contains(&total), "{total}");
    assert_eq!(tile(&page, "Logged in"), total);
    let (ones, tens) = (group(&page, "1"), group(&page, "6–10"));
    assert!(
        ones > 3 * tens,
        "500,000 and 50,000 users, not {ones} and {tens}"
    );

    let (mut path, mut last) = ("/sessions".to_owned(), MILLION);
    for _ in 0..5 {
        let page = console.look(&path);
        let expected: Vec<_> = (last - 50..last)
            .rev()
            .map(|n| handle(n).to_string())
            .collect();
        assert_eq!(handles(&page), expected);
        last -= 50;
        let (_, rest) = page.split_once("id=\"next\" href=\"").unwrap();
        path = rest.split('"').next().unwrap().to_owned();
    }
    let (place, _) = path.split_once('.').unwrap();
    let (place, renewed) = place.split_once('=').unwrap();
    let far = renewed.parse::<i64>().unwrap() - 900_000;
    let deep = console.look(&format!("{place}={far}.{}", handle(0)));
    assert_eq!(handles(&deep).len(), 50);
    assert_eq!(handles(&console.look("/sessions?q=ten%2070000")).len(), 10);
}
