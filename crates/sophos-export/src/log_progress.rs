//! The progress of a run through a log that is read by time. Pure: no clock, no network.

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, Gap};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The platform that holds the records of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogPlatform {
    /// Sophos Central.
    Central,
    /// Sophos Fusion.
    Fusion,
}

/// The manner in which a log is read by time. All durations are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogTiming {
    /// The age up to which the service keeps records; `None` if it keeps them all.
    pub(crate) retention_ms: Option<i64>,
    /// The longest range of one read; `None` without a limit.
    pub(crate) max_range_ms: Option<i64>,
    /// The interval at the end that the next run rereads.
    pub(crate) overlap_ms: i64,
}

/// A range of time that is read page by page: both ends are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRange {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    /// The service's time at the start of the read.
    pub(crate) started_ms: i64,
}

/// The position of a log, which the checkpoint stores as its cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LogPosition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<LogPlatform>,
    /// The range whose read is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<LogRange>,
    /// The key of the next page in it; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Whether no run has reached the end of the log yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    initial: bool,
    /// Whether the range is the last one of the platform that the tenant has left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaving: bool,
}

/// The progress of a run through a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogProgress {
    position: LogPosition,
    /// Everything up to here was read.
    high_watermark_ms: Option<i64>,
    /// The start of the next range.
    low_watermark_ms: Option<i64>,
    /// Whether the key is of an earlier run: the service may have dropped it.
    key_is_stored: bool,
}

impl LogProgress {
    /// Continues from a checkpoint. An unreadable position costs only a reread.
    pub(crate) fn from_checkpoint(checkpoint: Option<&Checkpoint>) -> Self {
        let Some(checkpoint) = checkpoint else {
            let position = LogPosition { initial: true, ..LogPosition::default() };
            return Self { position, high_watermark_ms: None, low_watermark_ms: None, key_is_stored: false };
        };
        let cursor = checkpoint.cursor.as_deref().unwrap_or_default();
        let position: LogPosition = serde_json::from_str(cursor).unwrap_or_default();
        Self {
            key_is_stored: position.key.is_some(),
            position,
            high_watermark_ms: Some(checkpoint.high_watermark_ms),
            low_watermark_ms: Some(checkpoint.low_watermark_ms),
        }
    }

    pub(crate) fn platform(&self) -> Option<LogPlatform> {
        self.position.platform
    }

    pub(crate) fn set_platform(&mut self, platform: LogPlatform) {
        self.position.platform = Some(platform);
    }

    /// Whether no run has reached the end of the log yet.
    pub(crate) fn is_initial(&self) -> bool {
        self.position.initial
    }

    pub(crate) fn high_watermark_ms(&self) -> Option<i64> {
        self.high_watermark_ms
    }

    pub(crate) fn low_watermark_ms(&self) -> Option<i64> {
        self.low_watermark_ms
    }

    /// The key of the next page in the range.
    pub(crate) fn key(&self) -> Option<&str> {
        self.position.key.as_deref()
    }

    /// Whether the key is of an earlier run.
    pub(crate) fn key_is_stored(&self) -> bool {
        self.key_is_stored
    }

    /// The range to read now, and the gap before it: the interval whose records the
    /// service has dropped since the last run.
    pub(crate) fn start_range(&mut self, timing: LogTiming, now_ms: i64) -> (LogRange, Option<Gap>) {
        let kept_from = timing.retention_ms.map(|retention| now_ms - retention);
        // During the first read, its start falls out of the retention.
        let tolerance = if self.position.initial { DAY_MS } else { 0 };
        let gap = self
            .high_watermark_ms
            .zip(kept_from)
            .filter(|(high, kept_from)| high + tolerance < *kept_from)
            .map(|(from_ms, to_ms)| Gap { from_ms, to_ms });
        if let Some(gap) = gap {
            self.high_watermark_ms = Some(gap.to_ms);
            self.restart_range();
            self.position.range = None;
        }
        if let Some(range) = self.position.range {
            return (range, None);
        }
        let from_ms = self.low_watermark_ms.max(kept_from).unwrap_or(0);
        let is_limited = timing.max_range_ms.filter(|_| !self.position.leaving);
        let to_ms = is_limited.map_or(now_ms, |longest| now_ms.min(from_ms + longest)).max(from_ms);
        let range = LogRange { from_ms, to_ms, started_ms: now_ms.max(from_ms) };
        self.position.range = Some(range);
        self.high_watermark_ms.get_or_insert(from_ms);
        self.low_watermark_ms.get_or_insert(from_ms);
        (range, gap)
    }

