//! Connects to the database of a URL and reports the cause of a failure immediately.
//!
//! A pool of sqlx retries until its timeout if a server refuses connections, and then reports only
//! the timeout. The first connection is therefore made without a pool. See `pool` for the others.

use std::time::{Duration, Instant};

use carafe_core::store::{
    Health, InvalidStoreUrl, StoreError, StoreUrl, TlsMode, Transport, authentication,
};
use sqlx::{ConnectOptions as _, Connection, Error, Pool, pool::PoolOptions};
use tokio::time::timeout;

use crate::{
    connect_error::ConnectError, dialect::Dialect, lease::Lease, pool::Options, statements::sql,
    table,
};

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
    let ask = sql::<D>(D::ASK_TLS, table::DEFAULT);
    let found = D::pairs(lease, &ask, &[]).await?;
    let has_tls = found.first().is_some_and(|(_, cipher)| !cipher.is_empty());
    Ok(match has_tls {
        true => Transport::Unverified,
        false => Transport::Plain,
    })
}
