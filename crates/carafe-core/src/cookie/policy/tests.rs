//! Tests of rendering and validation. `tests/core/cookie_user_agent.rs` tests how browsers read the
//! rendered cookies.

use super::{CookiePolicy, CookiePolicyBuilder, Persistence};
use crate::{
    clock::Timestamp,
    cookie::{CookieError, SameSite},
};

fn refused(builder: CookiePolicyBuilder) -> String {
    let error = builder.build().unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

#[test]
fn the_safe_attributes_are_on() {
    let policy = CookiePolicy::builder("id").build().unwrap();
    let text = policy.set("x", Persistence::BrowserSession).unwrap();
    assert_eq!(text, "id=x; Secure; HttpOnly; Path=/; SameSite=Lax");
    assert!(policy.is_secure() && policy.is_http_only() && !policy.is_partitioned());
    assert_eq!(
        (
            policy.name(),
            policy.domain(),
            policy.path(),
            policy.same_site()
        ),
        ("id", None, "/", Some(SameSite::Lax))
    );
}

#[test]
fn the_default_policy_builds() {
    let policy = CookiePolicy::default();
    let text = policy.set("x", Persistence::BrowserSession).unwrap();
    assert_eq!(
        text,
        "__Host-Http-session=x; Secure; HttpOnly; Path=/; SameSite=Lax"
    );
}

#[test]
fn each_inconsistent_policy_says_what_to_change() {
    let host = || CookiePolicy::builder("__Host-id");
    assert!(refused(host().domain("a.example")).contains("use the prefix __Secure-"));
    assert!(refused(host().path("/app")).contains("set the path to \"/\""));
    assert!(refused(host().secure(false)).contains("turn it on"));
    assert!(
        refused(CookiePolicy::builder("__http-id").http_only(false))
            .contains("HttpOnly; turn it on")
    );
    assert!(
        refused(CookiePolicy::builder("__Host-Http-session").http_only(false))
            .contains("HttpOnly; turn it on")
    );
    assert!(refused(CookiePolicy::builder("a b")).contains("cookie name \"a b\""));
    assert!(refused(CookiePolicy::builder("a").path("app")).contains("must start with \"/\""));
    assert!(refused(CookiePolicy::builder("a").domain("a\n")).contains("cookie domain \"a\\n\""));
}

#[test]
fn the_removal_has_the_cookies_attributes() {
    let policy = CookiePolicy::flask("s")
        .domain(".Example.com:80")
        .path("/a b")
        .secure(true)
        .partitioned(true);
    let policy = policy.same_site(SameSite::None).build().unwrap();
    let gone = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; ";
    let set = "s=; Domain=Example.com; Secure; HttpOnly; Path=/a%20b; SameSite=None; Partitioned";
    assert_eq!(policy.set("", Persistence::BrowserSession).unwrap(), set);
    assert_eq!(
        policy.removal(),
        set.replace("Secure", &format!("{gone}Secure"))
    );
    assert_eq!(
        (policy.domain(), policy.path()),
        (Some("Example.com"), "/a%20b")
    );
}

#[test]
fn the_limit_counts_name_and_value() {
    let policy = CookiePolicy::flask("session").build().unwrap();
    assert!(
        policy
            .set(&"x".repeat(4089), Persistence::BrowserSession)
            .is_ok()
    );
    let error = policy
        .set(&"x".repeat(4090), Persistence::BrowserSession)
        .unwrap_err();
    assert_eq!(
        error,
        CookieError::TooLarge {
            name: "session".to_owned(),
            size: 4097
        }
    );
    assert!(CookiePolicy::flask("x".repeat(4097)).build().is_err());
}

#[test]
fn a_lifetime_is_clamped() {
    let policy = CookiePolicy::flask("s").build().unwrap();
    let text = policy.set("x", Persistence::MaxAge(i64::MAX)).unwrap();
    assert_eq!(text, "s=x; Max-Age=34560000; HttpOnly; Path=/");
}

#[test]
fn an_impossible_date_is_an_error() {
    let policy = CookiePolicy::flask("s").build().unwrap();
    assert!(
        policy
            .set("x", Persistence::Expires(Timestamp::from_unix(i64::MAX)))
            .is_err()
    );
}

#[test]
fn same_site_none_needs_secure() {
    assert!(
        refused(CookiePolicy::flask("s").same_site(SameSite::None))
            .starts_with("SameSite=None needs Secure")
    );
    assert!(
        CookiePolicy::flask("s")
            .same_site(SameSite::None)
            .secure(true)
            .build()
            .is_ok()
    );
}

#[test]
fn partitioned_needs_secure() {
    assert!(
        refused(CookiePolicy::flask("s").partitioned(true)).starts_with("Partitioned needs Secure")
    );
    assert!(
        CookiePolicy::flask("s")
            .partitioned(true)
            .secure(true)
            .build()
            .is_ok()
    );
}

#[test]
fn the_removal_is_partitioned() {
    let policy = CookiePolicy::builder("__Host-id")
        .partitioned(true)
        .build()
        .unwrap();
    assert!(policy.removal().ends_with("; SameSite=Lax; Partitioned"));
}

#[test]
fn one_allocation_is_enough_for_a_session_cookie() {
    let policy = CookiePolicy::builder("session").build().unwrap();
    for persistence in [
        Persistence::Expires(Timestamp::from_unix(0)),
        Persistence::MaxAge(i64::MIN),
        Persistence::BrowserSession,
    ] {
        let text = policy.set(&"x".repeat(300), persistence).unwrap();
        // A growing string would have doubled its capacity, and spare capacity costs another
        // allocation when the text becomes a header.
        assert_eq!(text.capacity(), text.len(), "{persistence:?}");
    }
}
