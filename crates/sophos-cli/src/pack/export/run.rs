//! `sophos export run`.

use std::sync::Arc;

use sophos_api::{TenantId, Transport};
use sophos_export::{
    Dataset, ExportReport, ExportScope, ExportSettings, Exporter, StopSignal, StreamId, StreamStatus,
};

use super::{RunArgs, export_failure, outcome, progress::RunProgress};
use crate::{
    connect::Session,
    context::Context,
    exit::{Exit, Failure},
    pack::{
        client, store,
        values::{counted, rfc3339},
    },
    transport::CliTransport,
};

/// The columns of the result.
const COLUMNS: [&str; 7] = ["tenant", "dataset", "outcome", "rows", "duplicates", "objects", "has_more"];

/// Runs the command.
pub(super) async fn run(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let session = context.session().await?;
    let tenant = client::selected_tenant(session, context).await?;
    let mut datasets = args.dataset.clone();
    datasets.sort_unstable();
    datasets.dedup();
    if datasets.is_empty() {
        datasets = Dataset::DEFAULT.to_vec();
    }
    let scope = ExportScope { tenant, datasets, ..ExportScope::default() };
    if context.globals.dry_run {
        return show_plan(args, context, session, &scope).await;
    }
    let store = store::open(&args.to)?;
    let mut settings = ExportSettings::default();
    settings.concurrency = args.concurrency as usize;
    settings.formats = args.format.clone();
    settings.overlap = args.overlap;
    settings.rows_per_commit = args.rows_per_commit;
    settings.max_service_skew = args.max_clock_skew;

    let stop = StopSignal::new();
    let progress = Arc::new(RunProgress::new(context.progress("exporting", Some(0))));
    let observer = Arc::clone(&progress);
    let exporter = Exporter::new(session.client.clone(), store, settings)
        .with_stop_signal(stop.clone())
        .with_progress(move |event| observer.observe(event));
    let _interrupts = client::on_interrupt(context, "committing what was read; Ctrl-C again ends at once", {
        let stop = stop.clone();
        move || stop.stop()
    });
    loop {
        let report = run_once(args, &exporter, &scope).await;
        progress.finish();
        if stop.is_stopped() {
            return end_interrupted(context, args, report);
        }
        // A repeated run continues after a failure, such as one of the network.
        let result = report.and_then(|report| show(context, args, &report));
        let Some(every) = args.every else { return result };
        if let Err(failure) = result {
            if failure.exit == Exit::Authentication {
                return Err(failure);
            }
            context.warn(&failure.message);
        }
        let wait = tokio::time::timeout(every, stop.stopped());
        if wait.await.is_ok() {
            return Err(Failure::reported(Exit::Interrupted));
        }
    }
}

async fn run_once(
    args: &RunArgs,
    exporter: &Exporter<CliTransport>,
    scope: &ExportScope,
) -> Result<ExportReport, Failure> {
    let stop_at = args.time_limit.map(|limit| exporter.client().transport().now() + limit);
    exporter.run(scope, stop_at).await.map_err(export_failure)
}

/// Shows the result of a run.
fn show(context: &Context, args: &RunArgs, report: &ExportReport) -> Result<(), Failure> {
    let mut records = context.records(&COLUMNS);
    for stream in &report.streams {
        records.write(stream)?;
    }
    records.finish()?;
    for warning in outcome::warnings(report) {
        context.warn(&warning);
    }
    context.note(&outcome::summary(report, &args.to));
    outcome::result(report)
}

fn end_interrupted(
    context: &Context,
    args: &RunArgs,
    report: Result<ExportReport, Failure>,
) -> Result<(), Failure> {
    // The interruption counts, not the failure of a stream.
    match report.and_then(|report| show(context, args, &report)) {
        Ok(()) => {}
        Err(failure) => context.warn(&failure.message),
    }
    context.note("interrupted; the next run continues from the last commit");
    Err(Failure::reported(Exit::Interrupted))
}

/// The start of the first run.
fn first_start(dataset: Dataset) -> &'static str {
    match dataset {
        Dataset::Events | Dataset::Alerts => "24 hours ago",
        Dataset::Audit | Dataset::Detections => "90 days ago",
        _ => "all",
    }
}

/// Shows the streams that a run would export, and where each would start.
async fn show_plan(
    args: &RunArgs,
    context: &Context,
    session: &Session,
    scope: &ExportScope,
) -> Result<(), Failure> {
    let tenants: Vec<TenantId> = match &scope.tenant {
        Some(tenant) => vec![tenant.clone()],
        None => session.list_tenants(context).await?.into_iter().map(|tenant| tenant.id).collect(),
    };
    // Without the destination each stream would start with its first run.
    let store = store::open_existing(&args.to, "an export").ok();
    let account = match scope.datasets.contains(&Dataset::Audit) && scope.tenant.is_none() {
        true => session.client.own_account().await?,
        false => None,
    };
    let mut records = context.records(&["tenant", "dataset", "commits", "starts_at"]);
    for tenant in tenants.iter().chain(account.iter().map(|account| account.id())) {
        let is_account = account.as_ref().is_some_and(|account| account.id() == tenant);
        for dataset in scope.datasets.iter().filter(|dataset| !is_account || **dataset == Dataset::Audit) {
            let stream = StreamId::new(*dataset, tenant.as_str()).map_err(export_failure)?;
            let status = match &store {
                Some(store) => Some(StreamStatus::load(store, &stream, 1).await.map_err(export_failure)?),
                None => None,
            };
            let checkpoint = status.as_ref().and_then(|status| status.checkpoint.as_ref());
            records.write(&serde_json::json!({
                "tenant": stream.tenant,
                "dataset": dataset,
                "commits": status.as_ref().map_or(0, |status| status.commits),
                "starts_at": checkpoint.map_or_else(
                    || first_start(*dataset).to_owned(),
                    |checkpoint| rfc3339(checkpoint.low_watermark_ms),
                ),
            }))?;
        }
    }
    records.finish()?;
    context.note(&format!("would export {} to {}", counted(tenants.len() as u64, "tenant"), args.to));
    Ok(())
}
