//! The conformance suites of stores and of sessions, against a server with RESP2 and with RESP3, a
//! cluster of three, and a server that a sentinel names.

use std::sync::OnceLock;

use crate::support::{Cluster, Server, block_on, patient};
use carafe_redis::RedisStore;

async fn on_server() -> RedisStore {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(Server::start);
    let store = patient().connect(server.url()).await;
    store.expect("the server answers")
}

async fn on_server_with_resp3() -> RedisStore {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(Server::start);
    let url = format!("{}?protocol=resp3", server.tcp_url());
    let store = patient().connect(url).await;
    store.expect("the server answers")
}

async fn on_cluster() -> RedisStore {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(Cluster::start);
    let store = patient().connect_cluster(cluster.urls()).await;
    store.expect("the cluster answers")
}

async fn behind_sentinel() -> RedisStore {
    static SERVERS: OnceLock<(Server, Server)> = OnceLock::new();
    let (_, sentinel) = SERVERS.get_or_init(|| {
        let primary = Server::start();
        let sentinel = Server::sentinel(primary.port());
        (primary, sentinel)
    });
    let address = format!("127.0.0.1:{}", sentinel.port());
    let store = patient().connect_sentinel([address.as_str()], "carafe");
    store.await.expect("the sentinel names the server")
}

mod server {
    carafe_core::session_store_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_server()
    );
    carafe_core::session_life_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_server()
    );
}

mod resp3 {
    carafe_core::session_store_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_server_with_resp3()
    );
    carafe_core::session_life_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_server_with_resp3()
    );
}

mod cluster {
    carafe_core::session_store_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_cluster()
    );
    carafe_core::session_life_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::on_cluster()
    );
}

mod sentinel {
    carafe_core::session_store_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::behind_sentinel()
    );
    carafe_core::session_life_conformance!(
        #[ignore = "needs redis-server: cargo xtask test"];
        super::block_on,
        super::behind_sentinel()
    );
}
