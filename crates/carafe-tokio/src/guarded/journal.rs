//! The file that keeps remembered log-outs over a crash. What stands in it is decided in
//! `carafe_core::store::guard::journal`; here are the writes, each of them on the disk before it counts.
//!
//! All of it blocks, and is called from threads that may.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use carafe_core::store::guard::{
    LogOut,
    journal::{self, HEADER},
};

/// Bytes beyond which a file is not read: nothing of ours is that long.
const LONGEST: u64 = 1 << 28;
/// What a file may grow by beyond twice what it needs, before it is written anew.
const SLACK: u64 = if cfg!(test) { 1 << 10 } else { 1 << 20 };

pub(super) struct Journal {
    path: PathBuf,
    /// A plain mutex: only threads that may block take it.
    open: Mutex<Option<Open>>,
    /// Whether there are orders in the file. Relaxed: a hint, looked at again under `open`.
    dirty: AtomicBool,
    /// Held while the process lives: two that write to one file would lose each other's orders.
    _lock: File,
}

struct Open {
    file: File,
    bytes: u64,
    /// When to write it anew.
    most: u64,
}

impl Journal {
    /// Takes the file at `path` for this process, and gives what it holds.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<LogOut>)> {
        let lock = locked(&beside(path, "lock"))?;
        let held = read(path)?;
        if held.damaged > 0 {
            let (path, damaged) = (path.display(), held.damaged);
            tracing::error!(%path, damaged, "lines of the journal of log-outs cannot be read, and are lost");
        }
        let journal = Self {
            path: path.to_owned(),
            open: Mutex::new(None),
            dirty: AtomicBool::new(false),
            _lock: lock,
        };
        *journal.place() = Some(journal.renew(&held.orders)?);
        Ok((journal, held.orders))
    }

    /// Puts an order on the disk. `missed` is all that have to be there, this one included.
    pub(super) fn append(
        &self,
        order: &LogOut,
        missed: impl FnOnce() -> Vec<LogOut>,
    ) -> io::Result<()> {
        let mut place = self.place();
        // Taken out, so that after an error, which may leave half a line, the file is written anew.
        let open = match place.take().filter(|open| open.bytes < open.most) {
            Some(mut open) => {
                let line = journal::line(order);
                open.file.write_all(line.as_bytes())?;
                open.file.sync_data()?;
                open.bytes += line.len() as u64;
                self.dirty.store(true, Ordering::Relaxed);
                open
            }
            None => self.renew(&missed())?,
        };
        *place = Some(open);
        Ok(())
    }

    /// Whether [`Journal::tidy`] may have something to do.
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Relaxed)
    }

    /// Empties the file if nothing has to be there any more. `missed` as for [`Journal::append`]; it is asked
    /// while nobody can append, so that no order slips in between.
    pub(super) fn tidy(&self, missed: impl FnOnce() -> Vec<LogOut>) -> io::Result<()> {
        let mut place = self.place();
        if self.is_dirty() && missed().is_empty() {
            *place = None;
            *place = Some(self.renew(&[])?);
        }
        Ok(())
    }

    fn place(&self) -> MutexGuard<'_, Option<Open>> {
        // A panic leaves nothing or a file whose end is known.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new file in the place of the old one, which stays until the new one is whole.
    fn renew(&self, orders: &[LogOut]) -> io::Result<Open> {
        let new = beside(&self.path, "new");
        let mut text = HEADER.to_owned();
        text.extend(orders.iter().map(journal::line));
        let mut file = private()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        sync_directory(&self.path)?;
        self.dirty.store(!orders.is_empty(), Ordering::Relaxed);
        let bytes = text.len() as u64;
        let most = 2 * bytes + SLACK;
        Ok(Open { file, bytes, most })
    }
}

fn read(path: &Path) -> io::Result<journal::Journal> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(journal::Journal::default());
        }
        file => file?,
    };
    let mut bytes = Vec::new();
    if file.take(LONGEST + 1).read_to_end(&mut bytes)? as u64 > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            journal::NoJournal,
        ));
    }
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    journal::Journal::read(&bytes).map_err(invalid)
}

/// `path` with a word more at its end.
fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(word);
    name.into()
}

/// Files that only their owner may read or write.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no such modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A file that one process at a time can have; the system takes it back when that one ends, however it ends.
fn locked(path: &Path) -> io::Result<File> {
    let file = private()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)?;
    #[cfg(unix)]
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(
        |error| {
            let kind = io::Error::from(error).kind();
            io::Error::new(kind, format!("another process has {}", path.display()))
        },
    )?;
    Ok(file)
}

/// Or a power cut could bring the old file back.
fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        let here = Path::new(".");
        let parent = if parent.as_os_str().is_empty() {
            here
        } else {
            parent
        };
        File::open(parent)?.sync_all()?;
    }
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
