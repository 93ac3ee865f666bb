//! Transport and authentication of a server, for operators. Holds no user name and no password.

use carafe_core::store::{Health, Transport, authentication};
use redis::{ConnectionAddr, ConnectionInfo};

/// Transport and authentication, from the settings of a connection.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    transport: Transport,
    authentication: &'static str,
}

impl Endpoint {
    pub(crate) fn of(info: &ConnectionInfo) -> Self {
        let settings = info.redis_settings();
        let (user, password) = (settings.username(), settings.password());
        Self {
            transport: match info.addr() {
                ConnectionAddr::TcpTls { insecure: true, .. } => Transport::Unverified,
                ConnectionAddr::TcpTls { .. } => Transport::Verified,
                ConnectionAddr::Unix(_) => Transport::Socket,
                _ => Transport::Plain,
            },
            authentication: authentication(user.is_some(), password.is_some()),
        }
    }

    pub(crate) fn describe(endpoint: Option<Self>, health: &mut Health) {
        let Some(endpoint) = endpoint else {
            health.fact("transport", "the driver's settings");
            return;
        };
        health.fact("transport", endpoint.transport);
        health.fact("authentication", endpoint.authentication);
    }
}
