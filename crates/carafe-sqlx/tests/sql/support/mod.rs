//! Private database servers, and helpers for the tests of both databases.

pub(crate) mod fixtures;

use std::{future::Future, time::Duration};

use carafe_core::store::{
    ErasedStore, ExpiredSweep, Health, SessionListing, StoreError, UserSessions,
};
use carafe_sqlx::Deadlines;
pub(crate) use carafe_test_servers::Sql as Server;

/// One of the databases, with its test-specific properties.
pub(crate) trait Kit: 'static {
    type Store: ErasedStore + UserSessions + ExpiredSweep + SessionListing;

    /// Returns the URL of the server at this port.
    fn url(port: u16) -> String;

    /// Starts a private server.
    fn start() -> Server;

    /// Returns the server shared by the tests of one program.
    fn shared() -> &'static Server;

    /// Returns a store with a pool of `connections`, after creating its table.
    fn store(
        port: u16,
        table: &str,
        connections: u32,
        deadlines: Deadlines,
    ) -> impl Future<Output = Self::Store>;

    /// The same with `connect`, which opens the pool.
    fn connected(server: &Server) -> impl Future<Output = Self::Store>;

    /// Connects to a URL.
    fn connect(url: &str) -> impl Future<Output = Result<Self::Store, StoreError>>;

    /// Starts a private server with TLS.
    ///
    /// Its certificate is in the file `certificate` of its directory.
    fn start_with_tls() -> Server;

    /// Returns the URL of the server with a non-loopback host name and with parameters.
    fn other_host(port: u16, parameters: &str) -> String;

    /// The parameter that names a certificate authority, and the one that disables TLS.
    const AUTHORITY: &'static str;
    const WITHOUT_TLS: &'static str;
    /// The driver's parameter that requires TLS with any certificate.
    const REQUIRED: &'static str;

    /// Returns the statements on `table` since the server's statement log was enabled.
    fn statements(server: &Server, table: &str) -> Vec<String>;

    /// Returns the store's health report.
    fn health(store: &Self::Store) -> impl Future<Output = Health>;

    /// Returns the number of rows and index entries of `table` read by the store's connection.
    fn rows_read(store: &Self::Store, table: &str) -> impl Future<Output = i64>;

    /// The bound for a sample: the rows of 512 sessions and 4,097 keys.
    ///
    /// MySQL counts the keys in a temporary table.
    const SAMPLE: i64;

    /// The prefix that selects the database, for [`Server::sql`].
    const PLACE: &'static str;

    /// 5,000 rows of 500 users.
    const FILL: &'static str;

    /// 200,000 sessions at the hashes of their numbers; every tenth is expired at 1,000,000.
    const FILL_MANY: &'static str;

    /// Brings the planner's statistics of `SESSIONS` up to date.
    const ANALYZE: &'static str;

    /// Keeps the server from doing that on its own.
    const KEEP_STATISTICS: &'static str;

    /// `SESSIONS` as version 1 made it.
    const VERSION_1: &'static str;

    /// Allows values in `SESSIONS` that no version of this crate writes.
    const UNCHECKED: &'static str;

    /// Selects all indices, sorted, for [`Server::sql`].
    const INDICES: &'static str;

    /// Drops the operators' indices.
    const DROP_INDICES: &'static str;
    /// SQLAlchemy's table for Flask-Session.
    ///
    /// One column is larger, for the large records of the conformance tests.
    #[cfg(feature = "flask-session")]
    const FLASK_TABLE: &'static str;

    #[cfg(feature = "flask-session")]
    type FlaskStore: carafe_core::store::SessionStore;

    /// Returns a store on this table.
    #[cfg(feature = "flask-session")]
    fn flask_session(
        port: u16,
        layout: carafe_core::flask::stored::FlaskSession,
    ) -> impl Future<Output = Self::FlaskStore>;

    /// Formats bytes as an SQL literal.
    fn bytes(hex: &str) -> String;
}

/// Defines functions with the same text but different types for each [`Kit`].
///
/// The trait that the types have in common is private.
macro_rules! kit {
    ($store:ty, $database:ty, $start:ident, $start_with_tls:ident) => {
        type Store = $store;

        fn start_with_tls() -> $crate::support::Server {
            $crate::support::Server::$start_with_tls()
        }

        async fn connect(url: &str) -> Result<$store, carafe_core::store::StoreError> {
            let store = <$store>::connect(url).await?;
            Ok(store.deadlines($crate::support::PATIENT))
        }

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
            // Not in a generic function, where both databases would share it.
            static TABLE_MADE: std::sync::Once = std::sync::Once::new();
            TABLE_MADE.call_once(|| {
                $crate::suite::flask_session::sql::<Self>(Self::FLASK_TABLE);
            });
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

/// Returns a pool that connects on first use.
pub(crate) fn pool<D: sqlx::Database>(url: &str, connections: u32) -> sqlx::Pool<D> {
    let options = sqlx::pool::PoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false);
    options.connect_lazy(url).expect("a good URL")
}

/// Deadlines for tests of other subjects, because the machine may be busy.
pub(crate) const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(30),
    read: Duration::from_secs(30),
    write: Duration::from_secs(30),
};

/// Runs a future to completion on a new runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime starts").block_on(future)
}
