//! The console as an operator uses it. Its pages promise to need no script, so the same walk is
//! taken without; with scripts they come up to date by themselves.

use carafe_test_browser::{Chromium, DESK, FIREFOX, IPHONE, PHONE, Visitor, Window};

use crate::support::console::{Console, Sessions, Wanted};

/// A running console over sessions, and a browser.
pub(crate) struct Ops {
    chromium: Chromium,
    pub(crate) sessions: Sessions,
    console: Console,
}

impl Ops {
    /// A console with these further arguments over these sessions.
    pub(crate) fn new(sessions: Sessions, args: &[&str]) -> Self {
        Self {
            chromium: Chromium::start(),
            console: Console::start(&sessions.file(), args),
            sessions,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.console.host, self.console.base)
    }

    /// Somebody who has come in: by the address that the console prints, or without scripts by
    /// hand.
    pub(crate) fn operator(&self, window: Window, scripts: bool) -> Visitor {
        let visitor = self.chromium.visitor();
        visitor.resize(window.width, window.height);
        let token = &self.console.token;
        if scripts {
            let printed = self.url(&format!("/enter#{token}"));
            visitor.arrive(&printed, "document.title.startsWith('Overview')");
        } else {
            visitor.switch_scripts_off();
            visitor.open(&self.url("/enter"));
            visitor.fill("#token", "wrong");
            visitor.submit(".door .button-primary");
            assert!(visitor.text(".banner").contains("not the token"));
            visitor.fill("#token", token);
            visitor.submit(".door .button-primary");
        }
        let address = visitor.ask("location.href + history.length");
        assert!(!address.as_str().unwrap().contains(token.as_str()));
        visitor
    }
}

/// Three sessions of ada, and 57 of other users or without a user.
pub(crate) fn sixty() -> Sessions {
    let sessions = Sessions::new();
    for n in 0..60_i64 {
        let other = format!("user {n}");
        let user = match n {
            0..3 => Some("ada"),
            _ => (n % 2 == 0).then_some(&*other),
        };
        let notes = format!(
            r#"{{"visits":{n},"notes":"{}"}}"#,
            "a long word ".repeat(60)
        );
        sessions.add(Wanted {
            user,
            age: 60 * (n + 1),
            idle: 30,
            json: &notes,
            ..Wanted::default()
        });
    }
    sessions
}

fn walk(window: Window, scripts: bool) {
    let ops = Ops::new(sixty(), &[]);
    let operator = ops.operator(window, scripts);
    assert_eq!(
        operator.ask("document.getElementById('live').hidden"),
        !scripts
    );
    looks_around(&operator);
    revokes(&operator);
    ends_all(&ops, &operator);
    operator.submit("form[action$=leave] button");
    assert_eq!(operator.text("h1"), "Enter the token");
    operator.open(&ops.url("/sessions"));
    assert_eq!(operator.text("h1"), "Enter the token");
}

fn fits(visitor: &Visitor) {
    assert!(
        !visitor.scrolls_sideways(),
        "{}",
        visitor.ask("location.href")
    );
}

fn looks_around(operator: &Visitor) {
    assert!(operator.text(".tiles").contains("60"));
    assert_eq!(operator.count("#newest tbody tr"), 8);
    assert!(operator.count("#begun .plot-bar") > 1);
    operator.click("#begun-numbers summary");
    assert!(operator.text("#begun-numbers").contains("Live sessions"));
    fits(operator);
    operator.submit(".tabs li:last-child a");
    assert_eq!(operator.count("#list tbody tr"), 50);
    fits(operator);
    operator.submit("#next");
    assert_eq!(operator.count("#list tbody tr"), 10);
    assert!(operator.text("#list").contains("Older sessions."));
    fits(operator);
    operator.submit("#first");
    assert_eq!(operator.count("#list tbody tr"), 50);
}

fn revokes(operator: &Visitor) {
    operator.fill("#q", "ada");
    operator.submit(".search .button-primary");
    assert_eq!(operator.text("#by-user"), "3 sessions of ada");
    assert_eq!(operator.count("#found tbody tr"), 3);
    fits(operator);
    operator.submit("#found tbody a");
    assert!(operator.text("#facts").contains("Firefox on Linux"));
    assert!(operator.text("#content").contains("\"visits\""));
    operator.click("#content summary");
    fits(operator);
    operator.submit("#revoke");
    assert!(operator.text("h1").starts_with("Revoke session"));
    fits(operator);
    operator.submit(".question a.button");
    operator.submit("#revoke");
    operator.submit("#confirm");
    assert!(operator.text("main").contains("Revoked session"));
    operator.fill("#q", "ada");
    operator.submit(".search .button-primary");
    assert_eq!(operator.text("#by-user"), "2 sessions of ada");
    operator.submit("#revoke-user");
    operator.submit("#confirm");
    assert!(operator.text("main").contains("Revoked 2 sessions of ada"));
}

