//! The start of each function: from that of its process to its first question for
//! work. Lambda counts the same as a cold start, after it has loaded the package.

use end_to_end::{World, estate::partner, isolation::IsolationWorld};
use local_lambda::Function;
use sophos_simulator::CredentialKind;

use crate::{
    MIB, Outcome,
    measure::{Times, ms},
    say,
};

const STARTS: usize = 31;

/// A policy that names one source.
const POLICY: &str = r#"version = 1
mode = "enforce"

[sources.first]
tool = "generic"
tenants = ["*"]
verify = { scheme = "signature", secret = "webhooks/first" }
"#;

/// All functions; each so many times, if that is given.
pub(crate) async fn run(counts: &[u64]) -> Outcome {
    let count = counts.first().map_or(STARTS, |count| *count as usize).max(1);
    let folder = tempfile::tempdir()?;
    let world = World::start(partner(1, 10), CredentialKind::Partner).await?;
    let isolation = folder.path().join("isolation");
    std::fs::create_dir(&isolation)?;
    let kind = CredentialKind::Partner;
    let isolation = IsolationWorld::in_folder(partner(1, 10), kind, POLICY, &isolation).await?;
    let exports = folder.path().join("exports");
    say(&format!("From the start of a process to its first poll, {count} times, and its memory then:"))?;
    say("  function              least ms  median ms   most ms      MiB")?;
    row("alert-export", count, || world.function(&exports.to_string_lossy())).await?;
    row("credential-rotation", count, || world.rotation().env("SOPHOS_SECRETS_PREFIX", "sophos/")).await?;
    row("isolation-webhook", count, || isolation.webhook()).await?;
    row("isolation-worker", count, || isolation.worker()).await
}

async fn row(name: &str, count: usize, function: impl Fn() -> Function) -> Outcome {
    let mut times = Vec::new();
    let mut memory = 0;
    for _ in 0..count {
        let sandbox = function().start().await?;
        times.push(ms(sandbox.init_duration()));
        memory = sandbox.peak_rss_bytes().unwrap_or(0).max(memory);
    }
    let times = Times::of(times);
    let (least, median, most) = (times.within(0.0), times.within(0.5), times.worst());
    let mib = memory as f64 / MIB;
    Ok(say(&format!("  {name:<20}  {least:>8.1}  {median:>9.1}  {most:>8.1}  {mib:>7.1}"))?)
}
