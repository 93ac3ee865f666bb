//! The store contract as tests.
//!
//! The tests cover every sentence of [`SessionStore`](super::SessionStore), including the races
//! that break naive stores.
//!
//! ```
//! mod memory {
//!     use carafe_core::store::MemoryStore;
//!     use futures_executor::block_on;
//!     carafe_core::session_store_conformance!(block_on, async { MemoryStore::new() });
//! }
//! ```
//!
//! The macro generates one `#[test]` per check. Its arguments are a function that blocks on a
//! future, and an expression that evaluates to a future of a store. Each check uses its own keys,
//! so that one store may serve all checks, and its own times, so that no check sleeps. For a store
//! with a server, the future should connect to the server; the checks then contend through its
//! connections. Attributes that come first and are followed by `;`, such as `#[ignore = "needs a
//! server"];`, apply to every test.
//!
//! A store with another layout than Carafe's declares missing capabilities in
//! [`SessionStore::capabilities`](super::SessionStore::capabilities). The checks then test the
//! fallback behavior.
//!
//! `basics` tests a single caller, `hostile` data that some stores cannot hold, `powers` and
//! `inventory` the optional operations, `races` concurrent callers. [`Spy`], [`PlainStore`] and
//! [`CasMemory`] are fixtures for tests of code that wraps or uses a store.

mod basics;
mod cas_memory;
mod fixtures;
mod hostile;
mod inventory;
mod plain;
mod powers;
mod races;
mod spy;

pub use basics::*;
pub use cas_memory::CasMemory;
pub use hostile::*;
pub use inventory::*;
pub use plain::PlainStore;
pub use powers::*;
pub use races::*;
pub use spy::{Call, Spy, Verb};

/// Generates one `#[test]` per check. See [`conformance`](crate::store::conformance).
#[macro_export]
macro_rules! session_store_conformance {
    ($(#[$attribute:meta])*; $block_on:expr, $store:expr) => {
        $crate::session_store_conformance!(@all [$(#[$attribute])*] $block_on, $store;
            create_then_load, nothing_is_absent_not_an_error, create_never_overwrites,
            expired_is_absent_to_the_second, patch_changes_only_its_keys, patch_keeps_what_json_cannot_say,
            what_cannot_be_kept_is_refused,
            clear_removes_what_is_there, touch_moves_the_expiry_and_nothing_else, touch_never_shortens,
            delete_is_final, a_replacement_retires_the_old_key, a_renewal_leaves_a_pointer,
            the_first_use_of_a_new_key_is_noted_once, a_pointer_lasts_as_long_as_its_session,
            pointers_lead_on_and_are_retired_together, a_retired_key_is_remembered_for_a_minute,
            a_swap_needs_the_text_that_it_expects,
            rotate_of_what_is_absent_leaves_nothing, rotate_never_overwrites, a_log_in_binds_the_user, facts_survive,
            users_see_their_sessions, users_lose_their_sessions, a_user_with_many_sessions_is_served_in_steps,
            a_trim_takes_the_oldest,
            a_sweep_is_bounded_and_spares_the_living, one_of_many_sweeps_at_a_time,
            large_and_hostile_content_survives,
            hostile_data_is_kept_or_refused, a_record_that_is_too_large_is_kept_or_refused, hostile_users_are_no_outage,
            pages_show_each_session_once, pages_hold_while_sessions_end, the_list_has_no_expired_session,
            a_handle_finds_and_ends_its_session, all_that_began_by_then_are_ended, a_sample_is_bounded_and_honest,
            a_walk_meets_every_record,
            two_writers_of_different_keys_both_survive, two_updates_both_count, fifty_writers_lose_nothing,
            a_late_patch_never_resurrects, a_late_rotate_never_resurrects, a_late_touch_never_resurrects,
            a_patch_across_a_log_in_is_gone, only_one_of_many_creates_wins, only_one_of_many_rotations_wins, only_one_of_many_swaps_wins,
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
