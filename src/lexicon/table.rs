//! Reading of tab-separated tables with a header line.

use std::collections::HashMap;

use crate::error::Error;

/// A table: which folder and file it is, and its rows.
pub(super) struct Table<'t> {
    pub folder: &'t str,
    pub stem: &'t str,
    pub rows: Vec<Row<'t>>,
}

/// A row with named cells.
pub(super) struct Row<'t> {
    pub line: usize,
    cells: Vec<&'t str>,
    columns: std::rc::Rc<HashMap<&'t str, usize>>,
}

impl<'t> Row<'t> {
    /// The cell of a column; empty where the table has no such column.
    pub fn get(&self, column: &str) -> &'t str {
        self.columns
            .get(column)
            .and_then(|&index| self.cells.get(index))
            .copied()
            .unwrap_or_default()
    }

    /// The cell's values, which `|` separates.
    pub fn list(&self, column: &str) -> Vec<String> {
        self.get(column)
            .split('|')
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

impl<'t> Table<'t> {
    /// Splits a table; every row must have as many cells as the header.
    pub fn new(folder: &'t str, stem: &'t str, text: &'t str) -> Result<Self, Error> {
        // Cells hold no quotes or line breaks (a test checks it), so splitting is all there is.
        let mut lines = text.lines().enumerate();
        let header = lines.next().map_or("", |(_, line)| line);
        let columns: std::rc::Rc<HashMap<&str, usize>> = std::rc::Rc::new(
            header
                .split('\t')
                .enumerate()
                .map(|(index, name)| (name, index))
                .collect(),
        );
        let mut rows = Vec::new();
        for (index, line) in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            if cells.len() != columns.len() {
                return Err(Error::Dictionary {
                    file: format!("dictionaries/{folder}/{stem}.tsv"),
                    line: index + 1,
                    value: line.chars().take(40).collect(),
                    reason: format!("{} cells where the header has {}", cells.len(), columns.len()),
                });
            }
            rows.push(Row {
                line: index + 1,
                cells,
                columns: std::rc::Rc::clone(&columns),
            });
        }
        Ok(Table { folder, stem, rows })
    }

    /// An error that names this table, the row's line and a value.
    pub fn error(&self, row: &Row<'_>, value: &str, reason: &str) -> Error {
        Error::Dictionary {
            file: format!("dictionaries/{}/{}.tsv", self.folder, self.stem),
            line: row.line,
            value: value.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// A number, or `None` for an empty cell.
    pub fn number(&self, row: &Row<'_>, column: &str) -> Result<Option<f64>, Error> {
        let cell = row.get(column);
        if cell.is_empty() {
            return Ok(None);
        }
        cell.parse()
            .map(Some)
            .map_err(|_| self.error(row, cell, &format!("{column} is not a number")))
    }
}
