//! The rows, by the first word of their name.

pub(crate) mod cancel;
pub(crate) mod down;
pub(crate) mod garbage;
pub(crate) mod race;
pub(crate) mod recov;
pub(crate) mod shut;
pub(crate) mod slow;
