//! The Rust peer of the comparison with the real libraries.
//!
//! Answers JSON lines; see `interop/README.md`.
//!
//! `protocol.rs` defines the lines, `settings.rs` creates Carafe's formats from a request, `ops.rs`
//! performs the operations with Carafe's public API, `mutate.rs` tries a million forgeries at a
//! time, `describe.rs` converts values to descriptions and back. The peer never corrects Carafe's
//! results.

mod describe;
mod mutate;
mod ops;
mod protocol;
mod settings;

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

/// Size of the read and write buffers, in bytes.
const BUFFER: usize = 1 << 16;

fn main() -> io::Result<()> {
    let output = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    serve(io::stdin().lock(), output)
}

/// Answers each line. Output is flushed whenever no complete line is buffered.
fn serve(input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        output.write_all(protocol::answer(&line, ops::perform).as_bytes())?;
        line.clear();
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::serve;

    fn asked(lines: &str) -> String {
        let mut output = Vec::new();
        serve(lines.as_bytes(), &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn the_example_of_the_readme() {
        let readme = include_str!("../../README.md");
        let mut example = readme.lines().filter_map(|line| line.strip_prefix("    {"));
        let (request, answer) = (example.next().unwrap(), example.next().unwrap());
        let [ours, theirs] = [asked(&format!("{{{request}\n")), format!("{{{answer}")]
            .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
        assert_eq!(ours, theirs);
    }

    #[test]
    fn what_is_not_understood_is_a_fault() {
        for line in [
            "",
            "[]",
            r#"{"op":"read"}"#,
            r#"{"op":"dance","secret":"s"}"#,
            r#"{"op":"read","secret":"s","format":"flask","now":0,"cookie":"","surplus":1}"#,
            r#"{"op":"write","secret":"s","format":"flask","now":0,"session":[["a",1]]}"#,
        ] {
            let answer = asked(&format!("{line}\n"));
            assert!(answer.starts_with(r#"{"fault":"#), "{line} {answer}");
        }
    }
}
