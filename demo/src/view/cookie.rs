//! The parts of a cookie, and their meaning.

use carafe_core::key::KeyUse;
use maud::{Markup, html};

use super::json;
use crate::{
    cookie_parts::{Part, Role, ciphertext_bytes, key_id, parts},
    mode_id::ModeId,
    panel::{BrowserCookie, Panel},
};
use carafe_console::shared::human::{ago, thousands, utc};
use carafe_program::inspection::{Inspection, Verdict};

/// "What the browser holds".
pub(super) fn holds(panel: &Panel<'_>) -> Markup {
    let Some(held) = &panel.cookie else {
        return html! {
            p.nothing { strong { "No cookie." } " A session begins with the first value that is set." }
        };
    };
    let parts = parts(panel.mode.id, &held.value);
    html! {
        (cookie_value(&parts, held.changed_at))
        dl.cookie-legend { @for part in &parts { (legend_row(part, panel, held)) } }
    }
}

/// One line without white space between the parts, so that it can be selected and copied.
fn cookie_value(parts: &[Part<'_>], changed_at: Option<usize>) -> Markup {
    html! {
        p.cookie-value translate="no" {
            @for (n, part) in parts.iter().enumerate() {
                @if n > 0 && is_signed(part.role) { span.part-separator { "." } }
                (part_in_value(part, changed_at))
            }
        }
    }
}

fn part_in_value(part: &Part<'_>, changed_at: Option<usize>) -> Markup {
    let at = changed_at.and_then(|at| at.checked_sub(part.start));
    let around = at.and_then(|at| {
        Some((
            part.text.get(..at)?,
            part.text.get(at..=at)?,
            part.text.get(at + 1..)?,
        ))
    });
    html! {
        span class={ "part part-" (part.role.class()) } {
            @if let Some((before, changed, behind)) = around {
                (before) mark.tampered-character title="the changed character" { (changed) } (behind)
            } @else {
                (part.text)
            }
        }
    }
}

fn legend_row(part: &Part<'_>, panel: &Panel<'_>, held: &BrowserCookie) -> Markup {
    let beginning = match part.text.get(..4) {
        Some(beginning) if part.text.len() > 5 => format!("{beginning}…"),
        _ => part.text.to_owned(),
    };
    html! {
        div.legend-row {
            dt { (part.role.name()) " " span class={ "part part-" (part.role.class()) } { (beginning) } }
            dd { (meaning(part, panel, held)) }
        }
    }
}

fn meaning(part: &Part<'_>, panel: &Panel<'_>, held: &BrowserCookie) -> Markup {
    let Some(inspection) = held.found.token() else {
        return id(held);
    };
    match part.role {
        Role::Payload => payload(inspection),
        Role::Time => time(inspection),
        Role::Signature => {
            html! { "HMAC-SHA1, " (vouches(inspection, "does not match")) }
        }
        Role::Version => html! { "1" },
        Role::KeyId => key(panel, held, inspection),
        Role::Nonce => html! { "24 random bytes, new for every cookie" },
        Role::Commitment => html! { "32 bytes, binds the cookie to exactly one key" },
        Role::Ciphertext => ciphertext(held, inspection),
        Role::Tag => tag(panel, held, inspection),
        Role::Id | Role::Unread => html! { "not in the format of this cookie" },
    }
}

fn id(held: &BrowserCookie) -> Markup {
    html! {
        @if held.found.is_authentic() {
            "32 random bytes, and nothing else"
            small { "The ID reveals nothing, but anyone who has it can use the session." }
        } @else {
            "not in the database"
        }
    }
}

fn payload(inspection: &Inspection) -> Markup {
    let (Some(payload), Some(compressed)) = (&inspection.payload, inspection.compressed) else {
        return html! { "not decoded: nothing vouches for it" };
    };
    html! {
        code { (json::exact(payload)) }
        small {
            @if compressed {
                "zlib; the leading dot says so. " (thousands(payload.len())) " bytes of JSON inside"
            } @else {
                "not compressed, keys sorted as Flask does"
            }
        }
    }
}

fn time(inspection: &Inspection) -> Markup {
    match (inspection.issued, inspection.age) {
        (Some(issued), Some(age)) => html! { (utc(issued)) ", " (ago(age)) },
        _ => html! { "not read" },
    }
}

fn vouches(inspection: &Inspection, otherwise: &str) -> Markup {
    html! {
        @match inspection.key {
            Some(KeyUse::Current) => "valid under the current key",
            Some(KeyUse::Fallback(n)) => { "valid under fallback key " (n) },
            None => (otherwise),
        }
    }
}

fn key(panel: &Panel<'_>, held: &BrowserCookie, inspection: &Inspection) -> Markup {
    let id = key_id(&held.value);
    html! {
        @if let Some(id) = id {
            code { @for byte in id { (format_args!("{byte:02x}")) } }
        }
        @match inspection.key {
            Some(KeyUse::Current) => ", the current key",
            Some(KeyUse::Fallback(n)) => { ", fallback key " (n) },
            None if has_our_key(panel, held) => ", a key of this demo",
            None => ", no key of this demo",
        }
    }
}

fn ciphertext(held: &BrowserCookie, inspection: &Inspection) -> Markup {
    let bytes = thousands(ciphertext_bytes(&held.value));
    match (inspection.issued, inspection.age) {
        (Some(issued), Some(age)) => html! {
            (bytes) " bytes, AES-256-GCM"
            small { "with the time: " (utc(issued)) ", " (ago(age)) }
        },
        _ => html! { (bytes) " bytes, not decrypted" },
    }
}

fn tag(panel: &Panel<'_>, held: &BrowserCookie, inspection: &Inspection) -> Markup {
    let otherwise = match has_our_key(panel, held) {
        true => "does not match",
        false => "not checked",
    };
    html! { "16 bytes, " (vouches(inspection, otherwise)) }
}

fn has_our_key(panel: &Panel<'_>, held: &BrowserCookie) -> bool {
    key_id(&held.value).is_some_and(|id| panel.mode.knows_key(id))
}

const fn is_signed(role: Role) -> bool {
    matches!(role, Role::Payload | Role::Time | Role::Signature)
}

/// "What anybody can read in it".
pub(super) fn readable(panel: &Panel<'_>) -> Markup {
    let is_signed = panel.mode.id == ModeId::Signed;
    let inspection = panel.cookie.as_ref().and_then(|held| held.found.token());
    html! {
        @match inspection {
            None if is_signed => p.note { "Nothing yet. With a cookie, everything in it." },
            None => p.note { "Nothing yet. With a cookie, still nothing." },
            Some(_) if !is_signed => p.nothing {
                strong { "Nothing." }
                " Without the key this is noise. It still shows its length, which key wrote it, and that it is there."
            },
            Some(Inspection { payload: Some(payload), verdict: Verdict::Ok | Verdict::Expired, .. }) => (json::block(payload)),
            Some(_) => p.note {
                "The bytes are still plain base64 and anybody can decode them. A server must not: Carafe decodes a payload only after its signature has matched."
            },
        }
    }
}
