//! How to reach the servers and how long to wait for them.

use std::time::Duration;

use carafe_core::store::{Deadlines, StoreError};
use redis::{
    IntoConnectionInfo,
    cluster::ClusterClientBuilder,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use tokio::sync::Mutex;

use crate::{
    RedisStore,
    error::typed,
    link::{Link, Source},
    names::Names,
    wait::Wait,
};

/// Makes a [`RedisStore`].
///
/// ```no_run
/// # async fn example() -> Result<(), carafe_core::store::StoreError> {
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
    inventory: bool,
    wait: Option<Wait>,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl RedisOptions {
    /// The prefix `carafe` and the default deadlines.
    #[must_use]
    pub fn new() -> Self {
        Self {
            prefix: "carafe".to_owned(),
            deadlines: Deadlines::default(),
            inventory: true,
            wait: None,
        }
    }

    /// What every key begins with. Applications that share a Redis take one each.
    ///
    /// Without `{` and `}`: in a cluster they would put all sessions on one node.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// How long each step may take.
    #[must_use]
    pub const fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Whether all sessions are listed, so that operators can look through them ([`Inventory`]). On unless set.
    ///
    /// All nodes of a service should agree. Where it is turned on later, a session is listed as soon as it is
    /// prolonged or gets a new id.
    ///
    /// [`Inventory`]: carafe_core::store::Inventory
    #[must_use]
    pub const fn inventory(mut self, inventory: bool) -> Self {
        self.inventory = inventory;
        self
    }

    /// Whatever ends a session (a log-out, the new id of a log-in, "log out everywhere", an operator) waits until so
    /// many replicas know of it, so that no fail-over to one of them brings the session back. Off unless set.
    ///
    /// If they do not within `timeout` (whole milliseconds, at least one; added to the deadline of writes), the answer is
    /// [`StoreError::Timeout`]: the session has ended on the primary, and whoever repeats the call waits again. It holds if
    /// the fail-over goes to a replica that was waited for: with Sentinel, which prefers the one that has most, or if
    /// `replicas` is all of them.
    #[must_use]
    pub fn wait(mut self, replicas: u32, timeout: Duration) -> Self {
        // 0 would mean for ever.
        let timeout = timeout.max(Duration::from_millis(1));
        self.wait = Some(Wait { replicas, timeout });
        self
    }

    /// Connects to one server: `redis://`, `rediss://` (feature `tls`) or `redis+unix:///path`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the URL is wrong or the server does not answer.
    pub async fn connect(self, url: impl IntoConnectionInfo) -> Result<RedisStore, StoreError> {
        let client = redis::Client::open(url).map_err(typed)?;
        self.client(client).ready().await
    }

    /// Connects to a cluster, of which some nodes are named.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a URL is wrong or no node answers.
    pub async fn connect_cluster<T: IntoConnectionInfo>(
        self,
        nodes: impl IntoIterator<Item = T>,
    ) -> Result<RedisStore, StoreError> {
        let builder = ClusterClientBuilder::new(nodes);
        self.cluster(builder)?.ready().await
    }

    /// Connects to the server that the sentinels name as the primary of `service`, and asks them again
    /// whenever it is lost or no longer the primary. Addresses are `host:port`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if an address is wrong or no sentinel knows a primary.
    pub async fn connect_sentinel<'a>(
        self,
        sentinels: impl IntoIterator<Item = &'a str>,
        service: &str,
    ) -> Result<RedisStore, StoreError> {
        let addresses: Result<Vec<_>, _> = sentinels
            .into_iter()
            .map(|sentinel| format!("redis://{sentinel}").into_connection_info())
            .map(|info| info.map(|info| info.addr().clone()))
            .collect();
        let addresses = addresses.map_err(typed)?;
        let builder = SentinelClientBuilder::new(addresses, service, SentinelServerType::Master);
        let client = builder.and_then(SentinelClientBuilder::build);
        self.sentinel(client.map_err(typed)?).ready().await
    }

    /// A store on a client of your own: certificates, credentials, socket options. It connects when it
    /// is first used.
    #[must_use]
    pub fn client(self, client: redis::Client) -> RedisStore {
        self.store(Source::Server(Box::new(client)))
    }

    /// A store on a cluster with settings of your own. It connects when it is first used.
    ///
    /// The driver's retries are turned off: it would send a change again whose reply was lost, and an
    /// update would count twice. This store knows when sending again is safe. Do not let it read from
    /// replicas: a session that was logged out would still be there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the settings contradict each other.
    pub fn cluster(self, builder: ClusterClientBuilder) -> Result<RedisStore, StoreError> {
        let builder = builder
            .retries(0)
            .connection_timeout(self.deadlines.connect)
            .response_timeout(self.deadlines.write);
        let client = builder.build().map_err(typed)?;
        Ok(self.store(Source::Cluster(Box::new(client))))
    }

    /// A store behind sentinels with settings of your own. It connects when it is first used.
    #[must_use]
    pub fn sentinel(self, client: SentinelClient) -> RedisStore {
        self.store(Source::Sentinel(Box::new(Mutex::new(client))))
    }

    fn store(self, source: Source) -> RedisStore {
        let Deadlines { connect, write, .. } = self.deadlines;
        let link = Link::new(source, connect, write.max(self.deadlines.read));
        let names = Names::new(&self.prefix, link.is_cluster());
        RedisStore::new(link, names, self.deadlines, self.inventory, self.wait)
    }
}
