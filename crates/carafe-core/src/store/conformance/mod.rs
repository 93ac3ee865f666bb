//! The contract of stores as tests: every sentence of [`SessionStore`](super::SessionStore), with the
//! races that break naive stores.
//!
//! ```
//! mod memory {
//!     use carafe_core::store::MemoryStore;
//!     carafe_core::session_store_conformance!(futures_executor::block_on, async { MemoryStore::new() });
//! }
//! ```
//!
//! The macro makes one `#[test]` of each check. It takes a function that runs a future to its end, and an
//! expression whose future gives a store. Each check uses keys of its own, so that one store may serve all
//! of them, and times of its own, so that nothing waits. For a store with a server, make the future
//! connect to it; the checks then contend through its connections. Attributes that come first and end with `;`,
//! such as `#[ignore = "needs a server"];`, go to every test.
//!
//! A store on a layout that is not Carafe's own says what that lacks in
//! [`SessionStore::layout`](super::SessionStore::layout); the checks then ask for what has to happen instead.
//!
//! `basics` holds what one caller sees, `powers` and `inventory` what some stores can do besides, `races` what
//! several callers do to each other. [`Spy`] is no check: it stands before a store in tests of what uses one.

mod basics;
mod fixtures;
mod inventory;
mod powers;
mod races;
mod spy;
mod through;

pub use basics::*;
pub use inventory::*;
pub use powers::*;
pub use races::*;
pub use spy::{Call, Spy, Verb};
pub use through::ThroughAtOnce;

/// One `#[test]` for each check of the contract. See [`conformance`](crate::store::conformance).
#[macro_export]
macro_rules! session_store_conformance {
    ($(#[$attribute:meta])*; $block_on:expr, $store:expr) => {
        $crate::session_store_conformance!(@all [$(#[$attribute])*] $block_on, $store;
            create_then_load, nothing_is_absent_not_an_error, create_never_overwrites,
            expired_is_absent_to_the_second, patch_changes_only_its_keys, patch_keeps_what_json_cannot_say,
            what_cannot_be_kept_is_refused,
            clear_removes_what_is_there, touch_moves_the_expiry_and_nothing_else, touch_never_shortens,
            delete_is_final, rotate_moves_and_kills_the_old_key, rotate_with_an_alias_ends_it_in_time,
            rotate_of_what_is_absent_leaves_nothing, rotate_never_overwrites, a_log_in_binds_the_user, facts_survive,
            users_see_their_sessions, users_lose_their_sessions,
            lif_13_a_sweep_is_bounded_and_spares_the_living, one_of_many_sweeps_at_a_time,
            large_and_hostile_content_survives,
            pages_show_each_session_once, pages_hold_while_sessions_end, the_list_has_no_expired_session,
            a_handle_finds_and_ends_its_session, all_that_began_by_then_are_ended, a_sample_is_bounded_and_honest,
            a_walk_meets_every_record,
            two_writers_of_different_keys_both_survive, two_updates_both_count, fifty_writers_lose_nothing,
            a_late_patch_never_resurrects, a_late_rotate_never_resurrects, a_late_touch_never_resurrects,
            a_patch_across_a_log_in_is_gone, only_one_of_many_creates_wins, only_one_of_many_rotations_wins,
            in_flight_requests_survive_a_renewal, load_is_never_torn,
        );
    };
    (@all $attributes:tt $block_on:expr, $store:expr; $($check:ident),* $(,)?) => {
        $($crate::session_store_conformance!(@one $attributes $check, $block_on, $store);)*
    };
    (@one [$(#[$attribute:meta])*] $check:ident, $block_on:expr, $store:expr) => {
            #[test]
            $(#[$attribute])*
            fn $check() {
                $block_on(async {
                    let store = $store.await;
                    $crate::store::conformance::$check(&store).await;
                });
            }
    };
    ($block_on:expr, $store:expr) => {
        $crate::session_store_conformance!(; $block_on, $store);
    };
}