    /// Advances to the next page of the range.
    pub(crate) fn advance(&mut self, key: String) {
        self.position.key = Some(key);
        self.key_is_stored = false;
    }

    /// Returns to the first page of the range.
    pub(crate) fn restart_range(&mut self) {
        self.position.key = None;
        self.key_is_stored = false;
    }

    /// Completes the range. Returns whether it ended at the time of its read, which is the
    /// end of the log.
    pub(crate) fn complete_range(&mut self, timing: LogTiming) -> bool {
        self.restart_range();
        let Some(range) = self.position.range.take() else { return true };
        let is_end = range.to_ms >= range.started_ms;
        self.position.initial &= !is_end;
        if !self.position.leaving {
            self.high_watermark_ms = self.high_watermark_ms.max(Some(range.to_ms));
            self.low_watermark_ms = Some(needed_from_ms(range.to_ms, range, timing));
        }
        is_end
    }

    /// Starts the last read of the platform that the tenant has left, unless an earlier
    /// run did.
    pub(crate) fn start_leaving(&mut self) {
        if !self.position.leaving {
            self.restart_range();
            self.position.range = None;
            self.position.leaving = true;
        }
    }

    /// Continues on the new platform from `from_ms`, or else from the low watermark.
    pub(crate) fn finish_leaving(&mut self, from_ms: Option<i64>) {
        self.restart_range();
        self.position.range = None;
        self.position.leaving = false;
        self.position.platform = Some(LogPlatform::Fusion);
        self.low_watermark_ms = from_ms.or(self.low_watermark_ms);
    }

    /// The start of the interval that this run or the next may reread.
    pub(crate) fn dedup_from_ms(&self, timing: LogTiming) -> Option<i64> {
        match self.position.range {
            Some(range) => Some(needed_from_ms(range.from_ms, range, timing)),
            None => self.low_watermark_ms,
        }
    }

    /// The start of the next run, which rereads nothing before `floor_ms`. `None` if
    /// nothing was requested successfully yet.
    pub(crate) fn checkpoint(&self, floor_ms: i64) -> Option<Checkpoint> {
        let position = serde_json::to_string(&self.position).ok()?;
        Some(Checkpoint {
            cursor: Some(position),
            high_watermark_ms: self.high_watermark_ms?,
            low_watermark_ms: self.low_watermark_ms?.max(floor_ms.min(self.high_watermark_ms?)),
            backlog_watermark_ms: None,
            exported_before_ms: None,
        })
    }
}

