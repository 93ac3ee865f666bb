//! The way to the servers: one multiplexed connection, made anew when it is lost.
//!
//! Commands of all requests share the connection and its round trips. A command is sent again here only
//! where the server has said that it did not take it (a cluster in motion, a script it does not have);
//! whether to try again after a lost reply is the caller's to say, since only it knows what that does.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt as _, future::Either};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike as _,
    aio::MultiplexedConnection,
    cluster::{ClusterClient, ClusterConfig},
    cluster_async::ClusterConnection,
    cluster_routing::SingleNodeRoutingInfo,
    sentinel::SentinelClient,
};
use tokio::sync::Mutex;

use crate::{
    beat::Beat,
    error::{is_elsewhere, is_no_script},
    pipelined::{self, Pipelined},
    script::Callable,
};

/// How often a command looks for the server that takes it.
const ATTEMPTS: u32 = 6;

/// Where the servers are.
pub(crate) enum Source {
    Server(Box<redis::Client>),
    // A lock of tokio's, because asking the sentinels waits. Held only while connecting.
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

enum Connection {
    Server(Pipelined),
    /// Where ours is not for it.
    Driver(MultiplexedConnection),
    Cluster(ClusterConnection),
}

struct Live {
    connection: Connection,
    /// The how manieth it is.
    number: u64,
}

pub(crate) struct Link {
    source: Arc<Source>,
    connect_deadline: Duration,
    response_deadline: Duration,
    /// A plain read-write lock: read once a command, for a clone; written when a connection comes or goes.
    live: RwLock<Option<Arc<Live>>>,
    /// How many connections there were.
    opened: AtomicU64,
    beat: Beat,
    /// Of tokio's, because it is held while connecting: one connects, the others wait for its result.
    connecting: Mutex<()>,
}

impl Link {
    pub(crate) fn new(source: Source, connect: Duration, response: Duration) -> Self {
        Self::to(Arc::new(source), connect, response)
    }

    /// Another way to the same servers, whose replies may take `longer`.
    pub(crate) fn sibling(&self, longer: Duration) -> Self {
        let response = self.response_deadline + longer;
        Self::to(Arc::clone(&self.source), self.connect_deadline, response)
    }

    fn to(source: Arc<Source>, connect: Duration, response: Duration) -> Self {
        Self {
            source,
            opened: AtomicU64::new(0),
            beat: Beat::default(),
            connect_deadline: connect,
            response_deadline: response,
            live: RwLock::new(None),
            connecting: Mutex::new(()),
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(*self.source, Source::Cluster(_))
    }

    pub(crate) fn mode(&self) -> &'static str {
        match *self.source {
            Source::Server(_) => "single server",
            Source::Sentinel(_) => "sentinel",
            Source::Cluster(_) => "cluster",
        }
    }

    /// How many connections there were once the next command is sent: the same before and after some commands
    /// if all went through one. A cluster's connection is many, and counts as one for good.
    pub(crate) fn opened(&self) -> u64 {
        let missing = u64::from(self.current().is_none());
        self.opened.load(Ordering::Acquire) + missing
    }

    /// Makes sure that there is a connection.
    pub(crate) async fn connect(&self) -> RedisResult<()> {
        self.live().await.map(drop)
    }

    /// The answer to a script's call.
    pub(crate) async fn call(&self, call: &impl Callable) -> RedisResult<Value> {
        match self.send(|| call.by_hash()).await {
            Err(error) if is_no_script(&error) => Box::pin(self.send(|| call.by_text())).await,
            answer => answer,
        }
    }

