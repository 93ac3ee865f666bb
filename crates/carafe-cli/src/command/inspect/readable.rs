//! The text output of an inspection: the result, the parts of the cookie, and their meaning.
//!
//! Text from the cookie passes [`printable`], so that it cannot contain terminal escape sequences.

use std::fmt::Write as _;

use carafe_core::key::KeyUse;
use clap::builder::styling::{AnsiColor, Style};

use super::Subject;
use crate::{
    human::{ago, printable, span, thousands, utc},
    inspection::Verdict,
    json_color::colored,
    json_text::tokens,
};

const MUTED: Style = Style::new().dimmed();
const CONTENTS: Style = AnsiColor::Blue.on_default();
const FRESH: Style = AnsiColor::Green.on_default();
const PROOF: Style = AnsiColor::Magenta.on_default();

impl Subject<'_> {
    pub(super) fn readable(&self) -> String {
        let rows = [
            ("cookie", Some(self.parts())),
            ("payload", self.payload()),
            ("", self.size()),
            ("made", self.made()),
            ("accepted", self.accepted()),
            ("key", self.key()),
            ("format", Some(self.format.name().as_str().to_owned())),
        ];
        let mut out = self.headline();
        for (name, text) in rows {
            if let Some(text) = text {
                // Writing to a string cannot fail.
                let _ = write!(out, "\n  {MUTED}{name:<9}{MUTED:#} {text}");
            }
        }
        out
    }

    fn headline(&self) -> String {
        let verdict = self.inspection.verdict;
        let color = match verdict {
            Verdict::Ok => AnsiColor::Green,
            Verdict::Unverified | Verdict::Expired | Verdict::FromFuture => AnsiColor::Yellow,
            _ => AnsiColor::Red,
        };
        let style = color.on_default().bold();
        let word = match verdict {
            Verdict::Unverified => "UNVERIFIED",
            verdict => verdict.as_str(),
        };
        let reason = self.inspection.reason.as_deref().unwrap_or("verified");
        format!("{style}{word}{style:#}: {}", printable(reason))
    }

    /// Returns the cookie with its parts in colors.
    fn parts(&self) -> String {
        let mut from_the_end = self.cookie.rsplitn(3, '.');
        let parts = (
            from_the_end.next(),
            from_the_end.next(),
            from_the_end.next(),
        );
        let (Some(proof), Some(time), Some(body)) = parts else {
            return printable(self.cookie).into_owned();
        };
        let part = |style: Style, text| format!("{style}{}{style:#}", printable(text));
        [part(CONTENTS, body), part(FRESH, time), part(PROOF, proof)].join(".")
    }

    fn payload(&self) -> Option<String> {
        let payload = self.inspection.payload.as_deref()?;
        let colored: String = tokens(payload).into_iter().map(colored).collect();
        Some(match self.inspection.verdict {
            Verdict::Unverified => format!("{colored} {MUTED}(UNVERIFIED){MUTED:#}"),
            _ => colored,
        })
    }

    fn size(&self) -> Option<String> {
        let length = thousands(self.inspection.payload.as_ref()?.len());
        let compressed = match self.inspection.compressed? {
            true => "compressed",
            false => "not compressed",
        };
        Some(format!("{length} bytes, {compressed}"))
    }

    fn made(&self) -> Option<String> {
        let (issued, age) = (self.inspection.issued?, self.inspection.age?);
        Some(format!("{} ({}), {}", utc(issued), issued.unix(), ago(age)))
    }

    /// Returns the maximum age, if it was checked.
    fn accepted(&self) -> Option<String> {
        self.inspection.key?;
        Some(format!("up to {}", span(self.max_age?.as_secs())))
    }

    fn key(&self) -> Option<String> {
        Some(match self.inspection.key? {
            KeyUse::Current => "the current key".to_owned(),
            KeyUse::Fallback(n) => format!("fallback {n}"),
        })
    }
}
