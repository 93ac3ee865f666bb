//! The contract of stores, against a real server and a real cluster of three.
//!
//! The checks are listed here and not made by the core's macro, because each needs a server and says so.

use std::sync::OnceLock;

use crate::support::{Cluster, Server, block_on, patient};
use carafe_core::store::conformance;
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

macro_rules! checks {
    ($($check:ident),* $(,)?) => {
        mod server {
            $(checks!(@ $check, super::on_server());)*
        }
        mod cluster {
            $(checks!(@ $check, super::on_cluster());)*
        }
    };
    (@ $check:ident, $store:expr) => {
        #[test]
        #[ignore = "needs redis-server: cargo xtask test"]
        fn $check() {
            super::block_on(async {
                super::conformance::$check(&$store.await).await;
            });
        }
    };
}

checks!(
    create_then_load,
    nothing_is_absent_not_an_error,
    create_never_overwrites,
    expired_is_absent_to_the_second,
    patch_changes_only_its_keys,
    patch_keeps_what_json_cannot_say,
    clear_removes_what_is_there,
    touch_moves_the_expiry_and_nothing_else,
    touch_never_shortens,
    delete_is_final,
    rotate_moves_and_kills_the_old_key,
    rotate_with_an_alias_ends_it_in_time,
    rotate_never_overwrites_nothing,
    a_log_in_binds_the_user,
    facts_survive,
    users_see_their_sessions,
    users_lose_their_sessions,
    sweep_is_bounded_and_spares_the_living,
    large_and_hostile_content_survives,
    two_writers_of_different_keys_both_survive,
    two_updates_both_count,
    fifty_writers_lose_nothing,
    a_late_patch_never_resurrects,
    a_late_rotate_never_resurrects,
    a_late_touch_never_resurrects,
    a_patch_across_a_log_in_is_gone,
    only_one_of_many_creates_wins,
    only_one_of_many_rotations_wins,
    in_flight_requests_survive_a_renewal,
    load_is_never_torn,
);
