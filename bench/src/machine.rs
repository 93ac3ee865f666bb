//! The machine of the measurement, and the versions of the measured software.

use std::{fs, process::Command};

/// Crates for which the report shows the version.
const CRATES: &[&str] = &[
    "actix-session",
    "actix-web",
    "actix-web-httpauth",
    "aes-gcm",
    "axum",
    "axum-extra",
    "axum_session",
    "base64-simd",
    "carafe",
    "carafe-tokens",
    "cookie",
    "ed25519-dalek",
    "flate2",
    "fred",
    "hmac",
    "jsonwebtoken",
    "jwt-simple",
    "p256",
    "redis",
    "rusqlite",
    "sha1",
    "sha2",
    "sonic-rs",
    "tokio",
    "tower",
    "tower-sessions",
    "tower-sessions-redis-store",
    "zlib-rs",
];

/// Crates of the program that measures the peer's SQLite store.
const CRATES_OF_SQLX: &[&str] = &["libsqlite3-sys", "sqlx", "tower-sessions-sqlx-store"];

/// Prints date, processor, compiler and versions.
pub(crate) fn print() {
    println!("* Date: {}", said_by("date", &["--utc", "+%Y-%m-%d"]));
    println!("* Processor: {}, {} cores", processor(), cores());
    println!(
        "* Compiler: {}, release, thin LTO, one codegen unit, default target-cpu",
        said_by("rustc", &["--version"])
    );
    println!(
        "* Crates: {}",
        versions(include_str!("../Cargo.lock"), CRATES).join(", ")
    );
    println!(
        "* Crates of the peer's SQLite store: {}",
        versions(include_str!("../sqlx/Cargo.lock"), CRATES_OF_SQLX).join(", ")
    );
    println!("* Load average at the start: {}", load());
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |why| why.to_string(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// Returns the kernel's name of the processor. Adds family and model if the name is generic.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.split('\t').next() == Some(name))?;
        Some(line.split_once(": ")?.1.trim().to_owned())
    };
    let fields = ["model name", "cpu family", "model"].map(|name| field(name).unwrap_or_default());
    let [name, family, model] = fields;
    format!("{name} (family {family}, model {model})")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

/// Returns the load average of the last minute: the demand of other processes for the cores.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Returns the versions in a lock file, which may contain several versions of one crate.
fn versions(lock: &str, crates: &[&str]) -> Vec<String> {
    let mut lines = lock.lines().peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let name = quoted(line, "name = ").filter(|name| crates.contains(name));
        let version = lines.peek().and_then(|line| quoted(line, "version = "));
        if let (Some(name), Some(version)) = (name, version) {
            found.push(format!("{name} {version}"));
        }
    }
    found
}

fn quoted<'l>(line: &'l str, field: &str) -> Option<&'l str> {
    line.strip_prefix(field)
        .map(|value| value.trim_matches('"'))
}
