//! Tables. The first rows decide the widths, and the others follow at once.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width, presets};

use crate::{
    json::Json,
    output::{Column, OutputSettings},
};

/// The rows that decide the widths of the columns.
const ROWS_OF_LAYOUT: usize = 200;

/// A writer of tables.
pub(crate) struct TableWriter {
    columns: Vec<Column>,
    width: Option<u16>,
    color: bool,
    rows: Vec<Vec<String>>,
    widths: Option<Vec<u16>>,
    single: bool,
}

impl TableWriter {
    pub(crate) fn new(columns: Vec<Column>, settings: &OutputSettings) -> Self {
        Self {
            columns,
            width: settings.width,
            color: settings.color,
            rows: Vec::new(),
            widths: None,
            single: false,
        }
    }

    /// One line for each member of a record.
    pub(crate) fn single(mut self) -> Self {
        self.single = true;
        self
    }

    pub(crate) fn write(&mut self, out: &mut impl Write, record: &Json) -> io::Result<()> {
        if self.single {
            return self.write_members(out, record);
        }
        if self.columns.is_empty()
            && let Json::Object(members) = record
        {
            self.columns = members.iter().map(|(name, _)| Column::parse(name)).collect();
        }
        self.rows.push(self.columns.iter().map(|column| cell(&column.text(record))).collect());
        if self.rows.len() >= ROWS_OF_LAYOUT {
            self.write_rows(out)?;
            out.flush()?;
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.single || (self.rows.is_empty() && self.widths.is_some()) {
            return Ok(());
        }
        self.write_rows(out)
    }

    fn write_members(&mut self, out: &mut impl Write, record: &Json) -> io::Result<()> {
        let mut lines = Vec::new();
        if self.columns.is_empty() {
            flatten("", record, &mut lines);
        } else {
            lines.extend(self.columns.iter().map(|column| (column.header.clone(), column.text(record))));
        }
        let widest = lines.iter().map(|(name, _)| console::measure_text_width(name)).max().unwrap_or(0);
        for (name, text) in lines {
            let padding = " ".repeat(widest - console::measure_text_width(&name));
            writeln!(out, "{}{padding}  {}", self.bold(&name), cell(&text))?;
        }
        Ok(())
    }

    fn write_rows(&mut self, out: &mut impl Write) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let is_first = self.widths.is_none();
        table.set_header(self.columns.iter().map(|column| column.header.to_uppercase()));
        if let Some(width) = self.width {
            table.set_width(width);
        }
        for row in rows {
            table.add_row(Row::from(row));
        }
        for index in 0..self.columns.len() {
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, 2));
                if let Some(width) = self.widths.as_ref().and_then(|widths| widths.get(index)) {
                    column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(*width)));
                }
            }
        }
        if is_first {
            self.widths = Some(layout(&table, self.width));
        }
        for (index, line) in table.lines().enumerate() {
            if index == 0 {
                if is_first {
                    writeln!(out, "{}", self.bold(line.trim_end()))?;
                }
            } else {
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }

    fn bold(&self, text: &str) -> String {
        if self.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The widths of the columns, padding included.
fn layout(table: &Table, _width: Option<u16>) -> Vec<u16> {
    table.column_max_content_widths().iter().map(|width| width + 2).collect()
}

/// The members of a record with their paths.
fn flatten(path: &str, value: &Json, lines: &mut Vec<(String, String)>) {
    match value {
        Json::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, lines);
            }
        }
        Json::Array(items) if items.iter().any(|item| matches!(item, Json::Object(_))) => {
            for (index, value) in items.iter().enumerate() {
                flatten(&format!("{path}.{index}"), value, lines);
            }
        }
        value => lines.push((path.to_owned(), value.to_text())),
    }
}

/// A text as one line without control characters, which could change the terminal.
fn cell(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
