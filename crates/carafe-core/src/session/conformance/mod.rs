//! Tests of the session life cycle on any store.
//!
//! The tests cover the rows SID and LIF of the requirements on a session's security, through a
//! [`SessionManager`](super::SessionManager), from the perspective of browsers.
//!
//! ```
//! mod memory {
//!     use carafe_core::store::MemoryStore;
//!     carafe_core::session_life_conformance!(
//!         futures_executor::block_on,
//!         async { MemoryStore::new() }
//!     );
//! }
//! ```
//!
//! Invoked like [`session_store_conformance!`](crate::session_store_conformance), and intended to
//! run in addition to it: that macro tests the guarantees of a store, and this one tests sessions
//! on top of them. A store without an optional capability, such as listing the sessions of a user,
//! passes the checks of that capability.
//!
//! `ids` tests session IDs, `life` lifetime and expiry, `users` the sessions of one user, `commits`
//! commits before and after the end of a request, `late` requests for a session that another
//! request has changed, `jar` a browser's cookies with responses in any order, `schedules` all
//! orders of three concurrent requests, and `provider` sessions that an OpenID provider revokes.

mod commits;
mod ids;
mod jar;
mod late;
mod life;
mod provider;
mod schedules;
mod site;
mod users;

pub use commits::*;
pub use ids::*;
pub use jar::*;
pub use late::*;
pub use life::*;
pub use provider::*;
pub use schedules::*;
pub use users::*;

/// Declares one `#[test]` per check of the session life cycle.
///
/// See [`conformance`](crate::session::conformance).
#[macro_export]
macro_rules! session_life_conformance {
    ($(#[$attribute:meta])*; $block_on:expr, $store:expr) => {
        $crate::session_life_conformance!(@all [$(#[$attribute])*] $block_on, $store;
            an_invented_id_is_never_adopted, a_malformed_id_finds_no_session,
            the_store_never_holds_an_id, a_log_in_revokes_the_old_id_for_all_requests,
            the_idle_timeout_is_exact_to_the_second, use_never_outlives_the_absolute_limit,
            a_replayed_cookie_of_an_expired_session_has_no_user, a_log_out_ends_every_copy,
            no_order_of_three_requests_resurrects, a_thousand_updates_all_count,
            a_hundred_writers_of_a_hundred_keys_keep_all, no_request_gets_a_revoked_session,
            all_sessions_but_this_one_are_revoked, all_sessions_are_revoked_with_one_call, only_the_newest_sessions_of_a_user_stay,
            a_log_in_over_the_limit_is_refused, a_log_in_is_recent_for_a_while,
            requests_in_flight_survive_a_renewal, reading_creates_nothing,
            an_empty_session_is_no_session, clearing_the_dictionary_logs_out,
            a_node_with_a_wrong_clock_expires_and_restores_no_session_of_others, an_anonymous_session_goes_along_at_log_in,
            a_commit_saves_before_the_request_ends, a_commit_saves_after_the_head_was_sent,
            a_commit_that_is_dropped_loses_nothing, a_committed_session_keeps_its_id,
            commits_at_once_create_one_session, a_commit_of_an_ended_session_is_refused, a_value_is_taken_once, updates_now_are_told_apart,
            an_update_can_be_refused, a_handler_follows_its_session_through_renewals,
            a_log_out_now_ends_the_session_before_the_request_does, a_use_is_noted_after_the_head_was_sent,
            a_late_change_is_a_conflict, a_late_change_can_be_dropped, a_late_read_leaves_the_cookie_alone,
            a_renewed_id_is_not_sent_again, a_retired_id_creates_no_session, a_log_in_always_leads_to_a_session,
            a_log_in_begins_after_a_revocation,
            a_renewal_by_a_handler_kills_the_old_id, a_log_out_ends_a_session_under_its_new_id,
            a_log_out_happens_without_a_response, another_user_never_inherits, a_revoked_session_has_no_successor,
            an_earlier_permanence_is_taken_back, timeouts_hold_for_reads_under_every_preset,
            a_use_that_cannot_be_noted_fails_nothing, no_order_of_responses_loses_a_session,
            a_provider_ends_the_sessions_of_a_sid, a_logout_token_is_carried_out_once,
            a_provider_log_out_during_a_log_in_ends_it, a_log_in_during_a_provider_log_out_is_ended,
        );
    };
    (@all $attributes:tt $block_on:expr, $store:expr; $($check:ident),* $(,)?) => {
        $($crate::session_life_conformance!(@one $attributes $check, $block_on, $store);)*
    };
    (@one [$(#[$attribute:meta])*] $check:ident, $block_on:expr, $store:expr) => {
        #[test]
        $(#[$attribute])*
        fn $check() {
            $block_on(async {
                let store = ::std::sync::Arc::new($store.await);
                $crate::session::conformance::$check(store).await;
            });
        }
    };
    ($block_on:expr, $store:expr) => {
        $crate::session_life_conformance!(; $block_on, $store);
    };
}
