//! CSV that a spreadsheet does not execute.

use std::io::{self, Write};

use crate::{json::Json, output::Column};

/// A writer of CSV with a header.
pub(crate) struct CsvWriter {
    columns: Vec<Column>,
    started: bool,
    buffer: Vec<u8>,
}

impl CsvWriter {
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns, started: false, buffer: Vec::new() }
    }

    pub(crate) fn write(&mut self, out: &mut impl Write, record: &Json) -> io::Result<()> {
        if self.columns.is_empty()
            && let Json::Object(members) = record
        {
            self.columns = members.iter().map(|(name, _)| Column::parse(name)).collect();
        }
        self.write_header(out)?;
        let cells: Vec<_> = self.columns.iter().map(|column| defuse(column.text(record))).collect();
        self.write_row(out, &cells)
    }

    pub(crate) fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.write_header(out)
    }

    fn write_header(&mut self, out: &mut impl Write) -> io::Result<()> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        let headers: Vec<_> = self.columns.iter().map(|column| column.header.clone()).collect();
        self.write_row(out, &headers)
    }

    fn write_row(&mut self, out: &mut impl Write, cells: &[String]) -> io::Result<()> {
        self.buffer.clear();
        let mut row = csv::Writer::from_writer(&mut self.buffer);
        row.write_record(cells)?;
        row.flush()?;
        drop(row);
        out.write_all(&self.buffer)
    }
}

/// Puts an apostrophe before a text that a spreadsheet would evaluate as a formula.
/// Numbers stay as they are.
pub(crate) fn defuse(text: String) -> String {
    let first = text.trim_start_matches([' ', '\u{a0}', '\u{feff}']).chars().next();
    let is_formula = matches!(
        first,
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '|' | '%' | '＝' | '＋' | '－' | '＠')
    );
    if is_formula && text.parse::<f64>().is_err() { format!("'{text}") } else { text }
}
