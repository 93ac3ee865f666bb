//! Checks that the disk has space for a run.
//!
//! A full disk stops a run anywhere, and kills a linker by a signal without a message.

use xshell::cmd;

use crate::steps::{Outcome, Steps};

/// Space for builds, tools and the tests' servers, in MiB. Existing files count.
const NEEDED: u64 = 6 * 1024;

/// The folders of all workspaces, each with a target directory.
const WORKSPACES: &[&str] = &[
    "",
    "bench",
    "bench/compare",
    "bench/sqlx",
    "fuzz",
    "python/flask-carafe",
];

pub(crate) fn has_room(steps: &Steps) -> Outcome {
    let target = steps.target("");
    // Before the first build, only a parent folder exists.
    let folder = target.ancestors().find(|folder| folder.exists());
    let folder = folder.unwrap_or(&target);
    let table = steps.read(cmd!(steps.sh, "df -P -m {folder}"))?;
    let free = free_in(&table).ok_or_else(|| format!("`df` said something else: {table}"))?;
    let built: u64 = WORKSPACES
        .iter()
        .map(|workspace| size(steps, workspace))
        .sum();
    println!("{free} MiB are free, {built} MiB are built");
    match free + built {
        room if room < NEEDED => Err(format!(
            "a run takes {NEEDED} MiB, and there are {free} on this disk beside {built} of earlier builds; make room, or \
             set CARGO_TARGET_DIR to a larger disk"
        )
        .into()),
        _ => Ok(()),
    }
}

/// Returns the fourth column of the second line, as POSIX specifies.
fn free_in(table: &str) -> Option<u64> {
    let mut columns = table.lines().nth(1)?.split_whitespace();
    columns.nth(3)?.parse().ok()
}

fn size(steps: &Steps, workspace: &str) -> u64 {
    let target = steps.target_of(workspace, "");
    let du = cmd!(steps.sh, "du -s -m {target}").ignore_stderr();
    let said = du.read().unwrap_or_default();
    let size = said.split_whitespace().next();
    size.and_then(|size| size.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::free_in;

    #[test]
    fn the_free_space_is_read_from_what_df_prints() {
        let table = "Filesystem     1048576-blocks  Used Available Capacity Mounted on\n\
                     /dev/vda               258020 40947     52107      44% /\n";
        assert_eq!(free_in(table), Some(52_107));
        for other in ["", "one line", "head\nfs 1 2", "head\nfs 1 2 many 4% /"] {
            assert_eq!(free_in(other), None, "{other:?}");
        }
    }
}
