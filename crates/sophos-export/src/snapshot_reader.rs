//! The rows of a committed snapshot, read from the objects that its log record names.

use sophos_api::{TenantClient, Transport};

use crate::{
    commit_log::{DataObject, LogRecord},
    encode::StoredRow,
    error::Error,
    format::StoredRows,
    stream::StreamRun,
};

/// Reads the rows of a snapshot in order. Holds one object at a time, encoded.
pub(crate) struct SnapshotReader<'a, T> {
    run: &'a StreamRun<'a, TenantClient<T>>,
    objects: &'a [DataObject],
    /// The number of the next object.
    next: usize,
    rows: Option<StoredRows>,
}

impl<'a, T: Transport + 'static> SnapshotReader<'a, T> {
    pub(crate) fn new(run: &'a StreamRun<'a, TenantClient<T>>, snapshot: &'a LogRecord) -> Self {
        Self { run, objects: &snapshot.objects, next: 0, rows: None }
    }

    /// Returns the next row; `None` at the end, after which it starts again.
    ///
    /// # Errors
    /// [`Error::InvalidObject`] when an object is missing or its content is not that of
    /// the log. [`Error::Stopped`] when the run was stopped.
    pub(crate) async fn next(&mut self) -> Result<Option<StoredRow>, Error> {
        loop {
            if let Some(rows) = &mut self.rows {
                match rows.next() {
                    Some(row) => return Ok(Some(row?)),
                    None => self.rows = None,
                }
            }
            let Some(object) = self.objects.get(self.next) else {
                self.next = 0;
                return Ok(None);
            };
            if self.run.control.stop.is_stopped() {
                return Err(Error::Stopped);
            }
            self.next += 1;
            self.rows = Some(object.read_rows(self.run.store).await?);
        }
    }
}
