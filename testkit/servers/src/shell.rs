//! Runs programs to completion.

use std::process::{Command, Stdio};

/// Runs a command; returns whether it succeeded, and its output.
pub(crate) fn run(command: &[String]) -> (bool, String) {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; cargo xtask setup", command[0]));
    let good = output.status.success();
    let errors = if good { Vec::new() } else { output.stderr };
    let said = [output.stdout, errors].concat();
    (good, String::from_utf8_lossy(&said).into_owned())
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
