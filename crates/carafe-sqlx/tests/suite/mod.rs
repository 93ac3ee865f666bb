//! What the contract's own suite does not ask, because it takes a server to ask it.

macro_rules! suite {
    ($kit:ty) => {};
}
pub(crate) use suite;
