//! Where sessions live: in their cookies, or in a store.

use std::time::Duration;

use super::{ClientSide, ServerSide, client_side::Codec};
use crate::{json::Style, store::Record};

/// Where sessions live. Handlers do not notice.
#[derive(Clone, Debug)]
pub enum Side {
    /// In their cookies.
    Client(ClientSide),
    /// In a store.
    Server(ServerSide),
}

/// A side, prepared for one cookie.
pub(super) enum Prepared {
    Client(Box<Codec>),
    Server(ServerSide),
}

impl Side {
    pub(super) fn prepare(self, cookie: &str, clock_skew: Duration) -> Prepared {
        match self {
            Self::Client(side) => Prepared::Client(Box::new(side.prepare(cookie, clock_skew))),
            Self::Server(side) => Prepared::Server(side),
        }
    }
}

impl Prepared {
    pub(super) const fn style(&self) -> Style {
        match self {
            Self::Client(codec) => codec.style(),
            Self::Server(_) => Record::STYLE,
        }
    }
}

impl From<ClientSide> for Side {
    fn from(side: ClientSide) -> Self {
        Self::Client(side)
    }
}

impl From<ServerSide> for Side {
    fn from(side: ServerSide) -> Self {
        Self::Server(side)
    }
}
