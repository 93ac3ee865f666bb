//! The cookie's settings, checked separately and together.

use super::{settings::Settings, value};
use crate::{
    cookie::{CookieError, CookiePolicy, CookiePolicyBuilder, SameSite},
    json::Value,
};

const NAME: &str = "SESSION_COOKIE_NAME";
const DOMAIN: &str = "SESSION_COOKIE_DOMAIN";
const SERVER_NAME: &str = "SERVER_NAME";
const PATH: &str = "SESSION_COOKIE_PATH";
const ROOT: &str = "APPLICATION_ROOT";
const HTTP_ONLY: &str = "SESSION_COOKIE_HTTPONLY";
const SECURE: &str = "SESSION_COOKIE_SECURE";
const SAME_SITE: &str = "SESSION_COOKIE_SAMESITE";
const PARTITIONED: &str = "SESSION_COOKIE_PARTITIONED";

/// The requested settings, with Flask's defaults for the others.
struct Wanted {
    name: String,
    domain: Option<String>,
    /// The setting that contains the domain.
    domain_key: &'static str,
    path: String,
    /// The setting that contains the path.
    path_key: &'static str,
    http_only: bool,
    secure: bool,
    same_site: Option<SameSite>,
    partitioned: bool,
}

/// Returns the cookie policy. Problems are added to `settings`.
pub(super) fn read(settings: &mut Settings, before_flask_2_3: bool) -> CookiePolicyBuilder {
    let mut wanted = Wanted::read(settings);
    wanted.derive_domain(settings, before_flask_2_3);
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
            domain_key: DOMAIN,
            path_key: if path.is_some() { PATH } else { ROOT },
            path: path.unwrap_or(root),
            http_only: flag(settings, HTTP_ONLY, "HttpOnly").unwrap_or(true),
            // As in Werkzeug, a partitioned cookie is secure unless the settings say otherwise. An
            // invalid setting is one problem, not two.
            secure: flag(settings, SECURE, "Secure")
                .unwrap_or(partitioned == Some(true) || settings.has(SECURE)),
            same_site: settings.read(SAME_SITE, value::same_site).flatten(),
            partitioned: partitioned == Some(true),
        }
    }

    /// Derives the domain from the server name, as Flask 1.0 to 2.2 does.
    ///
    /// The settings do not contain Flask's version, so the difference is reported unless the
    /// version is specified.
    fn derive_domain(&mut self, settings: &mut Settings, before_flask_2_3: bool) {
        // `False` means no domain in every version of Flask.
        let is_open = settings.read(DOMAIN, |value| Ok(*value == Value::Null));
        if is_open == Some(false) || (is_open.is_none() && settings.has(DOMAIN)) {
            return;
        }
        // Since Flask 2.3, the setting has no effect on cookies, so a value of another type is not
        // an error.
        let derived = settings.read(SERVER_NAME, |name| match value::server_name(name) {
            Err(reason) if before_flask_2_3 => Err(reason),
            derived => Ok(derived.unwrap_or_default()),
        });
        let Some(derived) = derived.flatten() else {
            return;
        };
        if before_flask_2_3 {
            (self.domain, self.domain_key) = (Some(derived), SERVER_NAME);
            return;
        }
        let setting = settings.shown(SERVER_NAME);
        tracing::warn!(
            setting,
            "Flask before 2.3 takes the session cookie's domain from this setting; if the application runs with one, \
             load its configuration with `before_flask_2_3`; otherwise set SESSION_COOKIE_DOMAIN to false"
        );
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

    /// Reports all problems. A policy fails at its first error, so the parts are built one by one.
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

    /// Returns the setting to change, and the reason.
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
            AttributeTooLong { attribute, .. } if *attribute == "Domain" => self.domain_key,
            Domain { .. } => self.domain_key,
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

pub(super) fn flag(settings: &mut Settings, key: &'static str, attribute: &str) -> Option<bool> {
    let trap = format!("for Flask even 0 and \"False\" switch {attribute} on");
    settings.read(key, |value| value::switch(value, &trap))
}
