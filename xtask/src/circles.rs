//! Checks that the modules of each crate import in no circle.
//!
//! A file imports from another one if it names an item of it, through a `use` or in a path.
//! Re-exports are followed to the file that defines the item. A `mod.rs` that only re-exports its
//! children imports nothing. Tests and the conformance suites are left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::{
    source::{code_of, collect, tokens},
    steps::{Outcome, Steps},
};

/// The folders of crates, or of folders with crates.
const FOLDERS: &[&str] = &["crates", "demo", "testkit", "xtask"];
/// Re-exports of re-exports that are followed.
const MAX_REEXPORTS: usize = 8;

pub(crate) fn imports_have_no_circle(steps: &Steps) -> Outcome {
    let mut found = Vec::new();
    for source in sources(steps)? {
        let mut files = Vec::new();
        collect(&steps.path(&source), "", &mut files)?;
        let circles = Crate::new(&files).circles();
        found.extend(circles.iter().map(|circle| format!("{source}: {circle}")));
    }
    match found.as_slice() {
        [] => Ok(()),
        _ => Err(format!("imports in a circle:\n{}", found.join("\n")).into()),
    }
}

/// Returns the `src` folders of the repository's crates.
fn sources(steps: &Steps) -> Outcome<Vec<String>> {
    let mut crates = Vec::new();
    for folder in FOLDERS {
        crates.push((*folder).to_owned());
        for entry in fs::read_dir(steps.path(folder))? {
            let name = entry?.file_name();
            crates.push(format!("{folder}/{}", name.to_string_lossy()));
        }
    }
    let sources = crates.iter().map(|folder| format!("{folder}/src"));
    let mut sources: Vec<_> = sources.filter(|src| steps.path(src).is_dir()).collect();
    sources.sort();
    Ok(sources)
}

/// A path of names, such as `crate::store::Record`.
type Path = Vec<String>;

/// The modules of a crate by their paths; the crate root has an empty one.
struct Crate<'f> {
    modules: BTreeMap<Path, Module<'f>>,
}

/// A file.
struct Module<'f> {
    file: &'f str,
    uses: Vec<Use>,
    /// Paths outside of `use` declarations.
    paths: Vec<Path>,
}

/// A name that a `use` declaration brings into a file.
#[derive(Debug, PartialEq, Eq)]
struct Use {
    path: Path,
    name: String,
    is_public: bool,
}

impl<'f> Crate<'f> {
    fn new(files: &'f [(String, String)]) -> Self {
        let module = |(file, source): &'f (String, String)| {
            let code = code_of(source);
            let (uses, paths) = Reader::new(&code).read();
            (path_of(file), Module { file, uses, paths })
        };
        Self {
            modules: files.iter().map(module).collect(),
        }
    }

    /// Returns a description of each circle.
    fn circles(&self) -> Vec<String> {
        let edges = self.edges();
        let (mut circles, mut seen) = (Vec::new(), BTreeSet::new());
        for &from in edges.keys() {
            let ahead = reachable(&edges, from);
            if seen.contains(from) || !ahead.contains(from) {
                continue;
            }
            let is_back = |to: &&str| reachable(&edges, to).contains(from);
            let members: BTreeSet<_> = ahead.into_iter().filter(is_back).collect();
            let mut inside = Vec::new();
            for member in &members {
                let targets = edges[member].intersection(&members);
                inside.extend(targets.map(|to| format!("{member} -> {to}")));
            }
            circles.push(inside.join(", "));
            seen.extend(members);
        }
        circles
    }

    /// Returns the files that each file imports from.
    fn edges(&self) -> BTreeMap<&'f str, BTreeSet<&'f str>> {
        let edges = self.modules.iter().map(|(path, module)| {
            let targets = self.imports(path, module);
            let targets = targets.filter_map(|import| self.resolve(path, &import, 0));
            let files = targets.filter_map(|target| self.modules.get(&target));
            let others = files.map(|target| target.file);
            (
                module.file,
                others.filter(|to| *to != module.file).collect(),
            )
        });
        edges.collect()
    }

    /// Returns the paths that a module names, with the names that it has imported replaced.
    fn imports(&self, path: &Path, module: &Module<'_>) -> impl Iterator<Item = Path> {
        let is_index = self
            .modules
            .keys()
            .any(|other| other.starts_with(path) && other != path);
        let uses = module.uses.iter();
        let uses = uses.filter(move |import| !(import.is_public && is_index));
        let paths = module.paths.iter().map(|path| {
            let import = module.uses.iter().find(|import| import.name == path[0]);
            match import {
                Some(import) => [&import.path[..], &path[1..]].concat(),
                None => path.clone(),
            }
        });
        let all: Vec<_> = uses
            .map(|import| import.path.clone())
            .chain(paths)
            .collect();
        all.into_iter()
    }

    /// Returns the module of the item of a path that is used in the module `from`. `None`
    /// for items of other crates.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let supers = path.iter().take_while(|name| *name == "super").count();
        match first.as_str() {
            "crate" => self.find(Path::new(), rest, depth),
            "self" => self.find(from.to_vec(), rest, depth),
            "super" => {
                let base = from.len().checked_sub(supers)?;
                self.find(from[..base].to_vec(), &path[supers..], depth)
            }
            _ => {
                let child = [from, std::slice::from_ref(first)].concat();
                let is_child = self.modules.contains_key(&child);
                is_child.then(|| self.find(child, rest, depth)).flatten()
            }
        }
    }

    /// Follows a path down from `module`, through re-exports.
    fn find(&self, mut module: Path, mut path: &[String], depth: usize) -> Option<Path> {
        while let Some((first, rest)) = path.split_first() {
            module.push(first.clone());
            if !self.modules.contains_key(&module) {
                module.pop();
                break;
            }
            path = rest;
        }
        let uses = self
            .modules
            .get(&module)
            .map_or(&[][..], |found| &found.uses);
        let name = path.first();
        match uses.iter().find(|import| Some(&import.name) == name) {
            Some(import) if depth < MAX_REEXPORTS => {
                let whole = [&import.path[..], &path[1..]].concat();
                self.resolve(&module, &whole, depth + 1)
            }
            _ => Some(module),
        }
    }
}

