//! Carafe's `Set-Cookie` headers, as read by a browser.
//!
//! Every cookie of a policy that builds is kept, every removal removes the cookie, and no string
//! injects a second attribute, cookie or header. The browser is the model in `user_agent/`, which
//! shares no code with the library.

use carafe_core::{
    clock::Timestamp,
    cookie::{
        CookieError, CookiePolicy, Grammar, Persistence, RequestCookies, SameSite, SetCookie,
    },
};
use proptest::prelude::*;

use crate::user_agent::{HOST, Jar};

const NOW: i64 = 1_700_000_000;
const NAMES: [&str; 7] = [
    "session",
    "__Secure-s",
    "__Host-s",
    "__Http-s",
    "__Host-Http-s",
    "__hOsT-s",
    "__HOST-HTTP-s",
];
const DOMAINS: [Option<&str>; 4] = [
    None,
    Some("example.com"),
    Some(".Shop.Example.COM:443"),
    Some(HOST),
];
const SAME_SITES: [Option<SameSite>; 4] = [
    None,
    Some(SameSite::Lax),
    Some(SameSite::Strict),
    Some(SameSite::None),
];

/// One reachable state of the builder.
#[derive(Debug)]
struct State {
    name: &'static str,
    domain: Option<&'static str>,
    path: &'static str,
    same_site: Option<SameSite>,
    flags: [bool; 3],
}

/// Name × domain × path × SameSite × Secure, HttpOnly, Partitioned.
fn every_state() -> impl Iterator<Item = State> {
    (0..7 * 4 * 3 * 4 * 8_usize).map(|number| {
        let (bits, rest) = (number % 8, number / 8);
        State {
            name: NAMES[rest % 7],
            domain: DOMAINS[rest / 7 % 4],
            path: ["/", "/app", "/a b;c"][rest / 28 % 3],
            same_site: SAME_SITES[rest / 84],
            flags: [1, 2, 4].map(|bit| bits & bit != 0),
        }
    })
}

impl State {
    fn build(&self) -> Result<CookiePolicy, CookieError> {
        let [secure, http_only, partitioned] = self.flags;
        let builder = CookiePolicy::flask(self.name).path(self.path);
        let builder = match self.domain {
            Some(domain) => builder.domain(domain),
            None => builder,
        };
        builder
            .same_site(self.same_site)
            .secure(secure)
            .http_only(http_only)
            .partitioned(partitioned)
            .build()
    }

    /// Returns the expected header for these attributes, rendered without the library.
    fn header(&self) -> String {
        let mut text = format!("{}=x; Path={}", self.name, self.path.replace(';', "%3B"));
        for (on, flag) in self
            .flags
            .into_iter()
            .zip(["; Secure", "; HttpOnly", "; Partitioned"])
        {
            text.push_str(if on { flag } else { "" });
        }
        let same_site = self.same_site.map(|value| format!("; SameSite={value:?}"));
        let domain = self
            .domain
            .map(|domain| format!("; Domain={}", domain.replace(":443", "")));
        text + &same_site.unwrap_or_default() + &domain.unwrap_or_default()
    }
}

fn every_policy() -> impl Iterator<Item = CookiePolicy> {
    every_state().filter_map(|state| state.build().ok())
}

#[test]
fn a_policy_builds_exactly_if_browsers_keep_its_cookie() {
    for state in every_state() {
        let kept = Jar::default().receive(&state.header(), NOW);
        assert_eq!(state.build().is_ok(), kept.is_ok(), "{state:?}: {kept:?}");
    }
}

#[test]
fn browsers_see_what_the_policy_says() {
    assert!(every_policy().count() > 300);
    for policy in every_policy() {
        let text = policy.set("x", Persistence::MaxAge(60)).unwrap();
        let kept = Jar::default()
            .receive(&text, NOW)
            .unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(
            (kept.name.as_str(), kept.value.as_str(), kept.path.as_str()),
            (policy.name(), "x", policy.path())
        );
        let flags = (
            policy.is_secure(),
            policy.is_http_only(),
            policy.is_partitioned(),
        );
        assert_eq!((kept.secure, kept.http_only, kept.partitioned), flags);
        assert_eq!(
            kept.same_site,
            policy
                .same_site()
                .map(|value| value.as_str().to_lowercase())
        );
        assert_eq!(
            (kept.host_only, kept.expires),
            (policy.domain().is_none(), Some(NOW + 60))
        );
    }
}

#[test]
fn a_removal_empties_the_jar_also_of_partitioned_cookies() {
    for policy in every_policy() {
        for persistence in [
            Persistence::BrowserSession,
            Persistence::Expires(Timestamp::from_unix(NOW + 60)),
            Persistence::MaxAge(60),
        ] {
            let mut jar = Jar::default();
            jar.receive(&policy.set("x", persistence).unwrap(), NOW)
                .unwrap();
            assert_eq!(jar.cookies.len(), 1);
            jar.receive(policy.removal(), NOW).unwrap();
            assert!(
                jar.cookies.is_empty(),
                "{} leaves {jar:?}",
                policy.removal()
            );
        }
    }
}

