//! The tests for all adapters.
//!
//! Each framework serves the same sites over real HTTP, to the same client.
//!
//! An adapter's tests implement [`Adapter`] once and invoke [`adapter_conformance!`]; tests
//! specific to one framework are in that adapter's crate.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a check fails by panicking"
)]

pub mod client;
pub mod cookies;
pub mod csrf;
pub mod flask;
pub mod gate;
pub mod headers;
pub mod hygiene;
pub mod late;
pub mod lifecycle;
pub mod limits;
pub mod live;
mod names;
pub mod site;
pub mod stored;
pub mod tokens;
pub mod transports;
pub mod via;
pub mod wire;

pub use site::{Adapter, Handler, Reply, Server, Site, text};

/// Defines a test for each check, for the adapter `$adapter`.
#[macro_export]
macro_rules! adapter_conformance {
    ($adapter:ty) => {
        $crate::adapter_conformance! { $adapter;
            cookies: cookies_are_read_from_all_lines_in_order
                a_session_is_found_in_any_of_50_lines
                several_cookies_are_several_headers
                a_cookie_that_cannot_be_written_is_a_500_without_the_answer;
            csrf: a_cross_site_request_is_a_403_that_changes_nothing
                a_request_with_a_bearer_token_is_not_checked
                a_form_token_is_valid_in_its_session_only;
            flask: the_end_of_a_request_is_flasks
                without_refresh_a_permanent_session_is_sent_when_it_changes
                a_permanent_session_is_refreshed_on_routes_that_do_not_exist
                a_cookie_under_a_fallback_key_is_written_again_when_it_is_read
                a_server_error_saves_in_flasks_preset_only
                what_flask_would_write_we_write;
            headers: vary_is_one_line_that_keeps_what_was_there
                a_session_cookie_implies_no_store_unless_the_handler_set_cache_control
                our_cookie_replaces_those_of_its_name_and_leaves_the_others_in_order
                a_handler_may_set_its_own_cookies_beside_the_session
                an_untouched_request_gets_no_header;
            hygiene: a_page_needs_a_log_in_and_a_recent_one_where_asked_for
                a_bearer_client_is_told_why_it_must_log_in
                a_log_out_clears_what_the_configuration_names
                a_session_has_a_lifetime_of_its_own_within_the_configured_one
                a_log_in_at_a_provider_is_finished_by_one_of_twenty_callbacks
                a_log_in_at_a_provider_needs_a_store;
            late: a_late_change_is_a_409_without_a_cookie
                a_late_reader_never_sends_a_cookie
                a_retired_id_changes_nothing_and_can_log_in
                a_late_log_in_leads_to_a_session;
            lifecycle: a_user_logs_in_and_out
                a_log_in_is_bound_to_the_client_that_flask_login_sees
                a_log_out_removes_flask_logins_cookie_too
                flashes_come_with_the_next_page_and_once
                the_lifetime_changes_while_running
                a_due_cookie_is_refreshed_by_a_navigation_and_not_by_a_background_fetch
                a_session_that_is_too_large_is_a_500_without_the_handlers_response
                all_bad_cookies_get_the_same_response
                a_session_error_is_a_500_that_tells_the_client_nothing
                a_session_without_a_layer_is_a_500_that_tells_the_client_nothing;
            limits: a_session_beyond_a_limit_is_a_500_and_nothing_is_stored
                a_session_at_the_limits_is_saved
                a_long_note_of_a_device_is_cut_between_two_characters;
            live: a_streamed_body_saves_each_step_until_its_session_ends
                a_stream_whose_client_hangs_up_keeps_what_it_committed
                a_value_is_taken_once_by_twenty_requests
                twenty_updates_are_told_twenty_values
                an_error_of_the_store_is_answered_by_whose_fault_it_is
                an_error_of_a_session_is_answered_by_whose_fault_it_is;
            stored: one_handler_counts_in_a_store_as_it_does_in_a_cookie
                an_id_that_a_client_invented_is_never_adopted
                a_log_in_gives_a_new_id_and_revokes_the_old_one
                an_id_counts_in_the_cookie_only
                a_log_out_ends_every_copy_of_the_cookie
                anonymous_traffic_creates_nothing
                a_page_that_uses_no_session_works_without_the_store
                a_failing_store_is_a_503_that_leaves_the_cookie_alone
                a_store_that_waits_is_waited_for
                a_commit_that_began_is_saved_although_the_client_is_gone
                a_log_out_happens_although_its_client_hangs_up
                a_log_out_happens_although_its_handler_panics
                two_requests_that_change_different_fields_both_keep_them;
            transports: a_bearer_request_gets_its_token_in_the_response_header_and_never_a_cookie
                one_handler_serves_every_transport_of_one_site
                a_request_with_two_different_tokens_is_anonymous
                other_authorization_schemes_are_left_alone
                a_malformed_bearer_token_is_an_empty_session_and_a_challenge_where_asked_for
                a_token_for_the_body_is_the_token_of_the_header_and_never_a_cookies
                a_cookie_means_nothing_where_it_is_no_transport
                a_due_token_is_refreshed_by_a_background_request
                a_transport_that_is_not_configured_cannot_be_selected
                a_session_names_the_kind_of_client_that_began_it;
            wire: every_kind_of_response_carries_the_cookie_in_its_head
                a_panic_sends_no_cookie_and_stops_no_other_request
                malformed_cookie_headers_are_an_empty_session;
        }
        $crate::adapter_conformance! { $adapter; cookie_before_bearer CookieBeforeBearer }
        $crate::adapter_conformance! { $adapter; bearer Bearer }
        $crate::adapter_conformance! { $adapter; bearer_before_cookie BearerBeforeCookie }
        $crate::adapter_conformance! { $adapter; header Header }
    };
    // The checks that are not about cookies, over another transport.
    ($adapter:ty; $name:ident $via:ident) => {
        mod $name {
            use super::*;
            $crate::adapter_conformance! { $adapter; via $via;
                headers: vary_is_one_line_that_keeps_what_was_there
                    a_session_cookie_implies_no_store_unless_the_handler_set_cache_control
                    an_untouched_request_gets_no_header;
                late: a_late_change_is_a_409_without_a_cookie
                    a_late_reader_never_sends_a_cookie
                    a_retired_id_changes_nothing_and_can_log_in
                    a_late_log_in_leads_to_a_session;
                lifecycle: a_user_logs_in_and_out
                    flashes_come_with_the_next_page_and_once
                    the_lifetime_changes_while_running
                    a_session_that_is_too_large_is_a_500_without_the_handlers_response
                    all_bad_cookies_get_the_same_response
                    a_session_error_is_a_500_that_tells_the_client_nothing;
                limits: a_session_beyond_a_limit_is_a_500_and_nothing_is_stored
                    a_session_at_the_limits_is_saved
                    a_long_note_of_a_device_is_cut_between_two_characters;
                live: a_streamed_body_saves_each_step_until_its_session_ends
                    a_stream_whose_client_hangs_up_keeps_what_it_committed
                    a_value_is_taken_once_by_twenty_requests
                    twenty_updates_are_told_twenty_values
                    an_error_of_the_store_is_answered_by_whose_fault_it_is
                    an_error_of_a_session_is_answered_by_whose_fault_it_is;
                stored: one_handler_counts_in_a_store_as_it_does_in_a_cookie
                    an_id_that_a_client_invented_is_never_adopted
                    a_log_in_gives_a_new_id_and_revokes_the_old_one
                    a_log_out_ends_every_copy_of_the_cookie
                    anonymous_traffic_creates_nothing
                    a_page_that_uses_no_session_works_without_the_store
                    a_failing_store_is_a_503_that_leaves_the_cookie_alone
                    a_store_that_waits_is_waited_for
                    a_commit_that_began_is_saved_although_the_client_is_gone
                    a_log_out_happens_although_its_client_hangs_up
                    a_log_out_happens_although_its_handler_panics;
                wire: every_kind_of_response_carries_the_cookie_in_its_head
                    a_panic_sends_no_cookie_and_stops_no_other_request
                    malformed_cookie_headers_are_an_empty_session;
            }
        }
    };
    ($adapter:ty; via $via:ident; $($module:ident: $($check:ident)+;)+) => {$(
        mod $module {
            use super::*;
            $(
                #[test]
                fn $check() {
                    let via = $crate::via::Via::$via;
                    $crate::via::through(via, $crate::$module::$check::<$adapter>);
                }
            )+
        }
    )+};
    ($adapter:ty; $($module:ident: $($check:ident)+;)+) => {$(
        mod $module {
            use super::*;
            $(
                #[test]
                fn $check() {
                    $crate::$module::$check::<$adapter>();
                }
            )+
        }
    )+};
}
