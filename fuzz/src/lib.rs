//! The checks of the fuzz targets. A test of `carafe-core` also compiles them and replays the
//! corpus: see `crates/carafe-core/tests/core/fuzz_corpus.rs`.

pub mod checks;
pub mod tokens;
