//! What every adapter must do: the same sites, served by each framework over real HTTP, asked by the same client.
//!
//! An adapter's tests implement [`Adapter`] once and list the checks with [`adapter_conformance!`]; what only one
//! framework can do is tested beside it.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    missing_docs,
    reason = "a check fails by panicking"
)]

pub mod client;
pub mod cookies;
pub mod flask;
pub mod headers;
pub mod lifecycle;
pub mod site;
pub mod stored;
pub mod tokens;
pub mod wire;

pub use site::{Adapter, Handler, Reply, Server, Site, text};

/// A test for each check, of the adapter `$adapter`.
#[macro_export]
macro_rules! adapter_conformance {
    ($adapter:ty) => {
        $crate::adapter_conformance! { $adapter;
            cookies: cookies_are_read_from_all_lines_in_order
                ckr_1_a_session_is_found_in_any_of_50_lines
                several_cookies_are_several_headers
                a_cookie_that_cannot_be_written_is_a_500_without_the_answer;
            flask: the_end_of_a_request_is_flasks
                without_refresh_a_permanent_session_is_sent_when_it_changes
                a_permanent_session_is_refreshed_on_routes_that_do_not_exist
                a_cookie_under_a_fallback_key_is_written_again_when_it_is_read
                a_server_error_saves_in_flasks_preset_only
                what_flask_would_write_we_write;
            headers: vary_is_one_line_that_keeps_what_was_there
                ops_2_no_store_goes_with_our_cookie_unless_the_handler_chose
                ckw_6_our_cookie_replaces_those_of_its_name_and_leaves_the_others_in_order
                ckw_6_a_handler_may_set_its_own_cookies_beside_the_session
                an_untouched_request_gets_no_header;
            lifecycle: a_user_logs_in_and_out
                flashes_come_with_the_next_page_and_once
                the_lifetime_changes_while_running
                ckw_7_a_session_that_is_too_large_is_a_500_without_anything_of_the_handlers
                tok_12_all_bad_cookies_get_the_same_response
                a_session_error_is_a_500_that_tells_the_client_nothing
                a_session_without_a_layer_is_a_500_that_tells_the_client_nothing;
            stored: one_handler_counts_in_a_store_as_it_does_in_a_cookie
                sid_3_an_id_that_a_client_invented_is_never_adopted
                sid_7_a_log_in_gives_a_new_id_and_the_old_one_is_dead_at_once
                sid_8_an_id_counts_in_the_cookie_only
                lif_4_a_log_out_ends_every_copy_of_the_cookie
                lif_12_anonymous_traffic_creates_nothing
                down_1_a_page_that_uses_no_session_works_without_the_store
                down_2_and_3_a_store_in_trouble_is_a_503_that_leaves_the_cookie_alone
                a_store_that_waits_is_waited_for
                cancel_1_what_was_begun_is_saved_although_the_client_is_gone;
            wire: ckw_12_every_kind_of_response_carries_the_cookie_in_its_head
                ops_10_a_panic_sends_no_cookie_and_stops_nobody
                ckr_7_strange_cookie_headers_are_an_empty_session;
        }
    };
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
