//! Progress on standard error: a bar on a terminal, lines elsewhere.

use std::{io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{human::thousands, output};

/// Number of lines that a complete scan prints.
const PARTS: u64 = 20;

/// The progress of a scan.
pub(crate) enum Progress {
    Bar(ProgressBar),
    Lines {
        what: &'static str,
        total: u64,
        said: u64,
    },
    Silent,
}

impl Progress {
    /// Starts to report, for an estimate of `total` sessions.
    pub(crate) fn new(what: &'static str, total: u64, is_wanted: bool) -> Self {
        if !is_wanted {
            return Self::Silent;
        }
        if !std::io::stderr().is_terminal() {
            let said = 0;
            return Self::Lines { what, total, said };
        }
        let bar = ProgressBar::new(total).with_message(what);
        let template = "{msg} {wide_bar:.green/dim} {human_pos}/{human_len}  {per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self::Bar(bar)
    }

    /// Reports that `seen` sessions were read.
    pub(crate) fn at(&mut self, seen: u64) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                // The total is an estimate.
                bar.set_length(bar.length().unwrap_or_default().max(seen));
                bar.set_position(seen);
            }
            Self::Lines { what, total, said } => {
                let part = seen * PARTS / (*total).max(1);
                if part > *said {
                    *said = part;
                    say(what, seen, *total);
                }
            }
        }
    }

    /// Removes the bar.
    pub(crate) fn done(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn say(what: &str, seen: u64, total: u64) {
    let number = |count: u64| thousands(usize::try_from(count).unwrap_or(usize::MAX));
    let percent = (seen * 100 / total.max(1)).min(100);
    let text = format!(
        "{what} {} of about {}, {percent} %",
        number(seen),
        number(total)
    );
    // Errors while writing to stderr are ignored.
    let _ = output::note(&text);
}
