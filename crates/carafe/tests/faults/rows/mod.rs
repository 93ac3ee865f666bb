//! The rows, by their first word.

pub(crate) mod cancel;
pub(crate) mod down;
pub(crate) mod garbage;
pub(crate) mod race;
pub(crate) mod recov;
pub(crate) mod shut;
pub(crate) mod slow;
