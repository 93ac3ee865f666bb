//! `carafe sessions revoke`.

use std::io::{IsTerminal as _, Write as _};

use carafe_core::{
    clock::Timestamp,
    store::{PublicId, Selection, StoreError},
};
use serde::Serialize;

use super::public_id;
use crate::{
    failure::Failure,
    human::thousands,
    output,
    stores::{OpenStore, StoreArgs},
};

/// Number of sessions that one step of `--all` ends, so that no visitor waits for all of them.
const STEP: usize = 1000;
/// The text to type, too long to be typed by mistake.
const CONSENT: &str = "revoke all";

/// Revoke sessions: one, those of a user, or all
///
/// When the command returns, none of them is accepted any more.
#[derive(clap::Args)]
#[command(after_help = "\
Exits with 3 if no session has the public ID. A user without sessions is no error.
With --json: {\"revoked\": N}.

Examples:
  carafe sessions revoke 9pWc0vT1m4yQe7Zb --store sqlite:sessions.db
  carafe sessions revoke --user ada --all-but 9pWc0vT1m4yQe7Zb
  carafe sessions revoke --all --yes --json")]
#[command(group = clap::ArgGroup::new("which").required(true).args(["public_id", "user", "all"]))]
pub(super) struct Revoke {
    /// The session with this public ID
    #[arg(value_name = "PUBLIC_ID", value_parser = public_id::parse, allow_hyphen_values = true)]
    public_id: Option<PublicId>,

    /// The sessions of this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// With --user: except this session
    #[arg(long, value_name = "PUBLIC_ID", requires = "user", conflicts_with_all = ["all", "public_id"], value_parser = public_id::parse, allow_hyphen_values = true)]
    all_but: Option<PublicId>,

    /// Every session created before now
    #[arg(long)]
    all: bool,

    /// With --all: do not ask
    #[arg(long, requires = "all")]
    yes: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    revoked: u64,
}

impl Revoke {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<(), Failure> {
        let store = store.open().await?;
        let revoked = match (self.public_id, &self.user) {
            (Some(public_id), _) => one(&store, public_id).await?,
            (None, Some(user)) => self.of_user(&store, user).await?,
            (None, None) => self.every(&store).await?,
        };
        if self.json {
            return output::json(&Report { revoked });
        }
        output::line(&match revoked {
            0 => "no session was found".to_owned(),
            1 => "1 session revoked".to_owned(),
            more => format!(
                "{} sessions revoked",
                thousands(usize::try_from(more).unwrap_or(usize::MAX))
            ),
        })
    }

    async fn of_user(&self, store: &OpenStore, user: &str) -> Result<u64, Failure> {
        let which = self.all_but.map_or(Selection::All, Selection::AllBut);
        let (users, now) = (store.users()?, Timestamp::now());
        ended(store, async || {
            users.delete_by_user(user, which, STEP, now).await
        })
        .await
    }

    async fn every(&self, store: &OpenStore) -> Result<u64, Failure> {
        let (inventory, until) = (store.listing()?, Timestamp::now());
        if !self.yes {
            let sample = inventory.sample(1, until).await;
            let sample = sample.map_err(|error| store.failure(&error))?;
            let about = if sample.exact { "" } else { "about " };
            let total = thousands(usize::try_from(sample.total).unwrap_or(usize::MAX));
            ask(&format!(
                "This revokes {about}{total} sessions in {}.",
                store.url()
            ))?;
        }
        let step = async || {
            inventory
                .delete_created_before(until, STEP, Timestamp::now())
                .await
        };
        ended(store, step).await
    }
}

/// Repeats a step until it ends no more sessions. Returns the total.
async fn ended(
    store: &OpenStore,
    step: impl AsyncFn() -> Result<u64, StoreError>,
) -> Result<u64, Failure> {
    let mut revoked = 0;
    loop {
        match step().await {
            Ok(0) => return Ok(revoked),
            Ok(some) => revoked += some,
            Err(error) => {
                if revoked > 0 {
                    output::warning(&format!(
                        "{revoked} sessions were revoked before this error:"
                    ));
                }
                return Err(store.failure(&error));
            }
        }
    }
}

async fn one(store: &OpenStore, public_id: PublicId) -> Result<u64, Failure> {
    let deleted = store
        .listing()?
        .delete_by_public_id(public_id, Timestamp::now())
        .await;
    match deleted.map_err(|error| store.failure(&error))? {
        true => Ok(1),
        false => Err(Failure::not_found(format_args!(
            "no session has the public ID {public_id}"
        ))),
    }
}

/// Fails unless the user types the confirmation.
fn ask(question: &str) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "standard input is not a terminal; pass --yes to revoke all sessions",
        ));
    }
    // Errors while writing to stderr are ignored.
    let _ = write!(
        anstream::stderr().lock(),
        "{question} Type `{CONSENT}` to continue: "
    );
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read.is_ok() && answer.trim() == CONSENT {
        true => Ok(()),
        false => Err(Failure::trouble("not confirmed; no session was revoked")),
    }
}
