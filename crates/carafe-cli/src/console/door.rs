//! The state that all requests of the console share.

use std::{net::SocketAddr, sync::Arc};

use carafe_console::Access;

use super::{Options, entered::Entered, options::Base, token::Token, tries::Tries};
use crate::{
    failure::Failure,
    stores::{OpenStore, StoreUrl},
};

/// The state that all requests share.
pub(super) struct Door {
    pub(super) base: Base,
    pub(super) hosts: Vec<String>,
    pub(super) access: Access,
    pub(super) store_kind: &'static str,
    pub(super) store_url: StoreUrl,
    pub(super) token: Token,
    pub(super) tries: Tries,
    pub(super) entered: Entered,
}

pub(super) type Shared = Arc<Door>;

impl Door {
    pub(super) fn new(store: &OpenStore, options: Options) -> Result<Self, Failure> {
        Ok(Self {
            base: options.base,
            hosts: options.hosts,
            access: match options.read_only {
                true => Access::ReadOnly,
                false => Access::ReadWrite,
            },
            store_kind: store.kind().name(),
            store_url: store.url().clone(),
            token: Token::random().map_err(Failure::trouble)?,
            tries: Tries::default(),
            entered: Entered::default(),
        })
    }

    pub(super) fn greeting(&self, address: SocketAddr) -> String {
        let entry = self.base.href("/enter");
        let token = self.token.as_str();
        let mode = match self.access {
            Access::ReadOnly => ", read-only",
            Access::ReadWrite => "",
        };
        // After `#`, so that the token is in no request and in no log.
        format!(
            "Carafe's console for {} is at http://{address}{entry}#{token} (Ctrl+C ends it{mode})\nIts token is {token}",
            self.store_url
        )
    }
}
