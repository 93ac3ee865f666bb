//! The connection to the servers, which all requests share and which is reopened after it is lost.
//!
//! The driver's multiplexed connection pipelines the commands of all requests. This module adds
//! reconnection, one attempt at a time, because the driver's `ConnectionManager` knows neither
//! Sentinel nor which commands may be sent twice. A command is repeated here only if the server
//! said that it did not run it: a cluster moved the slot, a primary was demoted, or a script is not
//! loaded. The caller decides whether to repeat a command after a lost reply (`call.rs`).

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisFuture, RedisResult,
    ServerErrorKind, Value,
    aio::ConnectionLike as _,
    aio::MultiplexedConnection,
    cluster::{ClusterClient, ClusterConfig},
    cluster_async::ClusterConnection,
    cluster_routing::SingleNodeRoutingInfo,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
    sentinel::SentinelClient,
};
use tokio::sync::Mutex;

use crate::{
    error::{is_lost, is_no_script, is_retryable},
    script::Callable,
};

/// Upper bound on the attempts to find the server that runs a command.
const ATTEMPTS: u32 = 6;
/// Idle time after which the kernel probes the peer.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long the kernel keeps a connection to a peer that acknowledges nothing.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// How the servers are found.
pub(crate) enum Servers {
    Single(Box<Client>),
    // Tokio's lock, because asking the sentinels awaits. Held only while connecting.
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

enum Driver {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

struct Live {
    driver: Driver,
    /// Connection generation, starting at 1.
    generation: u64,
}

pub(crate) struct Connection {
    servers: Arc<Servers>,
    connect_deadline: Duration,
    response_deadline: Duration,
    /// A lock of the standard library: read once per command, for a clone, and written when a
    /// connection is opened or dropped.
    live: RwLock<Option<Arc<Live>>>,
    /// Generation of the newest connection.
    generation: AtomicU64,
    /// Tokio's lock, because it is held while connecting: one caller connects, the others await the
    /// result. So an outage never causes more than one connection attempt at a time.
    connecting: Mutex<()>,
}

impl Connection {
    pub(crate) fn new(servers: Servers, connect: Duration, response: Duration) -> Self {
        Self::to(Arc::new(servers), connect, response)
    }

    /// Returns another connection to the same servers. Its replies may take `longer`.
    pub(crate) fn sibling(&self, longer: Duration) -> Self {
        let response = self.response_deadline + longer;
        Self::to(Arc::clone(&self.servers), self.connect_deadline, response)
    }

    fn to(servers: Arc<Servers>, connect: Duration, response: Duration) -> Self {
        Self {
            servers,
            generation: AtomicU64::new(0),
            connect_deadline: connect,
            response_deadline: response,
            live: RwLock::new(None),
            connecting: Mutex::new(()),
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(*self.servers, Servers::Cluster(_))
    }

    pub(crate) fn mode(&self) -> &'static str {
        match *self.servers {
            Servers::Single(_) => "single server",
            Servers::Sentinel(_) => "sentinel",
            Servers::Cluster(_) => "cluster",
        }
    }

    /// Opens the connection unless it is open.
    pub(crate) async fn connect(&self) -> RedisResult<()> {
        self.live().await.map(drop)
    }

    /// Calls a script by its hash, and by its text if the server does not have it.
    pub(crate) async fn call(&self, call: &impl Callable) -> RedisResult<Value> {
        match self.send(|| call.by_hash()).await {
            Err(error) if is_no_script(&error) => Box::pin(self.send(|| call.by_text())).await,
            reply => reply,
        }
    }

    /// Sends a command and returns its reply. `make` builds the command for each attempt.
    pub(crate) async fn send(&self, make: impl Fn() -> Cmd) -> RedisResult<Value> {
        let mut attempt = 0;
        loop {
            let live = self.live().await?;
            let error = match live.send(make()).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if let Some(reply) = Box::pin(live.follow_ask(&make, &error)).await {
                return reply;
            }
            self.drop_if_broken(&live, &error);
            attempt += 1;
            if attempt == ATTEMPTS || !is_retryable(&error) {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(5) * attempt).await;
        }
    }

