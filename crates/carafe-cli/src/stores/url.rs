//! The URL of a store: which kind it is, and how it is shown.
//!
//! The URL may contain a password, so it is never displayed as is: [`carafe_core::store::StoreUrl`]
//! omits the user information, and removes it from the messages of a driver.

use std::fmt;

use carafe_core::{
    error::ErrorChain,
    store::{self, InvalidStoreUrl, StoreError},
};

use super::StoreKind;
use crate::{failure::Failure, human::printable};

/// The prefix of a URL for a store in Flask-Session's layout.
const FLASK_SESSION: &str = "flask-session+";

/// The kind and the location of a store.
#[derive(Clone)]
pub(crate) struct StoreUrl {
    kind: StoreKind,
    /// Whether the store is in Flask-Session's layout.
    is_flask_session: bool,
    /// The URL without the prefix for Flask-Session's layout.
    url: store::StoreUrl,
}

impl StoreUrl {
    /// Parses a URL. Opening the store shows whether it answers.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let refuse = |why: &str| {
            Err(Failure::usage(format_args!(
                "{why}; write sqlite:FILE, redis://…, postgres://… or mysql://…"
            )))
        };
        let plain = text.strip_prefix(FLASK_SESSION);
        let url = match store::StoreUrl::parse(plain.unwrap_or(text)) {
            Ok(url) => url,
            Err(InvalidStoreUrl::Scheme(_)) => return refuse("not the URL of a store"),
            Err(error) => return Err(Failure::usage(error)),
        };
        let Some(kind) = StoreKind::of_scheme(url.scheme()) else {
            // Does not show the scheme itself: if the colon is missing, it may contain anything,
            // such as a password.
            return refuse("the scheme of this URL is not that of a store");
        };
        if kind == StoreKind::Sqlite && url.place().ends_with(":memory:") {
            return refuse("a store in memory is lost when the program exits");
        }
        Ok(Self {
            kind,
            is_flask_session: plain.is_some(),
            url,
        })
    }

    pub(crate) fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Returns whether the store is in Flask-Session's layout.
    #[allow(dead_code, reason = "not every build knows that layout")]
    pub(crate) fn is_flask_session(&self) -> bool {
        self.is_flask_session
    }

    /// Returns the failure of a command for `error`, which came from this store.
    pub(crate) fn failure(&self, error: &StoreError) -> Failure {
        let text = self.redact(&ErrorChain::of(error).to_string());
        match error {
            StoreError::Unavailable(source) if source.is::<InvalidStoreUrl>() => {
                Failure::usage(format_args!("{self}: {source}"))
            }
            StoreError::Unavailable(_) | StoreError::Timeout(_) => {
                Failure::unavailable(format_args!("{self}: {text}"))
            }
            _ => Failure::trouble(format_args!("{self}: {text}")),
        }
    }

    /// Returns `text` from a driver or a server without the user information.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.url.redact(text)
    }

    /// Returns the URL for the store's own parser. It contains the password.
    pub(super) fn inner(&self) -> &store::StoreUrl {
        &self.url
    }

    /// Most commands only work on Carafe's own layout.
    pub(super) fn check_ours(&self) -> Result<(), Failure> {
        if !self.is_flask_session {
            return self.check_built_in();
        }
        Err(Failure::usage(match cfg!(feature = "flask-session") {
            true => format!("{self}: only `carafe migrate --from` reads Flask-Session's layout"),
            false => format!(
                "{self}: this carafe was built without Flask-Session's layout; build it with the feature \
                 `flask-session`"
            ),
        }))
    }

    pub(super) fn check_built_in(&self) -> Result<(), Failure> {
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
    /// Displays the URL without user information and without the driver's parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = if self.is_flask_session {
            FLASK_SESSION
        } else {
            ""
        };
        write!(f, "{layout}{}", printable(&self.url.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> StoreUrl {
        StoreUrl::parse(text).unwrap_or_else(|failure| panic!("{}", failure.text()))
    }

    #[test]
    fn a_layout_is_shown_and_kept_from_the_driver() {
        let url = parsed("flask-session+redis://:hunter2@h:1/0?key_prefix=a:&format=json");
        assert!(url.is_flask_session());
        assert_eq!(url.inner().scheme(), "redis");
        assert_eq!(url.to_string(), "flask-session+redis://h:1/0?key_prefix=a:");
        for text in ["flask-session+", "flask-session+x:y", "flask-session:x"] {
            assert!(StoreUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_gives_no_orders_to_the_terminal() {
        let url = parsed("redis://h/0?prefix=\u{1b}[2J\u{202e}");
        assert_eq!(url.to_string(), "redis://h/0?prefix=\\u{1b}[2J\\u{202e}");
    }

    #[test]
    fn text_that_names_no_store_is_refused_and_not_repeated() {
        for text in [
            "",
            "hunter2",
            "hunter2://x",
            "http://u:hunter2@h/",
            "redis://u:hunter2?x@h/0",
            "sqlite::memory:",
        ] {
            let Err(Failure::Usage(why)) = StoreUrl::parse(text) else {
                panic!("{text} is taken");
            };
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
