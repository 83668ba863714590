//! Alerts and events of Sophos Central, committed to an object store without a
//! gap or a duplicate.
//!
//! # What is written
//!
//! A *stream* is one dataset of one tenant. From the root of the export:
//!
//! | object | what it is |
//! |---|---|
//! | `events/tenant_id=…/day=2026-11-23/000000000007-<run>-0000.ndjson.gz` | rows of one day: an id, times, the source, the revision, and the service's own record as a string |
//! | `_quarantine/events/tenant_id=…/day=…/….ndjson.gz` | records that are not JSON, as bytes in Base64, each with the reason |
//! | `_log/events/<tenant>/000000000007.json` | a [`LogRecord`]: what one run committed |
//! | `_log/events/<tenant>/000000000007.<run>.wal` | what a run was about to write, until it has committed |
//! | `_log/events/<tenant>/_from` | a hint to where the log's end may be looked for |
//! | `_plan/<credential>.json` | a [`TenantInventory`]: the tenants of a credential, with the time of their listing |
//! | `_probe/if-none-match` | in a bucket, what [`Store`] tests conditional writes with |
//!
//! The day is that of the event by the endpoint's clock, in UTC, or of when the
//! service took it in if that clock is wrong ([`ExportSettings::max_event_skew`]); the
//! row has both times. A reader who
//! wants each row exactly once reads the log, and the objects that it names.
//!
//! # How a run commits
//!
//! It reads the end of the log, writes objects under names of its own, and
//! creates the next log record, *which must not exist*. That one request is the
//! commit; whatever happens before it has not happened.
//!
//! | it dies | then |
//! |---|---|
//! | before the log record | the next run reads the same records again, and removes the objects that the intent names |
//! | after it | the next run goes on from there, and removes the intent |
//!
//! Of two runs at once one creates the record. The other takes back what it
//! wrote, and says so.
//!
//! # How nothing is missed or written twice
//!
//! The feed keeps 24 hours, and silently begins there when it is asked for
//! something older. So the log holds the time up to which all was read: when
//! the feed's reach has passed it, the run reports a [`Gap`], and reads alerts
//! of that time from the Common API, which keeps them for 90 days. Records show
//! in the feed some time after the service took them in, so a run that read to
//! the end reads the last minutes again ([`ExportSettings::overlap`]); and the
//! service sends records again of its own accord. Ids of the last records,
//! which the log keeps, tell what was written. A record that comes again with
//! other content is an update: it is written again, under the same id and with
//! the next revision. All times that matter are the
//! service's own, by the `Date` of its answers, as far as that agrees with the
//! clock here ([`ExportSettings::max_service_skew`]).

#![deny(missing_docs)]

mod backfill;
mod checkpoint;
mod clock;
mod commit_log;
mod content_digest;
mod cycle_detector;
mod dataset;
mod day;
mod dedup_window;
mod digest;
mod encode;
mod error;
mod export;
mod failure;
mod json_scan;
mod page_records;
mod passing;
mod record_key;
mod report;
mod row_json;
mod siem_feed;
mod stream;
mod tenant_inventory;
mod word;
mod write_ahead;
mod writer;

pub use checkpoint::{Checkpoint, Gap};
pub use commit_log::{Backfill, DataObject, LogRecord, StreamId};
pub use dataset::{Dataset, UnknownDataset};
pub use encode::{Encoder, Format, GZIP_LEVEL, Row, UnknownFormat};
pub use error::Error;
pub use export::{ExportScope, ExportSettings, Exporter};
pub use failure::FailureKind;
pub use report::{ExportReport, StreamOutcome, StreamReport};
pub use sophos_store::Store;
pub use tenant_inventory::{InventoryChanges, RegionChange, TenantInventory, TenantRef};
