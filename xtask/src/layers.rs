//! Checks that the modules of the core import in one direction only.
//!
//! Each top-level module of `carafe-core` is a layer. A file may import from its own layer and from
//! lower ones. Tests and the conformance suites may import from everywhere.

use std::collections::BTreeSet;

use crate::{
    source::{code_of, collect, tokens},
    steps::{Outcome, Steps},
};

/// The top-level modules of the core, lowest layer first.
const LAYERS: &[&str] = &[
    "clock", "error", "base64", "future", "id", "json", "key", "cookie", "data", "token", "limits",
    "store", "session", "csrf", "flask", "testing", "axum", "actix",
];
const SOURCES: &str = "crates/carafe-core/src";
const MAP: &str = "ARCHITECTURE.md";

pub(crate) fn imports_point_down(steps: &Steps) -> Outcome {
    let mut files = Vec::new();
    collect(&steps.path(SOURCES), "", &mut files)?;
    let found: BTreeSet<&str> = files
        .iter()
        .filter_map(|(file, _)| layer_of(file))
        .collect();
    let expected: BTreeSet<&str> = LAYERS.iter().copied().collect();
    if found != expected {
        let differing: Vec<&str> = found.symmetric_difference(&expected).copied().collect();
        return Err(format!(
            "LAYERS in xtask/src/layers.rs and the modules of {SOURCES} differ: {}",
            differing.join(", ")
        )
        .into());
    }
    let map = steps.sh.read_file(MAP)?;
    let listed = listed_modules(&map);
    if listed != LAYERS {
        return Err(format!(
            "{MAP} must list the modules of the core in the order of LAYERS in \
             xtask/src/layers.rs: {}; it lists {}",
            LAYERS.join(", "),
            listed.join(", ")
        )
        .into());
    }
    let upward: Vec<String> = files
        .iter()
        .flat_map(|(file, source)| {
            let imports = upward_imports(file, source);
            imports.map(move |import| format!("{SOURCES}/{file} imports {import}"))
        })
        .collect();
    match upward.as_slice() {
        [] => Ok(()),
        _ => Err(format!("imports from a higher layer: {}", upward.join("; ")).into()),
    }
}

/// Returns the top-level module of a file, given its path below `src`. `None` for the crate root.
fn layer_of(file: &str) -> Option<&str> {
    let first = file.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "lib").then_some(name)
}

/// Returns the number of modules that a file is inside: 1 for `clock.rs` and `json/mod.rs`.
fn depth_of(file: &str) -> usize {
    let parts = file.split('/').count();
    match file.ends_with("/mod.rs") {
        true => parts - 1,
        false => parts,
    }
}

/// Returns the top-level modules that the map lists below `carafe-core`, in its order.
fn listed_modules(map: &str) -> Vec<&str> {
    map.lines()
        .filter(|line| line.starts_with("| `├ ") || line.starts_with("| `└ "))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|name| name.trim_start_matches(['├', '└', ' ']))
        .map(|name| name.trim_end_matches('/'))
        .map(|name| name.strip_suffix(".rs").unwrap_or(name))
        .collect()
}

/// Returns the paths in `source` that lead to a higher layer than the layer of `file`.
fn upward_imports(file: &str, source: &str) -> impl Iterator<Item = String> {
    let rank = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let own = layer_of(file).and_then(rank);
    crate_paths(&code_of(source), depth_of(file))
        .into_iter()
        // The crate root re-exports, so a name that is not a module may be of any layer.
        .filter(move |name| own.is_some_and(|own| rank(name).is_none_or(|rank| rank > own)))
        .map(|name| format!("crate::{name}"))
}

