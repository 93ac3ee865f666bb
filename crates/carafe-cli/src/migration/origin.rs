//! The open source of a migration.

#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::Walk;
#[cfg(feature = "flask-session")]
use carafe_migration::FlaskSource;
use carafe_migration::{OurSource, Source};

use crate::{
    failure::Failure,
    stores::{self, OpenStore, StoreUrl},
};

/// The open store that sessions come from.
pub(crate) enum Origin {
    Ours(OpenStore),
    #[cfg(feature = "flask-session")]
    FlaskSession(Box<dyn Walk>),
}

impl Origin {
    /// Opens the store of `url`, in Carafe's or in Flask-Session's layout.
    pub(crate) async fn open(url: &StoreUrl) -> Result<Self, Failure> {
        #[cfg(feature = "flask-session")]
        if url.is_flask_session() {
            // Boxed: the future contains those of three stores.
            let store = Box::pin(stores::open_flask_session(url)).await?;
            return Ok(Self::FlaskSession(store));
        }
        Ok(Self::Ours(Box::pin(stores::open(url)).await?))
    }

    /// Returns the source to scan.
    pub(crate) fn source(&self) -> Result<Box<dyn Source + '_>, Failure> {
        Ok(match self {
            Self::Ours(store) => Box::new(OurSource::new(store.sessions(), store.listing()?)),
            #[cfg(feature = "flask-session")]
            Self::FlaskSession(store) => Box::new(FlaskSource(&**store)),
        })
    }
}