#[test]
fn a_removal_without_a_policy_empties_the_jar() {
    let attributes =
        |cookie: SetCookie| cookie.path("/app").domain("example.com").partitioned(true);
    let mut jar = Jar::default();
    for cookie in [
        SetCookie::new("k", "v").max_age_seconds(60),
        SetCookie::removal("k"),
    ] {
        jar.receive(
            &attributes(cookie)
                .render(Timestamp::from_unix(NOW))
                .unwrap(),
            NOW,
        )
        .unwrap();
    }
    assert!(jar.cookies.is_empty());
}

/// Strings that an attacker would send, mixed with ordinary ones so that many cookies are accepted.
fn text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(
        &[
            "; Secure",
            "\r\nSet-Cookie: a=b",
            "=",
            ";",
            ",",
            "\"",
            "\\",
            " ",
            "\0",
            "\u{1f}",
            "é",
            "%3B",
            "; Domain=evil.example",
            "\u{2000}",
            "\t",
            "/",
            "a",
        ][..],
    );
    prop_oneof![
        "[a-zA-Z0-9_.-]{0,12}",
        prop::collection::vec(nasty, 0..5).prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "(__Host-|__Secure-)?[!#-'*+.^_`|~a-zA-Z0-9-]{1,12}", 1 => text()]
}

fn path() -> impl Strategy<Value = Option<String>> {
    prop_oneof![1 => Just(None), 4 => text().prop_map(|path| Some(format!("/{path}")))]
}

fn domain() -> impl Strategy<Value = Option<String>> {
    let known = prop::sample::select(&["example.com", ".example.com", "shop.EXAMPLE.com:80"][..]);
    prop_oneof![2 => Just(None), 2 => known.prop_map(|domain| Some(domain.to_owned())), 1 => text().prop_map(Some)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_string_can_inject_an_attribute(
        name in name(), value in text(), path in path(), domain in domain(),
        (secure, http_only, partitioned) in any::<(bool, bool, bool)>(),
        age in prop::option::of(1_i64..99),
    ) {
        let mut cookie = SetCookie::new(&name, &value).secure(secure).http_only(http_only).partitioned(partitioned);
        cookie = match &path { Some(path) => cookie.path(path), None => cookie.no_path() };
        if let Some(domain) = &domain { cookie = cookie.domain(domain); }
        if let Some(age) = age { cookie = cookie.max_age_seconds(age); }
        let Ok(sent) = cookie.render(Timestamp::from_unix(NOW)) else { return Ok(()) };

        prop_assert!(sent.bytes().all(|byte| (b' '..0x7f).contains(&byte)));
        let mut jar = Jar::default();
        let kept = match jar.receive(&sent, NOW) {
            Ok(kept) => kept,
            Err(why) => { prop_assert!(why.ends_with("foreign domain"), "{}: {}", sent, why); return Ok(()) }
        };
        prop_assert_eq!(&kept.name, &name);
        prop_assert_eq!((kept.secure, kept.http_only, kept.partitioned), (secure || partitioned, http_only, partitioned));
        prop_assert_eq!(kept.expires, age.map(|age| NOW + age));
        prop_assert_eq!(kept.same_site, None);
        prop_assert_eq!(unpercent(&kept.path), unpercent(path.as_deref().unwrap_or_default()));
        let host = domain.as_deref().unwrap_or(HOST).split(':').next().unwrap().trim_start_matches('.').to_lowercase();
        prop_assert_eq!((kept.domain, kept.host_only), (host, domain.is_none()));
        // The browser's next request returns exactly this cookie.
        let header = jar.header();
        for grammar in [Grammar::Strict, Grammar::Lenient] {
            let back = RequestCookies::parse([header.as_bytes()], grammar);
            prop_assert_eq!(back.iter().collect::<Vec<_>>(), [(name.as_str(), value.as_str())]);
        }
    }

    #[test]
    fn no_string_can_make_a_policy_that_browsers_drop(
        name in name(), value in text(), path in path(), domain in domain(), flags in any::<[bool; 3]>(),
    ) {
        let [secure, http_only, partitioned] = flags;
        let builder = CookiePolicy::builder(&name).path(path.unwrap_or_default());
        let builder = match domain { Some(domain) => builder.domain(domain), None => builder };
        let Ok(policy) = builder.secure(secure).http_only(http_only).partitioned(partitioned).build() else { return Ok(()) };
        let mut jar = Jar::default();
        for text in [policy.set(&value, Persistence::BrowserSession).unwrap(), policy.removal().to_owned()] {
            prop_assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte)));
            if let Err(why) = jar.receive(&text, NOW) {
                prop_assert!(why.ends_with("foreign domain"), "{}: {}", text, why);
            }
        }
        prop_assert!(jar.cookies.is_empty());
    }
}

/// Returns the path's bytes, with `%XX` decoded.
fn unpercent(path: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), path.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex
            .filter(|_| first == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out
}
