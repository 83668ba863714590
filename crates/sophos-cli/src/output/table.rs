//! Tables. The first rows decide the widths, and the others follow at once.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width, presets};

use crate::{
    json::Json,
    output::{Column, OutputSettings},
};

/// The rows that decide the widths of the columns.
const ROWS_OF_LAYOUT: usize = 200;

/// The characters between two columns.
const GAP: u16 = 2;

/// The widest column without a terminal, and the narrowest after shrinking.
const MAX_WIDTH: u16 = 200;
const MIN_WIDTH: u16 = 8;

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
            self.columns = members.iter().flat_map(|(name, value)| columns_of(name, value)).collect();
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
            let line = format!("{}{padding}  {}", self.bold(&name), cell(&text));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn write_rows(&mut self, out: &mut impl Write) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let is_first = self.widths.is_none();
        let headers: Vec<_> = self.columns.iter().map(|column| column.header.to_uppercase()).collect();
        let widths = self.widths.get_or_insert_with(|| layout(&headers, &rows, self.width));
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(widths.iter().map(|width| width + GAP).sum());
        table.set_truncation_indicator("…");
        table.set_header(headers);
        for row in rows {
            let mut row = Row::from(row);
            row.max_height(1);
            table.add_row(row);
        }
        for (index, width) in widths.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, GAP));
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(*width + GAP)));
            }
        }
        for (index, line) in table.lines().enumerate() {
            match (index, is_first) {
                (0, true) => writeln!(out, "{}", self.bold(line.trim_end()))?,
                (0, false) => {}
                _ => writeln!(out, "{}", line.trim_end())?,
            }
        }
        Ok(())
    }

    fn bold(&self, text: &str) -> String {
        if self.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The widths of the columns. If they exceed the terminal, the widest shrink, but ids
/// stay whole: they are copied into the next command.
fn layout(headers: &[String], rows: &[Vec<String>], terminal: Option<u16>) -> Vec<u16> {
    let width_of = |text: &String| u16::try_from(console::measure_text_width(text)).unwrap_or(u16::MAX);
    let widest = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(width_of);
        cells.chain(headers.get(index).map(width_of)).max().unwrap_or(0).min(MAX_WIDTH)
    };
    let mut widths: Vec<u16> = (0..headers.len()).map(widest).collect();
    let Some(terminal) = terminal else { return widths };
    let total = |widths: &[u16]| widths.iter().map(|width| usize::from(width + GAP)).sum::<usize>();
    while total(&widths) > usize::from(terminal) {
        let shrinkable =
            (0..widths.len()).filter(|index| headers[*index] != "ID" && widths[*index] > MIN_WIDTH);
        let Some(index) = shrinkable.max_by_key(|index| widths[*index]) else { break };
        widths[index] -= 1;
    }
    widths
}

/// The columns of a member: one for each member of an object.
fn columns_of(name: &str, value: &Json) -> Vec<Column> {
    match value {
        Json::Object(members) if !members.is_empty() => {
            members.iter().map(|(member, _)| Column::parse(&format!("{name}.{member}"))).collect()
        }
        _ => vec![Column::parse(name)],
    }
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