/// `limit_ms`, or the start of the overlap if that is earlier: records appear with a
/// delay.
fn needed_from_ms(limit_ms: i64, range: LogRange, timing: LogTiming) -> i64 {
    limit_ms.min(range.started_ms - timing.overlap_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const HOUR: i64 = 3_600_000;
    const TIMING: LogTiming =
        LogTiming { retention_ms: Some(90 * DAY_MS), max_range_ms: Some(7 * DAY_MS), overlap_ms: HOUR };

    /// Reads all ranges up to `now`. Returns them, and the gaps.
    fn read_all(progress: &mut LogProgress, now: i64) -> (Vec<LogRange>, Vec<Gap>) {
        let (mut ranges, mut gaps) = (Vec::new(), Vec::new());
        loop {
            let (range, gap) = progress.start_range(TIMING, now);
            ranges.push(range);
            gaps.extend(gap);
            if progress.complete_range(TIMING) {
                return (ranges, gaps);
            }
        }
    }

    fn stored(progress: &LogProgress) -> LogProgress {
        LogProgress::from_checkpoint(progress.checkpoint(i64::MIN).as_ref())
    }

    #[test]
    fn progress_reads_the_whole_retention_first() {
        let mut progress = LogProgress::from_checkpoint(None);
        assert!(progress.is_initial() && progress.checkpoint(i64::MIN).is_none());
        let (ranges, gaps) = read_all(&mut progress, NOW);
        assert_eq!((ranges.len(), gaps.len()), (13, 0));
        assert_eq!((ranges[0].from_ms, ranges[12].to_ms), (NOW - 90 * DAY_MS, NOW));
        assert!(ranges.windows(2).all(|pair| pair[1].from_ms <= pair[0].to_ms), "{ranges:?}");
        let next = stored(&progress);
        assert!(!next.is_initial());
        assert_eq!((next.high_watermark_ms(), next.low_watermark_ms()), (Some(NOW), Some(NOW - HOUR)));
    }

    #[test]
    fn progress_reports_a_gap_after_the_retention() {
        let mut progress = LogProgress::from_checkpoint(None);
        read_all(&mut progress, NOW);
        for (outage, gap) in [(30 * DAY_MS, 0), (90 * DAY_MS, 0), (95 * DAY_MS, 5 * DAY_MS)] {
            let mut next = stored(&progress);
            let (ranges, gaps) = read_all(&mut next, NOW + outage);
            let lost: i64 = gaps.iter().map(|gap| gap.to_ms - gap.from_ms).sum();
            assert_eq!(lost, gap, "{gaps:?}");
            let first = if gap > 0 { NOW + gap } else { NOW - HOUR };
            assert_eq!(ranges[0].from_ms, first.max(NOW + outage - 90 * DAY_MS));
        }
    }

    #[test]
    fn progress_resumes_an_unfinished_range() {
        let mut progress = LogProgress::from_checkpoint(None);
        let (first, _) = progress.start_range(TIMING, NOW);
        progress.advance("k".into());
        let mut next = stored(&progress);
        assert_eq!((next.key(), next.key_is_stored()), (Some("k"), true));
        let (range, gap) = next.start_range(TIMING, NOW + HOUR);
        assert_eq!((range, gap), (first, None), "the first read has no gap");
        next.restart_range();
        assert_eq!(next.start_range(TIMING, NOW + HOUR).0, first);
        assert_eq!((next.key(), next.key_is_stored()), (None, false));
    }

    #[test]
    fn progress_keeps_the_overlap_of_an_interrupted_read() {
        let mut progress = LogProgress::from_checkpoint(None);
        read_all(&mut progress, NOW);
        progress.start_range(TIMING, NOW + DAY_MS);
        progress.advance("k".into());
        let mut next = stored(&progress);
        next.start_range(TIMING, NOW + 2 * DAY_MS);
        assert!(next.complete_range(TIMING), "it ended at the time of its read");
        assert_eq!(next.low_watermark_ms(), Some(NOW + DAY_MS - HOUR));
    }

    #[test]
    fn progress_reads_the_left_platform_before_the_new_one() {
        let mut progress = LogProgress::from_checkpoint(None);
        progress.set_platform(LogPlatform::Central);
        read_all(&mut progress, NOW);
        progress.start_range(TIMING, NOW + HOUR);
        progress.advance("k".into());
        let mut next = stored(&progress);
        next.start_leaving();
        let (range, _) = next.start_range(TIMING, NOW + 30 * DAY_MS);
        assert_eq!((range.from_ms, range.to_ms), (NOW - HOUR, NOW + 30 * DAY_MS), "one range");
        next.advance("left".into());
        let mut next = stored(&next);
        next.start_leaving();
        assert_eq!(next.key(), Some("left"), "an earlier run started it");
        assert!(next.complete_range(TIMING));
        next.finish_leaving(None);
        assert_eq!((next.platform(), next.low_watermark_ms()), (Some(LogPlatform::Fusion), Some(NOW - HOUR)));
    }
}
