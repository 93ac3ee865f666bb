//! Prepares a fresh Debian or Ubuntu machine for all tests. A second call does nothing.
//!
//! System packages are installed by apt if the commands that they provide do not work yet. All
//! other tools are below `target/`: Python environments from the pinned requirement files, and
//! cargo subcommands. Nothing is started.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{cargo, program};
use crate::shell::{Outcome, Shell};

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

pub(crate) fn setup(shell: &mut Shell, _: &[String]) -> Outcome {
    for_tests(shell)?;
    shell.step("Tool cargo-deny", |shell| tool(shell, &CARGO_DENY))
}

/// Installs the requirements of `cargo xtask test`.
pub(crate) fn for_tests(shell: &mut Shell) -> Outcome {
    shell.step("System packages", |shell| packages(shell, FOR_TESTS))?;
    for_browser(shell)?;
    ENVIRONMENTS.iter().try_for_each(|(name, requirements)| {
        shell.step(&format!("Python environment {name}"), |shell| {
            environment(shell, name, requirements)
        })
    })?;
    NODE_PACKAGES.iter().try_for_each(|(name, lock)| {
        shell.step(&format!("Node packages {name}"), |shell| {
            node_packages(shell, name, lock)
        })
    })
}

/// Installs the requirements of the browser tests and of the demo's pictures.
pub(crate) fn for_browser(shell: &mut Shell) -> Outcome {
    shell.step("Browser", |shell| packages(shell, FOR_BROWSER))
}

/// Installs the requirements of counting instructions.
pub(crate) fn for_instructions(shell: &mut Shell) -> Outcome {
    shell.step("System packages", |shell| packages(shell, FOR_INSTRUCTIONS))
}

/// Returns the Python with the packages of `interop/requirements.txt`.
pub(crate) fn python(shell: &Shell) -> PathBuf {
    shell.target("venv/interop/bin/python")
}

/// Returns the path of a tool.
pub(crate) fn program_of(shell: &Shell, tool: &Tool) -> PathBuf {
    shell.target("tools/bin").join(tool.name)
}

/// Builds a tool unless this version exists.
pub(crate) fn tool(shell: &Shell, tool: &Tool) -> Outcome {
    let Tool { name, version } = tool;
    let said = shell.probe(program(program_of(shell, tool), ["--version"]));
    if said.is_some_and(|said| said.trim().ends_with(version)) {
        println!("{name} {version} is there");
        return Ok(());
    }
    // unoptimized: the tools run for a second and take five minutes to optimize
    let mut install = cargo("install --debug --locked --force");
    install
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .args([*name, "--version", &format!("={version}")]);
    shell.run(install.arg("--root").arg(shell.target("tools")))
}

fn packages(shell: &Shell, wanted: &[Package]) -> Outcome {
    let missing: Vec<&Package> = wanted
        .iter()
        .filter(|package| !package.is_proven(shell))
        .collect();
    if missing.is_empty() {
        println!("all are there");
        return Ok(());
    }
    for Package { name, why, .. } in &missing {
        println!("{name}: {why}");
    }
    let names = missing.iter().map(|package| package.name);
    apt_get(shell, &["update", "--quiet"])?;
    apt_get(
        shell,
        &["install", "--quiet", "--yes", "--no-install-recommends"]
            .into_iter()
            .chain(names)
            .collect::<Vec<_>>(),
    )?;
    match missing.iter().find(|package| !package.is_proven(shell)) {
        Some(package) if !shell.is_dry() => {
            Err(format!("{} is installed and still does not work", package.name).into())
        }
        _ => Ok(()),
    }
}

impl Package {
    fn is_proven(&self, shell: &Shell) -> bool {
        self.proofs
            .iter()
            .any(|proof| shell.probe(program(proof[0], &proof[1..])).is_some())
    }
}

/// Runs apt without prompts, through sudo unless the user is root.
fn apt_get(shell: &Shell, arguments: &[&str]) -> Outcome {
    let is_root = shell
        .probe(program("id", ["-u"]))
        .is_some_and(|id| id.trim() == "0");
    let words = if is_root {
        &["env"][..]
    } else {
        &["sudo", "env"]
    };
    let mut apt = program(words[0], &words[1..]);
    shell.run(
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(arguments),
    )
}

/// Creates an environment unless its stamp contains the exact text of the requirement file.
pub(crate) fn environment(shell: &Shell, name: &str, requirements: &str) -> Outcome {
    let home = shell.target("venv").join(name);
    let (python, stamp) = (home.join("bin/python"), home.join("requirements.stamp"));
    let text = read(&shell.path(requirements))?;
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == text) {
        println!("{} is there", home.display());
        return Ok(());
    }
    shell.run(program("python3", ["-m", "venv", "--clear"]).arg(&home))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        requirements,
    ];
    shell.run(&mut program(python, install))?;
    if shell.is_dry() {
        Ok(())
    } else {
        write(&stamp, &text)
    }
}

/// Installs npm packages unless their stamp contains the exact text of the lock file.
fn node_packages(shell: &Shell, name: &str, folder: &str) -> Outcome {
    let home = shell.target("node").join(name);
    let stamp = home.join("package-lock.stamp");
    let lock = read(&shell.path(folder).join("package-lock.json"))?;
    if fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == lock) {
        println!("{} is there", home.display());
        return Ok(());
    }
    if !shell.is_dry() {
        fs::create_dir_all(&home)
            .map_err(|why| format!("cannot make {}: {why}", home.display()))?;
        for name in ["package.json", "package-lock.json"] {
            let text = read(&shell.path(folder).join(name))?;
            write(&home.join(name), &text)?;
        }
    }
    let mut install = program("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    shell.run(install.arg("--prefix").arg(&home))?;
    if shell.is_dry() {
        Ok(())
    } else {
        write(&stamp, &lock)
    }
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|why| format!("cannot read {}: {why}", path.display()).into())
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(|why| format!("cannot write {}: {why}", path.display()).into())
}