/// Returns the module path of a file below `src`.
fn path_of(file: &str) -> Path {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let mut path: Path = path.split('/').map(str::to_owned).collect();
    path.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
    path
}

/// Returns the files that can be reached from `from` in at least one step.
fn reachable<'f>(edges: &BTreeMap<&'f str, BTreeSet<&'f str>>, from: &str) -> BTreeSet<&'f str> {
    let mut found = BTreeSet::new();
    let mut next: Vec<_> = edges.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = next.pop() {
        if found.insert(file) {
            next.extend(edges.get(file).into_iter().flatten().copied());
        }
    }
    found
}

/// Reads the paths in the code of a file.
struct Reader<'c> {
    tokens: Vec<&'c str>,
    at: usize,
    uses: Vec<Use>,
    paths: Vec<Path>,
    /// Open braces.
    depth: usize,
    /// The depths inside of modules that stand in the file.
    inner_modules: Vec<usize>,
}

impl<'c> Reader<'c> {
    fn new(code: &'c str) -> Self {
        Self {
            tokens: tokens(code),
            at: 0,
            uses: Vec::new(),
            paths: Vec::new(),
            depth: 0,
            inner_modules: Vec::new(),
        }
    }

    fn read(mut self) -> (Vec<Use>, Vec<Path>) {
        while let Some(token) = self.next() {
            match token {
                "{" => self.depth += 1,
                "}" => {
                    self.inner_modules.pop_if(|inside| *inside == self.depth);
                    self.depth = self.depth.saturating_sub(1);
                }
                "mod" if self.peek(1) == Some("{") => self.inner_modules.push(self.depth + 1),
                "use" => {
                    let is_public = self.is_behind_visibility();
                    self.tree(&Path::new(), is_public);
                }
                name if is_name(name) && self.peek(0) == Some("::") => self.path(name),
                _ => {}
            }
        }
        (self.uses, self.paths)
    }

    fn next(&mut self) -> Option<&'c str> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn peek(&self, ahead: usize) -> Option<&'c str> {
        self.tokens.get(self.at + ahead).copied()
    }

    /// Whether `pub` or `pub(…)` is before the keyword that was read.
    fn is_behind_visibility(&self) -> bool {
        let before = self.at.checked_sub(2).and_then(|at| self.tokens.get(at));
        matches!(before, Some(&"pub" | &")"))
    }

    /// Reads a path of at least two names in an expression or a type.
    fn path(&mut self, first: &str) {
        let mut path = vec![first.to_owned()];
        while self.peek(0) == Some("::") && self.peek(1).is_some_and(is_name) {
            path.extend(self.peek(1).map(str::to_owned));
            self.at += 2;
        }
        if path.len() > 1
            && let Some(path) = self.relative_to_file(path)
        {
            self.paths.push(path);
        }
    }

