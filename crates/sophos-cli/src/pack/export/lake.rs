//! `sophos export lake`.

use std::collections::BTreeMap;

use serde::Serialize;
use sophos_lake::{Class, LakeLayout, LakeReport, LakeSettings, LakeWriter};

use super::LakeArgs;
use crate::{
    context::Context,
    exit::{Exit, Failure},
    pack::{
        store,
        values::{counted, since_epoch},
    },
};

/// The columns of the table.
const COLUMNS: [&str; 8] =
    ["batches", "stored_rows", "rows", "objects", "bytes", "telemetry", "unknown_type_count", "invalid"];

/// The Region and the account in the paths of a folder that is no lake of AWS.
const REGION: &str = "local";
const ACCOUNT: &str = "external_sophos";

/// The result, as it is shown.
#[derive(Debug, Serialize)]
struct LakeRecord {
    batches: u64,
    stored_rows: u64,
    rows: u64,
    rows_by_class: BTreeMap<String, u64>,
    objects: u64,
    bytes: u64,
    telemetry: u64,
    unknown_type_count: u64,
    unknown_types: BTreeMap<String, u64>,
    invalid: u64,
    unreadable_objects: Vec<String>,
}

impl From<LakeReport> for LakeRecord {
    fn from(LakeReport { batches, total, .. }: LakeReport) -> Self {
        Self {
            batches,
            stored_rows: total.stored_rows,
            rows: total.rows.values().sum(),
            rows_by_class: total.rows,
            objects: total.objects,
            bytes: total.bytes,
            telemetry: total.telemetry,
            unknown_type_count: total.unknown_types.values().sum(),
            unknown_types: total.unknown_types,
            invalid: total.invalid,
            unreadable_objects: total.unreadable_objects,
        }
    }
}

/// Runs the command.
pub(super) async fn run(args: &LakeArgs, context: &Context) -> Result<(), Failure> {
    let export = store::open_existing(&args.from, "an export")?;
    let lake = store::open(&args.to)?;
    let layout = LakeLayout::new(&args.source_prefix, REGION, ACCOUNT).map_err(lake_failure)?;
    let mut settings = LakeSettings::new(layout);
    settings.mapping.classes =
        if args.class.is_empty() { Class::DEFAULT.to_vec() } else { args.class.clone() };
    let writer = LakeWriter::to_store(export, &lake, settings).map_err(lake_failure)?;
    let now_ms = || since_epoch().as_millis() as i64;
    let report = writer.run(now_ms, None).await.map_err(lake_failure)?;
    let record = LakeRecord::from(report);
    for (name, count) in &record.unknown_types {
        context.warn(&format!("the mapping does not know the type \"{name}\": {}", counted(*count, "event")));
    }
    for path in &record.unreadable_objects {
        context.warn(&format!("{path} does not exist any more, or cannot be read"));
    }
    let (rows, objects, unreadable) = (record.rows, record.objects, record.unreadable_objects.len() as u64);
    let mut records = context.records(&COLUMNS);
    records.write(&record)?;
    records.finish()?;
    if unreadable > 0 {
        let message = format!("{} of the export could not be read", counted(unreadable, "object"));
        return Err(Failure::new(Exit::Partial, message)
            .hint("the lake goes on without them; `sophos export verify` shows what is missing"));
    }
    context.note(&format!("wrote {} in {} to {}", counted(rows, "row"), counted(objects, "object"), args.to));
    Ok(())
}

fn lake_failure(error: sophos_lake::Error) -> Failure {
    match error {
        sophos_lake::Error::Store(error) => error.into(),
        sophos_lake::Error::InvalidSetting { .. } => Failure::usage(error.to_string()),
        error => Failure::other(error.to_string()),
    }
}
