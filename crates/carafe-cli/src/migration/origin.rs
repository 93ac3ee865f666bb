//! The open source of a migration.

#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::Walk;
#[cfg(feature = "flask-session")]
use carafe_migration::FlaskSource;
use carafe_migration::{OurSource, Source};

use crate::{
    failure::Failure,
    stores::{OpenStore, StoreUrl},
};

/// An open store to take sessions from.
pub(crate) enum Origin {
    Ours(OpenStore),
    #[cfg(feature = "flask-session")]
    FlaskSession(Box<dyn Walk>),
}

impl Origin {
    /// Opens what `url` names, in whichever layout.
    pub(crate) async fn open(url: &StoreUrl) -> Result<Self, Failure> {
        #[cfg(feature = "flask-session")]
        if url.is_flask_session() {
            // Boxed, as it is three stores' ways to open in one.
            let store = Box::pin(url.open_flask_session()).await?;
            return Ok(Self::FlaskSession(store));
        }
        Ok(Self::Ours(Box::pin(url.open()).await?))
    }

    /// It, ready to be walked through.
    pub(crate) fn source(&self) -> Result<Box<dyn Source + '_>, Failure> {
        Ok(match self {
            Self::Ours(store) => Box::new(OurSource::new(store.sessions(), store.listing()?)),
            #[cfg(feature = "flask-session")]
            Self::FlaskSession(store) => Box::new(FlaskSource(&**store)),
        })
    }
}
