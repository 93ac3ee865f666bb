//! Checks which other users can read, write or replace a store's file. Changes nothing.
//!
//! A user who can write or replace the file can forge any session, so such a file is refused. If
//! other users can only read the file, or if the operator's permissions keep them out, the finding
//! is reported to the operator as a problem.

use std::path::Path;

use crate::OpenError;

/// The findings about a file's permissions.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// The permission bits in octal; `None` if the platform has none.
    pub(crate) mode: Option<String>,
    /// Reasons to refuse the file.
    pub(crate) refusals: Vec<String>,
    /// Problems that do not prevent the use of the file.
    pub(crate) problems: Vec<String>,
}

/// Returns an error if another user can write or replace the file.
pub(crate) fn check(path: &Path) -> Result<(), OpenError> {
    match look(path).refusals.into_iter().next() {
        None => Ok(()),
        Some(why) => Err(OpenError::Unsafe(why)),
    }
}

#[cfg(not(unix))]
pub(crate) fn look(_: &Path) -> Access {
    Access::default()
}

#[cfg(unix)]
pub(crate) use unix::look;

#[cfg(unix)]
mod unix {
    use std::{
        ffi::OsString,
        fs::{self, Metadata},
        os::unix::fs::MetadataExt as _,
        path::{Path, PathBuf},
    };

    use super::Access;

    const OTHERS_READ: u32 = 0o004;
    const OTHERS_WRITE: u32 = 0o002;
    /// The sticky bit: any user can add a file to the directory, but only its owner can remove it.
    const STICKY: u32 = 0o1000;
    /// Suffixes of the files next to a database that SQLite trusts.
    const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

    pub(crate) fn look(path: &Path) -> Access {
        let mut access = Access::default();
        let Ok(file) = fs::canonicalize(path) else {
            return access;
        };
        let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        if is_link {
            link(path, &file, &mut access);
        }
        let Ok(found) = fs::metadata(&file) else {
            return access;
        };
        access.mode = Some(format!("{:03o}", found.mode() & 0o777));
        let shown = file.display();
        if !found.is_file() {
            access
                .refusals
                .push(format!("{shown} is not a regular file"));
        }
        if found.mode() & OTHERS_WRITE != 0 {
            access.refusals.push(format!(
                "every user of this machine can write {shown} and log in as anyone: `chmod 600 {shown}`"
            ));
        } else if found.mode() & OTHERS_READ != 0 {
            access.problems.push(format!(
                "every user of this machine can read the sessions in {shown}: `chmod 600 {shown}`"
            ));
        }
        let directory = directory(&file);
        let is_shared = is_open(&directory);
        shared(&file, &directory, &mut access);
        for beside in beside(&file) {
            companion(&beside, &found, is_shared, &mut access);
        }
        if is_shared && effective_user().is_some_and(|user| user != found.uid()) {
            access.refusals.push(format!(
                "{shown} belongs to another user, in a directory in which every user can create files"
            ));
        }
        access
    }

    fn link(path: &Path, file: &Path, access: &mut Access) {
        let (shown, target) = (path.display(), file.display());
        let (list, why) = match is_open(&directory(path)) {
            true => (
                &mut access.refusals,
                "in a directory in which every user can create one",
            ),
            false => (
                &mut access.problems,
                "and a user who can change it selects the database",
            ),
        };
        list.push(format!(
            "{shown} is a symbolic link, {why}: name the file itself, {target}"
        ));
    }

    fn shared(file: &Path, directory: &Path, access: &mut Access) {
        let (shown, place) = (file.display(), directory.display());
        let Ok(found) = fs::metadata(directory) else {
            return;
        };
        let advice = format!("put it into a directory of its own, or `chmod o-w {place}`");
        match (found.mode() & OTHERS_WRITE != 0, found.mode() & STICKY != 0) {
            (false, _) => {}
            (true, false) => access.refusals.push(format!(
                "every user can replace {shown}, because {place} is writable by every user: {advice}"
            )),
            (true, true) => access
                .problems
                .push(format!("every user can create files next to {shown}: {advice}")),
        }
    }

    /// Checks one of the files next to the database.
    fn companion(path: &Path, database: &Metadata, is_shared: bool, access: &mut Access) {
        let Ok(found) = fs::symlink_metadata(path) else {
            return;
        };
        let shown = path.display();
        let why = if found.is_symlink() {
            "is a symbolic link"
        } else if found.mode() & OTHERS_WRITE != 0 {
            "can be written by every user"
        } else if is_shared && found.uid() != database.uid() {
            "belongs to another user than the database"
        } else {
            return;
        };
        access.refusals.push(format!(
            "{shown} {why}: find out who has made it, and stop the service before you remove it"
        ));
    }

    fn beside(file: &Path) -> impl Iterator<Item = PathBuf> {
        BESIDE.into_iter().map(move |suffix| {
            let mut name = OsString::from(file);
            name.push(suffix);
            PathBuf::from(name)
        })
    }

    fn directory(path: &Path) -> PathBuf {
        match path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            Some(parent) => parent.to_owned(),
            None => PathBuf::from("."),
        }
    }

    fn is_open(directory: &Path) -> bool {
        fs::metadata(directory).is_ok_and(|found| found.mode() & OTHERS_WRITE != 0)
    }

    /// Reads the effective user ID without `unsafe`; `None` on systems without `/proc`.
    fn effective_user() -> Option<u32> {
        fs::metadata("/proc/self").ok().map(|found| found.uid())
    }
}
