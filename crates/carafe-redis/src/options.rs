//! How to reach the servers, and how long to wait for them.

use std::time::Duration;

use carafe_core::store::{Deadlines, StoreError, StoreUrl};
use redis::{
    IntoConnectionInfo,
    cluster::ClusterClientBuilder,
    io::tcp::TcpSettings,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use tokio::sync::Mutex;

use crate::{
    RedisStore,
    connection::{Connection, Servers, with_defaults},
    endpoint::Endpoint,
    error::store_error,
    names::Names,
    wait::WaitOptions,
};

/// The URL parameter that is ours and not the driver's.
const PREFIX: &str = "prefix";
/// The first two are accepted in all URLs, the others only in those of sockets.
const PARAMETERS: [&str; 5] = [PREFIX, "protocol", "db", "user", "pass"];

/// Builder of a [`RedisStore`].
///
/// ```no_run
/// # async fn example() -> Result<(), carafe_redis::StoreError> {
/// use carafe_redis::RedisOptions;
///
/// let options = RedisOptions::new().prefix("shop");
/// let store = options.clone().connect("redis://:secret@cache.internal/0").await?;
/// let store = options.clone().connect_cluster(["redis://node1", "redis://node2"]).await?;
/// let store = options.connect_sentinel(["sentinel1:26379"], "mymaster").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct RedisOptions {
    prefix: String,
    deadlines: Deadlines,
    listing: bool,
    wait: Option<WaitOptions>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl RedisOptions {
    /// Returns options with the prefix `carafe` and the default deadlines.
    #[must_use]
    pub fn new() -> Self {
        Self {
            prefix: "carafe".to_owned(),
            deadlines: Deadlines::default(),
            listing: true,
            wait: None,
        }
    }

    /// Sets the prefix of every key. Applications that share a Redis use different prefixes.
    ///
    /// It must not contain `{` or `}`: in a cluster they would put all sessions on one node.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Sets the deadlines of connecting, reads and writes.
    #[must_use]
    pub const fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Sets whether all sessions are listed for operators ([`SessionListing`]). The default is
    /// `true`.
    ///
    /// All nodes of a service should agree. If it is enabled later, existing sessions are listed
    /// when they are prolonged or get a new id.
    ///
    /// [`SessionListing`]: carafe_core::store::SessionListing
    #[must_use]
    pub const fn listing(mut self, inventory: bool) -> Self {
        self.listing = inventory;
        self
    }

    /// Makes every revocation (a log-out, the new id of a log-in, "log out everywhere", an
    /// operator's deletion) wait until this many replicas have it, so that a fail-over to one of
    /// them does not bring the session back. Off by default.
    ///
    /// If the replicas do not confirm within `timeout` (whole milliseconds, at least one; added to
    /// the deadline of writes), the call returns [`StoreError::Timeout`]: the session is revoked on
    /// the primary, and a repeated call waits again. The guarantee holds if the fail-over selects a
    /// replica that has confirmed: with Sentinel, which prefers the most advanced replica, or if
    /// `replicas` is the number of all replicas.
    #[must_use]
    pub fn wait(mut self, replicas: u32, timeout: Duration) -> Self {
        // 0 would block forever.
        let timeout = timeout.max(Duration::from_millis(1));
        self.wait = Some(WaitOptions { replicas, timeout });
        self
    }

    /// Connects to one server: `redis://`, `rediss://` (feature `tls`, always verified) or
    /// `redis+unix:///path`. Parameters: `prefix` like [`RedisOptions::prefix`], and the driver's
    /// `protocol` (`resp3`); for a socket also `db`, `user` and `pass`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is invalid or has an unknown parameter, or the server
    /// does not answer.
    pub async fn connect(self, url: impl AsRef<str>) -> Result<RedisStore, StoreError> {
        let mut url = parsed(url.as_ref())?;
        let known = match url.scheme().ends_with("unix") {
            true => &PARAMETERS[..],
            false => &PARAMETERS[..2],
        };
        url.check_parameters(known)
            .map_err(StoreError::unavailable)?;
        let options = match url.take(PREFIX) {
            Some(prefix) => self.prefix(&prefix),
            None => self,
        };
        let client = redis::Client::open(url.for_driver()).map_err(store_error)?;
        options.client(client).ready().await
    }

    /// Connects to a cluster through any of the given nodes. The only parameter is the driver's
    /// `protocol` (`resp3`), which must be the same for all nodes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a URL is invalid or no node answers.
    pub async fn connect_cluster<T: AsRef<str>>(
        self,
        nodes: impl IntoIterator<Item = T>,
    ) -> Result<RedisStore, StoreError> {
        let mut infos = Vec::new();
        for node in nodes {
            let url = parsed(node.as_ref())?;
            url.check_parameters(&PARAMETERS[1..2])
                .map_err(StoreError::unavailable)?;
            infos.push(
                url.for_driver()
                    .into_connection_info()
                    .map_err(store_error)?,
            );
        }
        let endpoint = infos.first().map(Endpoint::of);
        let settings = with_defaults(&TcpSettings::default());
        let builder = ClusterClientBuilder::new(infos).tcp_settings(settings);
        let mut store = self.cluster(builder)?;
        store.endpoint = endpoint;
        store.ready().await
    }

    /// Connects to the primary of `service` that the sentinels name. The sentinels are asked again
    /// whenever the connection is lost or the server is no longer the primary. Addresses are
    /// `host:port`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if an address is invalid or no sentinel knows a primary.
    pub async fn connect_sentinel<'a>(
        self,
        sentinels: impl IntoIterator<Item = &'a str>,
        service: &str,
    ) -> Result<RedisStore, StoreError> {
        let mut infos = Vec::new();
        for sentinel in sentinels {
            let url = parsed(&format!("redis://{sentinel}"))?;
            url.check_parameters(&[]).map_err(StoreError::unavailable)?;
            infos.push(
                url.for_driver()
                    .into_connection_info()
                    .map_err(store_error)?,
            );
        }
        let endpoint = infos.first().map(Endpoint::of);
        let addresses: Vec<_> = infos.iter().map(|info| info.addr().clone()).collect();
        let builder = SentinelClientBuilder::new(addresses, service, SentinelServerType::Master);
        let client = builder.and_then(SentinelClientBuilder::build);
        let mut store = self.sentinel(client.map_err(store_error)?);
        store.endpoint = endpoint;
        store.ready().await
    }

    /// Returns a store on an existing client, with its certificates, credentials and socket
    /// options. The store connects when it is first used.
    ///
    /// `TCP_NODELAY` is always set. TCP keepalive and, on Linux, `TCP_USER_TIMEOUT` are set unless
    /// the client sets them.
    #[must_use]
    pub fn client(self, client: redis::Client) -> RedisStore {
        let endpoint = Endpoint::of(client.get_connection_info());
        let mut store = self.store(Servers::Single(Box::new(client)));
        store.endpoint = Some(endpoint);
        store
    }

    /// Returns a store on a cluster with settings of the caller. The store connects when it is
    /// first used.
    ///
    /// The driver's retries are turned off: the driver would repeat a change after a lost reply,
    /// and an `update` would be applied twice. This store repeats only what is safe. Do not enable
    /// reads from replicas: a session would still be there after a log-out. Set `tcp_settings` with
    /// `TCP_NODELAY`: the driver's default is Nagle's algorithm.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the settings contradict each other.
    pub fn cluster(self, builder: ClusterClientBuilder) -> Result<RedisStore, StoreError> {
        let builder = builder
            .retries(0)
            .connection_timeout(self.deadlines.connect)
            .response_timeout(self.deadlines.write);
        let client = builder.build().map_err(store_error)?;
        Ok(self.store(Servers::Cluster(Box::new(client))))
    }

    /// Returns a store behind sentinels with settings of the caller. The store connects when it is
    /// first used.
    #[must_use]
    pub fn sentinel(self, client: SentinelClient) -> RedisStore {
        self.store(Servers::Sentinel(Box::new(Mutex::new(client))))
    }

    fn store(self, servers: Servers) -> RedisStore {
        let Deadlines { connect, write, .. } = self.deadlines;
        let connection = Connection::new(servers, connect, write.max(self.deadlines.read));
        let names = Names::new(&self.prefix, connection.is_cluster());
        RedisStore::new(connection, names, self.deadlines, self.listing, self.wait)
    }
}

impl RedisStore {
    /// Connects to one server, with the default [`RedisOptions`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is wrong or the server does not answer.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        RedisOptions::new().connect(url).await
    }

    /// Returns a store on an existing client, with the default [`RedisOptions`].
    #[must_use]
    pub fn from_client(client: redis::Client) -> Self {
        RedisOptions::new().client(client)
    }
}

fn parsed(url: &str) -> Result<StoreUrl, StoreError> {
    StoreUrl::parse(url).map_err(StoreError::unavailable)
}