/// Returns the first name of each path that starts at the crate root, in a file `depth` modules
/// below the root.
fn crate_paths(code: &str, depth: usize) -> BTreeSet<String> {
    let tokens = tokens(code);
    let mut found = BTreeSet::new();
    let is_path = |at: usize| tokens.get(at) == Some(&"::");
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        at += 1;
        let is_continued = start.checked_sub(1).is_some_and(is_path);
        let end = match tokens[start] {
            "crate" if is_path(start + 1) => start + 2,
            "super" if !is_continued => {
                let supers = (start..)
                    .step_by(2)
                    .take_while(|&at| tokens.get(at) == Some(&"super") && is_path(at + 1))
                    .count();
                if supers == 0 || supers < depth {
                    continue;
                }
                start + 2 * supers
            }
            _ => continue,
        };
        match tokens.get(end) {
            Some(&"{") => found.extend(first_names(&tokens[end + 1..])),
            Some(name) => _ = found.insert((*name).to_owned()),
            None => {}
        }
        at = end;
    }
    found
}

/// Returns the first name of each entry of a use tree, starting after its opening brace.
fn first_names(tokens: &[&str]) -> Vec<String> {
    let (mut depth, mut is_first) = (0, true);
    let mut names = Vec::new();
    for token in tokens {
        match *token {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            "," if depth == 0 => is_first = true,
            name if is_first => {
                if name != "self" {
                    names.push(name.to_owned());
                }
                is_first = false;
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upward(file: &str, source: &str) -> Vec<String> {
        upward_imports(file, source).collect()
    }

    #[test]
    fn imports_from_higher_layers_are_found_in_every_spelling() {
        for source in [
            "use crate::session::Session;",
            "pub use crate::session;",
            "use crate :: { clock::Timestamp, session::{Slot, Loaded}, json };",
            "fn f() -> crate::session::Slot { loop {} }",
            "use super::super::session::Slot;",
            "use super::super::{clock, session::Slot};",
            "#[cfg(feature = \"x\")]\nuse crate::session::Slot;",
            "#[cfg(not(test))]\nuse crate::session::Slot;",
            "const C: char = '\"'; use crate::session::Slot; const D: char = '\"';",
            "const C: &str = r#\"a\"b\"#; use crate::session::Slot;",
            "fn f<'a>(x: &'a str) {} use crate::session::Slot;",
            "#[cfg(test)]\nmod tests { use crate::flask::A; }\nuse crate::session::Slot;",
            "#[cfg(test)]\nmod tests;\nuse crate::session::Slot;",
        ] {
            let found = upward("store/memory.rs", source);
            assert_eq!(found, ["crate::session"], "{source}");
        }
        let root = upward("store/memory.rs", "use crate::MaybeReady;");
        assert_eq!(root, ["crate::MaybeReady"]);
    }

    #[test]
    fn other_imports_are_accepted() {
        for source in [
            "use crate::{clock::Timestamp, data::{Access, Patch}, store::Record};",
            "use super::{Record, session::Slot};",
            "/// See [`Slot`](crate::session::Slot).\nstruct A;",
            "// use crate::session;\n/* crate::session /* */ crate::flask */",
            "const TEXT: &str = \"use crate::session\";",
            "const TEXT: &[u8] = br##\"crate::session\"#crate::flask\"##;",
            "#[cfg(test)]\nmod tests { fn f(a: [u8; 2]) { use crate::session::Slot; } }",
            "#[cfg(all(test, feature = \"x\"))]\nuse crate::session::Slot;",
            "pub(crate) fn f() {} pub(in crate::store) fn g() {}",
            "mod crate_session { fn session() {} }",
        ] {
            let found = upward("store/memory.rs", source);
            assert!(found.is_empty(), "{source}: {found:?}");
        }
        assert!(upward("lib.rs", "pub use crate::session::Slot;").is_empty());
    }

    #[test]
    fn the_depth_of_a_file_decides_what_super_means() {
        let source = "use super::session::Slot;";
        assert_eq!(upward("limits.rs", source), ["crate::session"]);
        assert_eq!(upward("store/mod.rs", source), ["crate::session"]);
        assert!(upward("store/url.rs", source).is_empty());
    }

    #[test]
    fn the_map_lists_modules_in_its_first_column() {
        let map = "| `crates/x` | a `├ no` |\n| `├ clock.rs` | `a` |\n| `├ json/` | b |\n\
                   | `└ axum.rs`, `actix.rs` | c |\n";
        assert_eq!(listed_modules(map), ["clock", "json", "axum", "actix"]);
    }
}
