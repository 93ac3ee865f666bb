//! The storage of sessions: in their cookies, or in a store.

use std::time::Duration;

use super::{ClientSide, ServerSide, client_side::Codec};
use crate::{json::JsonDialect, store::Record};

/// The storage of sessions. Transparent to handlers.
#[derive(Clone, Debug)]
pub enum SessionBackend {
    /// Sessions are stored in their cookies.
    Client(ClientSide),
    /// Sessions are kept in a store.
    Server(ServerSide),
}

/// A backend prepared for one cookie.
pub(super) enum Prepared {
    Client(Box<Codec>),
    Server(ServerSide),
}

impl SessionBackend {
    pub(super) fn prepare(self, cookie: &str, clock_skew: Duration) -> Prepared {
        match self {
            Self::Client(side) => Prepared::Client(Box::new(side.prepare(cookie, clock_skew))),
            Self::Server(mut side) => {
                side.clock_skew = clock_skew;
                Prepared::Server(side)
            }
        }
    }
}

impl Prepared {
    pub(super) const fn style(&self) -> JsonDialect {
        match self {
            Self::Client(codec) => codec.style(),
            Self::Server(_) => Record::STYLE,
        }
    }
}

impl From<ClientSide> for SessionBackend {
    fn from(side: ClientSide) -> Self {
        Self::Client(side)
    }
}

impl From<ServerSide> for SessionBackend {
    fn from(side: ServerSide) -> Self {
        Self::Server(side)
    }
}
