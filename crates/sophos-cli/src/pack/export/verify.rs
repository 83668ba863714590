//! `sophos export verify`.

use serde::Serialize;
use sophos_export::StreamVerification;

use super::{VerifyArgs, export_failure, streams};
use crate::{
    context::Context,
    exit::{Exit, Failure},
    pack::{
        store,
        values::{counted, in_words, rfc3339},
    },
};

/// The columns of the table.
const COLUMNS: [&str; 9] = [
    "tenant",
    "dataset",
    "commits",
    "rows",
    "objects",
    "verified_objects",
    "gap_count",
    "pending_count",
    "finding_count",
];

/// The verification of a stream, as it is shown.
#[derive(Debug, Serialize)]
struct VerificationRecord {
    #[serde(flatten)]
    verification: StreamVerification,
    gap_count: u64,
    gap_seconds: f64,
    pending_count: u64,
    finding_count: u64,
}

/// Runs the command.
pub(super) async fn run(args: &VerifyArgs, context: &Context) -> Result<(), Failure> {
    let store = store::open_existing(&args.at, "an export")?;
    let streams = streams(&store, context).await?;
    let total = streams.len() as u64;
    let progress = context.progress("verifying", Some(total));
    let mut records = context.records(&COLUMNS);
    let (mut objects, mut rows, mut findings, mut defective) = (0, 0, 0, 0_u64);
    for stream in streams {
        let name = format!("{} of {}", stream.dataset, stream.tenant);
        progress.set_message(name.clone());
        let tick = |_| progress.tick();
        let verification = StreamVerification::run(&store, &stream, args.compare_rows, tick)
            .await
            .map_err(export_failure)?;
        progress.inc(1);
        objects += verification.verified_objects;
        rows += verification.rows;
        findings += verification.findings.len() as u64;
        defective += u64::from(!verification.is_sound());
        progress.suspend(|| show_details(context, &name, &verification));
        records.write(&VerificationRecord {
            gap_count: verification.gaps.len() as u64,
            gap_seconds: verification.gap_seconds(),
            pending_count: verification.pending_objects.len() as u64,
            finding_count: verification.findings.len() as u64,
            verification,
        })?;
    }
    progress.finish_and_clear();
    records.finish()?;
    let proved = format!("proved {} with {}", counted(objects, "object"), counted(rows, "row"));
    if findings > 0 {
        let message =
            format!("{proved}; found {} in {defective} of {total} streams", counted(findings, "defect"));
        return Err(Failure::new(Exit::Partial, message)
            .hint("restore what is named above from a version or a backup"));
    }
    context.note(&format!("{proved} in {}: no defect", counted(total, "stream")));
    Ok(())
}

/// Shows the defects, the gaps and the open runs of a stream.
fn show_details(context: &Context, name: &str, verification: &StreamVerification) {
    for finding in &verification.findings {
        context.warn(&finding.to_string());
    }
    for gap in &verification.gaps {
        let (from, to, length) = (rfc3339(gap.from_ms), rfc3339(gap.to_ms), in_words(gap.seconds()));
        context.note(&format!("gap: {name} from {from} to {to} ({length})"));
    }
    if !verification.pending_objects.is_empty() {
        let pending = counted(verification.pending_objects.len() as u64, "object");
        context.note(&format!("{name}: {pending} of a run that is active, or died; the next run decides"));
    }
}
