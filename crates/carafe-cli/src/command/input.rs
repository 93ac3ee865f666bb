//! Text from an argument or from standard input.

use std::io::Read as _;

use crate::failure::Failure;

/// Returns the argument, or standard input for `-`, without surrounding white space.
pub(super) fn argument_or_stdin(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.trim().to_owned());
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format_args!("cannot read standard input: {error}")))?;
    Ok(text.trim().to_owned())
}