fn ends_all(ops: &Ops, operator: &Visitor) {
    operator.submit(".tabs li:first-child a");
    operator.submit(".danger a");
    operator.fill("#typed", "end some sessions");
    operator.submit("#confirm");
    assert!(operator.text("main").contains("No session was revoked"));
    assert_eq!(ops.sessions.rows(), 57);
    operator.fill("#typed", "revoke all sessions");
    operator.submit("#confirm");
    assert!(
        operator
            .text("main")
            .contains("Revoked all sessions: 57 sessions")
    );
    assert!(operator.text("#newest").contains("No live sessions"));
    fits(operator);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn at_a_desk() {
    walk(DESK, true);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn at_a_desk_without_scripts() {
    walk(DESK, false);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn on_a_phone() {
    walk(PHONE, true);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn on_a_phone_without_scripts() {
    walk(PHONE, false);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn read_only_and_under_a_path() {
    let ops = Ops::new(sixty(), &["--read-only", "--base-path", "/ops/carafe"]);
    let operator = ops.operator(DESK, true);
    assert!(operator.text(".brand").contains("Read-only"));
    assert_eq!(operator.count(".danger"), 0);
    operator.submit("#newest tbody a");
    assert_eq!(operator.count("#revoke"), 0);
    assert!(
        operator
            .ask("location.pathname")
            .as_str()
            .unwrap()
            .starts_with("/ops/carafe/sessions/")
    );
}

/// A URL that differs from the page's only behind `#` loads no page.
#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn the_printed_url_enters_from_a_tab_that_shows_the_door() {
    let ops = Ops::new(sixty(), &["--base-path", "/ops"]);
    let printed = ops.url(&format!("/enter#{}", ops.console.token));
    let visitor = ops.chromium.visitor();
    let enters = || {
        visitor.arrive(&printed, "document.title.startsWith('Overview')");
        let address = visitor.ask("location.href");
        assert!(!address.as_str().unwrap().contains('#'), "{address}");
    };
    for path in ["/enter", "/enter?refused", "/"] {
        visitor.open(&ops.url(path));
        assert_eq!(visitor.text("h1"), "Enter the token");
        enters();
        visitor.submit("form[action$=leave] button");
    }
    // After a wrong token, twice, each from the address line.
    for _ in 0..2 {
        visitor.arrive(
            &ops.url("/enter#wrong"),
            "!!document.querySelector('.banner')",
        );
    }
    enters();
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn a_page_comes_up_to_date_while_somebody_looks() {
    let ops = Ops::new(sixty(), &[]);
    let operator = ops.operator(DESK, true);
    operator.click("#begun-numbers summary");
    operator.ask("window.stayed = true");
    let handle = ops.sessions.add(Wanted {
        age: 0,
        idle: 0,
        ..Wanted::default()
    });
    operator.wait_until(&format!("!!document.getElementById('s-{handle}')"));
    operator.wait_until("document.querySelector('.tile dd').textContent === '61'");
    operator.wait_until(
        "document.getElementById('announcements').textContent.includes('61 live sessions')",
    );
    assert_eq!(
        operator.ask("document.getElementById('begun-numbers').open"),
        true
    );
    operator.ask(&format!("document.getElementById('s-{handle}').focus()"));
    ops.sessions.add(Wanted {
        age: 0,
        idle: 0,
        ..Wanted::default()
    });
    operator.wait_until("document.querySelector('.tile dd').textContent === '62'");
    assert_eq!(
        operator.ask("document.activeElement.id"),
        format!("s-{handle}")
    );
    assert_eq!(
        operator.ask("window.stayed"),
        true,
        "the page was not loaded again"
    );
    operator.click("#live-pause");
    assert_eq!(operator.text("#live-text"), "Paused");
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn a_store_that_goes_and_comes_back_is_seen() {
    let ops = Ops::new(sixty(), &[]);
    let operator = ops.operator(DESK, true);
    let database = ops.sessions.raw();
    database
        .execute_batch("ALTER TABLE sessions RENAME TO away")
        .unwrap();
    operator.wait_until("!!document.querySelector('#store-state [role=alert]')");
    assert!(
        operator
            .text("#store-state")
            .contains("The store does not respond")
    );
    assert_eq!(operator.count(".tabs a"), 2);
    fits(&operator);
    database
        .execute_batch("ALTER TABLE away RENAME TO sessions")
        .unwrap();
    operator.wait_until("!!document.querySelector('.tiles') && !document.querySelector('#store-state [role=alert]')");
}

/// Tabs on to an element; everything on the way shows where the focus is.
fn tab_to(operator: &Visitor, selector: &str) {
    for _ in 0..80 {
        operator.press("Tab");
        let visible = "getComputedStyle(document.activeElement).outlineStyle !== 'none'";
        assert_eq!(
            operator.ask(visible),
            true,
            "{}",
            operator.ask("document.activeElement.outerHTML")
        );
        if operator.ask(&format!("document.activeElement.matches({selector:?})")) == true {
            return;
        }
    }
    panic!("{selector} is not reached by the keyboard");
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn the_keyboard_is_enough() {
    let ops = Ops::new(sixty(), &[]);
    let operator = ops.chromium.visitor();
    operator.open(&ops.url("/enter"));
    operator.type_in(&ops.console.token);
    operator.follow();
    operator.press("Tab");
    assert_eq!(
        operator.ask("document.activeElement.className"),
        "skip-link"
    );
    tab_to(&operator, ".tabs li:last-child a");
    operator.follow();
    tab_to(&operator, "#q");
    operator.type_in("ada");
    operator.follow();
    tab_to(&operator, "#found tbody a");
    operator.follow();
    tab_to(&operator, "#revoke");
    operator.follow();
    tab_to(&operator, "#confirm");
    operator.follow();
    assert!(operator.text("main").contains("Revoked session"));
    assert_eq!(ops.sessions.rows(), 59);
}

/// The texts with a contrast below WCAG 2.2's 4.5 (3 for large texts), and the fields without a
/// label.
const UNREADABLE: &str = "(() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
    const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4); return .2126 * x + .7152 * y + .0722 * z; };
    const behind = (element) => { for (; element; element = element.parentElement) { const color = rgba(getComputedStyle(element).backgroundColor); if (color[3] === 255) return color; } return [255, 255, 255]; };
    const bad = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!own || element.closest('svg, .visually-hidden, .skip-link, script') || !element.getClientRects().length) continue;
        const style = getComputedStyle(element);
        const [a, b] = [light(rgba(style.color)), light(behind(element))].sort((x, y) => y - x);
        const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
        if ((a + .05) / (b + .05) < (large ? 3 : 4.5)) bad.push(element.outerHTML);
    }
    for (const field of document.querySelectorAll('input:not([type=hidden])')) if (!field.labels.length) bad.push(field.outerHTML);
    for (const head of document.querySelectorAll('th')) if (!head.scope) bad.push(head.outerHTML);
    if (document.querySelectorAll('h1').length !== 1 || document.querySelectorAll('main').length !== 1) bad.push('one h1, one main');
    return bad.join('\\n');
})()";

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn every_page_can_be_read_in_light_and_in_the_dark() {
    let ops = Ops::new(sixty(), &[]);
    let operator = ops.operator(DESK, true);
    let handle = operator.ask("document.querySelector('#newest tbody a').textContent");
    let session = format!("/sessions/{}", handle.as_str().unwrap());
    let revoke = format!("{session}/revoke");
    for scheme in ["light", "dark"] {
        operator.prefer(scheme);
        for path in [
            "/",
            "/sessions",
            "/sessions?q=ada",
            "/sessions?q=nobody",
            &session,
            &revoke,
            "/end-all",
            "/enter",
            "/no",
        ] {
            operator.open(&ops.url(path));
            assert_eq!(operator.ask(UNREADABLE), "", "{path}, {scheme}");
        }
    }
    operator.open("data:text/html,<main><h1>x</h1><p style='color:%23999'>gray</p><input></main>");
    let bad = operator.ask(UNREADABLE);
    let bad = bad.as_str().unwrap();
    assert!(
        bad.contains("gray") && bad.contains("<input>"),
        "what is bad is noticed: {bad}"
    );
}

/// Between a phone and a desk there are windows of every width.
#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn no_width_scrolls_sideways() {
    let sessions = sixty();
    let long = "an-address-that-is-rather-long@a-company-with-a-long-name.example".repeat(2);
    let handle = sessions.add(Wanted {
        user: Some(&long),
        age: 0,
        device: Some(&long),
        ..Wanted::default()
    });
    let ops = Ops::new(sessions, &[]);
    let operator = ops.operator(DESK, true);
    for path in [
        "/".to_owned(),
        format!("/sessions?q={long}"),
        format!("/sessions/{handle}"),
        format!("/revoke-user?name={long}"),
    ] {
        operator.open(&ops.url(&path));
        for width in [320, 360, 430, 600, 768, 834, 1024, 1180, 1440, 1920] {
            operator.resize(width, 900);
            fits(&operator);
        }
    }
}

