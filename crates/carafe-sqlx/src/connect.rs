//! Connects to the database of a URL and reports the cause of a failure immediately.
//!
//! A pool of sqlx retries until its timeout if a server refuses connections, and then reports only
//! the timeout. The first connection is therefore made without a pool, and a caller that waits for
//! a pooled connection probes the server for the cause.

use std::{
    fmt,
    pin::pin,
    time::{Duration, Instant},
};

use carafe_core::store::{
    Health, InvalidStoreUrl, StoreError, StoreUrl, TlsMode, Transport, authentication, redacted,
};
use futures_util::future::{Either, select};
use sqlx::{
    ConnectOptions as _, Connection, Database, Error, Pool,
    pool::{PoolConnection, PoolOptions},
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use crate::{dialect::Dialect, failure::Failure, lease::Lease, table};

/// The driver's connection options for a database.
pub(crate) type Options<D> = <<D as Database>::Connection as Connection>::Options;

/// The parameter for the number of prepared statements per connection, and the drivers' name.
///
/// 0 disables prepared statements.
pub(crate) const CACHE: [&str; 2] = ["statement_cache", "statement-cache-capacity"];
/// Pool size, unless the application provides the pool.
const CONNECTIONS: u32 = 16;
/// Idle time after which a connection is pinged before use: hardly any server restarts faster.
const RESTED: Duration = Duration::from_secs(1);
/// Timeout for the first connections of a process.
const START: Duration = Duration::from_secs(10);
/// Time to wait for a pooled connection before probing for the cause.
const SUSPICION: Duration = Duration::from_millis(50);
/// Postgres `cannot_connect_now`: starting up or shutting down.
///
/// This takes longer than a request waits.
const STARTS_UP: &str = "57P03";

const FEATURE: &str = match cfg!(feature = "tls-rustls") {
    true => "",
    false => "; TLS needs the feature `tls-rustls` of carafe-sqlx",
};

/// An error of connecting to the store of a URL.
pub enum ConnectError {
    #[doc(hidden)]
    Url(InvalidStoreUrl),
    #[doc(hidden)]
    Sql(Error),
    /// TLS failed or is unavailable; with the options that allow the connection otherwise.
    #[doc(hidden)]
    Tls(Error, &'static str),
}

impl From<InvalidStoreUrl> for ConnectError {
    fn from(error: InvalidStoreUrl) -> Self {
        Self::Url(error)
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<ConnectError> for StoreError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Url(error) => Self::unavailable(error),
            ConnectError::Sql(error) => Failure::Sql(error).into(),
            ConnectError::Tls(error, options) => {
                let text = format!(
                    "{}; the certificate of a server on another host is verified: {options}{}",
                    redacted(error),
                    FEATURE
                );
                Self::unavailable(text)
            }
        }
    }
}

/// A database that was connected to successfully.
pub(crate) struct Connected<D: Dialect> {
    pub(crate) pool: Pool<D>,
    /// The table named by the URL.
    pub(crate) table: Option<String>,
    /// Whether prepared statements stay available on a connection.
    pub(crate) is_prepared: bool,
    pub(crate) authentication: &'static str,
}

/// Connects to the database at `url`.
pub(crate) async fn connect<D: Dialect>(url: &str) -> Result<Connected<D>, StoreError> {
    let mut url = StoreUrl::parse(url).map_err(ConnectError::from)?;
    if !D::SCHEMES.contains(&url.scheme()) {
        let error = InvalidStoreUrl::Scheme("its scheme is another database's");
        return Err(ConnectError::from(error).into());
    }
    url.check_parameters(D::PARAMETERS)
        .map_err(ConnectError::from)?;
    let table = url.take("table");
    if table
        .as_deref()
        .is_some_and(|name| table::checked(name).is_err())
    {
        let (name, expected) = ("table", "made of a-z, 0-9 and _, and not longer than 48");
        return Err(ConnectError::from(InvalidStoreUrl::Value { name, expected }).into());
    }
    let unverified = match url.take("tls").as_deref() {
        None => false,
        Some("unverified") => true,
        Some(_) => {
            let (name, expected) = ("tls", "`unverified`, or left out");
            return Err(ConnectError::from(InvalidStoreUrl::Value { name, expected }).into());
        }
    };
    let is_uncached = CACHE
        .iter()
        .any(|name| url.parameter(name).as_deref() == Some("0"));
    let authentication = authentication(url.has_user(), url.has_password());
    let options = D::options(&url, unverified)?;
    match timeout(START, opened::<D>(options)).await {
        Ok(opened) => {
            let (pool, keeps_prepared) = opened?;
            let is_prepared = keeps_prepared && !is_uncached;
            Ok(Connected {
                pool,
                table,
                is_prepared,
                authentication,
            })
        }
        Err(_) => Err(StoreError::Timeout(START)),
    }
}

async fn opened<D: Dialect>(options: Options<D>) -> Result<(Pool<D>, bool), ConnectError> {
    let is_verified = matches!(
        D::tls_mode(&options),
        Some(TlsMode::VerifyAuthority | TlsMode::VerifyFull)
    );
    let failed = |error: Error| match is_verified && is_about_tls(&error) {
        true => ConnectError::Tls(error, D::TLS_OPTIONS),
        false => ConnectError::Sql(error),
    };
    let since = Instant::now();
    let mut first = options.connect().await.map_err(failed)?;
    let keeps_prepared = !D::is_pooled(&mut first, &options, since).await?;
    first.close().await?;
    let pool = PoolOptions::<D>::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(START)
        // Ping only connections that were idle, instead of before each statement.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options);
    // Open a connection now, so that the first request does not wait for it.
    drop(pool.acquire().await?);
    Ok((pool, keeps_prepared))
}

/// Returns whether the server lacks TLS or has an invalid certificate.
///
/// rustls reports the latter as an I/O error.
fn is_about_tls(error: &Error) -> bool {
    match error {
        Error::Tls(_) => true,
        Error::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Acquires a connection of `pool`, or returns the reason why the server refuses a new one.
///
/// `turn` limits the connections made to find the reason: an exhausted pool does not provide a
/// connection either, and its server is already busy.
pub(crate) async fn acquire<D: Database>(
    pool: &Pool<D>,
    turn: &Mutex<()>,
) -> Result<PoolConnection<D>, Error> {
    let acquiring = pin!(pool.acquire());
    let refusal = pin!(async {
        sleep(SUSPICION).await;
        let _turn = turn.lock().await;
        refusal::<D>(&pool.connect_options()).await
    });
    match select(acquiring, refusal).await {
        Either::Left((acquired, _)) => acquired,
        Either::Right((Some(error), _)) => Err(error),
        Either::Right((None, acquiring)) => acquiring.await,
    }
}

/// Returns the error with which the server refuses any connection.
async fn refusal<D: Database>(options: &Options<D>) -> Option<Error> {
    match options.connect().await {
        Ok(connection) => {
            let _ = connection.close().await;
            None
        }
        Err(error) => is_refusal(&error).then_some(error),
    }
}

fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(error) => error.code().is_some_and(|code| code == STARTS_UP),
        _ => false,
    }
}

/// Adds the transport and the authentication of the connection to `health`.
pub(crate) async fn describe<D: Dialect>(
    pool: &Pool<D>,
    lease: &mut Lease<D>,
    authentication: Option<&'static str>,
    health: &mut Health,
) -> Result<(), Error> {
    let transport = match D::tls_mode(&pool.connect_options()) {
        None => Transport::Socket,
        Some(mode) => match mode.transport() {
            Some(transport) => transport,
            None => asked(lease).await?,
        },
    };
    health.fact("transport", transport);
    health.fact("authentication", authentication.unwrap_or("the pool's"));
    Ok(())
}

/// Asks the server whether the connection uses TLS.
async fn asked<D: Dialect>(lease: &mut Lease<D>) -> Result<Transport, Error> {
    let sql = crate::statements::sql::<D>(D::ASK_TLS, table::DEFAULT);
    let found = D::pairs(lease, &sql, &[]).await?;
    let has_tls = found.first().is_some_and(|(_, cipher)| !cipher.is_empty());
    Ok(match has_tls {
        true => Transport::Unverified,
        false => Transport::Plain,
    })
}

impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectError")
    }
}
