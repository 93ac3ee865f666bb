//! The options of `carafe console`.

use std::net::IpAddr;

use crate::failure::Failure;

/// The options of `carafe console`.
pub(crate) struct Options {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) base: Base,
    /// Further host names of this console, in addition to localhost and addresses.
    pub(crate) hosts: Vec<String>,
    pub(crate) read_only: bool,
}

/// The path of the console: empty, or a path such as `/ops/carafe`, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base(String);

impl Base {
    /// Parses a path whose characters need no encoding in URLs and have no meaning for the router.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let path = text.trim_matches('/');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
        let is_good = |part: &str| {
            !part.is_empty() && part.chars().all(is_plain) && !part.chars().all(|c| c == '.')
        };
        match path {
            "" => Ok(Self(String::new())),
            _ if path.split('/').all(is_good) => Ok(Self(format!("/{path}"))),
            _ => Err(Failure::usage(format_args!(
                "--base-path {text}: give a path of letters, digits and -_.~ such as /ops/carafe"
            ))),
        }
    }

    /// Returns the path under which browsers reach `path`, which begins with a slash.
    pub(crate) fn href(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Returns the path, which may be empty.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Options {
    /// Rejects addresses that other machines can reach, because the console speaks plain HTTP.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.address.is_loopback() {
            return Ok(());
        }
        Err(Failure::usage(format_args!(
            "the console does not listen on {}: it speaks plain HTTP, so only this machine may reach it; \
             let a proxy with TLS pass requests on to 127.0.0.1 (--base-path, --allow-host), or use an SSH tunnel",
            self.address
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_plain() {
        for (text, base) in [
            ("", ""),
            ("/", ""),
            ("ops", "/ops"),
            ("/ops/carafe/", "/ops/carafe"),
        ] {
            assert_eq!(
                Base::parse(text).map(|base| base.href("/x")).ok(),
                Some(format!("{base}/x"))
            );
        }
        for text in ["/a b", "/a//b", "/{x}", "/..", "/a?b", "/ä", "/a/./b"] {
            assert!(Base::parse(text).is_err(), "{text}");
        }
    }
}
