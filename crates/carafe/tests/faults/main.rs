//! Responses to a browser while the site's store fails.
//!
//! The tests cover each row of the table in `docs/assurance.md`, for each database server, through
//! router, layer, guard, store and a fault-injecting proxy.
//!
//! `server` contains the three servers, `node` one process of a site, `process` a process that can
//! be killed, `browser` a visitor, and `rows` the rows of the table, generic over the servers.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod browser;
mod node;
mod process;
mod rows;
mod server;

use rows::{cancel, down, garbage, race, recov, shut, slow};
use server::{MariaDb, Postgres, Redis};

/// Runs a row to completion.
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
            down:
                a_page_without_a_session_works_while_the_server_is_down,
                a_cookie_survives_an_outage_and_works_again,
                a_killed_server_is_a_503,
                a_log_in_during_an_outage_sets_no_cookie,
                a_log_out_during_an_outage_reaches_the_store_later,
                log_out_everywhere_during_an_outage_reaches_the_store_later,
                a_log_out_survives_a_killed_process,
                a_save_that_fails_discards_the_handlers_response,
                a_server_error_saves_nothing_but_a_log_out;
            slow:
                a_black_hole_costs_a_deadline_and_mixes_no_replies,
                a_paused_server_costs_a_deadline,
                a_change_whose_reply_is_lost_counts_once,
                a_dead_server_is_rarely_probed,
                requests_past_the_concurrency_limit_are_rejected;
            garbage:
                a_damaged_row_is_a_503_and_stays_as_it_is,
                a_damaged_row_is_an_anonymous_session_by_option,
                a_damaged_or_cut_reply_is_an_error_in_time,
                a_swapped_reply_is_never_another_session_or_an_empty_one;
            race:
                a_save_after_a_log_out_resurrects_nothing,
                concurrent_changes_are_all_kept;
            recov:
                a_server_that_returns_empty_is_a_fresh_start,
                acknowledged_changes_survive_a_killed_server;
            cancel:
                a_request_canceled_at_any_poll_is_done_or_not_done;
            shut:
                a_graceful_shutdown_loses_nothing_acknowledged;
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
