//! Isolation: the time until the response and the isolation, the rejection of invalid requests,
//! the resources of both, and the API requests in small and large estates.

mod api_requests;
mod fixture;
mod load;
mod rejection_cost;
mod rejection_rate;
mod verification;

use crate::{BenchResult, MIB, measure, print_line};
use fixture::LedgerStore;
use load::LoadResult;

/// The number of sandboxes of each function.
const SANDBOXES: usize = 4;

/// The default rates of events, per second.
pub(crate) const RATES: [u64; 3] = [1, 50, 500];

/// The maximum rate with the S3 server. The server scans the whole bucket for each listing,
/// which would dominate higher rates.
const MAX_S3_RATE: u64 = 10;

/// Measures loads of these numbers of events a second.
pub(crate) async fn run(rates: &[u64]) -> BenchResult {
    let mut runs = Vec::new();
    for rate in rates.iter().copied().filter(|rate| *rate > 0) {
        runs.push(load::run(LedgerStore::Folder, rate, seconds(rate), SANDBOXES).await?);
    }
    if let Some(rate) = rates.iter().map(|rate| (*rate).min(MAX_S3_RATE)).max() {
        runs.push(load::run(LedgerStore::S3, rate.max(1), seconds(rate), SANDBOXES).await?);
    }
    print(&runs)?;
    rejection_rate::run(SANDBOXES).await?;
    rejection_cost::run().await?;
    api_requests::run().await
}

/// The duration of a load, in seconds.
fn seconds(rate: u64) -> u64 {
    if rate < 10 { 20 } else { 10 }
}

fn print(runs: &[LoadResult]) -> BenchResult {
    print_line(&format!(
        "\nSigned events, sent on schedule, {SANDBOXES} sandboxes of the webhook and {SANDBOXES} of the worker.\n\
         From the moment at which a request was due until its 202, in milliseconds:"
    ))?;
    print_line("  ledger  target/s   sent/s  answered/s    median     95 %     99 %    worst   events")?;
    for run in runs {
        let LoadResult {
            store: place,
            requested_rate: requested,
            sent_rate: sent,
            response_rate: answered,
            response_times: response,
            verification: proof,
            ..
        } = run;
        print_line(&format!(
            "  {place:<6}  {requested:>8}  {sent:>7.1}  {answered:>10.1}  {}  {:>7}",
            row(response, &[0.5, 0.95, 0.99, 1.0]),
            proof.events,
        ))?;
    }
    print_line(
        "\nFrom the 202 until the call that isolates reached the service, in milliseconds;\n\
         the rate of isolations, and the time from the last event to the last isolation:",
    )?;
    print_line(
        "  ledger  target/s    median     95 %    worst  isolated  refused   isolated/s  done after s",
    )?;
    for LoadResult { store: place, requested_rate: requested, verification: proof, .. } in runs {
        print_line(&format!(
            "  {place:<6}  {requested:>8}  {}  {:>8}  {:>7}  {:>11.1}  {:>12.1}",
            row(&proof.call_delay, &[0.5, 0.95, 1.0]),
            proof.isolated,
            proof.refused,
            proof.rate,
            proof.completed_after_seconds,
        ))?;
    }
    print_line("\nProcessor time in milliseconds per event, and peak memory in MiB, of each function:")?;
    print_line("  ledger  target/s   webhook ms  worker ms   webhook MiB  worker MiB")?;
    for LoadResult { store: place, requested_rate: requested, webhook, worker, .. } in runs {
        print_line(&format!(
            "  {place:<6}  {requested:>8}  {:>11.2}  {:>9.2}  {:>12.1}  {:>10.1}",
            webhook.cpu_ms,
            worker.cpu_ms,
            webhook.peak_rss_bytes as f64 / MIB,
            worker.peak_rss_bytes as f64 / MIB,
        ))?;
    }
    print_line("\nRequests per isolated endpoint:")?;
    for LoadResult { store: place, requested_rate: requested, verification: proof, .. } in runs {
        let each: Vec<_> = proof.requests.iter().map(|(what, count)| format!("{what} {count:.2}")).collect();
        print_line(&format!("  {place}, {requested}/s: {}", each.join(", ")))?;
    }
    Ok(())
}

fn row(times: &measure::Percentiles, shares: &[f64]) -> String {
    let times: Vec<_> = shares.iter().map(|share| format!("{:>7.1}", times.percentile(*share))).collect();
    times.join("  ")
}
