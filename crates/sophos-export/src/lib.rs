//! Export of alerts and events of Sophos Central to an object store, without gaps or
//! duplicates.
//!
//! # Objects
//!
//! A *stream* is one dataset of one tenant. From the root of the export:
//!
//! | object | content |
//! |---|---|
//! | `events/tenant_id=…/day=2026-11-23/000000000007-<run>-0000.ndjson.gz` | rows of one day: an id, times, the source, the revision, and the service's JSON as a string |
//! | `_quarantine/events/tenant_id=…/day=…/….ndjson.gz` | records that are not JSON, as bytes in Base64, each with the reason |
//! | `_log/events/<tenant>/000000000007.json` | a [`LogRecord`]: one commit |
//! | `_log/events/<tenant>/000000000007.<run>.wal` | the write-ahead record: the objects of a run until its commit |
//! | `_log/events/<tenant>/_from` | a hint for the search of the log's end |
//! | `_log/endpoints/<tenant>/_partial` | the progress of a snapshot that a deadline interrupted |
//! | `_plan/<credential>.json` | a [`TenantInventory`]: the tenants of a credential, with the time of their listing |
//! | `_probe/if-none-match` | in a bucket, the object with which [`Store`] tests conditional writes |
//!
//! The day is in UTC and by the endpoint's clock. If that clock is wrong
//! ([`ExportSettings::max_event_skew`]), it is the day of the creation time by the
//! service's clock. The row has both times. To read each row exactly once, read the log
//! and the objects that it names. [`read_rows`] reads the rows of an object. The extension
//! of its name tells its [`Format`], which may change between two runs.
//!
//! # Commit
//!
//! A run reads the end of the log, writes objects under unique names, and creates the
//! next log record, *which must not exist*. This single request is the commit.
//!
//! | crash | recovery |
//! |---|---|
//! | before the log record | the next run reads the same records again, and deletes the objects that the write-ahead record names |
//! | after the log record | the next run continues from there, and deletes the write-ahead record |
//!
//! Of two concurrent runs one creates the log record. The other rolls back, and reports
//! [`StreamOutcome::Superseded`].
//!
//! # Announcement
//!
//! With an [`Announcer`], the write-ahead record stays until the commit is announced. The
//! next run announces the commits of the write-ahead records that it finds. So each commit
//! with rows is announced at least once, after it, and in the order of the log.
//!
//! # No gaps, no duplicates
//!
//! The feed keeps 24 hours. A request for an earlier time starts at the oldest record
//! without an error. So the log has the time up to which everything was read. If the feed
//! has dropped later records, the run reports a [`Gap`], and backfills alerts from the
//! Common API, which keeps them for 90 days.
//!
//! Records appear in the feed with a delay, so a run rereads the last minutes
//! ([`ExportSettings::overlap`]). The service also repeats records. The log keeps the ids
//! of the latest records to recognize them. A repeated record with other content is
//! written under the same id with the next revision.
//!
//! # Snapshots
//!
//! A dataset of the kind [`Snapshot`](DatasetKind::Snapshot) is the state at a time, taken
//! once in [`ExportSettings::snapshot_interval`]. One commit names all of its objects, so a
//! snapshot is complete or absent. [`LogRecord::load_latest`] returns the latest. The
//! changes between two snapshots of the endpoints are a dataset of their own.
//!
//! # Logs
//!
//! [`Dataset::Audit`], [`Dataset::Detections`] and [`Dataset::Cases`] are read by time, in
//! ranges of at most a week, and committed in the same way. The checkpoint has the range
//! that is not complete and the key of its next page. A rejected key costs the reread of
//! the range, whose ids the log record keeps with their times. Cases change for months, so
//! the log record keeps all of them.
//!
//! All times are the service's, by the `Date` of its responses, unless that differs too
//! much from the local clock ([`ExportSettings::max_service_skew`]).
//!
//! # The ledger of isolation
//!
//! A [`LedgerExporter`] exports the ledger of `sophos-isolation` as
//! [`Dataset::Isolations`]: a row for each transition. The arrivals of the ledger are its
//! decisions in the order of time, and the log record has those that have not ended.

#![deny(missing_docs)]

mod announcement;
mod audit_log;
mod backfill;
mod case_log;
mod checkpoint;
mod clock;
mod commit;
mod commit_log;
mod commit_run;
mod content_digest;
mod cycle_detector;
mod dataset;
mod day;
mod dedup_window;
mod detection_log;
mod digest;
mod encode;
mod endpoint_changes;
mod endpoint_diff;
mod error;
mod export;
mod failure;
mod finding;
mod format;
mod fusion_log;
mod json_scan;
mod ledger_entry;
mod ledger_exporter;
mod ledger_run;
mod log_key;
mod log_page;
mod log_progress;
mod log_run;
mod oversized_page;
mod page_records;
mod page_size;
mod record_key;
mod report;
mod row_json;
mod run_control;
mod siem_feed;
mod snapshot_batch;
mod snapshot_reader;
mod snapshot_run;
mod snapshot_source;
mod snapshot_state;
mod stream;
mod stream_status;
mod tenant_inventory;
mod verify;
mod write_ahead;
mod writer;

pub use announcement::{AnnounceError, Announcer};
pub use checkpoint::{Checkpoint, Gap};
pub use commit::Commit;
pub use commit_log::{Backfill, DataObject, LogRecord, SnapshotSource, SnapshotSummary, StreamId};
pub use content_digest::ContentHash;
pub use dataset::{Dataset, DatasetKind, UnknownDataset};
pub use encode::{Encoder, Row, StoredRow};
pub use error::Error;
pub use export::{ExportScope, ExportSettings, Exporter};
pub use failure::FailureKind;
pub use finding::Finding;
#[cfg(feature = "zstd")]
pub use format::ZSTD_LEVEL;
#[cfg(feature = "parquet")]
pub use format::{ColumnKind, ParquetColumn, parquet_columns};
pub use format::{
    Format, FormatSelection, GZIP_LEVEL, InvalidFormatSelection, StoredRows, UnknownFormat, read_rows,
};
pub use ledger_entry::TrackedDecision;
pub use ledger_exporter::LedgerExporter;
pub use report::{ExportReport, StreamOutcome, StreamReport};
pub use run_control::{ExportProgress, StopSignal};
pub use sophos_store::Store;
pub use stream_status::{StreamStatus, list_streams};
pub use tenant_inventory::{InventoryChanges, RegionChange, TenantInventory, TenantRef};
pub use verify::StreamVerification;
