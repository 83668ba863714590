//! The rows of committed objects as messages, stream by stream, in the order of the log.

use serde::Serialize;
use sophos_export::{
    Commit, DataObject, Dataset, Error, LogRecord, Row, StopSignal, Store, StoredRow, StreamId,
};

use super::{
    connection::Connection,
    message::MessageFormat,
    position::{Position, PositionFile},
};
use crate::{context::Context, exit::Failure, pack::export::export_failure};

/// The number of rows after which the position is confirmed and written. A failure repeats
/// as many at most.
const MAX_UNCONFIRMED_ROWS: u64 = 50_000;

/// The result of a stream, as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct SentStream {
    tenant: String,
    dataset: Dataset,
    /// The commits whose last rows were sent.
    pub(super) commits: u64,
    pub(super) rows: u64,
    /// The rows whose messages are longer than the maximum. They are not sent.
    pub(super) too_long: u64,
    pub(super) unreadable_count: u64,
    /// The objects that are missing or damaged.
    unreadable_objects: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// The failure of one stream, or of the command.
enum SendError {
    Stream(Error),
    /// The position is not one of this export.
    ForeignPosition(String),
    Command(Failure),
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        Self::Command(failure)
    }
}

impl From<Error> for SendError {
    fn from(error: Error) -> Self {
        match error {
            // The next stream would fail as well.
            Error::Store(_) => Self::Command(export_failure(error)),
            error => Self::Stream(error),
        }
    }
}

/// Sends rows, and keeps the positions after them.
pub(super) struct RowSender<'a> {
    pub(super) context: &'a Context,
    pub(super) export: &'a Store,
    pub(super) format: MessageFormat,
    pub(super) connection: Connection,
    pub(super) positions: PositionFile,
    /// The maximum length of a message.
    pub(super) max_len: u64,
    /// Whether a stream goes on after an object that is missing or damaged.
    pub(super) skip_unreadable: bool,
    /// Of a stream without a position, the time from which commits are sent, in
    /// milliseconds since the Unix epoch.
    pub(super) since_ms: Option<i64>,
    pub(super) stop: &'a StopSignal,
    /// The number of sent rows since the last confirmation.
    pub(super) unconfirmed: u64,
}

