//! `sophos export status`.

use serde::Serialize;
use sophos_export::StreamStatus;

use super::{StatusArgs, streams};
use crate::{
    context::Context,
    exit::{Exit, Failure},
    pack::{
        store,
        values::{counted, rfc3339, since_epoch},
    },
};

/// The columns of the table.
const COLUMNS: [&str; 9] = [
    "tenant",
    "dataset",
    "commits",
    "last_commit",
    "read_to",
    "rows",
    "gap_count",
    "gap_seconds",
    "quarantined",
];

/// The state of a stream, as it is shown.
#[derive(Debug, Serialize)]
struct StatusRecord {
    #[serde(flatten)]
    status: StreamStatus,
    /// The time up to which the feed was read, in RFC 3339.
    read_to: Option<String>,
    /// The age of that time.
    age_seconds: Option<u64>,
    gap_count: u64,
    gap_seconds: f64,
}

/// Runs the command.
pub(super) async fn run(args: &StatusArgs, context: &Context) -> Result<(), Failure> {
    let store = store::open_existing(&args.at, "an export")?;
    let mut records = context.records(&COLUMNS);
    let (mut failed, mut total, mut rows, mut gaps, mut quarantined) = (0, 0_u64, 0, 0, 0);
    for stream in streams(&store, context).await? {
        total += 1;
        let status = match StreamStatus::load(&store, &stream, args.commits).await {
            Ok(status) => status,
            Err(error) => {
                context.warn(&format!("{} of {}: {error}", stream.dataset, stream.tenant));
                failed += 1;
                continue;
            }
        };
        rows += status.rows;
        gaps += status.gaps.len() as u64;
        quarantined += status.quarantined;
        let read_to = status.checkpoint.as_ref().map(|checkpoint| checkpoint.high_watermark_ms);
        let now_ms = since_epoch().as_millis() as i64;
        records.write(&StatusRecord {
            read_to: read_to.map(rfc3339),
            age_seconds: read_to.map(|ms| (now_ms - ms).max(0) as u64 / 1_000),
            gap_count: status.gaps.len() as u64,
            gap_seconds: status.gap_seconds(),
            status,
        })?;
    }
    records.finish()?;
    context.note(&format!(
        "{}, the last {} of each: {}, {}, {quarantined} quarantined",
        counted(total, "stream"),
        counted(args.commits, "commit"),
        counted(rows, "row"),
        counted(gaps, "gap"),
    ));
    if failed > 0 {
        let message = format!("reading the log of {failed} of {total} streams failed");
        return Err(Failure::new(Exit::Partial, message).hint("`sophos export verify` shows every defect"));
    }
    Ok(())
}
