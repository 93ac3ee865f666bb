//! Tests beyond the conformance tests, which need a private server.
//!
//! | module | subject |
//! |---|---|
//! | `connecting` | parameters of a URL, a server that refuses connections, TLS |
//! | `corners` | chains of pointers, look-alike users, foreign rows, limits, migrations |
//! | `races` | counters from two processes, resurrections, a user's log-out during a renewal |
//! | `sql` | number of statements, index use, batches |
//! | `inventory` | rows read of 200,000, estimates, deletions during renewals, indices, health |
//! | `flask_session` | Flask-Session's table; tests of the real library are in `interop/` |
//! | `faults` | a killed or stopped server, a damaged row, a dropped request |

use crate::support::{Kit, PATIENT};

pub(crate) mod connecting;
pub(crate) mod corners;
pub(crate) mod faults;
#[cfg(feature = "flask-session")]
pub(crate) mod flask_session;
pub(crate) mod inventory;
pub(crate) mod races;
pub(crate) mod sql;

macro_rules! suite {
    ($reason:literal, $kit:ty) => {
        $crate::suite::suite!(@ $reason, $kit;
            corners: pointers_of_pointers_lead_to_the_record, a_log_in_ends_every_older_id,
            users_that_look_alike_are_not, what_others_wrote_is_merged, what_is_too_large_is_refused,
            a_taken_key_is_not_rotated_onto, many_migrate_at_once;
            races: a_counter_is_exact_over_two_processes, works_for_another_process,
            nothing_comes_back, a_renewal_does_not_escape_a_log_out_of_all;
            sql: each_verb_is_one_statement, a_contended_patch_is_one_transaction,
            sweep_and_list_use_their_index, a_thousand_are_swept_in_batches;
            inventory: a_look_reads_few_of_many_rows, a_look_reads_few_before_there_are_statistics,
            the_number_of_sessions_is_estimated,
            a_renewal_does_not_escape_its_handle, a_renewal_does_not_escape_the_end_of_all,
            operators_see_past_a_damaged_row, former_keys_are_no_sessions, a_table_without_an_index_is_repaired,
            a_table_of_version_1_is_upgraded, a_store_says_how_it_is;
            connecting: a_refused_connection_is_reported_at_once, another_host_is_verified;
            faults: a_damaged_row_is_left_alone, a_killed_server_comes_back,
            a_stopped_server_costs_a_deadline, dropped_requests_leave_the_pool_clean;
        );
    };
    (@ $reason:literal, $kit:ty; $($file:ident: $($check:ident),*;)*) => {
        mod suite_checks {
            $($(
                #[test]
                #[ignore = $reason]
                fn $check() {
                    $crate::support::block_on($crate::suite::$file::$check::<$kit>());
                }
            )*)*
        }
    };
}
pub(crate) use suite;

/// All tests of one database: the conformance tests, this suite, and both on Flask-Session's table.
macro_rules! tests {
    ($reason:literal, $kit:ident) => {
        mod conformance {
            carafe_core::session_store_conformance!(
                #[ignore = $reason];
                crate::support::block_on,
                crate::suite::conforming::<super::$kit>()
            );
            carafe_core::session_life_conformance!(
                #[ignore = $reason];
                crate::support::block_on,
                crate::suite::conforming::<super::$kit>()
            );
        }
        $crate::suite::suite!($reason, super::$kit);

        #[cfg(feature = "flask-session")]
        mod flask_session {
            mod msgpack {
                carafe_core::session_store_conformance!(
                    #[ignore = $reason];
                    crate::support::block_on,
                    crate::suite::flask_session::msgpack::<super::super::$kit>()
                );
            }

            mod json {
                carafe_core::session_store_conformance!(
                    #[ignore = $reason];
                    crate::support::block_on,
                    crate::suite::flask_session::json::<super::super::$kit>()
                );
            }

            $crate::suite::flask_session::checks!($reason, super::$kit);
        }
    };
}
pub(crate) use tests;

pub(crate) async fn conforming<K: Kit>() -> K::Store {
    K::store(K::shared().port, "carafe_sessions", 16, PATIENT).await
}
