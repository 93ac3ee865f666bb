//! The contract of stores and the life of a session, against a real server and a real cluster of three.

use std::sync::OnceLock;

use crate::support::{Cluster, Server, block_on, patient};
use carafe_redis::RedisStore;

async fn on_server() -> RedisStore {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(Server::start);
    let store = patient().connect(server.url()).await;
    store.expect("the server answers")
}

async fn on_cluster() -> RedisStore {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(Cluster::start);
    let store = patient().connect_cluster(cluster.urls()).await;
    store.expect("the cluster answers")
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
