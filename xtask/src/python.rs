//! Builds the wheel of flask-carafe and tests it as users install it: in a separate environment,
//! from the wheel alone.

use std::fs;

use crate::command::{cargo, program};
use crate::setup;
use crate::shell::{Outcome, Shell};

const FOLDER: &str = "python/flask-carafe";
const MANIFEST: &str = "python/flask-carafe/Cargo.toml";
const BUILD: &str = "python/flask-carafe/requirements-build.txt";
const TESTS: &str = "python/flask-carafe/tests/suites/requirements.txt";
/// The environments below `target/venv`.
const BUILDER: &str = "wheel";
const TESTER: &str = "flask-carafe";

/// Builds the wheel for users, in `target/wheels`.
pub(crate) fn wheel(shell: &mut Shell, _: &[String]) -> Outcome {
    build(shell, "Wheel", "release", "wheels")
}

/// Runs only the checks and tests of flask-carafe.
pub(crate) fn alone(shell: &mut Shell, _: &[String]) -> Outcome {
    setup::for_tests(shell)?;
    lint(shell)?;
    test(shell)
}

/// Runs the tests of flask-carafe with a wheel that is built without optimization.
pub(crate) fn test(shell: &mut Shell) -> Outcome {
    build(shell, "Wheel for the tests", "dev", "wheels/tests")?;
    shell.step("Python environment flask-carafe", |shell| {
        setup::environment(shell, TESTER, TESTS)?;
        let install = "-m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall";
        let mut install = tester(shell, install);
        install.arg("--find-links").arg(shell.target("wheels/tests"));
        shell.run(install.arg("flask-carafe"))
    })?;
    for (name, arguments) in [
        ("Format of flask-carafe", "-m ruff format --check"),
        ("Lints of flask-carafe", "-m ruff check"),
        ("Types of flask-carafe", "-m mypy"),
    ] {
        let folders: &[&str] = if arguments.contains("mypy") {
            &["src"]
        } else {
            &["src", "tests", "../../bench/python"]
        };
        shell.step_of(name, in_folder(shell, arguments).args(folders))?;
    }
    let mut pyright = in_folder(shell, "-m pyright --warnings --pythonpath");
    let python = tester(shell, "");
    pyright.arg(python.get_program()).arg("src");
    shell.step_of("Types of flask-carafe by pyright", &mut pyright)?;
    shell.step_of(
        "Tests of flask-carafe",
        &mut in_folder(
            shell,
            "-m pytest -q -p no:cacheprovider tests --ignore tests/suites",
        ),
    )?;
    shell.step_of(
        "Suites of other projects on flask-carafe",
        &mut in_folder(shell, "tests/suites/upstream.py"),
    )
}

/// Checks the crate of the wheel, which has its own workspace and lock file.
pub(crate) fn lint(shell: &mut Shell) -> Outcome {
    let mut format = cargo("fmt --check --manifest-path");
    shell.step_of("Format of the module for Python", format.arg(MANIFEST))?;
    let mut clippy = cargo("clippy --locked --manifest-path");
    clippy.arg(MANIFEST).args(["--", "-D", "warnings"]);
    shell.step_of("Clippy on the module for Python", &mut clippy)
}

fn build(shell: &mut Shell, name: &str, profile: &str, folder: &str) -> Outcome {
    shell.step("Python environment wheel", |shell| {
        setup::environment(shell, BUILDER, BUILD)
    })?;
    shell.step(name, |shell| {
        let out = shell.target(folder);
        if !shell.is_dry() && out.exists() {
            // Only one wheel may exist, so that an older one is never tested.
            for entry in fs::read_dir(&out)? {
                let path = entry?.path();
                if path.extension().is_some_and(|end| end == "whl") {
                    fs::remove_file(path)?;
                }
            }
        }
        let mut maturin = program(
            shell.target("venv").join(BUILDER).join("bin/maturin"),
            ["build", "--locked"],
        );
        maturin
            .args(["--profile", profile, "--manifest-path", MANIFEST, "--out"])
            .arg(out);
        shell.run(&mut maturin)
    })
}

/// Returns a command of the environment with the wheel.
fn tester(shell: &Shell, arguments: &str) -> std::process::Command {
    let python = shell.target("venv").join(TESTER).join("bin/python");
    program(shell.path("").join(python), arguments.split_whitespace())
}

/// Like [`tester`], but in the folder of the package, whose settings apply there.
fn in_folder(shell: &Shell, arguments: &str) -> std::process::Command {
    let mut command = program("env", ["-C", FOLDER]);
    let python = tester(shell, arguments);
    command.arg(python.get_program()).args(python.get_args());
    command
}
