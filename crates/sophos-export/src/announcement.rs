//! Announcements of commits: at least once, after the commit, in the order of the log.
//!
//! The write-ahead record of a run is the reminder. With an announcer it stays until the
//! commit is announced. A run that dies between both leaves it, and the next run of the
//! stream lists the folder of the log anyway. So an announcement needs no further object
//! and, unless one failed, no further request to the store.

use std::error::Error as StdError;

use sophos_api::BoxFuture;
use sophos_store::Store;

use crate::{
    commit_log::{LogHead, LogRecord, StreamId},
    report::StreamReport,
    write_ahead::{WriteAheadRecord, load_committed, try_remove},
    writer::ObjectWriter,
};

/// The maximum number of announcements after one commit. The next run continues after
/// a long outage of the receiver.
const MAX_ANNOUNCEMENTS: u64 = 50;

/// The failure of an announcement.
pub type AnnounceError = Box<dyn StdError + Send + Sync>;

/// An announcer of commits, such as to an event bus.
///
/// A commit with objects is announced at least once, after it, and never before the
/// commits before it. It is announced again after a failure or a crash, or by a concurrent
/// run, so receivers must accept repetitions. Commits without objects are not announced.
pub trait Announcer: Send + Sync {
    /// Announces a commit. All its objects exist.
    ///
    /// The run waits for it, so it must limit its own time.
    ///
    /// # Errors
    /// When a receiver may not know the commit. The export goes on: the error is logged,
    /// and the next run of the stream announces the commit again.
    fn announce<'a>(&'a self, record: &'a LogRecord) -> BoxFuture<'a, Result<(), AnnounceError>>;
}

/// Ends a committed run: removes its write-ahead record, or keeps it for the announcement.
pub(crate) async fn end_commit(
    writer: &ObjectWriter,
    stream: &StreamId,
    head: &mut LogHead,
    is_announced: bool,
) {
    if is_announced {
        head.write_ahead_files.extend(writer.write_ahead_file());
    } else if let Err(error) = writer.finalize().await {
        tracing::warn!(event = "finalize_failed", tenant_id = stream.tenant, %error, "failed to remove the write-ahead record; the next run removes it");
    }
}

/// Announces the commits whose write-ahead records still exist, in order, and removes
/// these records.
///
/// Stops at the first failure. Then it hides the later write-ahead records from garbage
/// collection, since they are the reminders of the next run.
pub(crate) async fn announce_commits(
    store: &Store,
    stream: &StreamId,
    announcer: &dyn Announcer,
    head: &mut LogHead,
    report: &mut StreamReport,
) {
    let committed = head.sequence();
    let parsed = head.write_ahead_files.iter().filter_map(|name| {
        let (sequence, run_id) = WriteAheadRecord::parse_file_name(name)?;
        (sequence <= committed).then(|| (sequence, run_id.to_owned(), name.clone()))
    });
    let mut pending: Vec<_> = parsed.collect();
    pending.sort_unstable();
    let mut announced = 0;
    for (sequence, run_id, name) in pending {
        let result = match load_committed(store, stream, head, sequence).await {
            // A run that died before its commit.
            Ok(record) if record.run_id != run_id => continue,
            Ok(_) if announced == MAX_ANNOUNCEMENTS => Ok(false),
            Ok(record) if record.objects.is_empty() => Ok(true),
            Ok(record) => announcer.announce(&record).await.map(|()| {
                announced += 1;
                true
            }),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = &result {
            let (tenant_id, dataset) = (&stream.tenant, stream.dataset);
            tracing::warn!(event = "announcement_failed", tenant_id, %dataset, sequence, %error, "announcing a commit failed; the next run announces it again");
            report.announcement_error = Some(error.to_string());
        }
        if !matches!(result, Ok(true)) {
            head.write_ahead_files.retain(|name| {
                WriteAheadRecord::parse_file_name(name).is_none_or(|(number, _)| number < sequence)
            });
            break;
        }
        try_remove(store, &format!("{}/{name}", stream.log_folder())).await;
        head.write_ahead_files.retain(|file| *file != name);
    }
    report.announced += announced;
}
