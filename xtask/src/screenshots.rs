//! The README's pictures of the demo and the console.
//!
//! The browser tests write the pictures to `docs/images`.

use crate::command::cargo;
use crate::setup;
use crate::shell::{Outcome, Shell};

pub(crate) fn screenshots(shell: &mut Shell, _: &[String]) -> Outcome {
    setup::for_browser(shell)?;
    let mut tests = cargo(
        "test --package carafe-cli --package carafe-demo --test cli --test demo -- --ignored pictures",
    );
    tests.env("CARAFE_PICTURES", shell.path("docs/images"));
    shell.step_of("Pictures", &mut tests)
}