    /// Reads a use tree below `prefix`.
    fn tree(&mut self, prefix: &Path, is_public: bool) {
        let mut path = prefix.clone();
        while let Some(token) = self.peek(0) {
            match token {
                "{" => {
                    self.at += 1;
                    while !matches!(self.peek(0), Some("}") | None) {
                        let start = self.at;
                        self.tree(&path, is_public);
                        // A comma, or what a macro has instead of a name.
                        if self.peek(0) == Some(",") || self.at == start {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    self.at += 1;
                    path.push("*".to_owned());
                }
                "as" => {
                    let name = self.peek(1).unwrap_or("_").to_owned();
                    self.at += 2;
                    self.uses.extend(self.import(path, Some(name), is_public));
                    return;
                }
                name if is_name(name) => {
                    self.at += 1;
                    path.push(name.to_owned());
                }
                "::" => self.at += 1,
                _ => break,
            }
        }
        self.uses.extend(self.import(path, None, is_public));
    }

    fn import(&self, mut path: Path, name: Option<String>, is_public: bool) -> Option<Use> {
        if path.len() > 1 {
            path.pop_if(|last| last == "self");
        }
        let name = name.or_else(|| path.last().cloned())?;
        Some(Use {
            path: self.relative_to_file(path)?,
            name,
            is_public,
        })
    }

    /// Returns a path as the file would write it, outside of modules that stand in it. `None` for
    /// the paths that stay in such a module.
    fn relative_to_file(&self, path: Path) -> Option<Path> {
        let inner = self.inner_modules.len();
        let supers = path.iter().take_while(|name| *name == "super").count();
        match path[0].as_str() {
            "crate" => Some(path),
            _ if inner == 0 => Some(path),
            "super" if supers > inner => Some(path[inner..].to_vec()),
            "super" if supers == inner => Some([&["self".to_owned()][..], &path[inner..]].concat()),
            _ => None,
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files
            .iter()
            .map(|(file, source)| ((*file).to_owned(), (*source).to_owned()))
            .collect();
        Crate::new(&files).circles()
    }

    /// `a.rs` with `source` beside `b.rs`, which imports from it.
    fn with_import_of_a(source: &str) -> Vec<String> {
        circles(&[
            ("lib.rs", "mod a; mod b; pub use b::B;"),
            ("a.rs", source),
            ("b.rs", "use crate::a::A; pub struct B(A);"),
        ])
    }

    #[test]
    fn a_circle_is_found_in_every_spelling() {
        for source in [
            "use crate::b::B;",
            "use super::b::B;",
            "pub use crate::b::B;",
            "use crate::B;",
            "use crate::{c::C, b::{self, B as Other}};",
            "use crate::b; fn f() { b::f() }",
            "fn f() -> crate::b::B { loop {} }",
            "fn f() -> super::B { loop {} }",
            "mod inside { use super::super::b::B; }",
            "mod inside { use crate::b::B; }",
            "#[cfg(test)] mod tests { use crate::c::C; } use crate::b::B;",
        ] {
            let found = with_import_of_a(source);
            assert_eq!(found, ["a.rs -> b.rs, b.rs -> a.rs"], "{source}");
        }
    }

    #[test]
    fn other_paths_make_no_circle() {
        for source in [
            "use std::fmt; use b::B;",
            "use ::b::B;",
            "/// See [`B`](crate::b::B).\npub struct A;",
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "mod inside { use super::b::B; pub mod b { pub struct B; } }",
            "const A: &str = \"crate::b::B\";",
            "use crate::b_other::B;",
        ] {
            let found = with_import_of_a(source);
            assert!(found.is_empty(), "{source}: {found:?}");
        }
    }

    #[test]
    fn an_index_may_re_export_but_not_use_what_uses_it() {
        let child = ("a/child.rs", "use super::T; pub fn f(_: T) {}");
        let index = |source| circles(&[("lib.rs", "mod a;"), ("a/mod.rs", source), child]);
        let found = ["a/child.rs -> a/mod.rs, a/mod.rs -> a/child.rs"];
        assert_eq!(
            index("mod child; pub struct T; fn g() { child::f(T) }"),
            found
        );
        assert_eq!(index("mod child; use child::f; pub struct T;"), found);
        assert!(index("mod child; pub use child::f; pub struct T;").is_empty());
        assert!(index("mod child; pub(crate) use child::f; pub struct T;").is_empty());
    }

    #[test]
    fn a_re_export_leads_to_the_file_that_has_the_item() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod x; mod y; pub use x::X; pub use y::Y;"),
            ("a/x.rs", "use crate::b::B; pub struct X(B);"),
            ("a/y.rs", "pub struct Y;"),
            ("b.rs", "use crate::a::Y; pub struct B(Y);"),
        ];
        assert!(circles(&files).is_empty());
        let mut other = files;
        other[4].1 = "use crate::a; pub struct B(Option<Box<a::X>>);";
        assert_eq!(circles(&other), ["a/x.rs -> b.rs, b.rs -> a/x.rs"]);
    }

    #[test]
    fn each_circle_is_named_once_with_its_imports() {
        let found = circles(&[
            (
                "main.rs",
                "mod a; mod b; mod c; mod d; mod e; fn main() { a::f() }",
            ),
            ("a.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::a::A; use crate::d::D; pub struct C;"),
            ("d.rs", "use crate::e::E; pub struct D;"),
            ("e.rs", "use crate::d::D; pub struct E;"),
        ]);
        let first = "a.rs -> b.rs, b.rs -> c.rs, c.rs -> a.rs";
        assert_eq!(found, [first, "d.rs -> e.rs, e.rs -> d.rs"]);
    }
}
