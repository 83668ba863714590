//! Apache Parquet, with the columns of the dataset.
//!
//! Rows are buffered as columns and written as a row group when there are enough of
//! them, or when the writer needs memory.

use std::{
    collections::BTreeMap,
    fmt, io, mem,
    sync::{Arc, Mutex, PoisonError},
};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::types::{ColumnPath, Type, TypePtr},
};

use super::{
    FormatSpec,
    columns::{ColumnKind, ColumnValue, MemberTree, ParquetColumn, SCHEMA_VERSION, parquet_columns},
    parquet_buffer::{Buffer, ColumnBuffer},
    parquet_reader,
};
use crate::{
    dataset::Dataset,
    encode::{Encoder, Row},
};

pub(super) static SPEC: FormatSpec = FormatSpec {
    name: "parquet",
    encoder: || Box::new(ParquetEncoder::default()),
    scan: parquet_reader::scan,
    read: Some(parquet_reader::read),
    line: None,
};

/// The maximum bytes of a row group before encoding, apart from one very large row.
const MAX_ROW_GROUP_LEN: usize = 8 << 20;

/// The bytes from which [`Encoder::compact`] writes a row group. The metadata of a smaller
/// one would be as large as its rows.
const MIN_ROW_GROUP_LEN: usize = 256 << 10;

/// The limit of a data page in bytes. A page may exceed it by one batch of rows.
const DATA_PAGE_LEN: usize = 256 << 10;

/// The memory of the metadata of a column in a row group, until the object is complete.
const COLUMN_METADATA_MEMORY: usize = 768;

/// The memory of a writer: its buffer, and the description of the schema.
const WRITER_MEMORY: usize = 24 << 10;

/// The level of Zstandard, the fastest.
const ZSTD_LEVEL: i32 = 1;

/// The common columns before the typed ones.
const COMMON: [(&str, Kind, Repetition); 7] = [
    ("id", Kind::Text, Repetition::REQUIRED),
    ("tenant", Kind::Text, Repetition::REQUIRED),
    ("dataset", Kind::Text, Repetition::REQUIRED),
    ("source", Kind::Text, Repetition::REQUIRED),
    ("time", Kind::Time, Repetition::OPTIONAL),
    ("created_at", Kind::Time, Repetition::OPTIONAL),
    ("revision", Kind::Revision, Repetition::REQUIRED),
];

/// The columns with a value of its own in each row.
const WITHOUT_DICTIONARY: [&str; 4] = ["id", "time", "created_at", "record"];

/// The kind of a column in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Json,
    Boolean,
    Integer,
    Time,
    Revision,
}

impl From<ColumnKind> for Kind {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => Self::Text,
            ColumnKind::Json => Self::Json,
            ColumnKind::Boolean => Self::Boolean,
            ColumnKind::Integer => Self::Integer,
            ColumnKind::Time => Self::Time,
        }
    }
}

impl Kind {
    fn field(self, name: &str, repetition: Repetition) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match self {
            // JSON as well: few readers know its own logical type.
            Self::Text | Self::Json => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Boolean => (PhysicalType::BOOLEAN, None),
            Self::Integer => (PhysicalType::INT64, None),
            Self::Revision => (PhysicalType::INT32, None),
            Self::Time => {
                let millis = LogicalType::timestamp(true, TimeUnit::MILLIS);
                (PhysicalType::INT64, Some(millis))
            }
        };
        let builder = Type::primitive_type_builder(name, physical);
        Ok(Arc::new(builder.with_repetition(repetition).with_logical_type(logical).build()?))
    }

    fn buffer(self, repetition: Repetition) -> ColumnBuffer {
        let buffer = match self {
            Self::Text | Self::Json => Buffer::text(),
            Self::Boolean => Buffer::Boolean(Vec::new()),
            Self::Integer | Self::Time => Buffer::Long(Vec::new()),
            Self::Revision => Buffer::Int(Vec::new()),
        };
        ColumnBuffer::new(buffer, repetition == Repetition::OPTIONAL)
    }
}

/// The schema of a dataset.
fn schema(dataset: Dataset) -> Result<TypePtr, ParquetError> {
    let mut fields = Vec::new();
    for (name, kind, repetition) in COMMON {
        fields.push(kind.field(name, repetition)?);
    }
    for column in parquet_columns(dataset) {
        fields.push(Kind::from(column.kind).field(column.name, Repetition::OPTIONAL)?);
    }
    fields.push(Kind::Text.field("record", Repetition::REQUIRED)?);
    Ok(Arc::new(Type::group_type_builder(dataset.name()).with_fields(fields).build()?))
}

fn properties(dataset: Dataset) -> Result<WriterProperties, ParquetError> {
    let metadata =
        [("sophos.schema_version", SCHEMA_VERSION.to_string()), ("sophos.dataset", dataset.to_string())];
    let metadata = metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value));
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_data_page_size_limit(DATA_PAGE_LEN)
        .set_dictionary_page_size_limit(DATA_PAGE_LEN)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // Page indexes of small row groups cost more than they save.
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(metadata.to_vec()))
        .set_column_statistics_enabled(ColumnPath::from("record"), EnabledStatistics::None);
    for name in WITHOUT_DICTIONARY {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    Ok(builder.build())
}

/// The layout of all objects of a dataset.
struct Layout {
    columns: &'static [ParquetColumn],
    members: MemberTree,
    schema: TypePtr,
    properties: Arc<WriterProperties>,
}

/// One layout for each dataset: a run may have hundreds of days open.
static LAYOUTS: Mutex<BTreeMap<Dataset, Arc<Layout>>> = Mutex::new(BTreeMap::new());

