//! Replays the inputs that fuzzing kept for this crate. `fuzz/README.md` describes the target.

use std::{fs, path::Path};

#[path = "../../../../fuzz/src/tokens.rs"]
#[allow(unreachable_pub, reason = "a library there, a module here")]
mod tokens;

#[test]
fn the_check_holds_on_its_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/jwt");
    let mut count = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        tokens::jwt(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 10, "{count}");
}
