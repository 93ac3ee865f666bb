//! The URL of a store.
//!
//! It may hold a password, so nothing shows it as it is: `Display` leaves out the password and the driver's parameters,
//! and [`StoreUrl::without_password`] takes the password out of what a driver has said.

use std::fmt;

use ::url::form_urlencoded;

use super::{Initialized, OpenStore, StoreKind};
use crate::failure::Failure;

/// Parameters that say which sessions are meant, and are ours.
const SHOWN: [&str; 3] = ["table", "prefix", "key_prefix"];

/// Which store, and where. No `Debug`: it would show the password.
#[derive(Clone)]
pub(crate) struct StoreUrl {
    kind: StoreKind,
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

    /// Opens the store. Makes no tables.
    pub(crate) async fn open(&self) -> Result<OpenStore, Failure> {
        self.check_built_in()?;
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
        self.check_built_in()?;
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

    fn check_built_in(&self) -> Result<(), Failure> {
        match self.kind.is_built_in() {
            true => Ok(()),
            false => Err(not_built_in(self.kind)),
        }
    }
}

fn not_built_in(kind: StoreKind) -> Failure {
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
        write!(f, "{}:{place}", self.scheme)?;
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
