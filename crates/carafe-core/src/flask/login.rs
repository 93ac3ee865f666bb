//! Flask-Login's settings: the remember cookie and the binding of sessions to a client.

use super::{cookie::flag, settings::Settings, value};
use crate::{
    cookie::{CookieError, CookiePolicy, CookiePolicyBuilder},
    session::FlaskLogin,
};

const NAME: &str = "REMEMBER_COOKIE_NAME";
const DOMAIN: &str = "REMEMBER_COOKIE_DOMAIN";
const PATH: &str = "REMEMBER_COOKIE_PATH";
const SAME_SITE: &str = "REMEMBER_COOKIE_SAMESITE";

pub(super) fn read(settings: &mut Settings) -> FlaskLogin {
    let name = settings.read(NAME, value::name);
    let mut cookie = CookiePolicy::flask(name.unwrap_or_else(|| "remember_token".to_owned()));
    if let Some(domain) = settings.read(DOMAIN, value::domain).flatten() {
        cookie = cookie.domain(domain);
    }
    if let Some(path) = settings.read(PATH, value::path).flatten() {
        cookie = cookie.path(path);
    }
    let secure = flag(settings, "REMEMBER_COOKIE_SECURE", "Secure");
    let http_only = flag(settings, "REMEMBER_COOKIE_HTTPONLY", "HttpOnly");
    cookie = cookie
        .secure(secure.unwrap_or(false))
        .http_only(http_only.unwrap_or(true))
        .same_site(settings.read(SAME_SITE, value::same_site).flatten());
    report(&cookie, settings);
    let login = FlaskLogin::new().with_remember_cookie(cookie);
    match settings.read("SESSION_PROTECTION", value::protection) {
        Some(false) => login.without_session_protection(),
        Some(true) | None => login,
    }
}

fn report(cookie: &CookiePolicyBuilder, settings: &mut Settings) {
    let Err(error) = cookie.clone().build() else {
        return;
    };
    let key = match &error {
        CookieError::Domain { .. } => DOMAIN,
        CookieError::Path { .. } => PATH,
        CookieError::NeedsSecure { .. } => SAME_SITE,
        CookieError::AttributeTooLong { attribute, .. } if *attribute == "Domain" => DOMAIN,
        CookieError::AttributeTooLong { .. } => PATH,
        _ => NAME,
    };
    settings.refuse(key, format!("is refused: {error}"));
}
