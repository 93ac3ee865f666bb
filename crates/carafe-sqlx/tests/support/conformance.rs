//! The contract's checks as tests that wait for a server.

/// All checks, so that each can be ignored on a machine without a server.
macro_rules! conformance {
    ($reason:literal, $store:expr) => {
        $crate::support::conformance::conformance!(@ $reason, $store;
            create_then_load, nothing_is_absent_not_an_error, create_never_overwrites,
            expired_is_absent_to_the_second, patch_changes_only_its_keys, patch_keeps_what_json_cannot_say,
            clear_removes_what_is_there, touch_moves_the_expiry_and_nothing_else, touch_never_shortens,
            delete_is_final, rotate_moves_and_kills_the_old_key, rotate_with_an_alias_ends_it_in_time,
            rotate_never_overwrites_nothing, a_log_in_binds_the_user, facts_survive,
            users_see_their_sessions, users_lose_their_sessions, sweep_is_bounded_and_spares_the_living,
            large_and_hostile_content_survives,
            two_writers_of_different_keys_both_survive, two_updates_both_count, fifty_writers_lose_nothing,
            a_late_patch_never_resurrects, a_late_rotate_never_resurrects, a_late_touch_never_resurrects,
            a_patch_across_a_log_in_is_gone, only_one_of_many_creates_wins, only_one_of_many_rotations_wins,
            in_flight_requests_survive_a_renewal, load_is_never_torn,
        );
    };
    (@ $reason:literal, $store:expr; $($check:ident),* $(,)?) => {
        mod conformance {
            $(
                #[test]
                #[ignore = $reason]
                fn $check() {
                    $crate::support::block_on(async {
                        carafe_core::store::conformance::$check(&$store.await).await;
                    });
                }
            )*

            /// A check that the contract gets later must not be forgotten here.
            #[test]
            fn the_list_is_the_contracts() {
                let contract = concat!(
                    include_str!("../../carafe-core/src/store/conformance/basics.rs"),
                    include_str!("../../carafe-core/src/store/conformance/races.rs"),
                );
                let here = [$(stringify!($check)),*];
                let checks = contract.split("\npub async fn ").skip(1);
                for check in checks.filter_map(|text| text.split('<').next()) {
                    assert!(here.contains(&check), "{check} is missing");
                }
            }
        }
    };
}
pub(crate) use conformance;
