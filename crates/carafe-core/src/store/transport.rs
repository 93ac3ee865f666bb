//! The transport security of a connection to a store. Computes settings only and opens no
//! connection.

use std::{fmt, net::IpAddr};

/// The protection of the connection between this program and a store.
///
/// ```
/// use carafe_core::store::Transport;
///
/// assert_eq!(Transport::Plain.to_string(), "plain, not encrypted");
/// assert_eq!(Transport::Verified.to_string(), "TLS, verified");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// A Unix domain socket on this machine.
    Socket,
    /// TCP without TLS.
    Plain,
    /// TLS without certificate verification.
    Unverified,
    /// TLS with a certificate of a known authority, for any host name.
    AuthorityVerified,
    /// TLS with a certificate of a known authority for this host.
    Verified,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Socket => "socket",
            Self::Plain => "plain, not encrypted",
            Self::Unverified => "TLS, not verified",
            Self::AuthorityVerified => "TLS, authority verified, host name not verified",
            Self::Verified => "TLS, verified",
        })
    }
}

/// The TLS setting of a driver.
///
/// ```
/// use carafe_core::store::{TlsMode, Transport};
///
/// // `sslmode=prefer`, the default of Postgres, would accept any certificate of a remote host.
/// let mode = TlsMode::Preferred.for_host("db.internal", false);
/// assert_eq!(mode.transport(), Some(Transport::Verified));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsMode {
    /// Without TLS.
    Off,
    /// With TLS if the server offers it, without certificate verification.
    Preferred,
    /// With TLS, without certificate verification.
    Required,
    /// With TLS and a certificate of a known authority.
    VerifyAuthority,
    /// With TLS and a certificate of a known authority for this host.
    VerifyFull,
}

impl TlsMode {
    /// Returns the mode to use for `host`.
    ///
    /// On a remote host, every mode is replaced by full verification, unless the configuration
    /// explicitly opts out ([`TlsMode::Off`], [`TlsMode::VerifyAuthority`] or `unverified`):
    /// encryption without verification protects against eavesdroppers, but not against a host that
    /// impersonates the server.
    ///
    /// ```
    /// use carafe_core::store::TlsMode;
    ///
    /// assert_eq!(TlsMode::Preferred.for_host("db.internal", false), TlsMode::VerifyFull);
    /// assert_eq!(TlsMode::Preferred.for_host("127.0.0.1", false), TlsMode::Preferred);
    /// assert_eq!(TlsMode::Off.for_host("db.internal", false), TlsMode::Off, "explicit");
    /// assert_eq!(TlsMode::Preferred.for_host("db.internal", true), TlsMode::Required);
    /// ```
    #[must_use]
    pub fn for_host(self, host: &str, unverified: bool) -> Self {
        match self {
            _ if unverified => Self::Required,
            Self::Preferred | Self::Required if !is_loopback(host) => Self::VerifyFull,
            mode => mode,
        }
    }

    /// Returns the resulting protection; `None` if it depends on the server.
    ///
    /// ```
    /// use carafe_core::store::{TlsMode, Transport};
    ///
    /// assert_eq!(TlsMode::VerifyFull.transport(), Some(Transport::Verified));
    /// assert_eq!(TlsMode::Preferred.transport(), None, "the server may not offer TLS");
    /// ```
    #[must_use]
    pub const fn transport(self) -> Option<Transport> {
        Some(match self {
            Self::Off => Transport::Plain,
            Self::Preferred => return None,
            Self::Required => Transport::Unverified,
            Self::VerifyAuthority => Transport::AuthorityVerified,
            Self::VerifyFull => Transport::Verified,
        })
    }
}

/// Returns a description of how a client authenticates, which never contains a name.
///
/// ```
/// use carafe_core::store::{StoreUrl, authentication};
///
/// let url = StoreUrl::parse("postgres://app:secret@db.internal/shop")?;
/// assert_eq!(authentication(url.has_user(), url.has_password()), "user and password");
/// # Ok::<(), carafe_core::store::InvalidStoreUrl>(())
/// ```
#[must_use]
pub const fn authentication(has_user: bool, has_password: bool) -> &'static str {
    match (has_user, has_password) {
        (true, true) => "user and password",
        (true, false) => "user, no password",
        (false, true) => "password",
        (false, false) => "none",
    }
}

/// Returns whether `host` is this machine, so that the connection crosses no network.
///
/// ```
/// use carafe_core::store::is_loopback;
///
/// assert!(["localhost", "127.0.0.1", "[::1]", "db.localhost."].map(is_loopback) == [true; 4]);
/// assert!(!is_loopback("localhost.example.com"));
/// ```
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_host_is_loopback() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "::",
            "0.0.0.0",
            "db",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn another_host_is_verified_unless_the_caller_says_otherwise() {
        use TlsMode::{Off, Preferred, Required, VerifyAuthority, VerifyFull};
        for mode in [Preferred, Required, VerifyFull] {
            assert_eq!(mode.for_host("db.internal", false), VerifyFull);
            assert_eq!(mode.for_host("db.internal", true), Required);
        }
        for mode in [Off, VerifyAuthority] {
            assert_eq!(mode.for_host("db.internal", false), mode);
        }
        for mode in [Off, Preferred, Required, VerifyAuthority, VerifyFull] {
            assert_eq!(mode.for_host("127.0.0.1", false), mode);
        }
    }
}
