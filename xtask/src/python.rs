//! Builds the wheel of flask-carafe and tests it as users install it: in a separate environment,
//! from the wheel alone.

use std::path::PathBuf;

use xshell::cmd;

use crate::setup;
use crate::steps::{Outcome, Steps};

const FOLDER: &str = "python/flask-carafe";
const MANIFEST: &str = "python/flask-carafe/Cargo.toml";
const BUILD: &str = "python/flask-carafe/requirements-build.txt";
const TESTS: &str = "python/flask-carafe/tests/suites/requirements.txt";
/// The environments below `target/venv`.
const BUILDER: &str = "wheel";
const TESTER: &str = "flask-carafe";

/// Builds the wheel for users, in `target/wheels`.
pub(crate) fn wheel(steps: &Steps, _: &[String]) -> Outcome {
    build(steps, "Wheel", "release", "wheels")
}

/// Runs only the checks and tests of flask-carafe.
pub(crate) fn alone(steps: &Steps, _: &[String]) -> Outcome {
    setup::for_tests(steps)?;
    lint(steps)?;
    test(steps)
}

/// Runs the tests of flask-carafe with a wheel that is built without optimization.
pub(crate) fn test(steps: &Steps) -> Outcome {
    build(steps, "Wheel for the tests", "dev", "wheels/tests")?;
    steps.step("Python environment flask-carafe", |steps| {
        setup::environment(steps, TESTER, TESTS)?;
        let (python, wheels) = (tester(steps), steps.target("wheels/tests"));
        steps.run(cmd!(
            steps.sh,
            "{python} -m pip install --quiet --disable-pip-version-check --no-index --no-deps
             --force-reinstall --find-links {wheels} flask-carafe"
        ))
    })?;
    let python = tester(steps);
    // The settings of the package apply in its folder.
    let in_folder =
        |arguments: &str| cmd!(steps.sh, "env -C {FOLDER} {python}").args(arguments.split(' '));
    let format = in_folder("-m ruff format --check src tests ../../bench/python");
    steps.step_of("Format of flask-carafe", format)?;
    let lints = in_folder("-m ruff check src tests ../../bench/python");
    steps.step_of("Lints of flask-carafe", lints)?;
    steps.step_of("Types of flask-carafe", in_folder("-m mypy src"))?;
    let pyright = in_folder("-m pyright --warnings --pythonpath").arg(&python);
    steps.step_of("Types of flask-carafe by pyright", pyright.arg("src"))?;
    let tests = in_folder("-m pytest -q -p no:cacheprovider tests --ignore tests/suites");
    steps.step_of("Tests of flask-carafe", tests)?;
    let suites = in_folder("tests/suites/upstream.py");
    steps.step_of("Suites of other projects on flask-carafe", suites)
}

/// Checks the crate of the wheel, which has its own workspace and lock file.
pub(crate) fn lint(steps: &Steps) -> Outcome {
    let format = cmd!(steps.sh, "cargo fmt --check --manifest-path {MANIFEST}");
    steps.step_of("Format of the module for Python", format)?;
    let clippy = cmd!(
        steps.sh,
        "cargo clippy --locked --manifest-path {MANIFEST} -- -D warnings"
    );
    steps.step_of("Clippy on the module for Python", clippy)
}

fn build(steps: &Steps, name: &str, profile: &str, folder: &str) -> Outcome {
    steps.step("Python environment wheel", |steps| {
        setup::environment(steps, BUILDER, BUILD)
    })?;
    steps.step(name, |steps| {
        let out = steps.target(folder);
        if !steps.is_dry() && out.exists() {
            // Only one wheel may exist, so that an older one is never tested.
            for path in steps.sh.read_dir(&out)? {
                if path.extension().is_some_and(|end| end == "whl") {
                    steps.sh.remove_path(path)?;
                }
            }
        }
        let maturin = steps.target("venv").join(BUILDER).join("bin/maturin");
        steps.run(cmd!(
            steps.sh,
            "{maturin} build --locked --profile {profile} --manifest-path {MANIFEST} --out {out}"
        ))
    })
}

/// Returns the Python of the environment with the wheel.
fn tester(steps: &Steps) -> PathBuf {
    steps.target("venv").join(TESTER).join("bin/python")
}
