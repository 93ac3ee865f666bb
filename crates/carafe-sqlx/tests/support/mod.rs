//! Private database servers for these tests, and what the tests of both databases share.

pub(crate) mod fixtures;

use std::{future::Future, time::Duration};

use carafe_core::store::{ExpiredSweep, Health, Inventory, UserSessions};
use carafe_sqlx::Deadlines;
pub(crate) use carafe_test_servers::Sql as Server;

/// One of the databases, with what the tests need to know of it.
pub(crate) trait Kit: 'static {
    type Store: UserSessions + ExpiredSweep + Inventory;

    /// Where the server at this port is.
    fn url(port: u16) -> String;

    /// A server of one's own.
    fn start() -> Server;

    /// The server that the tests of one program share.
    fn shared() -> &'static Server;

    /// A store on its own pool of `connections`, with its table made.
    fn store(
        port: u16,
        table: &str,
        connections: u32,
        deadlines: Deadlines,
    ) -> impl Future<Output = Self::Store>;

    /// The same, as `connect` makes it.
    fn connected(server: &Server) -> impl Future<Output = Self::Store>;

    /// Which statements about `table` the server has run since it was asked to write them down.
    fn statements(server: &Server, table: &str) -> Vec<String>;

    /// What the store says of itself.
    fn health(store: &Self::Store) -> impl Future<Output = Health>;

    /// How many rows and index entries of `table` the store's one connection has read so far.
    fn rows_read(store: &Self::Store, table: &str) -> impl Future<Output = i64>;

    /// How many of them a sample may read: a row each of 512, and 4,097 keys, which MySQL counts in a temporary table.
    const SAMPLE: i64;

    /// Where the tables are, for [`Server::sql`].
    const PLACE: &'static str;

    /// 5,000 rows of 500 users.
    const FILL: &'static str;

    /// 200,000 sessions under the hashes of their numbers; every tenth is over at 1,000,000.
    const FILL_MANY: &'static str;

    /// Lets `SESSIONS` take what no version of this crate writes.
    const UNCHECKED: &'static str;

    /// All of its indices, for [`Server::sql`], in an order of their own.
    const INDICES: &'static str;

    /// Takes those for operators away.
    const DROP_INDICES: &'static str;
    /// What SQLAlchemy makes for Flask-Session, but for a column that holds the suite's large records.
    #[cfg(feature = "flask-session")]
    const FLASK_TABLE: &'static str;

    #[cfg(feature = "flask-session")]
    type FlaskStore: carafe_core::store::SessionStore;

    /// A store on that table.
    #[cfg(feature = "flask-session")]
    fn flask_session(
        port: u16,
        layout: carafe_core::flask::stored::FlaskSession,
    ) -> impl Future<Output = Self::FlaskStore>;

    /// 32 bytes as SQL.
    fn bytes(hex: &str) -> String;
}

/// What is the same text for each [`Kit`], but not the same types: the trait that has them in common is not public.
macro_rules! kit {
    ($store:ty, $database:ty, $start:ident) => {
        type Store = $store;

        fn start() -> $crate::support::Server {
            $crate::support::Server::$start()
        }

        fn shared() -> &'static $crate::support::Server {
            static SERVER: std::sync::OnceLock<$crate::support::Server> =
                std::sync::OnceLock::new();
            SERVER.get_or_init(Self::start)
        }

        async fn store(
            port: u16,
            table: &str,
            connections: u32,
            deadlines: carafe_sqlx::Deadlines,
        ) -> $store {
            let pool = $crate::support::pool::<$database>(&Self::url(port), connections);
            let store = <$store>::new(pool).table(table).expect("a good name");
            let store = store.deadlines($crate::support::PATIENT);
            store.migrate().await.expect("migrate works");
            store.deadlines(deadlines)
        }

        async fn connected(server: &$crate::support::Server) -> $store {
            let store = <$store>::connect(&Self::url(server.port)).await;
            let store = store.expect("connect works");
            store.migrate().await.expect("migrate works");
            store
        }

        async fn health(store: &$store) -> carafe_core::store::Health {
            store.health().await.expect("health works")
        }

        #[cfg(feature = "flask-session")]
        type FlaskStore = carafe_sqlx::FlaskSessionStore<$database>;

        #[cfg(feature = "flask-session")]
        async fn flask_session(
            port: u16,
            layout: carafe_core::flask::stored::FlaskSession,
        ) -> Self::FlaskStore {
            let pool = $crate::support::pool::<$database>(&Self::url(port), 16);
            let store = <$store>::new(pool).deadlines($crate::support::PATIENT);
            let store = store
                .flask_session(layout)
                .table($crate::suite::flask_session::TABLE);
            store.expect("a good name").largest_record(1 << 20)
        }
    };
}
pub(crate) use kit;

/// One that connects when it is first used.
pub(crate) fn pool<D: sqlx::Database>(url: &str, connections: u32) -> sqlx::Pool<D> {
    let options = sqlx::pool::PoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false);
    options.connect_lazy(url).expect("a good URL")
}

/// For tests that are not about deadlines, on machines that do other things too.
pub(crate) const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(30),
    read: Duration::from_secs(30),
    write: Duration::from_secs(30),
};

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime starts").block_on(future)
}
