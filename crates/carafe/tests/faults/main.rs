//! What a browser sees when its site's store is down, slow, talks rubbish, races or comes back: each row of
//! the table in `docs/assurance.md`, for each server that sessions can live on, through router, layer, guard,
//! store and a proxy that breaks what it carries.
//!
//! `server` is the three servers, `node` one process of a site, `process` a whole one that can be killed,
//! `browser` its visitor; `rows` is the rows,
//! written once for all servers.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod browser;
mod node;
mod process;
mod rows;
mod server;

use rows::{cancel, down, garbage, race, recov, shut, slow};
use server::{MariaDb, Postgres, Redis};

/// Runs a row to its end.
fn run(row: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(row);
}

macro_rules! rows {
    ($($module:ident, $server:ident, $needs:literal;)*) => {
        $(rows!(@ $module, $server, $needs;
            down: down_1_a_page_without_a_session_asks_no_store,
            down_2_the_cookie_is_left_alone_and_works_again, down_2_a_killed_server_is_a_503,
            down_3_a_log_in_gives_no_cookie, down_4_a_log_out_is_told_later, down_4_everywhere_is_told_later,
            down_4_a_log_out_outlives_a_killed_node,
            down_5_a_save_that_fails_takes_the_answer_back, down_6_a_server_error_saves_nothing_but_a_log_out;
            slow: slow_1_a_black_hole_costs_a_deadline_and_mixes_nothing_up, slow_1_a_paused_server_costs_a_deadline,
            slow_2_a_lost_reply_counts_once, slow_3_a_dead_store_is_left_alone,
            slow_4_a_crowd_is_turned_away, slow_5_what_another_node_has_ended_is_not_read_for_long;
            garbage: garbage_1_a_damaged_row_is_left_alone,
            garbage_1_a_damaged_row_is_nobody_where_that_is_wanted, garbage_2_rubbish_is_an_error,
            garbage_3_a_swapped_reply_is_nobodys_session;
            race: race_1_a_late_save_brings_nothing_back, race_2_concurrent_changes_all_count;
            recov: recov_1_an_empty_store_is_a_fresh_start,
            recov_1_what_was_acknowledged_outlives_a_killed_server;
            cancel: cancel_1_a_request_may_go_at_any_point;
            shut: shut_1_nothing_acknowledged_is_lost;
        );)*
    };
    (@ $module:ident, $server:ident, $needs:literal; $($file:ident: $($row:ident),*;)*) => {
        mod $module {
            $($(
                #[test]
                #[ignore = $needs]
                fn $row() {
                    super::run(super::$file::$row::<super::$server>());
                }
            )*)*
        }
    };
}

rows! {
    redis, Redis, "needs redis-server: cargo xtask test";
    postgres, Postgres, "needs postgres: cargo xtask test";
    mariadb, MariaDb, "needs mariadb: cargo xtask test";
}