/// Device notes as applications store them, and as an attacker would.
fn devices() -> Vec<(String, &'static str)> {
    let rest = "(KHTML, like Gecko) Chrome/142.0.0.0";
    vec![
        (
            format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 {rest} Safari/537.36 Edg/142.0.3595.80"
            ),
            "Edge on Windows",
        ),
        (
            format!(
                "Mozilla/5.0 (Linux; Android 14; SM-S928B Build/UP1A.231005.007; wv) AppleWebKit/537.36 {rest} Mobile \
                 Safari/537.36 Instagram 357.1.0.52.100 Android (34/14; 600dpi; 1440x3120; samsung; SM-S928B; e3q; qcom; en_US; 662944209)"
            ),
            "Chrome on Android",
        ),
        (IPHONE.to_owned(), "Safari on iPhone"),
        (FIREFOX.to_owned(), "Firefox on Linux"),
        ("okhttp/4.12.0".to_owned(), "okhttp"),
        ("Ada's laptop".to_owned(), "Ada's laptop"),
        (
            format!("Mozilla/5.0 {}", "x".repeat(20_000)),
            "Mozilla/5.0 xxx",
        ),
        ("W".repeat(5_000), "WWW"),
        ("\u{fdfd}".repeat(300), "\u{fdfd}"),
        (format!("Z{}", "\u{301}".repeat(300)), "Z\u{301}"),
        (
            "\u{202e}gnitrow <b>\n\t</b></td></table>".repeat(40),
            "\\u{202e}gnitrow <b>",
        ),
        ("<wbr>\u{ad}".repeat(2_000), "<wbr>"),
    ]
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn device_notes_are_short_and_break_no_table() {
    let (sessions, devices) = (sixty(), devices());
    let long = "an-address-that-is-rather-long@a-company-with-a-long-name.example".repeat(20);
    let handles: Vec<_> = devices
        .iter()
        .rev()
        .enumerate()
        .map(|(n, (device, _))| {
            sessions.add(Wanted {
                user: Some(if n % 2 == 0 { "grace" } else { &long }),
                device: Some(device),
                age: 0,
                idle: 0,
                ..Wanted::default()
            })
        })
        .collect();
    let ops = Ops::new(sessions, &[]);
    let operator = ops.operator(DESK, true);
    let row = |handle: &str| format!("tr:has(#s-{handle})");
    operator.open(&ops.url("/sessions"));
    operator.click("#live-pause");
    for (handle, (device, short)) in handles.iter().rev().zip(&devices) {
        let cell = operator.text(&format!("{} .cell-device", row(handle)));
        assert!(cell.starts_with(short), "{cell}");
        let title = operator.ask(&format!(
            "document.querySelector({:?})?.title",
            format!("{} .cell-device bdi", row(handle))
        ));
        let is_header = ["Edge on Windows", "Chrome on Android", "okhttp"].contains(short);
        assert!(!is_header || title == device.as_str(), "{title}");
        assert!(title.as_str().unwrap().len() < 8_000);
    }
    for path in ["/", "/sessions", "/sessions?q=grace"] {
        operator.open(&ops.url(path));
        operator.click("#live-pause");
        for width in [320, 390, 600, 768, 834, 1024, 1280, 1920] {
            operator.resize(width, 900);
            fits(&operator);
            assert_eq!(operator.ask(BROKEN_ROWS), "", "{path} at {width}");
        }
    }
    let newest = handles.last().unwrap();
    for width in [320, 1280] {
        operator.resize(width, 900);
        for (handle, (device, _)) in handles.iter().rev().zip(&devices) {
            operator.open(&ops.url(&format!("/sessions/{handle}")));
            fits(&operator);
            assert!(operator.edge("#facts", "bottom") < 1_500.0, "{handle}");
            if handle == newest {
                let facts = operator.text("#facts");
                assert!(
                    facts.contains("Edge on Windows") && facts.contains(device),
                    "{facts}"
                );
            }
        }
    }
}

/// The rows of a list that are higher than a card of three rows with two lines each, and the cells
/// whose text leaves them.
const BROKEN_ROWS: &str = "(() => {
    const bad = [], box = (element) => element.getBoundingClientRect();
    for (const row of document.querySelectorAll('.sessions tbody tr')) {
        if (box(row).height > 160) bad.push('high: ' + box(row).height + row.outerHTML);
        for (const cell of row.children) {
            const inner = cell.querySelector('.clamped') ?? cell;
            if (box(inner).width > 0 && box(inner).width < 40) bad.push('narrow: ' + cell.outerHTML);
            if (inner === cell && cell.scrollWidth > cell.clientWidth + 1) bad.push('wide: ' + cell.outerHTML);
            if (box(inner).right > box(row).right + 1 || box(inner).bottom > box(row).bottom + 1) bad.push('outside: ' + cell.outerHTML);
        }
    }
    return bad.join('\\n').slice(0, 2000);
})()";
