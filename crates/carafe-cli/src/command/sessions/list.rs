//! `carafe sessions list`.

use carafe_core::{
    clock::Timestamp,
    store::{Position, SessionMeta},
};
use clap::builder::styling::AnsiColor;
use serde::Serialize;

use super::listed::Listed;
use crate::{
    failure::Failure,
    human::{ago, minute, span},
    output,
    stores::{OpenStore, StoreArgs},
    table::{Cell, Table},
};

/// Maximum width of the device column, in characters. The text is usually a user agent.
const DEVICE: usize = 32;
const USER: usize = 32;

/// List sessions, newest ID first
#[derive(clap::Args)]
#[command(after_help = "\
With --json: {\"sessions\": [{\"public_id\", \"user\", \"device\", \"created\", \"renewed\", \"last_seen\", \"expires\",
\"authenticated\", \"version\", \"client\"}…], \"next\": POSITION or null}, with times in seconds since 1970.
`client` is how the client presents its token: \"cookie\", \"bearer\", \"header\", \"refresh-token\" or null if unknown.

Examples:
  carafe sessions list --store sqlite:sessions.db
  carafe sessions list --user ada --json | jq -r '.sessions[].public_id'
  carafe sessions list --limit 100 --after 1795190400.9pWc0vT1m4yQe7Zb")]
pub(super) struct List {
    /// Only the sessions of this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// The number of sessions
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,

    /// Continue after this cursor, which the previous page prints at its end
    #[arg(long, value_name = "POSITION", value_parser = position)]
    after: Option<Position>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'r> {
    sessions: Vec<Listed<'r>>,
    next: Option<String>,
}

impl List {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<(), Failure> {
        let (store, now) = (store.open().await?, Timestamp::now());
        let sessions = self.sessions(&store, now).await?;
        let next = self.next(&sessions);
        if self.json {
            return output::json(&Report {
                sessions: sessions.iter().map(Listed::new).collect(),
                next: next.map(|place| place.to_string()),
            });
        }
        if sessions.is_empty() {
            return output::note("no sessions");
        }
        output::line(&table(&sessions, now))?;
        match next {
            Some(place) => output::note(&format!("the next page: --after {place}")),
            None => Ok(()),
        }
    }

    async fn sessions(
        &self,
        store: &OpenStore,
        now: Timestamp,
    ) -> Result<Vec<SessionMeta>, Failure> {
        let (after, limit) = (self.after, usize::from(self.limit));
        let found = match &self.user {
            Some(user) => store.users()?.list_by_user(user, after, limit, now).await,
            None => store.listing()?.list(after, limit, now).await,
        };
        found.map_err(|error| store.failure(&error))
    }

    fn next(&self, sessions: &[SessionMeta]) -> Option<Position> {
        let is_full = sessions.len() == usize::from(self.limit);
        sessions
            .last()
            .filter(|_| is_full)
            .map(SessionMeta::position)
    }
}

fn table(sessions: &[SessionMeta], now: Timestamp) -> String {
    let mut table = Table::new(&[
        "PUBLIC ID",
        "USER",
        "DEVICE",
        "CLIENT",
        "CREATED",
        "LAST SEEN",
        "EXPIRES",
    ]);
    for session in sessions {
        let or_dash = |text: &Option<String>, most| match text {
            Some(text) => Cell::new(text).at_most(most),
            None => Cell::muted("-"),
        };
        let left = session.expires.seconds_since(now).unsigned_abs();
        table.row([
            Cell::new(&session.public_id.to_string()).styled(AnsiColor::Blue.on_default()),
            or_dash(&session.user, USER),
            or_dash(&session.device, DEVICE),
            match session.public_id.client() {
                Some(client) => Cell::new(client.code()),
                None => Cell::muted("-"),
            },
            Cell::new(&minute(session.created)),
            Cell::new(&ago(now.seconds_since(session.last_seen))),
            Cell::new(&format!("{}, in {}", minute(session.expires), span(left))),
        ]);
    }
    table.text()
}

fn position(text: &str) -> Result<Position, &'static str> {
    text.parse()
        .map_err(|_| "pass the POSITION that the previous page printed at its end")
}
