//! The console before a million sessions.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use support::console::{Console, Sessions, Wanted, handle, handles};

/// Numbers that are right, from pages that answer within the console's own deadlines; that no page goes through all
/// sessions is shown where the stores' queries are.
#[test]
#[ignore = "takes a minute; run by `cargo xtask test`"]
fn a_million_sessions_are_estimated_and_paged() {
    const MILLION: u32 = 1_000_000;
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
    let about = |page: &str, name: &str| {
        let (_, rest) = page
            .split_once(&format!(
                "<dt>{name}</dt><dd><span class=\"tile-about\">about </span>"
            ))
            .unwrap();
        rest.split('<')
            .next()
            .unwrap()
            .replace(',', "")
            .parse::<u64>()
            .unwrap()
    };
    let page = console.look("/");
    let total = about(&page, "Live sessions");
    assert!((850_000..1_150_000).contains(&total), "{total}");
    assert_eq!(about(&page, "Logged in"), total);
    let (_, users) = page.split_once("id=\"users\"").unwrap();
    let group = |name: &str| {
        let (_, rest) = users
            .split_once(&format!("<th scope=\"row\">{name}</th>"))
            .unwrap();
        let (_, rest) = rest.split_once("<span>about ").unwrap();
        rest.split('<')
            .next()
            .unwrap()
            .replace(',', "")
            .parse::<u64>()
            .unwrap()
    };
    let (ones, tens) = (group("1"), group("6–10"));
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
