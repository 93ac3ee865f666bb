//! A `User-Agent` header in few words: "Firefox on Linux".
//!
//! For display only. A client can send any header, so no decision is based on this text.

use axum::http::{HeaderMap, header};

/// In this order, because each browser also names the browsers that it descends from.
const BROWSERS: [(&str, &str); 11] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("HeadlessChrome/", "Headless Chrome"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
];

/// Maximum length of a program's name in a list, in bytes.
const LONGEST_PRODUCT: usize = 32;

/// In this order, because Android also says Linux, and an iPhone says "like Mac OS X".
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
];

/// Returns the device of a request.
pub fn device(headers: &HeaderMap) -> String {
    let header = headers.get(header::USER_AGENT);
    let text = header.and_then(|text| text.to_str().ok());
    text.and_then(short)
        .unwrap_or_else(|| "An unknown device".to_owned())
}

/// Returns the short form of a device note if the note is a `User-Agent` header. Applications store
/// either the header or a text of their own, which is kept.
pub fn short_note(note: &str) -> Option<String> {
    product(note)?;
    short(note)
}

fn short(user_agent: &str) -> Option<String> {
    let named = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(sign, _)| user_agent.contains(sign));
        found.map(|&(_, name)| name)
    };
    // Every browser claims to be Mozilla. Any other program is shown by its name.
    let program = || product(user_agent).filter(|name| *name != "Mozilla");
    match (named(&BROWSERS).or_else(program), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(browser), None) => Some(browser.to_owned()),
        (None, Some(system)) => Some(format!("A browser on {system}")),
        (None, None) => None,
    }
}

/// Returns the name at the start of a `User-Agent` header: a token, `/` and a version (RFC 9110,
/// section 10.1.5).
fn product(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once('/')?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_name = (1..=LONGEST_PRODUCT).contains(&name.len()) && name.chars().all(is_token);
    (is_name && rest.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_their_youngest_name() {
        for (text, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
                "Headless Chrome on Linux",
            ),
            ("curl/8.14.1", "curl"),
            ("okhttp/4.12.0", "okhttp"),
            (
                "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A)",
                "Dalvik on Android",
            ),
            ("something (Linux)", "A browser on Linux"),
        ] {
            assert_eq!(short(text).as_deref(), Some(expected));
            let is_header = !text.starts_with("something");
            assert_eq!(short_note(text).is_some(), is_header, "{text}");
        }
        assert_eq!(short(""), None);
        assert_eq!(device(&HeaderMap::new()), "An unknown device");
    }

    #[test]
    fn notes_in_other_words_stay() {
        let long = format!("{}/1.0", "x".repeat(LONGEST_PRODUCT + 1));
        for note in [
            "",
            "Firefox on Linux",
            "Ada's laptop (Windows)",
            "iPhone/iPad",
            "/1",
            "the red one/2",
            "Mozilla/5.0 (compatible)",
            &long,
        ] {
            assert_eq!(short_note(note), None, "{note}");
        }
    }
}