    /// Returns the generation of the newest connection, for [`Connection::suspect`].
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Drops the connection if it is not newer than `generation`, so that the next command opens
    /// another one. Called when a reply is late or cannot be read: the peer may be gone without a
    /// FIN, or replies may be out of step.
    pub(crate) fn suspect(&self, generation: u64) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        // The driver replaces the connections of a cluster itself.
        if !self.is_cluster()
            && live
                .as_ref()
                .is_some_and(|live| live.generation <= generation)
        {
            *live = None;
        }
    }

    fn drop_if_broken(&self, broken: &Live, error: &RedisError) {
        let demoted = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
        if demoted || is_lost(error) || error.is_unrecoverable_error() {
            self.suspect(broken.generation);
        }
    }

    fn current(&self) -> Option<Arc<Live>> {
        // The value is only replaced as a whole, so it is valid after a panic elsewhere.
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.clone()
    }

    async fn live(&self) -> RedisResult<Arc<Live>> {
        match self.current() {
            Some(live) => Ok(live),
            // A trait object: rare, and otherwise a large part of each command's future.
            None => self.reconnect().boxed().await,
        }
    }

    async fn reconnect(&self) -> RedisResult<Arc<Live>> {
        let _guard = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let opening = tokio::time::timeout(self.connect_deadline, self.open());
        let driver = opening.await.map_err(|_| timed_out())??;
        let live = Arc::new(Live {
            driver,
            generation: self.generation() + 1,
        });
        // `connecting` is locked, so there is one writer.
        self.generation.store(live.generation, Ordering::Release);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&live));
        Ok(live)
    }

    async fn open(&self) -> RedisResult<Driver> {
        let client = match &*self.servers {
            Servers::Single(client) => (**client).clone(),
            Servers::Sentinel(sentinels) => sentinels.lock().await.async_get_client().await?,
            Servers::Cluster(client) => {
                let config = ClusterConfig::new().set_response_timeout(self.response_deadline);
                let connection = client.get_async_connection_with_config(config);
                return connection.await.map(Driver::Cluster);
            }
        };
        let info = client.get_connection_info().clone();
        let settings = with_defaults(info.tcp_settings());
        let client = Client::open(info.set_tcp_settings(settings))?;
        // No response timeout: the deadline of the verb covers all replies, and each is a timer.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_deadline))
            .set_response_timeout(None);
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        connection.await.map(Driver::Server)
    }
}

impl Live {
    /// Boxed, because the driver's future is larger than that of a whole verb.
    fn send(&self, command: Cmd) -> RedisFuture<'static, Value> {
        match &self.driver {
            Driver::Server(connection) => {
                let mut connection = connection.clone();
                async move {
                    let reply = connection.send_packed_command(&command).await;
                    reply.and_then(Value::extract_error)
                }
                .boxed()
            }
            Driver::Cluster(connection) => {
                let mut connection = connection.clone();
                async move {
                    let reply = connection.req_packed_command(&command).await;
                    reply.and_then(Value::extract_error)
                }
                .boxed()
            }
        }
    }

    /// If `error` says that a slot is moving, returns the reply of the node it moves to.
    async fn follow_ask(
        &self,
        make: &impl Fn() -> Cmd,
        error: &RedisError,
    ) -> Option<RedisResult<Value>> {
        let Driver::Cluster(connection) = &self.driver else {
            return None;
        };
        if error.kind() != ErrorKind::Server(ServerErrorKind::Ask) {
            return None;
        }
        let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
        let node = SingleNodeRoutingInfo::ByAddress {
            host: host.to_owned(),
            port: port.parse().ok()?,
        };
        let mut both = redis::pipe();
        both.cmd("ASKING").add_command(make());
        let mut connection = connection.clone();
        let replies = connection.route_pipeline(both, 0, 2, node).await;
        // If that node no longer has the slot either, the next attempt finds the right one.
        replies.ok()?.pop().map(Value::extract_error)
    }
}

/// Completes socket options: no Nagle delay, since the driver writes whole commands, and bounds on
/// the time until the kernel closes a connection to a peer that is gone.
pub(crate) fn with_defaults(settings: &TcpSettings) -> TcpSettings {
    let mut settings = settings.clone().set_nodelay(true);
    if settings.keepalive().is_none() {
        settings = settings.set_keepalive(TcpKeepalive::new().with_time(KEEPALIVE));
    }
    #[cfg(target_os = "linux")]
    if settings.user_timeout().is_none() {
        settings = settings.set_user_timeout(USER_TIMEOUT);
    }
    settings
}

fn timed_out() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}
