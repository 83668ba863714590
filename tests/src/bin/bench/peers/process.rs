//! The resources of a process from its start to its end, on Linux.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use local_lambda::peak_rss_bytes;

use crate::{
    BenchResult,
    measure::{Percentiles, cpu_time_ms, ms},
};

const POLL: Duration = Duration::from_millis(10);

/// The resources that one process has used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time in user and system mode, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// Duration, in milliseconds.
    pub(crate) wall_ms: f64,
    /// The peak resident memory, in bytes.
    pub(crate) peak_bytes: u64,
    /// The size of its files, in bytes.
    pub(crate) bytes_out: u64,
}

impl Usage {
    /// The median of each figure.
    pub(crate) fn median(all: &[Self]) -> Self {
        let median =
            |figure: fn(&Self) -> f64| Percentiles::new(all.iter().map(figure).collect()).percentile(0.5);
        Self {
            cpu_ms: median(|usage| usage.cpu_ms),
            wall_ms: median(|usage| usage.wall_ms),
            peak_bytes: median(|usage| usage.peak_bytes as f64) as u64,
            bytes_out: median(|usage| usage.bytes_out as f64) as u64,
        }
    }
}

/// Runs a program to its end, with its standard error in the file `errors`.
///
/// # Errors
///
/// When the program does not start or fails.
pub(crate) async fn measure(command: &mut Command, errors: &Path) -> BenchResult<Usage> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(errors)?);
    let started = Instant::now();
    // The error omits the command's environment, which has the credential.
    let mut child = command
        .spawn()
        .map_err(|error| format!("running {} failed: {error}", command.get_program().display()))?;
    let mut peak_bytes = 0;
    // A process keeps its processor time until it is reaped.
    while !has_ended(child.id()) {
        peak_bytes = peak_rss_bytes(child.id()).unwrap_or(0).max(peak_bytes);
        tokio::time::sleep(POLL).await;
    }
    let wall_ms = ms(started.elapsed());
    let cpu_ms = cpu_time_ms(&[child.id()])?;
    let status = child.wait()?;
    if !status.success() {
        let errors = fs::read_to_string(errors)?;
        let last: Vec<_> = errors.lines().rev().take(5).collect();
        return Err(format!("the program failed: {status}; its last lines:\n{}", last.join("\n")).into());
    }
    Ok(Usage { cpu_ms, wall_ms, peak_bytes, bytes_out: 0 })
}

fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}
