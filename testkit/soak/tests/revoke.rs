//! Small runs of the campaigns `revoke` and `limit` on SQLite, which needs no server. The campaigns
//! themselves check that all sessions are revoked, newest first and with progress, and that the
//! next call continues after a process was killed.

use std::process::Command;

fn soak(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_carafe-soak"))
        .args(arguments)
        .args(["--store", "sqlite"])
        .output()
        .expect("the campaign starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    said
}

#[test]
fn the_next_call_revokes_what_a_killed_process_has_left() {
    let said = soak(&["revoke", "--count", "2000"]);
    assert!(said.contains("and is killed"), "{said}");
    assert!(said.contains("the next call revokes "), "{said}");
}

#[test]
fn each_log_in_revokes_some_of_the_oldest_beyond_a_new_limit() {
    let said = soak(&["limit", "--count", "6000"]);
    assert!(said.contains("2020 are left, the newest"), "{said}");
}
