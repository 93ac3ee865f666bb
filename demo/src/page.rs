//! The data of the whole page. Next: `view`, which renders it.

use super::{
    devices::Devices,
    key_list::KeyList,
    mode_id::ModeId,
    panel::{Panel, Trouble, Typed},
    race,
    reader::Reader,
    session_file::Place,
};

/// The data of the page.
pub(super) struct Page<'d> {
    pub(super) address: &'d str,
    pub(super) place: &'d Place,
    pub(super) panels: Vec<Panel<'d>>,
    pub(super) race: Option<race::Counts>,
    pub(super) devices: Devices,
    pub(super) keys: &'d KeyList,
    pub(super) reader: &'d Reader,
    /// The name typed into the log-in form, and why it was rejected.
    pub(super) log_in: Option<(String, String)>,
}

/// A problem of a form, shown with the typed values.
pub(super) enum Problem {
    Panel {
        mode: ModeId,
        trouble: Trouble,
        typed: Typed,
    },
    LogIn {
        why: String,
        typed: String,
    },
}

impl Page<'_> {
    pub(super) fn with(mut self, problem: Option<Problem>) -> Self {
        match problem {
            None => {}
            Some(Problem::LogIn { why, typed }) => self.log_in = Some((typed, why)),
            Some(Problem::Panel {
                mode,
                trouble,
                typed,
            }) => {
                let at = self.panels.iter().position(|panel| panel.mode.id == mode);
                if let Some(at) = at {
                    let panel = self.panels.remove(at).with_problem(trouble, typed);
                    self.panels.insert(at, panel);
                }
            }
        }
        self
    }
}
