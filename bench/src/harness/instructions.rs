//! Instruction counts: starts this program again inside valgrind's callgrind.
//!
//! The inner process runs a few hundred operations of each candidate inside one function. callgrind
//! counts only inside that function and writes a file each time the function returns. Counts do not
//! depend on the load of the machine. However, valgrind's processor has no SHA and no AVX-512
//! instructions, so hashing takes its portable path.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Candidates, Outcome, Table};

/// The argument that selects the inner process.
pub(crate) const INSIDE: &str = "--under-valgrind";

const OPERATIONS: usize = 200;
/// The full name: callgrind supports no wildcards in `--dump-after`.
const WATCHED: &str = "carafe_bench::harness::candidate::measured_region";

/// Runs the inner process: prints the name of each candidate on one line, warms it up and runs it.
pub(crate) fn run(candidates: Candidates) -> Outcome {
    for mut candidate in candidates {
        println!("{}\t{}", candidate.row, candidate.column);
        for _ in ["to warm up", "to count"] {
            candidate.run(OPERATIONS)?;
            candidate.finish();
        }
    }
    Ok(())
}

/// Runs the outer process: starts the inner one for a family and prints the counts.
pub(crate) fn report(family: &str) -> Outcome {
    let folder = fresh_folder(family)?;
    let counts = folder.join("counts");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        // Makes each file readable without the others.
        .arg("--compress-strings=no")
        .arg(format!("--toggle-collect={WATCHED}"))
        .arg(format!("--dump-after={WATCHED}"))
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(std::env::current_exe()?)
        .args([family, INSIDE])
        .output()
        .map_err(|why| format!("cannot run valgrind: {why}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    print(family, &String::from_utf8(output.stdout)?, &counts)
}

fn fresh_folder(family: &str) -> Outcome<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/callgrind")
        .join(family);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn print(family: &str, candidates: &str, counts: &Path) -> Outcome {
    let places: Vec<_> = candidates
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    for &(row, column) in &places {
        push_new(&mut rows, row);
        push_new(&mut columns, column);
    }
    let cell = |place| {
        let Some(position) = places.iter().position(|known| *known == place) else {
            return Ok(String::new());
        };
        // Each candidate has two files: one for the warm-up and one for the counted run.
        let total = total(&counts.with_extension((2 * position + 2).to_string()))?;
        Ok((total / OPERATIONS).to_string())
    };
    // The longer list becomes the rows.
    let turned = columns.len() > rows.len();
    let (across, down) = if turned {
        (rows, columns)
    } else {
        (columns, rows)
    };
    let mut table = Table::new(std::iter::once("").chain(across.iter().copied()));
    for line in down {
        let place = |head| if turned { (head, line) } else { (line, head) };
        let cells = across.iter().map(|head| cell(place(*head)));
        table.row(line, cells.collect::<Outcome<Vec<_>>>()?);
    }
    table.print(&format!("{family}: instructions per operation"));
    Ok(())
}

fn push_new<'p>(list: &mut Vec<&'p str>, item: &'p str) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Returns the instructions in one of callgrind's files.
fn total(file: &Path) -> Outcome<usize> {
    let text = fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    Ok(line.ok_or("callgrind gave no total")?.trim().parse()?)
}
