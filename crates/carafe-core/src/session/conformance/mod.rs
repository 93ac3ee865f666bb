//! The life of a session as tests, on any store: what the rows SID and LIF of a session's security ask for,
//! through a [`SessionManager`](super::SessionManager), as browsers see it.
//!
//! ```
//! mod memory {
//!     use carafe_core::store::MemoryStore;
//!     carafe_core::session_life_conformance!(futures_executor::block_on, async { MemoryStore::new() });
//! }
//! ```
//!
//! Made like [`session_store_conformance!`](crate::session_store_conformance), and to be run beside it: that one
//! holds what a store promises, this one what becomes of it. A store without a power, such as to list the
//! sessions of a user, passes the checks about it by not having it.
//!
//! `ids` holds what a session is called, `life` how long it lives and how it ends, `users` what becomes of the
//! sessions of one user, `schedules` every order in which three requests can meet.

mod ids;
mod life;
mod schedules;
mod site;
mod users;

pub use ids::*;
pub use life::*;
pub use schedules::*;
pub use users::*;

/// One `#[test]` for each check of the life of a session. See [`conformance`](crate::session::conformance).
#[macro_export]
macro_rules! session_life_conformance {
    ($(#[$attribute:meta])*; $block_on:expr, $store:expr) => {
        $crate::session_life_conformance!(@all [$(#[$attribute])*] $block_on, $store;
            sid_3_an_invented_id_is_never_adopted, sid_4_what_is_no_id_finds_nothing,
            sid_5_the_store_never_holds_an_id, sid_7_a_log_in_kills_the_old_id_for_all_requests,
            lif_1_idle_ends_to_the_second, lif_2_use_never_outlives_the_absolute_limit,
            lif_3_a_replayed_cookie_is_nobody, lif_4_a_log_out_ends_every_copy,
            lif_5_no_order_of_three_requests_resurrects, lif_6_a_thousand_updates_all_count,
            lif_6_a_hundred_writers_of_a_hundred_keys_keep_all, lif_7_revoking_lets_no_request_in,
            lif_7_all_but_this_one_end, lif_8_every_session_ends_at_once, lif_9_only_the_newest_few_live,
            lif_9_one_too_many_is_refused, lif_10_a_log_in_is_recent_for_a_while,
            lif_11_requests_in_flight_survive_a_renewal, lif_12_reading_creates_nothing,
            lif_14_an_empty_session_is_no_session, lif_14_clearing_a_log_in_ends_it,
            lif_15_clocks_that_differ_harm_nobody, an_anonymous_session_goes_along_at_log_in,
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
