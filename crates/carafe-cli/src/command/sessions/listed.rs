//! A session as an object of JSON.

use carafe_core::store::{ClientKind, SessionMeta};
use serde::Serialize;

/// A session without its dictionary.
#[derive(Serialize)]
pub(super) struct Listed<'s> {
    #[serde(flatten)]
    session: &'s SessionMeta,
    client: Option<ClientKind>,
}

impl<'s> Listed<'s> {
    pub(super) fn new(session: &'s SessionMeta) -> Self {
        Self {
            session,
            client: session.public_id.client(),
        }
    }
}
