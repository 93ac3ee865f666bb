//! Markdown tables.

/// A table. The first column contains the names of the rows.
pub(crate) struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<'h>(head: impl IntoIterator<Item = &'h str>) -> Self {
        let head = head.into_iter().map(str::to_owned).collect();
        Self { lines: vec![head] }
    }

    pub(crate) fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        let name = std::iter::once(name.to_owned());
        self.lines.push(name.chain(cells).collect());
    }

    /// Prints the table under a headline.
    pub(crate) fn print(&self, headline: &str) {
        println!("\n### {headline}\n");
        for (number, line) in self.lines.iter().enumerate() {
            println!("| {} |", line.join(" | "));
            if number == 0 {
                println!("|---{}|", "|---:".repeat(line.len() - 1));
            }
        }
    }
}
