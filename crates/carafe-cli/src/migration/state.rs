//! The state file of a migration, from which the next run continues.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::PathBuf,
};

use carafe_core::{json, store::Cursor};
use carafe_migration::{Mode, Tally};
use serde::{Deserialize, Serialize};

use crate::{failure::Failure, stores::StoreUrl};

/// The migration that a state belongs to. Another migration must not continue from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Route {
    from: String,
    to: String,
    moves: bool,
}

/// The position of a migration. The format is numbered for later versions.
#[derive(Serialize, Deserialize)]
struct State {
    format: u32,
    #[serde(flatten)]
    route: Route,
    cursor: Option<String>,
    tally: Tally,
}

const FORMAT: u32 = 1;

/// The state file, if the user asked for one.
pub(crate) struct StateFile {
    path: Option<PathBuf>,
    route: Route,
}

impl Route {
    /// Uses the URLs without passwords, which may change between two runs.
    pub(crate) fn new(from: &StoreUrl, to: &StoreUrl, mode: Mode) -> Self {
        Self {
            from: from.to_string(),
            to: to.to_string(),
            moves: mode == Mode::Move,
        }
    }
}

impl StateFile {
    pub(crate) fn new(path: Option<PathBuf>, route: Route) -> Self {
        Self { path, route }
    }

    /// Whether the state is saved.
    pub(crate) fn is_kept(&self) -> bool {
        self.path.is_some()
    }

    /// Returns where the previous run stopped, or the start.
    pub(super) fn read(&self) -> Result<(Option<Cursor>, Tally), Failure> {
        let Some(path) = &self.path else {
            return Ok((None, Tally::default()));
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok((None, Tally::default()));
            }
            Err(error) => return Err(self.failed("read", &error)),
        };
        let state: State = json::from_text(text.trim(), false).map_err(|_| self.refused())?;
        if state.format != FORMAT || state.route != self.route {
            return Err(self.refused());
        }
        Ok((state.cursor.map(Cursor::new), state.tally))
    }

    /// Writes the state atomically: a reader of the file finds a complete state.
    pub(super) fn write(&self, cursor: &Cursor, tally: &Tally) -> Result<(), Failure> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let state = State {
            format: FORMAT,
            route: self.route.clone(),
            cursor: Some(cursor.as_str().to_owned()),
            tally: tally.clone(),
        };
        let text = json::to_text(&state, json::JsonDialect::STARLETTE).map_err(Failure::trouble)?;
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        let written = File::create(&beside)
            .and_then(|mut file| {
                writeln!(file, "{text}")?;
                // Sync before the rename: otherwise a power cut can leave an empty file.
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, path));
        written.map_err(|error| self.failed("write", &error))
    }

    /// Removes the file when the migration is complete.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        match self.path.as_ref().map(fs::remove_file) {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => {
                Err(self.failed("remove", &error))
            }
            _ => Ok(()),
        }
    }

    fn refused(&self) -> Failure {
        Failure::usage(format_args!(
            "{} is not the state of this migration; name another file, or remove it to start again",
            self.shown()
        ))
    }

    fn failed(&self, verb: &str, error: &std::io::Error) -> Failure {
        Failure::trouble(format_args!("cannot {verb} {}: {error}", self.shown()))
    }

    fn shown(&self) -> String {
        let path = self.path.as_ref();
        path.map_or_else(String::new, |path| path.display().to_string())
    }
}
