//! The file of the server-side sessions: a private temporary file, or one that the user names.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    store::{ExpiredSweep as _, StoreError},
};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

use carafe_program::{failure::Failure, output};

/// Long enough that a briefly slow disk does not affect the race.
const DEADLINE: Duration = Duration::from_secs(10);
/// Maximum number of expired sessions that are removed from an existing file at startup.
const SWEPT: usize = 10_000;

/// The open file, and the temporary directory if the file is private.
pub(super) struct SessionFile {
    pub(super) store: Arc<SqliteStore>,
    path: PathBuf,
    private: Option<TempDir>,
}

impl SessionFile {
    /// Opens `path`, or a new file in a directory that only the current user can access.
    ///
    /// # Errors
    /// The file is not a session store or cannot be used.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let (path, private) = match path {
            Some(path) => (path.to_owned(), None),
            None => {
                let directory = private_directory()?;
                (directory.path().join("sessions.db"), Some(directory))
            }
        };
        let options = SqliteOptions::default().migrate(true).deadline(DEADLINE);
        let store = SqliteStore::open(&path, options)
            .map_err(|error| Failure::trouble(ErrorChain::of(&error)))?;
        Ok(Self {
            store: Arc::new(store),
            path,
            private,
        })
    }

    /// Removes sessions that have expired since the file was last used.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.sweep(SWEPT, now).await.map(drop)
    }

    /// Returns the location of the file, and whether it is private.
    pub(super) fn place(&self) -> Place {
        Place {
            path: self.path.display().to_string(),
            is_private: self.private.is_some(),
        }
    }

    /// Commits queued writes, and removes a private file.
    pub(super) fn close(self) {
        self.store.close();
        if let Some(Err(error)) = self.private.map(TempDir::close) {
            output::warning(&format!("the sessions were not removed: {error}"));
        }
    }
}

fn private_directory() -> Result<TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("carafe-demo-");
    // With default permissions, other users could list the directory.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().map_err(|error| {
        Failure::trouble(format_args!(
            "cannot make a private directory for the sessions: {error}; name a file with --file"
        ))
    })
}

/// The location of the sessions, for display.
pub(super) struct Place {
    pub(super) path: String,
    /// Whether the file is removed at the end.
    pub(super) is_private: bool,
}
