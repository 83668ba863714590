//! Reading of the common columns of Parquet objects.

use std::io;

use bytes::Bytes;
use jiff::Timestamp;
use parquet::{
    column::reader::ColumnReader,
    data_type::ByteArray,
    file::{
        reader::{FileReader, RowGroupReader},
        serialized_reader::SerializedFileReader,
    },
};

use super::{RowIterator, ScannedRows};
use crate::encode::StoredRow;

/// Counts the rows by the metadata. With `with_keys` it reads ids and revisions, which
/// must be as many.
pub(super) fn scan(body: &[u8], with_keys: bool) -> io::Result<ScannedRows> {
    let file = open(body)?;
    let rows = file.metadata().file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(io::Error::other)?;
    let mut keys = Vec::new();
    if with_keys {
        for index in 0..file.num_row_groups() {
            on_group(&file, index, |group| {
                let revisions = group.ints("revision")?;
                for (id, revision) in group.texts("id")?.iter().zip(revisions) {
                    keys.push((text(id)?, revision_of(revision)?));
                }
                Ok(())
            })?;
        }
        if keys.len() as u64 != rows {
            return Err(io::Error::other("its metadata has another number of rows"));
        }
    }
    Ok(ScannedRows { rows: Some(rows), keys })
}

/// Reads the common columns of all rows, a row group at a time.
pub(super) fn read(body: Bytes) -> io::Result<RowIterator> {
    let file = SerializedFileReader::new(body)?;
    let groups = 0..file.num_row_groups();
    let rows = groups.flat_map(move |index| match read_group(&file, index) {
        Ok(rows) => rows.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    });
    Ok(Box::new(rows))
}

fn read_group(file: &SerializedFileReader<Bytes>, index: usize) -> io::Result<Vec<StoredRow>> {
    let mut rows = Vec::new();
    on_group(file, index, |group| {
        let ids = group.texts("id")?;
        let [tenants, datasets, sources, records] =
            [group.texts("tenant")?, group.texts("dataset")?, group.texts("source")?, group.texts("record")?];
        let [times, created] = [group.times("time")?, group.times("created_at")?];
        let revisions = group.ints("revision")?;
        for (index, id) in ids.iter().enumerate() {
            rows.push(StoredRow {
                id: text(id)?,
                tenant: text(&tenants[index])?,
                dataset: text(&datasets[index])?.parse().map_err(io::Error::other)?,
                source: text(&sources[index])?,
                time: times[index],
                created_at: created[index],
                revision: revision_of(revisions[index])?,
                record: text(&records[index])?,
            });
        }
        Ok(())
    })?;
    Ok(rows)
}

fn open(body: &[u8]) -> io::Result<SerializedFileReader<Bytes>> {
    Ok(SerializedFileReader::new(Bytes::copy_from_slice(body))?)
}

fn on_group(
    file: &SerializedFileReader<Bytes>,
    index: usize,
    read: impl FnOnce(&Group<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let reader = file.get_row_group(index)?;
    let rows = usize::try_from(reader.metadata().num_rows()).map_err(io::Error::other)?;
    read(&Group { reader: reader.as_ref(), rows })
}

/// A row group. Each column has a value or a null in each row.
struct Group<'f> {
    reader: &'f dyn RowGroupReader,
    rows: usize,
}

impl Group<'_> {
    fn column(&self, name: &str) -> io::Result<ColumnReader> {
        let columns = self.reader.metadata().columns();
        let index = columns.iter().position(|column| column.column_path().string() == name);
        let index = index.ok_or_else(|| io::Error::other(format!("it has no column `{name}`")))?;
        Ok(self.reader.get_column_reader(index)?)
    }

    /// The values of a column without nulls.
    fn texts(&self, name: &str) -> io::Result<Vec<ByteArray>> {
        let ColumnReader::ByteArrayColumnReader(mut reader) = self.column(name)? else {
            return Err(other_type(name));
        };
        let mut values = Vec::with_capacity(self.rows);
        reader.read_records(self.rows, None, None, &mut values)?;
        self.check(name, values)
    }

    /// The values of a column without nulls.
    fn ints(&self, name: &str) -> io::Result<Vec<i32>> {
        let ColumnReader::Int32ColumnReader(mut reader) = self.column(name)? else {
            return Err(other_type(name));
        };
        let mut values = Vec::with_capacity(self.rows);
        reader.read_records(self.rows, None, None, &mut values)?;
        self.check(name, values)
    }

    /// The times of a column with nulls.
    fn times(&self, name: &str) -> io::Result<Vec<Option<Timestamp>>> {
        let ColumnReader::Int64ColumnReader(mut reader) = self.column(name)? else {
            return Err(other_type(name));
        };
        let (mut values, mut levels) = (Vec::with_capacity(self.rows), Vec::with_capacity(self.rows));
        reader.read_records(self.rows, Some(&mut levels), None, &mut values)?;
        let mut values = values.into_iter();
        let time = |level: i16| match level {
            0 => Ok(None),
            _ => {
                let millis = values.next().ok_or_else(|| io::Error::other("a column has too few values"))?;
                Timestamp::from_millisecond(millis).map(Some).map_err(io::Error::other)
            }
        };
        let times = levels.into_iter().map(time).collect::<io::Result<Vec<_>>>()?;
        self.check(name, times)
    }

    fn check<V>(&self, name: &str, values: Vec<V>) -> io::Result<Vec<V>> {
        if values.len() == self.rows {
            Ok(values)
        } else {
            Err(io::Error::other(format!("the column `{name}` has {} of {} rows", values.len(), self.rows)))
        }
    }
}

fn text(value: &ByteArray) -> io::Result<String> {
    Ok(value.as_utf8()?.to_owned())
}

fn revision_of(value: i32) -> io::Result<u32> {
    u32::try_from(value).map_err(io::Error::other)
}

fn other_type(name: &str) -> io::Error {
    io::Error::other(format!("the column `{name}` has another type"))
}
