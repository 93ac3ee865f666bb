//! Changing one character of a cookie, and changing it back.
//!
//! The position follows from the shape of the cookie, and the change is its own inverse, so the
//! demo keeps no state: a rejected cookie was changed here if the inverse makes it authentic.

use carafe_core::{clock::Timestamp, cookie::Persistence, store::StoreError};

use super::{
    cookie_parts,
    mode::{Found, Mode},
    mode_id::ModeId,
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns the cookie with the one character changed, or changed back.
pub(super) fn change(mode: &Mode, cookie: &str) -> Option<String> {
    let at = place(mode.id, cookie)?;
    let here = ALPHABET
        .iter()
        .position(|&letter| letter == cookie.as_bytes()[at])?;
    let other = char::from(ALPHABET[here ^ 1]);
    // `place` only returns offsets inside ASCII cookies.
    Some(format!("{}{other}{}", &cookie[..at], &cookie[at + 1..]))
}

/// Returns the offset at which the demo changed a cookie. `None` if the cookie is valid, or invalid
/// for another reason.
pub(super) async fn changed_at(
    mode: &Mode,
    cookie: &str,
    now: Timestamp,
) -> Result<Option<usize>, StoreError> {
    let Some(back) = change(mode, cookie) else {
        return Ok(None);
    };
    if mode.look(cookie, now).await?.is_authentic() || !mode.look(&back, now).await?.is_authentic()
    {
        return Ok(None);
    }
    Ok(place(mode.id, cookie))
}

/// Returns the `Set-Cookie` line for `cookie`, with the expiry of the `good` one.
pub(super) async fn set_cookie(
    mode: &Mode,
    cookie: &str,
    good: &str,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let header = format!("{}={good}", mode.cookie_name());
    let slot = mode.manager.begin();
    let session = mode.manager.open(&slot, [header.as_bytes()], now).await?;
    let persistence = match session.is_permanent() {
        true => Persistence::Expires(expiry(mode, good, now).await?),
        false => Persistence::BrowserSession,
    };
    Ok(mode.manager.cookie().set(cookie, persistence).ok())
}

/// Returns the expiry of a permanent session's cookie.
async fn expiry(mode: &Mode, good: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
    let lifetime = i64::try_from(mode.manager.lifetime().as_secs()).unwrap_or(i64::MAX);
    Ok(match mode.look(good, now).await? {
        Found::Record(Some(kept)) => kept.record.meta.expires,
        Found::Record(None) | Found::Token(_) => now.saturating_add(lifetime),
    })
}

/// In the first half of the content, because the last characters of a part may have unused bits.
fn place(id: ModeId, cookie: &str) -> Option<usize> {
    let contents = cookie_parts::contents(id, cookie)?;
    let at = contents.start + (contents.len() / 4).max(1);
    contents.contains(&at).then_some(at)
}