impl Layout {
    fn of_dataset(dataset: Dataset) -> Result<Arc<Self>, ParquetError> {
        let mut layouts = LAYOUTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = layouts.get(&dataset) {
            return Ok(Arc::clone(layout));
        }
        let columns = parquet_columns(dataset);
        let layout = Arc::new(Self {
            columns,
            members: MemberTree::new(columns),
            schema: schema(dataset)?,
            properties: Arc::new(properties(dataset)?),
        });
        layouts.insert(dataset, Arc::clone(&layout));
        Ok(layout)
    }

    /// An empty buffer for each column, in the order of the schema.
    fn buffers(&self) -> Vec<ColumnBuffer> {
        let common = COMMON.iter().map(|(_, kind, repetition)| kind.buffer(*repetition));
        let typed = self.columns.iter().map(|column| Kind::from(column.kind).buffer(Repetition::OPTIONAL));
        common.chain(typed).chain([Kind::Text.buffer(Repetition::REQUIRED)]).collect()
    }
}

/// The rows of one object.
#[derive(Default)]
struct ParquetEncoder {
    /// `None` before the first row, which tells the dataset.
    open: Option<OpenFile>,
}

struct OpenFile {
    layout: Arc<Layout>,
    /// The rows that are not written yet.
    buffers: Vec<ColumnBuffer>,
    /// The memory of the buffers in bytes.
    buffered: usize,
    /// The written row groups; `None` before the first.
    writer: Option<SerializedFileWriter<Vec<u8>>>,
}

impl OpenFile {
    fn new(dataset: Dataset) -> io::Result<Self> {
        let layout = Layout::of_dataset(dataset)?;
        let buffers = layout.buffers();
        Ok(Self { layout, buffers, buffered: 0, writer: None })
    }

    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        let columns = self.layout.columns;
        let mut values: Vec<_> = columns.iter().map(|_| None).collect();
        self.layout.members.extract(row.record, columns, &mut values);
        let millis = |time: Option<jiff::Timestamp>| time.map(jiff::Timestamp::as_millisecond);
        let revision = i32::try_from(row.revision).map_err(io::Error::other)?;
        let mut buffers = self.buffers.iter_mut();
        let mut next = || buffers.next().ok_or_else(|| io::Error::other("the schema has too few columns"));
        for text in [row.id, row.tenant, row.dataset.name(), row.source] {
            next()?.push_text(Some(text))?;
        }
        for time in [row.time, row.created_at] {
            next()?.push_long(millis(time))?;
        }
        next()?.push_int(revision)?;
        for (column, value) in columns.iter().zip(values) {
            push_value(next()?, column.kind, value.map(|(_, value)| value))?;
        }
        next()?.push_text(Some(row.record))?;
        self.buffered = self.buffers.iter().map(ColumnBuffer::memory).sum();
        if self.buffered > MAX_ROW_GROUP_LEN { self.write_row_group() } else { Ok(()) }
    }

    /// Writes the buffered rows as a row group.
    fn write_row_group(&mut self) -> io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let (schema, properties) = (self.layout.schema.clone(), self.layout.properties.clone());
                self.writer.insert(SerializedFileWriter::new(Vec::new(), schema, properties)?)
            }
        };
        let mut group = writer.next_row_group()?;
        for buffer in &mut self.buffers {
            let Some(mut column) = group.next_column()? else {
                return Err(io::Error::other("the schema has too few columns"));
            };
            buffer.take().write(column.untyped())?;
            column.close()?;
        }
        group.close()?;
        writer.flush()?;
        self.buffered = self.buffers.iter().map(ColumnBuffer::memory).sum();
        Ok(())
    }

    fn size(&self) -> usize {
        let written = |writer: &SerializedFileWriter<Vec<u8>>| {
            let columns = writer.flushed_row_groups().len() * self.buffers.len();
            WRITER_MEMORY + writer.inner().capacity() + columns * COLUMN_METADATA_MEMORY
        };
        mem::size_of::<Self>() + self.buffered + self.writer.as_ref().map_or(0, written)
    }

    fn finish(mut self) -> io::Result<Vec<u8>> {
        if self.buffers.iter().any(|buffer| !buffer.is_empty()) {
            self.write_row_group()?;
        }
        self.writer.map_or_else(|| Err(no_rows()), |writer| Ok(writer.into_inner()?))
    }
}

fn push_value(buffer: &mut ColumnBuffer, kind: ColumnKind, value: Option<ColumnValue<'_>>) -> io::Result<()> {
    match (value, kind) {
        (Some(ColumnValue::Text(text)), _) => buffer.push_text(Some(&text)),
        (Some(ColumnValue::Boolean(value)), _) => buffer.push_boolean(Some(value)),
        (Some(ColumnValue::Integer(value) | ColumnValue::Time(value)), _) => buffer.push_long(Some(value)),
        (None, ColumnKind::Text | ColumnKind::Json) => buffer.push_text(None),
        (None, ColumnKind::Boolean) => buffer.push_boolean(None),
        (None, ColumnKind::Integer | ColumnKind::Time) => buffer.push_long(None),
    }
}

fn no_rows() -> io::Error {
    io::Error::other("an object without rows has no columns")
}

impl fmt::Debug for ParquetEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetEncoder").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Encoder for ParquetEncoder {
    fn push(&mut self, row: &Row<'_>) -> io::Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(OpenFile::new(row.dataset)?),
        };
        open.push(row)
    }

    fn compact(&mut self) -> io::Result<()> {
        match &mut self.open {
            Some(open) if open.buffered >= MIN_ROW_GROUP_LEN => open.write_row_group(),
            _ => Ok(()),
        }
    }

    fn size(&self) -> usize {
        self.open.as_ref().map_or(0, OpenFile::size)
    }

    fn finish(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.open.map_or_else(|| Err(no_rows()), OpenFile::finish)
    }
}
