use carafe_core::{clock::Timestamp, store::StoreKey};

use super::*;
use crate::guarded::pending_revocation::RevocationTarget;

fn revocation(number: usize) -> PendingRevocation {
    PendingRevocation {
        target: RevocationTarget::Key(StoreKey::of_id(&number.to_string())),
        at: Timestamp::from_unix(1_700_000_000),
    }
}

fn open(path: &Path) -> (Journal, Vec<PendingRevocation>) {
    Journal::open(path).expect("the disk works")
}

fn append(journal: &Journal, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        let appended = journal.append(&revocation(number), || {
            vec![revocation(0), revocation(number)]
        });
        appended.expect("the disk works");
    }
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let dir =
            std::env::temp_dir().join(format!("carafe-journal-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("the disk works");
        Self(dir)
    }

    fn file(&self) -> PathBuf {
        self.0.join("log-outs")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_next_process_reads_what_was_appended_and_clears_it_after_delivery() {
    let scratch = Scratch::new("next");
    let (journal, found) = open(&scratch.file());
    assert_eq!(found, []);
    append(&journal, 0..3);
    drop(journal);
    let (journal, found) = open(&scratch.file());
    assert_eq!(found, [revocation(0), revocation(1), revocation(2)]);
    journal
        .clear_if_delivered(|| vec![revocation(1)])
        .expect("the disk works");
    assert!(journal.is_dirty(), "one is left");
    journal
        .clear_if_delivered(Vec::new)
        .expect("the disk works");
    assert!(!journal.is_dirty());
    let text = fs::read_to_string(scratch.file()).expect("the file exists");
    assert_eq!(text, HEADER);
}

#[test]
fn a_truncated_line_is_skipped_and_the_others_are_kept() {
    let scratch = Scratch::new("half");
    append(&open(&scratch.file()).0, 0..2);
    let text = fs::read_to_string(scratch.file()).expect("the file exists");
    fs::write(scratch.file(), &text[..text.len() - 7]).expect("the disk works");
    let (journal, found) = open(&scratch.file());
    assert_eq!(found, [revocation(0)]);
    append(&journal, [2]);
    drop(journal);
    assert_eq!(open(&scratch.file()).1, [revocation(0), revocation(2)]);
}

#[test]
fn the_size_of_the_file_is_bounded_by_its_entries() {
    let scratch = Scratch::new("grow");
    let (journal, _) = open(&scratch.file());
    append(&journal, 1..200);
    let bytes = fs::metadata(scratch.file()).expect("the file exists").len();
    let needed = HEADER.len() + 2 * format::line(&revocation(0)).len();
    let most = 2 * needed as u64 + SLACK + 100;
    assert!(bytes <= most, "{bytes} of {most}");
    drop(journal);
    let (_, found) = open(&scratch.file());
    assert!(found.contains(&revocation(0)) && found.contains(&revocation(199)));
}

#[test]
fn one_process_at_a_time_can_open_the_journal() {
    let scratch = Scratch::new("lock");
    let first = open(&scratch.file());
    let second = Journal::open(&scratch.file());
    // Locking is only implemented on Unix.
    assert_eq!(second.is_err(), cfg!(unix));
    drop((first, second));
    open(&scratch.file());
}

#[test]
fn a_file_of_another_format_is_left_alone() {
    let scratch = Scratch::new("else");
    fs::write(scratch.file(), "carafe-log-outs 2\n").expect("the disk works");
    let refused = Journal::open(&scratch.file())
        .err()
        .expect("another format");
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    let text = fs::read_to_string(scratch.file()).expect("the file exists");
    assert_eq!(text, "carafe-log-outs 2\n");
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("mode");
    fs::write(scratch.file(), "").expect("the disk works");
    fs::set_permissions(scratch.file(), fs::Permissions::from_mode(0o644))
        .expect("the file is ours");
    let (journal, _) = open(&scratch.file());
    append(&journal, 0..1);
    let mode = fs::metadata(scratch.file())
        .expect("the file exists")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
