//! The file that keeps undelivered revocations when the process exits. [`format`](self::format)
//! defines its syntax. Each write is durable before its method returns.
//!
//! All methods block, so they are only called on threads that may block.

mod format;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::pending_revocation::PendingRevocation;
use format::{Entries, HEADER, NotAJournal};

/// Maximum size of a file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 28;
/// The file is rewritten when it exceeds twice its needed size by this number of bytes.
const SLACK: u64 = if cfg!(test) { 1 << 10 } else { 1 << 20 };

pub(super) struct Journal {
    path: PathBuf,
    /// A plain mutex, because only threads that may block lock it. `None` after an error, which can
    /// leave a partial line in the file: the next write rewrites the file.
    writer: Mutex<Option<Writer>>,
    /// Whether the file has entries. Relaxed: a hint, checked again under `writer`.
    dirty: AtomicBool,
    /// Locked for the lifetime of the process, because two writers of one file would lose each
    /// other's entries.
    _lock: File,
}

struct Writer {
    file: File,
    bytes: u64,
    /// The size at which the file is rewritten.
    max_bytes: u64,
}

impl Journal {
    /// Locks the file at `path` for this process. Returns the journal and its entries.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<PendingRevocation>)> {
        let lock = lock(&with_suffix(path, "lock"))?;
        let Entries {
            revocations,
            damaged,
        } = read(path)?;
        if damaged > 0 {
            let path = path.display();
            tracing::error!(%path, damaged, "lines of the journal of revocations are unreadable and lost");
        }
        let journal = Self {
            path: path.to_owned(),
            writer: Mutex::new(None),
            dirty: AtomicBool::new(false),
            _lock: lock,
        };
        *journal.writer() = Some(journal.rewrite(&revocations)?);
        Ok((journal, revocations))
    }

    /// Appends a revocation. `undelivered` returns all revocations that belong in the file,
    /// including this one. It is only called if the file has to be rewritten.
    pub(super) fn append(
        &self,
        revocation: &PendingRevocation,
        undelivered: impl FnOnce() -> Vec<PendingRevocation>,
    ) -> io::Result<()> {
        let mut guard = self.writer();
        let writer = match guard
            .take()
            .filter(|writer| writer.bytes < writer.max_bytes)
        {
            Some(mut writer) => {
                let line = format::line(revocation);
                writer.file.write_all(line.as_bytes())?;
                writer.file.sync_data()?;
                writer.bytes += line.len() as u64;
                self.dirty.store(true, Ordering::Relaxed);
                writer
            }
            None => self.rewrite(&undelivered())?,
        };
        *guard = Some(writer);
        Ok(())
    }

    /// Returns whether [`Journal::clear_if_delivered`] may have something to do.
    pub(super) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Relaxed)
    }

    /// Empties the file if all revocations are delivered. `undelivered` is as for
    /// [`Journal::append`] and is called under the lock, so that no revocation is appended
    /// concurrently.
    pub(super) fn clear_if_delivered(
        &self,
        undelivered: impl FnOnce() -> Vec<PendingRevocation>,
    ) -> io::Result<()> {
        let mut guard = self.writer();
        if self.is_dirty() && undelivered().is_empty() {
            *guard = None;
            *guard = Some(self.rewrite(&[])?);
        }
        Ok(())
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        // A panic leaves either `None` or a consistent writer.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the file. The old file stays until the new one is complete.
    fn rewrite(&self, revocations: &[PendingRevocation]) -> io::Result<Writer> {
        let new = with_suffix(&self.path, "new");
        let mut text = HEADER.to_owned();
        text.extend(revocations.iter().map(format::line));
        let mut file = private()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        sync_directory(&self.path)?;
        self.dirty.store(!revocations.is_empty(), Ordering::Relaxed);
        let bytes = text.len() as u64;
        let max_bytes = 2 * bytes + SLACK;
        Ok(Writer {
            file,
            bytes,
            max_bytes,
        })
    }
}

fn read(path: &Path) -> io::Result<Entries> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entries::default()),
        file => file?,
    };
    let invalid = |error: NotAJournal| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut bytes = Vec::new();
    if file.take(MAX_BYTES + 1).read_to_end(&mut bytes)? as u64 > MAX_BYTES {
        return Err(invalid(NotAJournal));
    }
    format::parse(&bytes).map_err(invalid)
}

/// Returns `path` with `.` and `suffix` appended.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Returns options for files that only their owner can read and write.
fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "file modes are of Unix"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Locks a file for this process. The operating system releases the lock when the process exits for
/// any reason.
fn lock(path: &Path) -> io::Result<File> {
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

/// Makes a rename durable. Otherwise, a power failure can restore the old file.
fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        let parent = match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        };
        File::open(parent)?.sync_all()?;
    }
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests;
