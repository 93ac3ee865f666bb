//! The cookie's settings, each by itself and all together.

use super::{settings::Settings, value};
use crate::cookie::{CookieError, CookiePolicy, CookiePolicyBuilder, SameSite};

const NAME: &str = "SESSION_COOKIE_NAME";
const DOMAIN: &str = "SESSION_COOKIE_DOMAIN";
const PATH: &str = "SESSION_COOKIE_PATH";
const ROOT: &str = "APPLICATION_ROOT";
const HTTP_ONLY: &str = "SESSION_COOKIE_HTTPONLY";
const SECURE: &str = "SESSION_COOKIE_SECURE";
const SAME_SITE: &str = "SESSION_COOKIE_SAMESITE";
const PARTITIONED: &str = "SESSION_COOKIE_PARTITIONED";

/// What was asked for, with Flask's defaults for the rest.
struct Wanted {
    name: String,
    domain: Option<String>,
    path: String,
    /// The setting that the path is from.
    path_key: &'static str,
    http_only: bool,
    secure: bool,
    same_site: Option<SameSite>,
    partitioned: bool,
}

/// The cookie. If something is wrong with it, that is noted.
pub(super) fn read(settings: &mut Settings) -> CookiePolicyBuilder {
    let wanted = Wanted::read(settings);
    wanted.report(settings);
    wanted.builder()
}

impl Wanted {
    fn read(settings: &mut Settings) -> Self {
        let path = settings.read(PATH, value::path).flatten();
        let root = settings
            .read(ROOT, value::root)
            .unwrap_or_else(|| "/".to_owned());
        let partitioned = flag(settings, PARTITIONED, "Partitioned");
        Self {
            name: settings
                .read(NAME, value::name)
                .unwrap_or_else(|| "session".to_owned()),
            domain: settings.read(DOMAIN, value::domain).flatten(),
            path_key: if path.is_some() { PATH } else { ROOT },
            path: path.unwrap_or(root),
            http_only: flag(settings, HTTP_ONLY, "HttpOnly").unwrap_or(true),
            // As Werkzeug: a partitioned cookie is secure, unless somebody wrote that it is not.
            // What was written but cannot be read is one problem, not two.
            secure: flag(settings, SECURE, "Secure")
                .unwrap_or(partitioned == Some(true) || settings.has(SECURE)),
            same_site: settings.read(SAME_SITE, value::same_site).flatten(),
            partitioned: partitioned == Some(true),
        }
    }

    fn builder(&self) -> CookiePolicyBuilder {
        let plain = with_domain(CookiePolicy::flask(&self.name), self.domain.as_ref());
        plain
            .path(&self.path)
            .http_only(self.http_only)
            .secure(self.secure)
            .same_site(self.same_site)
            .partitioned(self.partitioned)
    }

    /// A policy stops at its first error, so the parts are tried one by one before the whole.
    fn report(&self, settings: &mut Settings) {
        let plain = || CookiePolicy::flask("session");
        let parts = [
            CookiePolicy::flask(&self.name).secure(true),
            with_domain(plain(), self.domain.as_ref()),
            plain().path(&self.path),
            plain().secure(self.secure).same_site(self.same_site),
            plain().secure(self.secure).partitioned(self.partitioned),
            self.builder(),
        ];
        for error in parts.into_iter().filter_map(|part| part.build().err()) {
            let (key, reason) = self.explain(&error, settings);
            settings.refuse(key, reason);
        }
    }

    /// The setting to change, and why.
    fn explain(&self, error: &CookieError, settings: &Settings) -> (&'static str, String) {
        let secure = settings.shown(SECURE);
        let reason = match error {
            CookieError::NeedsSecure { attribute } => format!(
                "gives {attribute}, and browsers drop such a cookie without Secure; \
                 set {secure} to true, or leave {attribute} out"
            ),
            CookieError::Prefix { rule, .. } if rule.starts_with("Secure") => {
                format!("is refused: {error} (that is {secure})")
            }
            _ => format!("is refused: {error}"),
        };
        (self.key_of(error), reason)
    }

    fn key_of(&self, error: &CookieError) -> &'static str {
        use CookieError::{AttributeTooLong, Domain, NeedsSecure, Path};
        match error {
            NeedsSecure { attribute } if *attribute == "Partitioned" => PARTITIONED,
            NeedsSecure { .. } => SAME_SITE,
            AttributeTooLong { attribute, .. } if *attribute == "Domain" => DOMAIN,
            Domain { .. } => DOMAIN,
            AttributeTooLong { .. } | Path { .. } => self.path_key,
            _ => NAME,
        }
    }
}

fn with_domain(builder: CookiePolicyBuilder, domain: Option<&String>) -> CookiePolicyBuilder {
    domain
        .into_iter()
        .fold(builder, CookiePolicyBuilder::domain)
}

fn flag(settings: &mut Settings, key: &'static str, attribute: &str) -> Option<bool> {
    let trap = format!("for Flask even 0 and \"False\" switch {attribute} on");
    settings.read(key, |value| value::switch(value, &trap))
}
