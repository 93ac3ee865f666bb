//! The schemes `redis://` and its variants: a server, a cluster, sentinels.
//!
//! The driver has no URL scheme for clusters and sentinels, so these follow other Redis clients:
//! `redis+cluster://user:password@node1:6379,node2:6379` and
//! `redis+sentinel://host1:26379,host2/service`. `?prefix=shop` is the prefix of an application
//! that has set one.

use std::time::Duration;

#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::{FlaskSession, Walk};
use carafe_core::store::{BoxFuture, Health, StoreError};
use carafe_redis::{Deadlines, RedisOptions, RedisStore};

use super::{OpenStore, StoreUrl, opened::Operated};
use crate::failure::Failure;

/// The prefix parameter of cluster and sentinel URLs, which the store itself does not parse.
const PREFIX: &str = "prefix";

/// Longer than the deadlines of a service, because an operator can wait.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    read: Duration::from_secs(10),
    write: Duration::from_secs(10),
};

pub(super) async fn open(url: &StoreUrl) -> Result<OpenStore, Failure> {
    Ok(OpenStore::new(url, connect(url, url.inner()).await?))
}

#[cfg(feature = "flask-session")]
pub(super) async fn open_flask_session(
    url: &StoreUrl,
    layout: FlaskSession,
) -> Result<Box<dyn Walk>, Failure> {
    if url.inner().scheme().ends_with("+cluster") {
        return Err(Failure::usage(format_args!(
            "{url}: a cluster in Flask-Session's layout is walked through node by node; run this for each \
             primary, as flask-session+redis://"
        )));
    }
    let mut own = url.inner().clone();
    super::flask_session::PARAMETERS
        .into_iter()
        .for_each(|name| drop(own.take(name)));
    let store = connect(url, &own).await?;
    Ok(Box::new(store.flask_session(layout)))
}

/// Connects to a store. `given` is `url` without the parts that are specific to Flask-Session's
/// layout.
async fn connect(
    url: &StoreUrl,
    given: &carafe_core::store::StoreUrl,
) -> Result<RedisStore, Failure> {
    let options = RedisOptions::new().deadlines(DEADLINES);
    let several = |options: RedisOptions| {
        given
            .check_parameters(&[PREFIX])
            .map_err(|error| Failure::usage(format_args!("{url}: {error}")))?;
        Ok(match given.parameter(PREFIX) {
            Some(prefix) => options.prefix(&prefix),
            None => options,
        })
    };
    let store = match given.scheme() {
        "redis+cluster" => {
            several(options)?
                .connect_cluster(nodes(given, "redis"))
                .await
        }
        "rediss+cluster" => {
            several(options)?
                .connect_cluster(nodes(given, "rediss"))
                .await
        }
        "redis+sentinel" => {
            let service = service(url, given)?;
            several(options)?
                .connect_sentinel(given.hosts(), service)
                .await
        }
        _ => options.connect(given.for_driver()).await,
    };
    store.map_err(|error| url.failure(&error))
}

/// Returns a URL for each node, with the user and the password.
fn nodes(given: &carafe_core::store::StoreUrl, scheme: &str) -> Vec<String> {
    let node = |host| given.of_host(host).with_scheme(scheme).for_driver();
    given.hosts().map(node).collect()
}

/// Returns the service name under which the sentinels know the primary.
fn service<'u>(
    url: &StoreUrl,
    given: &'u carafe_core::store::StoreUrl,
) -> Result<&'u str, Failure> {
    if given.has_user_info() {
        return Err(Failure::usage(format_args!(
            "{url}: a Sentinel URL takes neither user nor password"
        )));
    }
    let rest = given.place().trim_start_matches('/');
    let named = rest.split_once('/').map(|(_, name)| name);
    named.filter(|name| !name.is_empty()).ok_or_else(|| {
        Failure::usage(format_args!(
            "{url} has no service name; write redis+sentinel://host:26379,host:26379/service"
        ))
    })
}

impl Operated for RedisStore {
    fn health(&self) -> BoxFuture<'_, Result<Health, StoreError>> {
        Box::pin(self.health())
    }
}
