//! Parts of Carafe's command line that the demo also uses.
//!
//! | file | holds |
//! |---|---|
//! | `failure` | the failure of a program: one line and an exit code |
//! | `output` | all text that a program writes |
//! | `keys` | secret keys from options and the environment |
//! | `format` | the formats of cookies, as options name them |
//! | `inspection` | the inspection of one cookie |
//! | `shutdown` | the signals that stop a server |

#![allow(
    missing_docs,
    reason = "shared by two programs; not a library for others"
)]

pub mod failure;
pub mod format;
pub mod inspection;
pub mod keys;
pub mod output;
pub mod shutdown;
