//! Tables: aligned columns, fitted to a terminal, never cut when the reader is a program.

use super::super::output::Output;
use comfy_table::{Cell, ContentArrangement, presets};

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(Vec::from(cells));
    }

    /// For stdout: with the terminal's width and bold headings where it is one.
    pub(crate) fn show(&self, out: &Output, none: &str) -> String {
        if self.rows.is_empty() {
            // An empty table is no data; a person is told so, a program gets nothing.
            return if out.stdout_terminal() { none.to_owned() } else { String::new() };
        }
        if out.stdout_terminal() { self.fitted(out.color_out()) } else { self.plain() }
    }

    /// Columns two spaces apart, one line a row.
    pub(crate) fn plain(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).chain(self.head.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.head.len()).map(width).collect();
        let line = |cells: &[String]| {
            let cells: Vec<_> =
                cells.iter().zip(&widths).map(|(cell, width)| format!("{:<width$}", one_line(cell))).collect();
            cells.join("  ").trim_end().to_owned()
        };
        std::iter::once(&self.head).chain(&self.rows).map(|row| line(row)).collect::<Vec<_>>().join("\n")
    }

    fn fitted(&self, color: bool) -> String {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let bold = |text: &String| {
            if color { Cell::new(text).add_attribute(comfy_table::Attribute::Bold) } else { Cell::new(text) }
        };
        table.set_header(self.head.iter().map(bold)).add_rows(&self.rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

/// Line feeds would break the rows.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// `-` for what is not there.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `$0.0360`, `$24.00`: small sums with the digits that matter.
pub(crate) fn dollars(amount: f64) -> String {
    if amount != 0.0 && amount < 1.0 { format!("${amount:.4}") } else { format!("${amount:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn columns_are_aligned_and_rows_stay_on_a_line() {
        let mut table = Table::new(["NAME", "REGION", "NOTE"]);
        table.row(["hadoop-master-1".into(), "us-east".into(), String::new()]);
        table.row(["ü".into(), "eu-west".into(), "two\nlines".into()]);
        expect![[r#"
            NAME             REGION   NOTE
            hadoop-master-1  us-east
            ü                eu-west  two lines"#]]
        .assert_eq(&table.plain());
        assert_eq!(table.fitted(false).lines().count(), 4);
    }

    #[test]
    fn sums_keep_the_digits_that_matter() {
        assert_eq!(
            [0.0, 0.036, 0.0075, 1.0, 1440.5].map(dollars),
            ["$0.00", "$0.0360", "$0.0075", "$1.00", "$1440.50"]
        );
    }
}
