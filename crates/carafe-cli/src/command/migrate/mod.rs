//! `carafe migrate`. The work is in `crate::migration`. Next: `report.rs`.

mod report;

use std::{num::NonZeroU32, path::PathBuf, process::ExitCode};

use carafe_migration::Mode;

use crate::{
    failure::Failure,
    migration::{Comparing, Comparison, Migration, Origin, Route, Settings, StateFile, Stop},
    output, runtime,
    stores::StoreUrl,
};

/// Bring the live sessions of one store into another
///
/// Nobody is logged out: sessions keep their ids, facts and dictionaries. Expired sessions stay
/// behind, and so does what cannot be read; the report says how many and why. Memory holds one
/// batch at a time.
///
/// Without --move this is a copy, for stores that are not in use: whoever logs out afterwards is
/// still logged in in the target. A second run brings what has changed since; --verify says whether
/// both are alike.
///
/// With --move each session is made in the target, then deleted from the source. While it runs,
/// services use both stores through `carafe::store::MigratingStore`, in every one of them and
/// before it starts: then a log-out counts wherever the session is. Begin with a target that no
/// copy was made into.
///
/// --from takes Flask-Session's layouts, too: flask-session+redis://…, flask-session+postgres://…,
/// flask-session+mysql://… or flask-session+sqlite:FILE, with ?key_prefix=, ?table= and ?lifetime=
/// as Flask has them set. The ids stay, so Flask's cookies open the sessions in the target.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Migrate {
    // Text, not `StoreUrl`: clap's message for a bad value shows the value, and this may hold a
    // password.
    /// The store to take sessions from
    #[arg(long, value_name = "URL", env = "STORE_FROM", hide_env_values = true)]
    from: String,

    /// The store to bring them into; `carafe store init` makes its tables
    #[arg(long, value_name = "URL", env = "STORE_TO", hide_env_values = true)]
    to: String,

    /// Delete each session from the source once the target has it
    #[arg(long = "move")]
    moves: bool,

    /// Afterwards, look for every live session of each store in the other, and exit with 1 if they
    /// differ; with --move, read each session back before it is deleted from the source
    #[arg(long)]
    verify: bool,

    /// Keep the place in this file after each batch; a run that finds it goes on from there
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// No more than so many sessions a second
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,

    /// How many sessions are in memory at a time
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,

    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,

    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

const HELP: &str = "\
Ctrl-C finishes the batch and says how to go on; a second one ends at once, and nothing is lost.

Exit codes:
  0  every live session is in the target
  1  some could not be read or moved, or the stores differ
  2  the command was called with something it cannot use
  4  a store cannot be reached or used; the same command goes on
  5  stopped before the end; the same command goes on

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
        let (origin, to) = (Origin::open(from).await?, to.open().await?);
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
