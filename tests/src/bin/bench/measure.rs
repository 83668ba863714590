//! Measurements that several benchmarks share.

use std::{
    fs, io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The ticks per second of Linux's processor times.
const TICKS_PER_SECOND: f64 = 100.0;

/// Sorted times, in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Percentiles(Vec<f64>);

impl Percentiles {
    pub(crate) fn new(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// The time that this share of all times does not exceed.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let at = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(at.max(1) - 1).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn max(&self) -> f64 {
        self.percentile(1.0)
    }
}

pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The current time, in milliseconds since the Unix epoch.
pub(crate) fn unix_ms() -> f64 {
    ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The processor time of these processes in milliseconds, on Linux.
///
/// # Errors
///
/// When one of them has ended.
pub(crate) fn cpu_time_ms(pids: &[u32]) -> io::Result<f64> {
    let mut ticks = 0;
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name in brackets may contain any character. utime and stime are the 12th
        // and 13th field after it.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let times = rest.split_whitespace().skip(11).take(2);
        ticks += times.filter_map(|time| time.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(ticks as f64 * 1e3 / TICKS_PER_SECOND)
}
