//! An object of one class: a Parquet file with one row group.

use std::sync::Arc;

use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{BoolType, ByteArrayType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::{parser::parse_message_type, types::ColumnPath},
};
use serde_json::Value;

use super::{
    schema,
    shred::{Column, Columns, Values},
};
use crate::class::Class;

/// The maximum size of a page before compression in bytes, but for a value above it.
/// Security Lake accepts a megabyte.
const MAX_PAGE_BYTES: usize = 512 << 10;

/// The number of values after which the size of a page is compared. Records have
/// kilobytes.
const WRITE_BATCH_VALUES: usize = 32;

/// The level of zstandard.
const ZSTD_LEVEL: i32 = 3;

/// Columns whose values hardly repeat, so that a dictionary would be in vain.
const WITHOUT_DICTIONARY: [&[&str]; 6] = [
    &["raw_data"],
    &["time"],
    &["metadata", "uid"],
    &["metadata", "original_time"],
    &["metadata", "logged_time"],
    &["finding_info", "uid"],
];

/// Encodes rows of a class as an object, in this order. The same rows are the same bytes.
///
/// # Errors
/// When encoding fails.
pub(crate) fn encode(
    class: Class,
    rows: impl Iterator<Item = Result<Value, serde_json::Error>>,
) -> Result<Vec<u8>, ParquetError> {
    let mut columns = Columns::new(schema::fields(class));
    for row in rows {
        columns.push(&row.map_err(|error| ParquetError::External(error.into()))?);
    }
    let schema = Arc::new(parse_message_type(&schema::message_type(class))?);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_created_by(concat!("sophos-lake ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_data_page_size_limit(MAX_PAGE_BYTES)
        .set_dictionary_page_size_limit(MAX_PAGE_BYTES)
        .set_write_batch_size(WRITE_BATCH_VALUES)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for path in WITHOUT_DICTIONARY {
        let path: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(path), false);
    }
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
    let mut group = file.next_row_group()?;
    // A column's values are freed once they are encoded.
    for column in columns.columns {
        let Column { values, definition, repetition, is_repeated } = column;
        let repetition = is_repeated.then_some(repetition.as_slice());
        let definition = Some(definition.as_slice());
        let Some(mut writer) = group.next_column()? else {
            return Err(ParquetError::General("the schema has fewer columns than its rows".into()));
        };
        match values {
            Values::Text(values) => {
                writer.typed::<ByteArrayType>().write_batch(&values, definition, repetition)?
            }
            Values::Int(values) => {
                writer.typed::<Int32Type>().write_batch(&values, definition, repetition)?
            }
            Values::Long(values) => {
                writer.typed::<Int64Type>().write_batch(&values, definition, repetition)?
            }
            Values::Bool(values) => {
                writer.typed::<BoolType>().write_batch(&values, definition, repetition)?
            }
        };
        writer.close()?;
    }
    group.close()?;
    file.into_inner()
}
