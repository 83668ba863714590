//! The exit status, memory and termination of a child process.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use tokio::process::Child;

use crate::outcome::InvocationOutcome;

/// The exit code of a process, or the signal that ended it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExitInfo {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

impl ExitInfo {
    /// The value for a process whose exit the system did not report.
    pub(crate) const UNKNOWN: Self = Self { code: None, signal: None };

    pub(crate) fn to_exited(self) -> InvocationOutcome {
        InvocationOutcome::Exited { code: self.code, signal: self.signal }
    }

    pub(crate) fn to_not_running(self) -> InvocationOutcome {
        InvocationOutcome::NotRunning { code: self.code, signal: self.signal }
    }
}

impl From<ExitStatus> for ExitInfo {
    fn from(status: ExitStatus) -> Self {
        Self { code: status.code(), signal: status.signal() }
    }
}

/// Sends SIGTERM to the child, unless it has been reaped.
pub(crate) fn terminate(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // The child is not reaped, so the id is still its own. An error means that it
        // has ended.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// The peak resident memory of a live process in bytes, on Linux; `None` elsewhere and after
/// its end.
pub fn peak_rss_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    parse_peak(&status)
}

fn parse_peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_peak_reads_vmhwm_from_the_status_file() {
        let status = "Name:\techo\nVmPeak:\t 900 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(parse_peak(status), Some(2_097_152));
        assert_eq!(parse_peak("Name:\tzombie\n"), None);
    }
}
