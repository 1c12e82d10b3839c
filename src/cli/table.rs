//! Tables for people: columns in line on a terminal, and Markdown for a report.

use std::io::{self, Write};

/// A table that is being filled.
pub(super) struct Table {
    /// Whether a column is of figures, which stand to the right.
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The heads of the columns, with `|` between them; `>` before one of figures.
    pub fn new(heads: &str) -> Self {
        let heads: Vec<&str> = heads.split('|').collect();
        let names = heads.iter().map(|head| head.trim_start_matches('>').to_owned()).collect();
        Self { right: heads.iter().map(|head| head.starts_with('>')).collect(), rows: vec![names] }
    }

    /// Adds a row, with as many cells as there are heads.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        // Names come from files: they must not move the cursor or add a column.
        let plain = |c: char| if c.is_control() || c == '|' { ' ' } else { c };
        let cells = cells.into_iter().map(|cell| cell.chars().map(plain).collect());
        self.rows.push(cells.collect());
    }

    /// Writes the table.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let length = |cell: &String| cell.chars().count();
        let width = |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(length).max();
        let widths: Vec<usize> = (0..self.right.len()).map(|at| width(at).unwrap_or(0)).collect();
        for (number, row) in self.rows.iter().enumerate() {
            for ((cell, width), right) in row.iter().zip(&widths).zip(&self.right) {
                match right {
                    true => write!(out, "| {cell:>width$} ")?,
                    false => write!(out, "| {cell:<width$} ")?,
                }
            }
            writeln!(out, "|")?;
            if number == 0 {
                for (width, right) in widths.iter().zip(&self.right) {
                    let end = if *right { ":" } else { "-" };
                    write!(out, "|-{:-<width$}{end}", "")?;
                }
                writeln!(out, "|")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_in_line_and_cells_cannot_break_out() {
        let mut table = Table::new("name|>n");
        table.row(["é|\x1b[2J".to_owned(), "12".to_owned()]);
        let mut out = Vec::new();
        table.print(&mut out).expect("written");
        let expected = "| name   |  n |\n|--------|---:|\n| é  [2J | 12 |\n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }
}
