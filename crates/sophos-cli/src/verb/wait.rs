//! Queries that run at the service: start, wait, read the results.

use std::time::Duration;

use sophos_api::catalog::DescribedRequest;

use crate::{
    context::Context,
    exit::Failure,
    json::Json,
    verb::{Fields, Op, Target, Verb, change::show_request, list},
};

/// The wait before the first look at the state, and the longest.
const MIN_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Starts a query, waits for it, and writes its results.
pub(crate) async fn run(
    verb: &Verb,
    context: &Context,
    start: &DescribedRequest,
    status: Op,
    results: Op,
    target: Target,
) -> Result<(), Failure> {
    if context.globals.dry_run {
        return show_request(context.session().await?, &target, start).await;
    }
    let run = target.send(start).await?;
    let id = run.get("id").and_then(Json::as_str).map(str::to_owned);
    let id = id.ok_or_else(|| Failure::other("starting the query failed: the response has no id"))?;
    context.note(&format!("Started run {id}"));
    let mut by_id = Fields::new();
    by_id.insert("runId".to_owned(), id.into());
    wait_for(context, &status.describe()?.request(by_id.clone())?, &target, run).await?;
    let results = results.describe()?.request(by_id)?;
    let mut records = context.records(verb.columns);
    let result = list(context, &results, verb.items, vec![(String::new(), Ok(target))], &mut records).await;
    records.finish()?;
    result
}

/// Waits until a run is no longer pending or started.
///
/// # Errors
/// When it failed.
pub(crate) async fn wait_for(
    context: &Context,
    status: &DescribedRequest,
    target: &Target,
    mut run: Json,
) -> Result<(), Failure> {
    let progress = context.progress("waiting for the results", None);
    let mut wait = MIN_WAIT;
    loop {
        let state = run.get("status").and_then(Json::as_str).unwrap_or_default();
        if !matches!(state, "pending" | "started" | "") {
            break;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(MAX_WAIT);
        run = target.send(status).await?;
    }
    progress.finish_and_clear();
    let result = run.get("result").and_then(Json::as_str).unwrap_or("succeeded");
    match (run.get("status").and_then(Json::as_str), result) {
        (Some("canceled"), _) => Err(Failure::other("the query was cancelled")),
        (_, "failed") => Err(Failure::other("the query failed at the service")),
        (_, "timedOut") => {
            context.warn("the query timed out on some endpoints: the results are partial");
            Ok(())
        }
        _ => Ok(()),
    }
}
