//! `carafe migrate`. The work is in `crate::migration`. Next: `report.rs`.

mod report;

use std::{num::NonZeroU32, path::PathBuf, process::ExitCode};

use carafe_migration::Mode;

use crate::{
    failure::Failure,
    migration::{Comparing, Comparison, Migration, Origin, Route, Settings, StateFile, Stop},
    output, runtime,
    stores::{self, StoreUrl},
};

/// Copy or move the live sessions of one store to another
///
/// No user is logged out: sessions keep their IDs, metadata and dictionaries. Expired and
/// unreadable sessions are skipped; the report says how many and why. Memory holds one batch at a
/// time.
///
/// Without --move this is a copy, for stores that are not in use: a later log-out in the source
/// does not reach the target. A second run copies the changes since the first; --verify compares
/// both stores.
///
/// With --move each session is created in the target, then deleted from the source. Before it
/// starts, every service must use both stores through `carafe::store::MigratingStore`: then a
/// log-out applies to the session in either store. Start with a target that holds no copies.
///
/// --from takes Flask-Session's layouts, too: flask-session+redis://…, flask-session+postgres://…,
/// flask-session+mysql://… or flask-session+sqlite:FILE, with ?key_prefix=, ?table= and ?lifetime=
/// as configured in Flask. The IDs stay the same, so Flask's cookies open the sessions in the
/// target.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Migrate {
    // Text, not `StoreUrl`: clap's error message shows an invalid value, which may hold a password.
    /// The source store
    #[arg(long, value_name = "URL", env = "STORE_FROM", hide_env_values = true)]
    from: String,

    /// The target store; `carafe store init` creates its tables
    #[arg(long, value_name = "URL", env = "STORE_TO", hide_env_values = true)]
    to: String,

    /// Delete each session from the source after it was created in the target
    #[arg(long = "move")]
    moves: bool,

    /// Afterwards, look up every live session of each store in the other, and exit with 1 if they
    /// differ; with --move, read each session back before it is deleted from the source
    #[arg(long)]
    verify: bool,

    /// Save the position in this file after each batch; the next run continues from there
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// The maximum number of sessions per second
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,

    /// The number of sessions in a batch
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,

    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,

    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
}

const HELP: &str = "\
Ctrl-C finishes the batch and says how to continue; a second one stops immediately. Nothing is lost.

Exit codes:
  0  every live session is in the target
  1  some could not be read or moved, or the stores differ
  2  the command was called with something it cannot use
  4  a store cannot be reached or used; the same command continues
  5  stopped before the end; the same command continues

Examples:
  carafe migrate --from sqlite:sessions.db --to postgres://app@localhost/shop --verify
  carafe migrate --from 'flask-session+redis://cache/0?key_prefix=session:' --to redis://cache/1
  carafe migrate --from redis://cache --to postgres://app@db/shop --move --state f.json --rate 2000";

impl Migrate {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let (from, to) = (StoreUrl::parse(&self.from)?, StoreUrl::parse(&self.to)?);
        if from.to_string() == to.to_string() {
            return Err(Failure::usage("--from and --to are the same store"));
        }
        runtime::block_on(self.migrate(&from, &to))
    }

    async fn migrate(&self, from: &StoreUrl, to: &StoreUrl) -> Result<ExitCode, Failure> {
        let stop = Stop::listen();
        let mode = if self.moves { Mode::Move } else { Mode::Copy };
        let route = Route::new(from, to, mode);
        let (origin, to) = (Origin::open(from).await?, stores::open(to).await?);
        let source = origin.source()?;
        let (batch, shows_progress) = (usize::from(self.batch), !self.quiet);
        let migration = Migration {
            source: &*source,
            from,
            to: &to,
            settings: Settings {
                mode,
                reads_back: self.verify,
                batch,
                rate: self.rate,
                shows_progress,
            },
            state: StateFile::new(self.state.clone(), route),
            stop,
        };
        let tally = migration.run().await?;
        let comparing = Comparing {
            source: &*source,
            from,
            to: &to,
            batch,
            shows_progress,
        };
        let comparison = match self.verify && mode == Mode::Copy {
            true => Some(comparing.run().await?),
            false => None,
        };
        let report = report::Report::new((from, to.url()), mode, &tally, comparison.as_ref());
        match self.json {
            true => output::json(&report)?,
            false => output::line(&report.readable())?,
        }
        let is_good = tally.is_complete() && comparison.as_ref().is_none_or(Comparison::is_good);
        Ok(ExitCode::from(u8::from(!is_good)))
    }
}
