//! Records on standard output, one by one.
//!
//! A command opens [`Records`] with its default columns, writes each record, and
//! finishes. Nothing is collected but the first rows of a table, which decide its
//! widths, and a page of YAML.

mod csv_writer;
mod jq;
mod table;

use std::io::{self, Write};

use serde::Serialize;

pub(crate) use jq::JqFilter;

use crate::{
    exit::Failure,
    global_args::OutputFormat,
    json::Json,
    output::{csv_writer::CsvWriter, table::TableWriter},
};

/// A column of tables and CSV: the header, and the JSON pointer of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// The name of the column.
    pub(crate) header: String,
    /// The JSON pointer of the value in a record.
    pub(crate) pointer: String,
}

impl Column {
    /// A column from `/pointer` or `HEADER=/pointer`, or a member's name.
    pub(crate) fn parse(text: &str) -> Self {
        let (header, pointer) = match text.split_once('=') {
            Some((header, pointer)) => (Some(header), pointer),
            None => (None, text),
        };
        let pointer = if pointer.starts_with('/') {
            pointer.to_owned()
        } else {
            format!("/{}", pointer.replace('.', "/"))
        };
        let header = header.map_or_else(|| pointer.trim_start_matches('/').replace('/', "."), str::to_owned);
        Self { header, pointer }
    }

    /// The text of the value in a record.
    fn text(&self, record: &Json) -> String {
        record.pointer(&self.pointer).map(Json::to_text).unwrap_or_default()
    }
}

/// The settings of the output.
#[derive(Debug, Clone)]
pub(crate) struct OutputSettings {
    /// The format.
    pub(crate) format: OutputFormat,
    /// The columns that the user chose; none for the defaults.
    pub(crate) columns: Vec<Column>,
    /// The filter of each record.
    pub(crate) jq: Option<JqFilter>,
    /// The maximum number of records.
    pub(crate) limit: Option<u64>,
    /// Whether the output has colours.
    pub(crate) color: bool,
    /// The width of the terminal, in characters.
    pub(crate) width: Option<u16>,
}

/// A stream of records to standard output.
pub(crate) struct Records<W: Write = Box<dyn Write + Send>> {
    settings: OutputSettings,
    encoder: Encoder,
    out: W,
    count: u64,
}

enum Encoder {
    Table(TableWriter),
    Csv(CsvWriter),
    Jsonl,
    /// A JSON list, and whether it has an element.
    JsonList,
    /// A single JSON document without a list.
    JsonDocument,
    Yaml,
    YamlDocument,
}

impl Records {
    /// Opens a stream of records to standard output with these default columns.
    pub(crate) fn to_stdout(settings: &OutputSettings, columns: &[&str]) -> Self {
        Self::new(settings, columns, Box::new(io::BufWriter::with_capacity(64 * 1024, io::stdout())))
    }
}

impl<W: Write> Records<W> {
    /// Opens a stream of records with these default columns.
    pub(crate) fn new(settings: &OutputSettings, columns: &[&str], out: W) -> Self {
        let columns = if settings.columns.is_empty() {
            columns.iter().map(|column| Column::parse(column)).collect()
        } else {
            settings.columns.clone()
        };
        let encoder = match settings.format {
            OutputFormat::Table => Encoder::Table(TableWriter::new(columns, settings)),
            OutputFormat::Csv => Encoder::Csv(CsvWriter::new(columns)),
            OutputFormat::Jsonl => Encoder::Jsonl,
            OutputFormat::Json => Encoder::JsonList,
            OutputFormat::Yaml => Encoder::Yaml,
        };
        Self { settings: settings.clone(), encoder, out, count: 0 }
    }

    /// Writes a single object instead of a list: a JSON object, or one line for each
    /// member in a table.
    #[must_use]
    pub(crate) fn single(mut self) -> Self {
        self.encoder = match self.encoder {
            Encoder::JsonList => Encoder::JsonDocument,
            Encoder::Yaml => Encoder::YamlDocument,
            Encoder::Table(table) => Encoder::Table(table.single()),
            other => other,
        };
        self
    }

    /// Whether `--limit` permits no further record.
    pub(crate) fn is_full(&self) -> bool {
        self.settings.limit.is_some_and(|limit| self.count >= limit)
    }

    /// Writes a record, or the results of the jq filter for it.
    ///
    /// # Errors
    /// When the filter or the output fails.
    pub(crate) fn write(&mut self, record: &impl Serialize) -> Result<(), Failure> {
        let record = Json::from_serialize(record)
            .map_err(|error| Failure::other(format!("reading a record failed: {error}")))?;
        self.write_json(record)
    }

    /// Writes a record, or the results of the jq filter for it.
    ///
    /// # Errors
    /// When the filter or the output fails.
    pub(crate) fn write_json(&mut self, record: Json) -> Result<(), Failure> {
        if self.is_full() {
            return Ok(());
        }
        self.count += 1;
        match self.settings.jq.take() {
            None => self.encode(&record),
            Some(filter) => {
                let results = filter.apply(&record);
                self.settings.jq = Some(filter);
                for result in results? {
                    jq::write_result(&mut self.out, &result)?;
                }
                Ok(())
            }
        }
    }

    fn encode(&mut self, record: &Json) -> Result<(), Failure> {
        match &mut self.encoder {
            Encoder::Table(table) => table.write(&mut self.out, record)?,
            Encoder::Csv(csv) => csv.write(&mut self.out, record)?,
            Encoder::Jsonl => {
                serde_json::to_writer(&mut self.out, record).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
            Encoder::JsonList => {
                self.out.write_all(if self.count == 1 { b"[\n" } else { b",\n" })?;
                let text = serde_json::to_string_pretty(record).map_err(io::Error::from)?;
                for (index, line) in text.lines().enumerate() {
                    let end = if index == 0 { "" } else { "\n" };
                    write!(self.out, "{end}  {line}")?;
                }
            }
            Encoder::JsonDocument => {
                serde_json::to_writer_pretty(&mut self.out, record).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
            Encoder::Yaml => self.out.write_all(yaml(&[record])?.as_bytes())?,
            Encoder::YamlDocument => self.out.write_all(yaml(record)?.as_bytes())?,
        }
        Ok(())
    }

    /// Ends the output.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn finish(mut self) -> Result<u64, Failure> {
        if self.settings.jq.is_none() {
            match &mut self.encoder {
                Encoder::Table(table) => table.finish(&mut self.out)?,
                Encoder::Csv(csv) => csv.finish(&mut self.out)?,
                Encoder::JsonList if self.count == 0 => self.out.write_all(b"[]\n")?,
                Encoder::JsonList => self.out.write_all(b"\n]\n")?,
                Encoder::Yaml if self.count == 0 => self.out.write_all(b"[]\n")?,
                Encoder::Jsonl | Encoder::JsonDocument | Encoder::Yaml | Encoder::YamlDocument => {}
            }
        }
        self.out.flush()?;
        Ok(self.count)
    }

    /// Shows the lines so far, while a listing waits for its next page.
    ///
    /// # Errors
    /// When the output fails.
    pub(crate) fn flush_rows(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

fn yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::other(format!("writing YAML failed: {error}")))
}
