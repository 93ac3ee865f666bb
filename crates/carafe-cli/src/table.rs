//! Aligned columns for people. Colors are given as styles and written by `output`, if a terminal
//! supports them.

use std::fmt::Write as _;

use clap::builder::styling::Style;

use crate::human::printable;

/// A table with a header. The last column is not padded.
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// A cell of a row.
pub(crate) struct Cell {
    text: String,
    style: Style,
    to_the_right: bool,
}

impl Cell {
    /// Returns a cell with this text. Control sequences are escaped.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: printable(text).into_owned(),
            style: Style::new(),
            to_the_right: false,
        }
    }

    pub(crate) fn muted(text: &str) -> Self {
        Self::new(text).styled(Style::new().dimmed())
    }

    /// Returns a cell with a right-aligned number.
    pub(crate) fn number(text: &str) -> Self {
        Self {
            to_the_right: true,
            ..Self::new(text)
        }
    }

    pub(crate) fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// Truncates the text to this number of characters, with `…` at the end.
    pub(crate) fn at_most(mut self, characters: usize) -> Self {
        if self.text.chars().count() > characters {
            self.text = self.text.chars().take(characters - 1).collect();
            self.text.push('…');
        }
        self
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn write(&self, out: &mut String, width: usize) {
        let style = self.style;
        let gap = " ".repeat(width.saturating_sub(self.width()));
        let (before, behind) = match self.to_the_right {
            true => (gap.as_str(), ""),
            false => ("", gap.as_str()),
        };
        // Writing to a string cannot fail.
        let _ = write!(out, "{before}{style}{}{style:#}{behind}", self.text);
    }
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Returns the lines, without a line break at the end.
    pub(crate) fn text(mut self) -> String {
        if !self.head.is_empty() {
            let head = self.head.iter();
            let head = head.map(|name| Cell::new(name).styled(Style::new().bold()));
            self.rows.insert(0, head.collect());
        }
        let widths = self.widths();
        let lines: Vec<_> = self.rows.iter().map(|row| line(row, &widths)).collect();
        lines.join("\n")
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |at| {
            let cells = self.rows.iter().filter_map(|row: &Vec<Cell>| row.get(at));
            cells.map(Cell::width).max().unwrap_or_default()
        };
        (0..columns).map(width).collect()
    }
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut out = String::new();
    for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
        let is_last = at + 1 == row.len();
        out.push_str(if at == 0 { "" } else { "  " });
        cell.write(&mut out, if is_last { 0 } else { *width });
    }
    // The last cell may be empty.
    out.truncate(out.trim_end_matches(' ').len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let mut table = Table::new(&["name", "n"]);
        table.row([Cell::new("é"), Cell::number("1")]);
        table.row([Cell::new("longer"), Cell::number("10")]);
        table.row([
            Cell::new("a very long text").at_most(6),
            Cell::new("\u{1b}"),
        ]);
        let text = table.text();
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, "name    n\né       1\nlonger  10\na ver…  \\u{1b}");
    }
}
