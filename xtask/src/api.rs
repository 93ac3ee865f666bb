//! Checks that the listings in `api/` show the public surface of the published libraries.
//!
//! A change of the surface is then a change of a listing, which a review sees. The listings contain
//! no derived, blanket or auto trait implementations. They come from rustdoc's JSON, whose version
//! depends on the toolchain: another toolchain may need another version of the crate `public-api`.

use std::{collections::BTreeSet, fs};

use xshell::cmd;

use crate::steps::{Outcome, Steps};

const CRATES: &[&str] = &[
    "carafe",
    "carafe-actix",
    "carafe-console",
    "carafe-core",
    "carafe-jwks",
    "carafe-redis",
    "carafe-sqlite",
    "carafe-sqlx",
    "carafe-tokens",
    "carafe-tokio",
];
/// The users of these crates do not name the core.
const ADAPTERS: &[&str] = &["crates/carafe/src", "crates/carafe-actix/src"];
/// The pages for users outside of `docs/`.
const PAGES: &[&str] = &["README.md", "SECURITY.md"];
/// An index of Carafe's own tests.
const TESTS: &str = "docs/assurance.md";
const CORE: &str = "carafe_core";
const BLESS: &str = "--bless";

/// Runs `cargo xtask api [--bless]`.
pub(crate) fn api(steps: &Steps, arguments: &[String]) -> Outcome {
    match arguments {
        [] => check(steps),
        [flag] if flag == BLESS => {
            describe(steps)?;
            steps.step("The listings of the public surface", bless)
        }
        _ => Err(format!("takes no arguments but {BLESS}").into()),
    }
}

/// Compares the listings with the sources.
pub(crate) fn check(steps: &Steps) -> Outcome {
    describe(steps)?;
    steps.step("The listings of the public surface", compare)
}

/// Checks that examples, pages and the adapters' documentation use the adapters' names.
pub(crate) fn pages_hide_the_core(steps: &Steps) -> Outcome {
    let mut found = Vec::new();
    for page in PAGES {
        note_lines(steps, page, &mut found, |_| true)?;
    }
    let pages = files(steps, "docs", ".md")?.into_iter();
    let examples = files(steps, "examples", ".rs")?;
    for file in pages.filter(|page| page != TESTS).chain(examples) {
        note_lines(steps, &file, &mut found, |_| true)?;
    }
    for folder in ADAPTERS {
        for file in files(steps, folder, ".rs")? {
            note_lines(steps, &file, &mut found, is_documentation)?;
        }
    }
    match found.as_slice() {
        [] => Ok(()),
        lines => Err(format!(
            "users of an adapter must not need {CORE}: {}",
            lines.join(", ")
        )
        .into()),
    }
}

/// Collects the lines of `file` that name the core and for which `counts` returns `true`.
fn note_lines(
    steps: &Steps,
    file: &str,
    found: &mut Vec<String>,
    counts: impl Fn(&str) -> bool,
) -> Outcome {
    let text = steps.sh.read_file(file)?;
    let lines = text.lines().enumerate();
    // Authors of stores import the conformance suites from the core.
    let named = lines
        .filter(|(_, line)| line.contains(CORE) && !line.contains("_conformance!") && counts(line));
    found.extend(named.map(|(at, _)| format!("{file}:{}", at + 1)));
    Ok(())
}

fn is_documentation(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn files(steps: &Steps, folder: &str, extension: &str) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(steps.path(folder)).map_err(|why| format!("{folder}: {why}"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(extension) {
            files.push(format!("{folder}/{name}"));
        }
    }
    Ok(files)
}

/// Makes rustdoc describe the libraries, with the features of the documentation build, so that no
/// dependency is built again.
fn describe(steps: &Steps) -> Outcome {
    let doc = cmd!(
        steps.sh,
        "cargo doc --workspace --lib --no-deps --all-features"
    )
    .env("RUSTDOC", steps.path("xtask/rustdoc-json"))
    .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json");
    steps.step_of("The public surface as JSON", doc)
}

fn bless(steps: &Steps) -> Outcome {
    if steps.is_dry() {
        return Ok(());
    }
    for name in CRATES {
        steps.sh.write_file(listing(name), surface(steps, name)?)?;
    }
    Ok(())
}

fn compare(steps: &Steps) -> Outcome {
    if steps.is_dry() {
        return Ok(());
    }
    let mut changes = String::new();
    for name in CRATES {
        let file = listing(name);
        let listed = steps.sh.read_file(&file).unwrap_or_default();
        let differing = difference(&listed, &surface(steps, name)?);
        if !differing.is_empty() {
            changes.push_str(&format!("\n{file}:\n{differing}"));
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the public surface has changed. If this is intended, run `cargo xtask api {BLESS}` and \
         commit api/.{changes}"
    )
    .into())
}

fn listing(name: &str) -> String {
    format!("api/{name}.txt")
}

/// Returns the public items of a crate, one per line.
fn surface(steps: &Steps, name: &str) -> Outcome<String> {
    let json = steps.target(&format!("doc/{}.json", name.replace('-', "_")));
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_auto_derived_impls(true)
        .omit_auto_trait_impls(true)
        .omit_blanket_impls(true)
        .build();
    let api = api.map_err(|why| {
        format!(
            "cannot read {}: {why}. Does the version of `public-api` in xtask/Cargo.toml read the \
             JSON of this rustdoc?",
            json.display()
        )
    })?;
    Ok(api.to_string())
}

/// Returns the lines that only one of the texts has, in order, marked with `-` and `+`.
fn difference(listed: &str, actual: &str) -> String {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        (listed.lines().collect(), actual.lines().collect());
    old.symmetric_difference(&new)
        .map(|line| {
            let mark = if old.contains(line) { '-' } else { '+' };
            format!("{mark} {line}\n")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{difference, is_documentation, pages_hide_the_core};
    use crate::steps::Steps;

    #[test]
    fn no_page_for_users_names_the_core() {
        assert!(is_documentation("    /// use carafe_core::Session;"));
        assert!(!is_documentation("use carafe_core::session::Session;"));
        pages_hide_the_core(&Steps::new(false).unwrap()).unwrap();
    }

    #[test]
    fn a_difference_shows_removed_and_added_lines_only() {
        assert_eq!(difference("a\nb\nc\n", "a\nc\nd\n"), "- b\n+ d\n");
        assert_eq!(difference("a\n", "a\n"), "");
        assert_eq!(difference("", "a\n"), "+ a\n");
    }
}
