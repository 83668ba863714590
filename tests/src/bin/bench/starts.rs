//! The start of each function: the time from its process to its first poll. On Lambda a cold
//! start also includes loading the package.

use end_to_end::{TestEnv, isolation::IsolationEnv, pipeline_env::partner_config};
use local_lambda::LambdaFunction;
use sophos_simulator::CredentialKind;

use crate::{
    BenchResult, MIB,
    measure::{Percentiles, ms},
    print_line,
};

pub(crate) const DEFAULT_STARTS: usize = 31;

/// A policy that names one source.
const POLICY: &str = r#"version = 1
mode = "enforce"

[sources.first]
tool = "generic"
tenants = ["*"]
verify = { scheme = "signature", secret = "webhooks/first" }
"#;

/// Starts each function `count` times.
pub(crate) async fn run(count: usize) -> BenchResult {
    let count = count.max(1);
    let folder = tempfile::tempdir()?;
    let env = TestEnv::start(partner_config(1, 10), CredentialKind::Partner).await?;
    let isolation = folder.path().join("isolation");
    std::fs::create_dir(&isolation)?;
    let kind = CredentialKind::Partner;
    let isolation = IsolationEnv::start_in_folder(partner_config(1, 10), kind, POLICY, &isolation).await?;
    let exports = folder.path().join("exports");
    print_line(&format!(
        "The time from the start of a process to its first poll, over {count} starts, and its memory then:"
    ))?;
    print_line("  function                min ms  median ms    max ms      MiB")?;
    row("alert-export", count, || env.export_function(&exports.to_string_lossy())).await?;
    row("credential-rotation", count, || env.rotation_function().env("SOPHOS_SECRETS_PREFIX", "sophos/"))
        .await?;
    row("isolation-webhook", count, || isolation.webhook()).await?;
    row("isolation-worker", count, || isolation.worker()).await
}

async fn row(name: &str, count: usize, function: impl Fn() -> LambdaFunction) -> BenchResult {
    let mut times = Vec::new();
    let mut memory = 0;
    for _ in 0..count {
        let sandbox = function().start().await?;
        times.push(ms(sandbox.init_duration()));
        memory = sandbox.peak_rss_bytes().unwrap_or(0).max(memory);
    }
    let times = Percentiles::new(times);
    let (least, median, most) = (times.percentile(0.0), times.percentile(0.5), times.max());
    let mib = memory as f64 / MIB;
    Ok(print_line(&format!("  {name:<20}  {least:>8.1}  {median:>9.1}  {most:>8.1}  {mib:>7.1}"))?)
}
