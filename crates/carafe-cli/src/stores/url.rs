//! The URL of a store.
//!
//! It may hold a password, so nothing shows it as it is: `Display` leaves out the password and the driver's parameters,
//! and [`StoreUrl::without_password`] takes the password out of what a driver has said.

use std::fmt;

use ::url::form_urlencoded;
#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::Walk;
use carafe_core::store::StoreError;

use super::{Initialized, OpenStore, StoreKind};
use crate::failure::Failure;

/// Parameters that say which sessions are meant, and are ours.
const SHOWN: [&str; 3] = ["table", "prefix", "key_prefix"];

/// What a URL begins with that names a store in Flask-Session's layout.
const FLASK_SESSION: &str = "flask-session+";

/// Which store, and where. No `Debug`: it would show the password.
#[derive(Clone)]
pub(crate) struct StoreUrl {
    kind: StoreKind,
    /// Whether it is in Flask-Session's layout.
    is_flask_session: bool,
    /// Without the word for that.
    scheme: String,
    /// What stands behind the scheme's colon, up to the parameters.
    place: String,
    /// In the order given, decoded.
    parameters: Vec<(String, String)>,
}

impl StoreUrl {
    /// Reads a URL. Whether its store answers shows when it is opened.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let refuse = |why: &str| {
            Err(Failure::usage(format_args!(
                "{why}; stores are named sqlite:FILE, redis://…, postgres://… or mysql://…"
            )))
        };
        let Some((scheme, rest)) = text.split_once(':') else {
            return refuse("this is no URL of a store");
        };
        let plain = scheme.strip_prefix(FLASK_SESSION);
        let (is_flask_session, scheme) = (plain.is_some(), plain.unwrap_or(scheme));
        let Some(kind) = StoreKind::of_scheme(scheme) else {
            // Not the scheme itself: where the colon was forgotten, it may be anything.
            return refuse("this URL's first word names no store");
        };
        if kind == StoreKind::Sqlite && rest.ends_with(":memory:") {
            return refuse("a store in this program's memory ends with it");
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        Ok(Self {
            kind,
            is_flask_session,
            scheme: scheme.to_owned(),
            place: place.to_owned(),
            parameters: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        })
    }

    pub(crate) fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Whether it names a store in Flask-Session's layout.
    #[allow(dead_code, reason = "not every build knows that layout")]
    pub(crate) fn is_flask_session(&self) -> bool {
        self.is_flask_session
    }

    /// What a command says about `error`, which came from this store.
    pub(crate) fn failure(&self, error: &StoreError) -> Failure {
        super::opened::failure(self, error)
    }

    /// Opens a store in Flask-Session's layout.
    #[cfg(feature = "flask-session")]
    pub(crate) async fn open_flask_session(&self) -> Result<Box<dyn Walk>, Failure> {
        self.check_built_in()?;
        super::flask_session::open(self).await
    }

    /// Opens the store. Makes no tables.
    pub(crate) async fn open(&self) -> Result<OpenStore, Failure> {
        self.check_ours()?;
        match self.kind {
            StoreKind::Sqlite => super::sqlite::open(self),
            #[cfg(feature = "redis")]
            StoreKind::Redis => super::redis::open(self).await,
            #[cfg(feature = "postgres")]
            StoreKind::Postgres => super::sql::open_postgres(self).await,
            #[cfg(feature = "mysql")]
            StoreKind::MySql => super::sql::open_mysql(self).await,
            #[allow(unreachable_patterns, reason = "with all features there is no other")]
            other => Err(not_built_in(other)),
        }
    }

    /// Makes the store's tables, where it needs some and they are not there.
    pub(crate) async fn init(&self) -> Result<Initialized, Failure> {
        self.check_ours()?;
        match self.kind {
            StoreKind::Sqlite => super::sqlite::init(self),
            #[cfg(feature = "redis")]
            StoreKind::Redis => {
                self.open().await?;
                Ok(Initialized::NeedsNothing)
            }
            #[cfg(feature = "postgres")]
            StoreKind::Postgres => super::sql::init_postgres(self).await,
            #[cfg(feature = "mysql")]
            StoreKind::MySql => super::sql::init_mysql(self).await,
            #[allow(unreachable_patterns, reason = "with all features there is no other")]
            other => Err(not_built_in(other)),
        }
    }

    /// `text`, which somebody else has written, without the password.
    pub(crate) fn without_password(&self, text: &str) -> String {
        let raw = self.password().unwrap_or_default();
        // As the driver reads it, which is what the server may repeat.
        let decoded = form_urlencoded::parse(format!("p={}", raw.replace('+', "%2B")).as_bytes())
            .map(|(_, value)| value.into_owned())
            .collect::<String>();
        let secret_parameters = self
            .parameters
            .iter()
            .filter(|(name, _)| name.contains("pass"))
            .map(|(_, value)| value.as_str());
        [raw, &decoded]
            .into_iter()
            .chain(secret_parameters)
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    #[allow(dead_code, reason = "a program without stores opens none")]
    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What stands behind the scheme's colon, without parameters. May hold the password.
    #[allow(dead_code, reason = "a program without stores opens none")]
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The value of one of our own parameters, which the driver does not see.
    #[allow(dead_code, reason = "not every store has parameters")]
    pub(super) fn own(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first parameter that is none of `own`.
    #[cfg(feature = "flask-session")]
    pub(super) fn other_than(&self, own: &[&str]) -> Option<&str> {
        let names = self.parameters.iter().map(|(name, _)| name.as_str());
        names.into_iter().find(|name| !own.contains(name))
    }

    /// The URL for the driver, without the parameters in `own`. Holds the password.
    #[allow(dead_code, reason = "not every store has a driver that reads URLs")]
    pub(super) fn for_driver(&self, scheme: &str, own: &[&str]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let theirs = self
            .parameters
            .iter()
            .filter(|(name, _)| !own.contains(&name.as_str()));
        query.extend_pairs(theirs);
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{scheme}:{}{mark}{query}", self.place)
    }

    /// What stands behind the first `:` before the last `@` of the authority, undecoded.
    fn password(&self) -> Option<&str> {
        let (user, _) = self.authority().rsplit_once('@')?;
        user.split_once(':').map(|(_, password)| password)
    }

    /// `user:password@host:port`, for URLs that have one. A password may hold a slash that should have been
    /// encoded, so this goes on to the last `@`.
    fn authority(&self) -> &str {
        let Some(rest) = self.place.strip_prefix("//") else {
            return "";
        };
        if self.kind == StoreKind::Sqlite {
            return "";
        }
        let from = rest.rfind('@').unwrap_or(0);
        let end = rest[from..].find('/').map_or(rest.len(), |at| from + at);
        &rest[..end]
    }

    /// Most commands work on our own layout alone.
    fn check_ours(&self) -> Result<(), Failure> {
        if !self.is_flask_session {
            return self.check_built_in();
        }
        Err(Failure::usage(match cfg!(feature = "flask-session") {
            true => format!(
                "{self}: in Flask-Session's layout is only what `carafe migrate --from` takes sessions from"
            ),
            false => format!(
                "{self}: this carafe was built without Flask-Session's layout; build it with the feature \
                 `flask-session`"
            ),
        }))
    }

    fn check_built_in(&self) -> Result<(), Failure> {
        match self.kind.is_built_in() {
            true => Ok(()),
            false => Err(not_built_in(self.kind)),
        }
    }
}

pub(super) fn not_built_in(kind: StoreKind) -> Failure {
    Failure::usage(format_args!(
        "this carafe was built without {}; build it with the feature `{}`: \
         cargo install --path crates/carafe-cli --features {}",
        kind.name(),
        kind.as_str(),
        kind.as_str()
    ))
}

impl fmt::Display for StoreUrl {
    /// The URL without password, and without parameters that are the driver's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.password() {
            None => self.place.clone(),
            Some(password) => {
                let authority = self.authority();
                let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
                let user = user.split_once(':').map_or(user, |(user, _)| user);
                let behind = &self.place["//".len() + authority.len()..];
                debug_assert!(authority.contains(password));
                let at = if user.is_empty() { "" } else { "@" };
                format!("//{user}{at}{host}{behind}")
            }
        };
        let layout = if self.is_flask_session {
            FLASK_SESSION
        } else {
            ""
        };
        write!(f, "{layout}{}:{place}", self.scheme)?;
        let shown = self
            .parameters
            .iter()
            .filter(|(name, _)| SHOWN.contains(&name.as_str()));
        for ((name, value), mark) in shown.zip(std::iter::once('?').chain(std::iter::repeat('&'))) {
            write!(f, "{mark}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> StoreUrl {
        StoreUrl::parse(text).expect("a good URL")
    }

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            ("sqlite:a.db", "sqlite:a.db"),
            ("redis://:hunter2@h:1/0", "redis://h:1/0"),
            (
                "postgres://u:hunter2@h/db?sslmode=require",
                "postgres://u@h/db",
            ),
            ("mysql://u:hunter2/x@y@h/db", "mysql://u@h/db"),
            ("postgres://u@h/db?password=hunter2", "postgres://u@h/db"),
            (
                "postgres://u:p@h/db?password=hunter2&table=t",
                "postgres://u@h/db?table=t",
            ),
            (
                "redis+sentinel://u:hunter2@a:1,b:2/main",
                "redis+sentinel://u@a:1,b:2/main",
            ),
        ] {
            let parsed = parsed(url);
            assert_eq!(parsed.to_string(), shown);
            let said = parsed.without_password(&format!("cannot log in to {url}"));
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_password_is_found_as_the_server_would_repeat_it() {
        let url = parsed("mysql://u:a%2Fb+c@h/db");
        assert_eq!(url.without_password("a/b+c, a%2Fb+c"), "***, ***");
    }

    #[test]
    fn a_layout_is_shown_and_kept_from_the_driver() {
        let url = parsed("flask-session+redis://:hunter2@h:1/0?key_prefix=a:&format=json");
        assert!(url.is_flask_session());
        assert_eq!(url.scheme(), "redis");
        assert_eq!(url.to_string(), "flask-session+redis://h:1/0?key_prefix=a:");
        for text in ["flask-session+", "flask-session+x:y", "flask-session:x"] {
            assert!(StoreUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn our_parameters_stay_ours() {
        let url = parsed("postgres://h/db?table=x&sslmode=require");
        assert_eq!(url.own("table"), Some("x"));
        assert_eq!(
            url.for_driver("postgres", &["table"]),
            "postgres://h/db?sslmode=require"
        );
    }

    #[test]
    fn what_is_no_store_is_refused_without_a_word_of_it() {
        for text in [
            "",
            "hunter2",
            "hunter2://x",
            "http://u:hunter2@h/",
            "sqlite::memory:",
        ] {
            let Err(Failure::Usage(why)) = StoreUrl::parse(text) else {
                panic!("{text} is taken");
            };
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
