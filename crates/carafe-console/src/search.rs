//! A page of the list, and the results of a search.

use carafe_core::{
    clock::Timestamp,
    store::{Position, PublicId, SessionMeta, StoreError},
};

use crate::monitored_store::MonitoredStore;

/// Sessions per page.
const PAGE: usize = 50;
/// Maximum number of sessions of a user that a page shows, newest first.
pub(super) const MOST_OF_A_USER: usize = 200;

/// A page of the list.
pub(super) struct Listed {
    pub(super) sessions: Vec<SessionMeta>,
    /// Whether this is not the first page.
    pub(super) is_later: bool,
    /// The position of the next page.
    pub(super) next: Option<Position>,
}

/// The results of a search.
pub(super) struct SearchResults {
    pub(super) query: String,
    /// The session with this public ID.
    pub(super) session: Option<SessionMeta>,
    /// The sessions of the user with this name, at most [`MOST_OF_A_USER`].
    pub(super) of_user: Vec<SessionMeta>,
    /// Whether the user has more.
    pub(super) has_more: bool,
}

/// Returns the page of the list after a position.
pub(super) async fn listed(
    store: &MonitoredStore,
    after: Option<Position>,
    now: Timestamp,
) -> Result<Listed, StoreError> {
    // Loads one more session to learn whether there is a next page.
    let mut sessions = store.newest(after, PAGE + 1, now).await?;
    let has_more = sessions.len() > PAGE;
    sessions.truncate(PAGE);
    let last = sessions.last().map(SessionMeta::position);
    Ok(Listed {
        is_later: after.is_some(),
        next: last.filter(|_| has_more),
        sessions,
    })
}

/// Looks up a session and a user, because a user's name may have the form of a public ID.
pub(super) async fn found(
    store: &MonitoredStore,
    text: &str,
    now: Timestamp,
) -> Result<SearchResults, StoreError> {
    let session = match text.parse::<PublicId>() {
        Ok(public_id) => store.find(public_id, now).await?,
        Err(_) => None,
    };
    let (of_user, has_more) = of_user(store, text, now).await?;
    Ok(SearchResults {
        query: text.to_owned(),
        session: session.map(|record| record.meta),
        of_user,
        has_more,
    })
}

/// Returns the newest sessions of a user, and whether there are more.
pub(super) async fn of_user(
    store: &MonitoredStore,
    user: &str,
    now: Timestamp,
) -> Result<(Vec<SessionMeta>, bool), StoreError> {
    let limit = MOST_OF_A_USER + 1;
    let mut sessions = store.newest_of_user(user, limit, now).await?;
    let has_more = sessions.len() == limit;
    sessions.truncate(MOST_OF_A_USER);
    Ok((sessions, has_more))
}
