//! Parses `sqlite:FILE` and `sqlite::memory:`.
//!
//! Percent-encoding and parameters are not supported: use
//! [`SqliteStore::open`](crate::SqliteStore::open) for such names and `SqliteOptions` for settings.

use std::path::PathBuf;

use crate::OpenError;

/// The location of the sessions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
}

impl Place {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let refuse = |why| Err(OpenError::Url(why));
        let Some(rest) = url.strip_prefix("sqlite:") else {
            return refuse("it does not start with `sqlite:`");
        };
        match rest.strip_prefix("//").unwrap_or(rest) {
            ":memory:" => Ok(Self::Memory),
            "" => refuse("it names no file"),
            file if file.contains('?') => {
                refuse("it has no parameters; use `SqliteOptions` for settings")
            }
            file => Ok(Self::File(file.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_files_or_memory() {
        for (url, file) in [
            ("sqlite:sessions.db", "sessions.db"),
            ("sqlite://sessions.db", "sessions.db"),
            ("sqlite:/var/lib/x.db", "/var/lib/x.db"),
            ("sqlite:///var/lib/x.db", "/var/lib/x.db"),
        ] {
            assert_eq!(
                Place::parse(url).unwrap(),
                Place::File(file.into()),
                "{url}"
            );
        }
        assert_eq!(Place::parse("sqlite::memory:").unwrap(), Place::Memory);
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "",
            "sqlite",
            "sqlite:",
            "sqlite://",
            "redis:x",
            "sqlite:x?mode=rw",
        ] {
            assert!(matches!(Place::parse(url), Err(OpenError::Url(_))), "{url}");
        }
    }
}