impl RowSender<'_> {
    /// Sends the rows after the position of a stream, up to its last commit.
    ///
    /// # Errors
    /// When the receiver, the store or the position file fails. A failure of the stream
    /// alone is in the result.
    pub(super) async fn send_stream(&mut self, stream: &StreamId) -> Result<SentStream, Failure> {
        let mut sent = SentStream {
            tenant: stream.tenant.clone(),
            dataset: stream.dataset,
            commits: 0,
            rows: 0,
            too_long: 0,
            unreadable_count: 0,
            unreadable_objects: Vec::new(),
            error: None,
        };
        match self.send_commits(stream, &mut sent).await {
            Ok(()) => {}
            Err(SendError::Command(failure)) => return Err(failure),
            Err(SendError::Stream(error)) => sent.error = Some(error.to_string()),
            Err(SendError::ForeignPosition(reason)) => {
                let path = self.positions.path().display();
                sent.error =
                    Some(format!("invalid position file {path}: {reason}; name another with --state"));
            }
        }
        Ok(sent)
    }

    async fn send_commits(&mut self, stream: &StreamId, sent: &mut SentStream) -> Result<(), SendError> {
        let last = last_commit(self.export, stream).await?;
        let mut position = match self.positions.get(stream) {
            Some(position) => position.clone(),
            None => start(self.export, stream, last, self.since_ms).await?,
        };
        check(self.export, stream, &position, last).await?;
        self.positions.set(stream, position.clone());
        while position.commit < last && !self.stop.is_stopped() {
            let commit = load(self.export, stream, position.commit + 1).await?;
            let is_complete = self.send_rows(stream, &commit, &mut position, sent).await;
            self.positions.set(stream, position.clone());
            if !is_complete? {
                return Ok(());
            }
            position = Position { commit: commit.sequence, run_id: commit.run_id, rows: 0 };
            self.positions.set(stream, position.clone());
            sent.commits += 1;
        }
        Ok(())
    }

    /// Sends the remaining rows of a commit. Returns `false` if the command was stopped.
    async fn send_rows(
        &mut self,
        stream: &StreamId,
        commit: &Commit,
        position: &mut Position,
        sent: &mut SentStream,
    ) -> Result<bool, SendError> {
        let mut end = 0;
        for object in &commit.objects {
            let begin = end;
            end += object.rows;
            if position.rows >= end {
                continue;
            }
            match self.send_object(stream, object, begin, position, sent).await {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(SendError::Stream(error @ Error::InvalidObject { .. })) if self.skip_unreadable => {
                    self.context.warn(&error.to_string());
                    sent.unreadable_count += 1;
                    sent.unreadable_objects.push(object.path.clone());
                }
                Err(error) => return Err(error),
            }
            position.rows = end;
        }
        Ok(true)
    }

    /// Sends the rows of an object after the position. `begin` is the number of rows of
    /// the commit before it.
    async fn send_object(
        &mut self,
        stream: &StreamId,
        object: &DataObject,
        begin: u64,
        position: &mut Position,
        sent: &mut SentStream,
    ) -> Result<bool, SendError> {
        let mut rows = object.read_rows(self.export).await?;
        for _ in begin..position.rows {
            rows.next().transpose()?;
        }
        for row in rows {
            if self.stop.is_stopped() {
                return Ok(false);
            }
            self.send_row(&row?, sent).await?;
            position.rows += 1;
            if self.unconfirmed >= MAX_UNCONFIRMED_ROWS {
                self.positions.set(stream, position.clone());
                self.confirm().await?;
            }
        }
        Ok(true)
    }

    async fn send_row(&mut self, row: &StoredRow, sent: &mut SentStream) -> Result<(), Failure> {
        let message = self.format.encode(&Row::from(row));
        let len = message.len() as u64;
        if len > self.max_len {
            sent.too_long += 1;
            self.context.warn(&format!(
                "{} of {}: the row {} is not sent: its message has {len} bytes, and the maximum is {}",
                row.dataset, row.tenant, row.id, self.max_len
            ));
            return Ok(());
        }
        self.connection.send(message.as_bytes()).await?;
        self.unconfirmed += 1;
        sent.rows += 1;
        Ok(())
    }

    /// Confirms that the receiver has all messages, and writes the positions.
    ///
    /// # Errors
    /// When the receiver may lack messages, or the file cannot be written.
    pub(super) async fn confirm(&mut self) -> Result<(), Failure> {
        self.connection.confirm().await?;
        self.unconfirmed = 0;
        self.positions.save()
    }
}

/// The number of the last commit; 0 before the first.
pub(super) async fn last_commit(export: &Store, stream: &StreamId) -> Result<u64, Error> {
    Ok(LogRecord::load_latest(export, stream).await?.map_or(0, |record| record.sequence))
}

/// Loads a commit that must exist.
pub(super) async fn load(export: &Store, stream: &StreamId, sequence: u64) -> Result<Commit, Error> {
    Commit::load(export, stream, sequence).await?.ok_or_else(|| Error::InvalidLogRecord {
        path: format!("{}/{sequence:012}.json", stream.log_folder()),
        reason: "it does not exist, but a later one does".into(),
    })
}

/// The position before the first commit of this time or later; without a time, before all.
pub(super) async fn start(
    export: &Store,
    stream: &StreamId,
    last: u64,
    since_ms: Option<i64>,
) -> Result<Position, Error> {
    let Some(since_ms) = since_ms else { return Ok(Position::default()) };
    for sequence in (1..=last).rev() {
        let commit = load(export, stream, sequence).await?;
        if commit.committed_at.as_millisecond() < since_ms {
            return Ok(Position { commit: sequence, run_id: commit.run_id, rows: 0 });
        }
    }
    Ok(Position::default())
}

/// Checks that a position is one of this export.
async fn check(export: &Store, stream: &StreamId, position: &Position, last: u64) -> Result<(), SendError> {
    if position.commit == 0 {
        return Ok(());
    }
    let is_known =
        position.commit <= last && load(export, stream, position.commit).await?.run_id == position.run_id;
    if is_known {
        return Ok(());
    }
    let Position { commit, run_id, .. } = position;
    Err(SendError::ForeignPosition(format!(
        "the export has no commit {commit} of {} of {} by the run {run_id}",
        stream.dataset, stream.tenant
    )))
}
