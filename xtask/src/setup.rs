//! Prepares a fresh Debian or Ubuntu machine for all tests. A second call does nothing.
//!
//! System packages are installed by apt if the commands that they provide do not work yet. All
//! other tools are below `target/`: Python environments from the pinned requirement files, and
//! cargo subcommands. Nothing is started.

use std::path::PathBuf;

use xshell::cmd;

use crate::steps::{Outcome, Steps};

/// A system package, its purpose, and commands: if one of them works, the package is not needed.
struct Package {
    name: &'static str,
    why: &'static str,
    proofs: &'static [&'static [&'static str]],
}

const FOR_TESTS: &[Package] = &[
    Package {
        name: "python3-venv",
        why: "private environments for the real Flask and its kin",
        proofs: &[&["python3", "-c", "import ensurepip, venv"]],
    },
    Package {
        name: "redis-server",
        why: "the Redis store against Redis, its cluster and Sentinel",
        proofs: &[&["redis-server", "--version"]],
    },
    Package {
        name: "memcached",
        why: "the example of a store over memcached",
        proofs: &[&["memcached", "--version"]],
    },
    Package {
        name: "postgresql",
        why: "the SQL store against Postgres",
        proofs: &[&["sh", "-c", "ls /usr/lib/postgresql/*/bin/postgres"]],
    },
    Package {
        name: "pgbouncer",
        why: "the SQL store behind a pooler in transaction mode",
        proofs: &[
            &["/usr/sbin/pgbouncer", "--version"],
            &["pgbouncer", "--version"],
        ],
    },
    Package {
        name: "mariadb-server",
        why: "the SQL store against MariaDB",
        proofs: &[&["mariadbd", "--version"]],
    },
    Package {
        name: "nginx",
        why: "a real proxy with TLS before the console",
        proofs: &[&["/usr/sbin/nginx", "-v"], &["nginx", "-v"]],
    },
    Package {
        name: "openssl",
        why: "certificates for the tests with TLS",
        proofs: &[&["openssl", "version"]],
    },
    Package {
        name: "procps",
        why: "stops and continues servers under test",
        proofs: &[&["pgrep", "--version"]],
    },
    Package {
        name: "util-linux",
        why: "Postgres refuses to run as root: setpriv",
        proofs: &[&["setpriv", "--version"]],
    },
    Package {
        name: "nodejs",
        why: "access tokens against jose, log-ins at an OpenID provider",
        proofs: &[&["node", "--version"]],
    },
    Package {
        name: "npm",
        why: "installs jose and oidc-provider below target/node",
        proofs: &[&["npm", "--version"]],
    },
];

const FOR_BROWSER: &[Package] = &[Package {
    name: "chromium",
    why: "the demo as its visitors see it, and cookies as a browser stores them",
    proofs: &[
        &["chromium", "--version"],
        &["chromium-browser", "--version"],
        &["google-chrome", "--version"],
    ],
}];

const FOR_INSTRUCTIONS: &[Package] = &[Package {
    name: "valgrind",
    why: "counts instructions where time is too noisy",
    proofs: &[&["valgrind", "--version"]],
}];

/// Python environments below `target/venv` and their requirement files.
///
/// `interop/environments.py` contains the same list.
const ENVIRONMENTS: &[(&str, &str)] = &[
    ("interop", "interop/requirements.txt"),
    ("oldest", "interop/requirements-oldest.txt"),
    ("old-parser", "interop/requirements-old-parser.txt"),
    ("flask-login", "interop/requirements-flask-login.txt"),
    ("tokens", "interop/requirements-tokens.txt"),
];

/// Folders below `target/node` for npm packages, and the folders with their lock files.
const NODE_PACKAGES: &[(&str, &str)] = &[("tokens", "interop/tokens"), ("oidc", "interop/oidc")];

/// A cargo subcommand that is built from source, once, into `target/tools`.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};
pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
};

pub(crate) fn setup(steps: &Steps, _: &[String]) -> Outcome {
    for_tests(steps)?;
    steps.step("Tool cargo-deny", |steps| tool(steps, &CARGO_DENY))
}

/// Installs the requirements of `cargo xtask test`.
pub(crate) fn for_tests(steps: &Steps) -> Outcome {
    steps.step("System packages", |steps| packages(steps, FOR_TESTS))?;
    for_browser(steps)?;
    ENVIRONMENTS.iter().try_for_each(|(name, requirements)| {
        steps.step(&format!("Python environment {name}"), |steps| {
            environment(steps, name, requirements)
        })
    })?;
    NODE_PACKAGES.iter().try_for_each(|(name, lock)| {
        steps.step(&format!("Node packages {name}"), |steps| {
            node_packages(steps, name, lock)
        })
    })
}

/// Installs the requirements of the browser tests and of the demo's pictures.
pub(crate) fn for_browser(steps: &Steps) -> Outcome {
    steps.step("Browser", |steps| packages(steps, FOR_BROWSER))
}

