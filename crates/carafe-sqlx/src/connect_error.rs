//! The error of connecting to a database.

use std::fmt;

use carafe_core::store::{InvalidStoreUrl, StoreError, redacted};
use sqlx::Error;

use crate::failure::Failure;

const FEATURE: &str = match cfg!(feature = "tls-rustls") {
    true => "",
    false => "; TLS needs the feature `tls-rustls` of carafe-sqlx",
};

/// An error of connecting to the store of a URL.
pub enum ConnectError {
    #[doc(hidden)]
    Url(InvalidStoreUrl),
    #[doc(hidden)]
    Sql(Error),
    /// TLS failed or is unavailable; with the options that allow the connection otherwise.
    #[doc(hidden)]
    Tls(Error, &'static str),
}

impl From<InvalidStoreUrl> for ConnectError {
    fn from(error: InvalidStoreUrl) -> Self {
        Self::Url(error)
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<ConnectError> for StoreError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Url(error) => Self::unavailable(error),
            ConnectError::Sql(error) => Failure::Sql(error).into(),
            ConnectError::Tls(error, options) => {
                let text = format!(
                    "{}; the certificate of a server on another host is verified: {options}{}",
                    redacted(error),
                    FEATURE
                );
                Self::unavailable(text)
            }
        }
    }
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectError")
    }
}
