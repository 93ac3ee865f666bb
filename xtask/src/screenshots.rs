//! The README's pictures of the demo and the console.
//!
//! The browser tests write the pictures to `docs/images`.

use xshell::cmd;

use crate::setup;
use crate::steps::{Outcome, Steps};

pub(crate) fn screenshots(steps: &Steps, _: &[String]) -> Outcome {
    setup::for_browser(steps)?;
    let tests = cmd!(
        steps.sh,
        "cargo test --package carafe-cli --package carafe-demo --test cli --test demo
         -- --ignored pictures"
    );
    let images = steps.path("docs/images");
    steps.step_of("Pictures", tests.env("CARAFE_PICTURES", images))
}
