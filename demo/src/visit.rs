//! All sessions of one request.
//!
//! An application has one session, which the layer of the crate `carafe` handles. The demo has
//! three and shows which cookies the browser will hold afterwards, so it calls the engine itself:
//! begin, open, commit.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use carafe_core::{
    clock::Timestamp,
    cookie::{Grammar, values_of},
    session::{CommitError, Session, Slot},
    store::StoreError,
};

use super::{mode::Mode, mode_id::ModeId, modes::Modes};

/// A request, from its cookies to the headers of its response.
pub(super) struct Visit<'d> {
    /// In the order of [`ModeId::ALL`].
    pub(super) turns: [Turn<'d>; 3],
    pub(super) now: Timestamp,
}

/// One session of a request.
pub(super) struct Turn<'d> {
    pub(super) mode: &'d Mode,
    pub(super) session: Session,
    /// The cookie that the browser sent.
    pub(super) sent: Option<String>,
    slot: Slot,
}

/// The result of a visit.
pub(super) struct Ended {
    /// Headers of the response.
    pub(super) headers: HeaderMap,
    /// The cookies that the browser holds after the response.
    pub(super) held: [Option<String>; 3],
}

impl<'d> Visit<'d> {
    pub(super) async fn begin(modes: &'d Modes, headers: &HeaderMap) -> Result<Self, StoreError> {
        let now = Timestamp::now();
        let turn = |id| Turn::begin(modes.mode(id), headers, now);
        let [signed, encrypted, stored] = ModeId::ALL.map(turn);
        let turns = [signed.await?, encrypted.await?, stored.await?];
        Ok(Self { turns, now })
    }

    pub(super) fn session(&self, id: ModeId) -> &Session {
        let [signed, encrypted, stored] = &self.turns;
        match id {
            ModeId::Signed => &signed.session,
            ModeId::Encrypted => &encrypted.session,
            ModeId::Stored => &stored.session,
        }
    }

    /// Commits all sessions, the stored one last, so that a cookie that is too large for a browser
    /// fails before the store is written.
    pub(super) async fn end(&self, status: StatusCode) -> Result<Ended, CommitError> {
        let mut headers = HeaderMap::new();
        let [signed, encrypted, stored] = &self.turns;
        let held = [
            signed.commit(status, self.now, &mut headers).await?,
            encrypted.commit(status, self.now, &mut headers).await?,
            stored.commit(status, self.now, &mut headers).await?,
        ];
        Ok(Ended { headers, held })
    }
}

impl<'d> Turn<'d> {
    async fn begin(
        mode: &'d Mode,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let slot = mode.manager.begin();
        let session = mode.manager.open(&slot, cookie_lines(headers), now).await?;
        Ok(Self {
            mode,
            session,
            sent: sent(mode, headers),
            slot,
        })
    }

    async fn commit(
        &self,
        status: StatusCode,
        now: Timestamp,
        headers: &mut HeaderMap,
    ) -> Result<Option<String>, CommitError> {
        let effects = self
            .mode
            .manager
            .commit(&self.slot, [], status.as_u16(), now)
            .await?;
        if effects.vary_cookie {
            headers.insert(header::VARY, HeaderValue::from_static("Cookie"));
        }
        let Some(line) = effects.set_cookie else {
            return Ok(self.sent.clone());
        };
        append_set_cookie(headers, &line);
        Ok(value_of_line(&line))
    }
}

/// Adds a `Set-Cookie` line.
pub(super) fn append_set_cookie(headers: &mut HeaderMap, line: &str) {
    // Rendered cookies have no control characters, so this never fails. An invalid line would be
    // dropped.
    if let Ok(line) = HeaderValue::from_str(line) {
        headers.append(header::SET_COOKIE, line);
    }
}

/// Returns the `Cookie` lines of a request, in order.
pub(super) fn cookie_lines(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines.map(HeaderValue::as_bytes)
}

/// Returns the first cookie of this mode that the browser sent.
pub(super) fn sent(mode: &Mode, headers: &HeaderMap) -> Option<String> {
    let values = values_of(cookie_lines(headers), mode.cookie_name(), Grammar::Strict);
    let first = values.first()?;
    Some(String::from_utf8_lossy(first).into_owned()).filter(|value| !value.is_empty())
}

/// Returns the value in one of our `Set-Cookie` lines, or `None` for a removal.
fn value_of_line(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('=')?;
    let value = rest.split(';').next()?;
    (!value.is_empty()).then(|| value.to_owned())
}
