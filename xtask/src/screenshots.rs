//! The pictures of the demo and the console in the README: the browser tests make them, this has them put into `docs/images`.

use crate::command::cargo;
use crate::setup;
use crate::shell::{Outcome, Shell};

pub(crate) fn screenshots(shell: &mut Shell, _: &[String]) -> Outcome {
    setup::for_browser(shell)?;
    let mut tests = cargo("test --package carafe-cli --test browser -- --ignored pictures");
    tests.env("CARAFE_PICTURES", shell.path("docs/images"));
    shell.step_of("Pictures", &mut tests)
}
