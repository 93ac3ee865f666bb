//! `redis://` and its relatives: a server, a cluster, sentinels.
//!
//! The driver has no URL for the last two, so these are ours, as several clients of Redis write them:
//! `redis+cluster://user:password@node1:6379,node2:6379` and `redis+sentinel://host1:26379,host2/service`.
//! `?prefix=shop` names the prefix of an application that has set one.

use std::time::Duration;

#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::{FlaskSession, Walk};
use carafe_core::store::{BoxFuture, Health, StoreError};
use carafe_redis::{Deadlines, RedisOptions, RedisStore};

use super::{
    OpenStore, StoreUrl,
    opened::{Operated, failure},
};
use crate::failure::Failure;

/// The parameter that is not the driver's.
const PREFIX: &str = "prefix";

/// An operator waits where a visitor would not.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    read: Duration::from_secs(10),
    write: Duration::from_secs(10),
};

pub(super) async fn open(url: &StoreUrl) -> Result<OpenStore, Failure> {
    let mut options = RedisOptions::new().deadlines(DEADLINES);
    if let Some(prefix) = url.own(PREFIX) {
        options = options.prefix(prefix);
    }
    Ok(OpenStore::new(url, connect(url, options, &[PREFIX]).await?))
}

#[cfg(feature = "flask-session")]
pub(super) async fn open_flask_session(
    url: &StoreUrl,
    layout: FlaskSession,
) -> Result<Box<dyn Walk>, Failure> {
    if url.scheme().ends_with("+cluster") {
        return Err(Failure::usage(format_args!(
            "{url}: a cluster in Flask-Session's layout is walked through node by node; run this for each \
             primary, as flask-session+redis://"
        )));
    }
    let options = RedisOptions::new().deadlines(DEADLINES);
    let store = connect(url, options, &super::flask_session::PARAMETERS).await?;
    Ok(Box::new(store.flask_session(layout)))
}

/// `own` are the parameters that are not the driver's.
async fn connect(
    url: &StoreUrl,
    options: RedisOptions,
    own: &[&str],
) -> Result<RedisStore, Failure> {
    let store = match url.scheme() {
        "redis+cluster" => options.connect_cluster(nodes(url, "redis")).await,
        "rediss+cluster" => options.connect_cluster(nodes(url, "rediss")).await,
        "redis+sentinel" => {
            let (sentinels, service) = sentinels(url)?;
            options.connect_sentinel(sentinels, service).await
        }
        scheme => options.connect(url.for_driver(scheme, own)).await,
    };
    store.map_err(|error| failure(url, &error))
}

/// A URL for each node, each with the user and the password.
fn nodes(url: &StoreUrl, scheme: &str) -> Vec<String> {
    let rest = url.place().trim_start_matches('/').trim_end_matches('/');
    let (user, hosts) = match rest.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), rest),
    };
    let node = |host| format!("{scheme}://{user}{host}");
    hosts.split(',').map(node).collect()
}

/// The addresses, and the name of the service.
fn sentinels(url: &StoreUrl) -> Result<(impl Iterator<Item = &str>, &str), Failure> {
    let rest = url.place().trim_start_matches('/');
    let named = rest.split_once('/').filter(|(_, name)| !name.is_empty());
    let (hosts, service) = named.ok_or_else(|| {
        Failure::usage(format_args!(
            "{url} names no service; write redis+sentinel://host:26379,host:26379/service"
        ))
    })?;
    if hosts.contains('@') {
        return Err(Failure::usage(format_args!(
            "{url}: a URL of sentinels takes no password"
        )));
    }
    Ok((hosts.split(','), service))
}

impl Operated for RedisStore {
    fn health(&self) -> BoxFuture<'_, Result<Health, StoreError>> {
        Box::pin(self.health())
    }
}
