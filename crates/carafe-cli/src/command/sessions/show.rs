//! `carafe sessions show`.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{PublicId, Record},
};
use clap::builder::styling::AnsiColor;
use serde::Serialize;

use super::{listed::Listed, public_id};
use crate::{
    failure::Failure,
    human::{ago, span, thousands, utc},
    json_color::colored,
    json_text::{self, Kind, Token},
    output,
    stores::StoreArgs,
    table::{Cell, Table},
};

/// Show one session with its dictionary
#[derive(clap::Args)]
#[command(after_help = "\
With --json: the object that `list` has for it, and \"data\", the dictionary's JSON as text.

Examples:
  carafe sessions show 9pWc0vT1m4yQe7Zb --store sqlite:sessions.db
  carafe sessions show --json 9pWc0vT1m4yQe7Zb | jq '.data | fromjson'")]
pub(super) struct Show {
    /// The public ID of the session
    #[arg(value_name = "PUBLIC_ID", value_parser = public_id::parse, allow_hyphen_values = true)]
    public_id: PublicId,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'r> {
    #[serde(flatten)]
    session: Listed<'r>,
    data: &'r str,
}

impl Show {
    pub(super) async fn run(&self, store: &StoreArgs) -> Result<(), Failure> {
        let (store, now) = (store.open().await?, Timestamp::now());
        let found = store.listing()?.find(self.public_id, now).await;
        let found = found.map_err(|error| store.failure(&error))?;
        let record = found.ok_or_else(|| {
            Failure::not_found(format_args!(
                "no session has the public ID {}",
                self.public_id
            ))
        })?;
        let data = Patch::default().render(&record.data, Record::STYLE);
        if !self.json {
            return output::line(&readable(&record, &data, now));
        }
        output::json(&Report {
            session: Listed::new(&record.meta),
            data: &data,
        })
    }
}

fn readable(record: &Record, data: &str, now: Timestamp) -> String {
    let then = |at: Timestamp| format!("{}, {}", utc(at), ago(now.seconds_since(at)));
    let left = span(record.meta.expires.seconds_since(now).unsigned_abs());
    let rows = [
        ("user", record.meta.user.clone()),
        ("device", record.meta.device.clone()),
        (
            "client",
            record
                .meta
                .public_id
                .client()
                .map(|client| client.to_string()),
        ),
        ("created", Some(then(record.meta.created))),
        ("last seen", Some(then(record.meta.last_seen))),
        ("new id", Some(then(record.meta.renewed))),
        ("logged in", record.meta.authenticated.map(then)),
        (
            "expires",
            Some(format!("{}, in {left}", utc(record.meta.expires))),
        ),
        ("changes", Some(record.meta.version.to_string())),
        ("size", Some(format!("{} bytes", thousands(data.len())))),
    ];
    let mut table = Table::new(&[]);
    for (name, text) in rows {
        if let Some(text) = text {
            table.row([Cell::muted(&format!("  {name}")), Cell::new(&text)]);
        }
    }
    let style = AnsiColor::Blue.on_default().bold();
    // This layout's own blanks and line breaks stay; all other text may come from a visitor.
    let shown = |token: Token<'_>| match token.kind {
        Kind::Blank => token.text.to_owned(),
        _ => colored(token),
    };
    let dictionary: String = json_text::pretty(data).into_iter().map(shown).collect();
    format!(
        "{style}{}{style:#}\n{}\n{dictionary}",
        record.meta.public_id,
        table.text()
    )
}
