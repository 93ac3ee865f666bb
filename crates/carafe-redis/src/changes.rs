//! A patch as the arguments of the scripts that merge it; `scripts/merge.lua` says what stands where.

use carafe_core::{
    clock::Timestamp,
    session::{Change, Patch},
    store::{Record, StoreKey},
};

use crate::{
    layout::{field_of, second},
    names::{tag_of_key, text_of_key},
};

/// Where a rotation goes.
#[derive(Clone, Copy)]
pub(crate) struct Move<'a> {
    pub(crate) to: &'a StoreKey,
    pub(crate) alias_until: Option<Timestamp>,
}

/// What one attempt adds to a patch.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// Until when the index lists the session, if that has changed.
    pub(crate) listed: Option<Timestamp>,
    pub(crate) to: Option<Move<'a>>,
    /// Whether this is a second attempt, after a reply was lost.
    pub(crate) again: bool,
    /// The newest version that the caller knows of.
    pub(crate) version: u64,
    /// Whether an index that lists all sessions has to hear of a longer life first.
    pub(crate) all: bool,
}

/// The arguments for `patch`, made on `base`.
pub(crate) fn arguments(
    base: &Record,
    patch: &Patch,
    now: Timestamp,
    attempt: Attempt<'_>,
) -> Vec<String> {
    let facts = &patch.facts;
    let to = attempt.to;
    // A second attempt of a plain patch may apply only to what the first one found. A rotation needs
    // no such guard: it finds out by its new key whether it has taken place.
    let only = (attempt.again && to.is_none()).then(|| attempt.version.to_string());
    let mut arguments = vec![
        second(now),
        given(base.user.as_deref()),
        only.unwrap_or_default(),
        maybe(attempt.listed),
        given(facts.user.as_deref()),
        maybe(facts.authenticated),
        given(facts.device.as_deref()),
        maybe(facts.seen.map(|seen| seen.at)),
        maybe(facts.seen.map(|seen| seen.expires)),
        maybe(to.map(|_| now)),
        flag(patch.clears()),
        to.map(|to| tag_of_key(to.to)).unwrap_or_default(),
        to.map(|to| text_of_key(to.to)).unwrap_or_default(),
        // An alias that is over already is none.
        maybe(to.and_then(|to| to.alias_until.filter(|&until| until > now))),
        flag(attempt.again),
        flag(attempt.all),
    ];
    for (key, change) in patch.changes() {
        arguments.extend(argument(key, change));
    }
    arguments
}

fn argument(key: &str, change: &Change) -> [String; 4] {
    let (op, before) = match change {
        Change::Set(_) => ("s", String::new()),
        Change::Remove => ("r", String::new()),
        Change::Update(update) => ("u", given(update.before())),
    };
    let text = change.text().unwrap_or_default().to_owned();
    [op.to_owned(), field_of(key), text, before]
}

/// A text that may be absent or empty, which is not the same.
pub(crate) fn given(text: Option<&str>) -> String {
    text.map(|text| format!("+{text}")).unwrap_or_default()
}

fn maybe(at: Option<Timestamp>) -> String {
    at.map(second).unwrap_or_default()
}

pub(crate) fn flag(set: bool) -> String {
    if set { "1".to_owned() } else { String::new() }
}
