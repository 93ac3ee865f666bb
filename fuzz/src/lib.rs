//! What the fuzz targets call. The checks are also compiled into a test of `carafe-core`, which
//! replays the corpus: see `crates/carafe-core/tests/core/fuzz_corpus.rs`.

pub mod checks;
pub mod tokens;
