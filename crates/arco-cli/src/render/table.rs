//! Tables of text.

use super::Paint;

#[cfg(test)]
mod tests;

/// Two spaces keep columns apart without lines; output stays easy to cut with other tools.
const GAP: &str = "  ";

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) align: Align,
    /// Its cells are status words and get their colour.
    pub(crate) status: bool,
}

impl Column {
    pub(crate) const fn text(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Left,
            status: false,
        }
    }

    pub(crate) const fn number(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Right,
            status: false,
        }
    }

    pub(crate) const fn status(title: &'static str) -> Self {
        Self {
            title,
            align: Align::Left,
            status: true,
        }
    }
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; one cell a column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| one_line(&cell)).collect();
        debug_assert_eq!(cells.len(), self.columns.len(), "one cell a column");
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, without one at the end that is empty.
    pub(crate) fn render(&self, paint: Paint) -> String {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let cells = self.rows.iter().map(|row| width(&row[at]));
                cells.max().unwrap_or(0).max(width(column.title))
            })
            .collect();
        let titles: Vec<String> = self
            .columns
            .iter()
            .map(|column| column.title.to_uppercase())
            .collect();
        let mut lines = vec![self.line(&titles, &widths, |_, text| paint.dim(text))];
        for row in &self.rows {
            lines.push(self.line(row, &widths, |column, text| {
                if column.status {
                    paint.status(text)
                } else {
                    text.to_owned()
                }
            }));
        }
        lines.join("\n")
    }

    fn line(
        &self,
        cells: &[String],
        widths: &[usize],
        colour: impl Fn(&Column, &str) -> String,
    ) -> String {
        let mut line = String::new();
        for (at, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            // Colour codes have no width, so padding is counted on the bare text.
            let pad = " ".repeat(widths[at].saturating_sub(width(cell)));
            let text = colour(column, cell);
            if at > 0 {
                line.push_str(GAP);
            }
            match column.align {
                Align::Left => line.extend([text.as_str(), &pad]),
                Align::Right => line.extend([pad.as_str(), &text]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Characters, not display cells: keys and ids are nearly always ASCII.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// A cell is one line, and no control character of user data reaches the terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
