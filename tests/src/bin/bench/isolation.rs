//! Isolation: how soon an event is answered and its endpoint isolated, how many
//! wrong requests are turned away, what both take, and the requests that an isolation
//! makes in small and large estates.

mod attack;
mod calls;
mod ground;
mod load;
mod proof;
mod rejected;

use crate::{MIB, Outcome, measure, say};
use ground::Place;
use load::Run;

/// Sandboxes of each function.
const SANDBOXES: usize = 4;

/// Events a second.
const RATES: [u64; 3] = [1, 50, 500];

/// The S3 server of the tests looks through the whole bucket for each listing,
/// so that more would measure that.
const MOST_ON_S3: u64 = 10;

/// Loads of these numbers of events a second; without any, of one up to 500.
pub(crate) async fn run(rates: &[u64]) -> Outcome {
    let rates = if rates.is_empty() { &RATES[..] } else { rates };
    let mut runs = Vec::new();
    for rate in rates.iter().copied().filter(|rate| *rate > 0) {
        runs.push(load::run(Place::Folder, rate, seconds(rate), SANDBOXES).await?);
    }
    if let Some(rate) = rates.iter().map(|rate| (*rate).min(MOST_ON_S3)).max() {
        runs.push(load::run(Place::S3, rate.max(1), seconds(rate), SANDBOXES).await?);
    }
    print(&runs)?;
    rejected::run(SANDBOXES).await?;
    attack::run().await?;
    calls::run().await
}

/// How long events are sent.
fn seconds(rate: u64) -> u64 {
    if rate < 10 { 20 } else { 10 }
}

fn print(runs: &[Run]) -> Outcome {
    say(&format!(
        "\nSigned events, sent on schedule, {SANDBOXES} sandboxes of the webhook and {SANDBOXES} of the worker.\n\
         From the moment at which a request was due until its 202, in milliseconds:"
    ))?;
    say("  ledger   asked/s   sent/s  answered/s    median     95 %     99 %    worst   events")?;
    for run in runs {
        let Run { place, asked, sent, answered, answer, proof, .. } = run;
        say(&format!(
            "  {place:<6}  {asked:>8}  {sent:>7.1}  {answered:>10.1}  {}  {:>7}",
            row(answer, &[0.5, 0.95, 0.99, 1.0]),
            proof.events,
        ))?;
    }
    say("\nFrom the 202 until the call that isolates reached the service, in milliseconds;\n\
         the rate at which the worker isolated, and how long after the last event it was done:")?;
    say("  ledger   asked/s    median     95 %    worst  isolated  refused   isolated/s  done after s")?;
    for Run { place, asked, proof, .. } in runs {
        say(&format!(
            "  {place:<6}  {asked:>8}  {}  {:>8}  {:>7}  {:>11.1}  {:>12.1}",
            row(&proof.call, &[0.5, 0.95, 1.0]),
            proof.isolated,
            proof.refused,
            proof.rate,
            proof.done_after,
        ))?;
    }
    say("\nWhat an event took of each function: milliseconds of a processor, and the most memory in MiB:")?;
    say("  ledger   asked/s   webhook ms  worker ms   webhook MiB  worker MiB")?;
    for Run { place, asked, webhook, worker, .. } in runs {
        say(&format!(
            "  {place:<6}  {asked:>8}  {:>11.2}  {:>9.2}  {:>12.1}  {:>10.1}",
            webhook.computed_ms,
            worker.computed_ms,
            webhook.peak as f64 / MIB,
            worker.peak as f64 / MIB,
        ))?;
    }
    say("\nFor each endpoint that was isolated:")?;
    for Run { place, asked, proof, .. } in runs {
        let each: Vec<_> = proof.requests.iter().map(|(what, count)| format!("{what} {count:.2}")).collect();
        say(&format!("  {place}, {asked}/s: {}", each.join(", ")))?;
    }
    Ok(())
}

fn row(times: &measure::Times, shares: &[f64]) -> String {
    let times: Vec<_> = shares.iter().map(|share| format!("{:>7.1}", times.within(*share))).collect();
    times.join("  ")
}
