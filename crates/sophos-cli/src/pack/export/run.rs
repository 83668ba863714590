//! `sophos export run`.

use std::sync::Arc;

use sophos_api::{TenantId, Transport};
use sophos_export::{
    Dataset, ExportReport, ExportScope, ExportSettings, Exporter, LedgerExporter, StopSignal, Store,
    StreamId, StreamStatus,
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
    let ledger = open_ledger(args, &datasets, tenant.as_ref())?;
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
    let ledger = ledger.map(|ledger| {
        let observer = Arc::clone(&progress);
        LedgerExporter::new(ledger, store.clone(), settings.clone())
            .with_stop_signal(stop.clone())
            .with_progress(move |event| observer.observe(event))
    });
    let exporter = Exporter::new(session.client.clone(), store, settings)
        .with_stop_signal(stop.clone())
        .with_progress(move |event| observer.observe(event));
    let _interrupts = client::on_interrupt(context, "committing what was read; Ctrl-C again ends at once", {
        let stop = stop.clone();
        move || stop.stop()
    });
    loop {
        let report = run_once(args, &exporter, ledger.as_ref(), &scope).await;
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
    ledger: Option<&LedgerExporter>,
    scope: &ExportScope,
) -> Result<ExportReport, Failure> {
    let now = || exporter.client().transport().now();
    let stop_at = args.time_limit.map(|limit| now() + limit);
    let mut report = exporter.run(scope, stop_at).await.map_err(export_failure)?;
    if let Some(ledger) = ledger {
        report.add(ledger.run(now, stop_at).await);
    }
    Ok(report)
}

/// Opens the ledger of isolation if its dataset is among the datasets.
fn open_ledger(
    args: &RunArgs,
    datasets: &[Dataset],
    tenant: Option<&TenantId>,
) -> Result<Option<Store>, Failure> {
    if datasets.iter().all(|dataset| dataset.is_per_tenant()) {
        return Ok(None);
    }
    if tenant.is_some() {
        return Err(Failure::usage("the dataset isolations has the decisions of all tenants; omit --tenant"));
    }
    let missing = || Failure::usage("the dataset isolations needs --ledger, the location of the ledger");
    let location = args.ledger.as_ref().ok_or_else(missing)?;
    store::open_existing(location, "a ledger of isolation").map(Some)
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
    let mut streams = Vec::new();
    for tenant in tenants.iter().chain(account.iter().map(|account| account.id())) {
        let is_account = account.as_ref().is_some_and(|account| account.id() == tenant);
        let datasets = scope.datasets.iter().filter(|dataset| dataset.is_per_tenant());
        for dataset in datasets.filter(|dataset| !is_account || **dataset == Dataset::Audit) {
            streams.push(StreamId::new(*dataset, tenant.as_str()).map_err(export_failure)?);
        }
    }
    let ledger = StreamId::of_ledger();
    streams.extend(scope.datasets.contains(&ledger.dataset).then_some(ledger));
    let mut records = context.records(&["tenant", "dataset", "commits", "starts_at"]);
    for stream in streams {
        let status = match &store {
            Some(store) => Some(StreamStatus::load(store, &stream, 1).await.map_err(export_failure)?),
            None => None,
        };
        let checkpoint = status.as_ref().and_then(|status| status.checkpoint.as_ref());
        records.write(&serde_json::json!({
            "tenant": stream.tenant,
            "dataset": stream.dataset,
            "commits": status.as_ref().map_or(0, |status| status.commits),
            "starts_at": checkpoint.map_or_else(
                || first_start(stream.dataset).to_owned(),
                |checkpoint| rfc3339(checkpoint.low_watermark_ms),
            ),
        }))?;
    }
    records.finish()?;
    context.note(&format!("would export {} to {}", counted(tenants.len() as u64, "tenant"), args.to));
    Ok(())
}