    /// The answer to the command that `make` makes each time it is sent.
    pub(crate) async fn send(&self, make: impl Fn() -> Cmd) -> RedisResult<Value> {
        self.beat.keep();
        let mut attempt = 0;
        loop {
            let live = self.live().await?;
            let error = match live.send(make()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let Some(answer) = Box::pin(live.ask(&make, &error)).await {
                return answer;
            }
            self.forget_if_broken(&live, &error);
            attempt += 1;
            if attempt == ATTEMPTS || !is_elsewhere(&error) {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(5) * attempt).await;
        }
    }

    /// A command got no answer in time that began when there had been so many connections ([`Link::seen`]). The one it
    /// went through may be dead without anybody having said so: the next command takes a new one.
    pub(crate) fn suspect(&self, seen: u64) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        // A cluster's connection is many; it looks after them itself.
        if !self.is_cluster() && live.as_ref().is_some_and(|live| live.number <= seen) {
            *live = None;
        }
    }

    /// How many connections there have been so far.
    pub(crate) fn seen(&self) -> u64 {
        self.opened.load(Ordering::Acquire)
    }

    fn forget_if_broken(&self, broken: &Live, error: &RedisError) {
        let demoted = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
        if demoted || error.is_unrecoverable_error() {
            self.suspect(broken.number);
        }
    }

    fn current(&self) -> Option<Arc<Live>> {
        // What is behind the lock is replaced whole, so a panic elsewhere leaves it good.
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.clone().filter(|live| live.is_open())
    }

    async fn live(&self) -> RedisResult<Arc<Live>> {
        match self.current() {
            Some(live) => Ok(live),
            // Boxed, because it is large and rare, and every command would carry it along.
            None => Box::pin(self.opening()).await,
        }
    }

    async fn opening(&self) -> RedisResult<Arc<Live>> {
        let _turn = self.connecting.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let opening = tokio::time::timeout(self.connect_deadline, self.open());
        let connection = opening.await.map_err(|_| too_slow())??;
        let live = Arc::new(Live {
            connection,
            number: self.seen() + 1,
        });
        // By whoever has the turn.
        self.opened.store(live.number, Ordering::Release);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&live));
        Ok(live)
    }

    async fn open(&self) -> RedisResult<Connection> {
        // Without a deadline for each response: the verb has one, and each is a timer.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_deadline))
            .set_response_timeout(None);
        let client = match &*self.source {
            Source::Server(client) => (**client).clone(),
            Source::Sentinel(sentinels) => sentinels.lock().await.async_get_client().await?,
            Source::Cluster(client) => {
                let config = ClusterConfig::new().set_response_timeout(self.response_deadline);
                let connection = client.get_async_connection_with_config(config);
                return connection.await.map(Connection::Cluster);
            }
        };
        if pipelined::is_for(client.get_connection_info()) {
            let connection = Pipelined::open(client.get_connection_info());
            return connection.await.map(Connection::Server);
        }
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        connection.await.map(Connection::Driver)
    }
}

impl Live {
    /// Whether a command can still be sent, as far as is known.
    fn is_open(&self) -> bool {
        match &self.connection {
            Connection::Server(connection) => connection.is_open(),
            // Their errors say so.
            Connection::Driver(_) | Connection::Cluster(_) => true,
        }
    }

    fn send(&self, command: Cmd) -> impl Future<Output = RedisResult<Value>> {
        let answer = match &self.connection {
            Connection::Server(connection) => Either::Left(connection.send(&command)),
            Connection::Driver(connection) => {
                let mut connection = connection.clone();
                let answer = async move { connection.send_packed_command(&command).await };
                Either::Right(answer.boxed())
            }
            Connection::Cluster(connection) => {
                let mut connection = connection.clone();
                let answer = async move { connection.req_packed_command(&command).await };
                Either::Right(answer.boxed())
            }
        };
        answer.map(|answer| answer.and_then(Value::extract_error))
    }

    /// In a cluster, the answer of the node that a slot is moving to, if `error` is the pointer to it.
    async fn ask(&self, make: &impl Fn() -> Cmd, error: &RedisError) -> Option<RedisResult<Value>> {
        let Connection::Cluster(connection) = &self.connection else {
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
        let answers = connection.route_pipeline(both, 0, 2, node).await;
        // If that node has moved on too, the next attempt sees it.
        answers.ok()?.pop().map(Value::extract_error)
    }
}

fn too_slow() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}