/// Installs the requirements of counting instructions.
pub(crate) fn for_instructions(steps: &Steps) -> Outcome {
    steps.step("System packages", |steps| packages(steps, FOR_INSTRUCTIONS))
}

/// Returns the Python with the packages of `interop/requirements.txt`.
pub(crate) fn python(steps: &Steps) -> PathBuf {
    steps.target("venv/interop/bin/python")
}

/// Returns the path of a tool.
pub(crate) fn program_of(steps: &Steps, tool: &Tool) -> PathBuf {
    steps.target("tools/bin").join(tool.name)
}

/// Builds a tool unless this version exists.
pub(crate) fn tool(steps: &Steps, tool: &Tool) -> Outcome {
    let Tool { name, version } = tool;
    let built = program_of(steps, tool);
    let said = cmd!(steps.sh, "{built} --version").ignore_stderr().read();
    if said.is_ok_and(|said| said.ends_with(version)) {
        println!("{name} {version} is there");
        return Ok(());
    }
    // unoptimized: the tools run for a second and take five minutes to optimize
    let tools = steps.target("tools");
    let install = cmd!(
        steps.sh,
        "cargo install --debug --locked --force {name} --version ={version} --root {tools}"
    );
    steps.run(install.env("CARGO_PROFILE_DEV_DEBUG", "0"))
}

fn packages(steps: &Steps, wanted: &[Package]) -> Outcome {
    let missing: Vec<&Package> = wanted
        .iter()
        .filter(|package| !package.is_proven(steps))
        .collect();
    if missing.is_empty() {
        println!("all are there");
        return Ok(());
    }
    for Package { name, why, .. } in &missing {
        println!("{name}: {why}");
    }
    let names = missing.iter().map(|package| package.name);
    apt_get(steps, &["update", "--quiet"])?;
    apt_get(
        steps,
        &["install", "--quiet", "--yes", "--no-install-recommends"]
            .into_iter()
            .chain(names)
            .collect::<Vec<_>>(),
    )?;
    match missing.iter().find(|package| !package.is_proven(steps)) {
        Some(package) if !steps.is_dry() => {
            Err(format!("{} is installed and still does not work", package.name).into())
        }
        _ => Ok(()),
    }
}

impl Package {
    fn is_proven(&self, steps: &Steps) -> bool {
        self.proofs.iter().any(|proof| {
            let command = steps.sh.cmd(proof[0]).args(&proof[1..]).quiet();
            command.ignore_stdout().ignore_stderr().run().is_ok()
        })
    }
}

/// Runs apt without prompts, through sudo unless the user is root.
fn apt_get(steps: &Steps, arguments: &[&str]) -> Outcome {
    let is_root = cmd!(steps.sh, "id -u").read().is_ok_and(|id| id == "0");
    let env = if is_root {
        cmd!(steps.sh, "env")
    } else {
        cmd!(steps.sh, "sudo env")
    };
    steps.run(
        env.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(arguments),
    )
}

/// Creates an environment unless its stamp contains the exact text of the requirement file.
pub(crate) fn environment(steps: &Steps, name: &str, requirements: &str) -> Outcome {
    let home = steps.target("venv").join(name);
    let (python, stamp) = (home.join("bin/python"), home.join("requirements.stamp"));
    let text = steps.sh.read_file(requirements)?;
    let stamped = steps.sh.read_file(&stamp);
    if python.exists() && stamped.is_ok_and(|stamped| stamped == text) {
        println!("{} is there", home.display());
        return Ok(());
    }
    steps.run(cmd!(steps.sh, "python3 -m venv --clear {home}"))?;
    steps.run(cmd!(
        steps.sh,
        "{python} -m pip install --quiet --disable-pip-version-check --requirement {requirements}"
    ))?;
    if !steps.is_dry() {
        steps.sh.write_file(stamp, text)?;
    }
    Ok(())
}

/// Installs npm packages unless their stamp contains the exact text of the lock file.
fn node_packages(steps: &Steps, name: &str, folder: &str) -> Outcome {
    let home = steps.target("node").join(name);
    let stamp = home.join("package-lock.stamp");
    let lock = steps.sh.read_file(format!("{folder}/package-lock.json"))?;
    let stamped = steps.sh.read_file(&stamp);
    if stamped.is_ok_and(|stamped| stamped == lock) {
        println!("{} is there", home.display());
        return Ok(());
    }
    if !steps.is_dry() {
        steps.sh.create_dir(&home)?;
        for name in ["package.json", "package-lock.json"] {
            steps.sh.copy_file(format!("{folder}/{name}"), &home)?;
        }
    }
    steps.run(cmd!(
        steps.sh,
        "npm ci --ignore-scripts --no-audit --no-fund --prefix {home}"
    ))?;
    if !steps.is_dry() {
        steps.sh.write_file(stamp, lock)?;
    }
    Ok(())
}
