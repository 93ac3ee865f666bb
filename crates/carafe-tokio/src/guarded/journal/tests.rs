use carafe_core::{
    clock::Timestamp,
    store::{StoreKey, guard::Whose},
};

use super::*;

fn order(number: usize) -> LogOut {
    LogOut {
        whose: Whose::Key(StoreKey::of_id(&number.to_string())),
        at: Timestamp::from_unix(1_700_000_000),
    }
}

fn open(path: &Path) -> (Journal, Vec<LogOut>) {
    Journal::open(path).expect("the disk works")
}

fn append(journal: &Journal, numbers: impl IntoIterator<Item = usize>) {
    for number in numbers {
        let appended = journal.append(&order(number), || vec![order(0), order(number)]);
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
fn what_is_appended_is_there_for_the_next_process_and_gone_when_it_is_done() {
    let scratch = Scratch::new("next");
    let (journal, found) = open(&scratch.file());
    assert_eq!(found, []);
    append(&journal, 0..3);
    drop(journal);
    let (journal, found) = open(&scratch.file());
    assert_eq!(found, [order(0), order(1), order(2)]);
    journal.tidy(|| vec![order(1)]).expect("the disk works");
    assert!(journal.is_dirty(), "one is left");
    journal.tidy(Vec::new).expect("the disk works");
    assert!(!journal.is_dirty());
    let text = fs::read_to_string(scratch.file()).expect("it is there");
    assert_eq!(text, HEADER);
}

#[test]
fn half_a_line_is_no_order_and_harms_none() {
    let scratch = Scratch::new("half");
    append(&open(&scratch.file()).0, 0..2);
    let text = fs::read_to_string(scratch.file()).expect("it is there");
    fs::write(scratch.file(), &text[..text.len() - 7]).expect("the disk works");
    let (journal, found) = open(&scratch.file());
    assert_eq!(found, [order(0)]);
    append(&journal, [2]);
    drop(journal);
    assert_eq!(open(&scratch.file()).1, [order(0), order(2)]);
}

#[test]
fn the_file_does_not_grow_beyond_what_it_needs() {
    let scratch = Scratch::new("grow");
    let (journal, _) = open(&scratch.file());
    append(&journal, 1..200);
    let bytes = fs::metadata(scratch.file()).expect("it is there").len();
    let needed = HEADER.len() + 2 * journal::line(&order(0)).len();
    let most = 2 * needed as u64 + SLACK + 100;
    assert!(bytes <= most, "{bytes} of {most}");
    drop(journal);
    let (_, found) = open(&scratch.file());
    assert!(found.contains(&order(0)) && found.contains(&order(199)));
}

#[test]
fn one_process_at_a_time_has_it() {
    let scratch = Scratch::new("lock");
    let first = open(&scratch.file());
    let second = Journal::open(&scratch.file());
    // Elsewhere there is no such lock.
    assert_eq!(second.is_err(), cfg!(unix));
    drop((first, second));
    open(&scratch.file());
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let scratch = Scratch::new("else");
    fs::write(scratch.file(), "carafe-log-outs 2\n").expect("the disk works");
    let refused = Journal::open(&scratch.file()).err().expect("not ours");
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    let text = fs::read_to_string(scratch.file()).expect("it is there");
    assert_eq!(text, "carafe-log-outs 2\n");
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("mode");
    fs::write(scratch.file(), "").expect("the disk works");
    fs::set_permissions(scratch.file(), fs::Permissions::from_mode(0o644)).expect("it is ours");
    let (journal, _) = open(&scratch.file());
    append(&journal, 0..1);
    let mode = fs::metadata(scratch.file())
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
