//! Errors of the client.

use std::{error::Error, fmt};

use carafe_tokens::key::JwkSetError;

/// The reason why a URL is rejected.
#[derive(Debug)]
#[non_exhaustive]
pub enum UrlError {
    /// Not a URL.
    Malformed,
    /// Neither HTTPS nor HTTP on a loopback address: an attacker who changes the set can sign any
    /// token.
    Insecure,
    /// The TLS configuration cannot be created.
    Tls(Box<dyn Error + Send + Sync>),
}

/// The reason why a JWK set was not fetched.
#[derive(Debug)]
#[non_exhaustive]
pub enum JwksError {
    /// The request failed, or took longer than its deadline.
    Request(reqwest::Error),
    /// The response has another status than 200.
    Status(u16),
    /// The body is not a JWK set within the limits.
    Set(JwkSetError),
    /// The set has no key that this crate can use.
    NoKey,
    /// The last request failed, and the next one is not due yet.
    BackingOff,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the address of the JWK set is not a URL",
            Self::Insecure => "a JWK set is fetched with https, or with http from this machine",
            Self::Tls(_) => "the TLS of the machine cannot be used",
        })
    }
}

impl Error for UrlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Tls(source) => Some(&**source),
            Self::Malformed | Self::Insecure => None,
        }
    }
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(_) => f.write_str("the request for the JWK set failed"),
            Self::Status(status) => write!(f, "the response with the JWK set has status {status}"),
            Self::Set(_) => f.write_str("the JWK set cannot be used"),
            Self::NoKey => f.write_str("the JWK set has no usable key"),
            Self::BackingOff => f.write_str("the JWK set could not be fetched a moment ago"),
        }
    }
}

impl Error for JwksError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Request(source) => Some(source),
            Self::Set(source) => Some(source),
            Self::Status(_) | Self::NoKey | Self::BackingOff => None,
        }
    }
}
