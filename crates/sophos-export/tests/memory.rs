//! Memory of a run: it depends on the buffered bytes, not on the number of days.

mod support;

use std::fs;

use serde_json::json;
use sophos_export::{Dataset, StreamOutcome};
use support::{DAY, NOW_MS, ScriptedResponse, TestEnv, format_time};

/// The largest resident memory of this process so far, in bytes.
fn peak_resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib << 10)
}

#[tokio::test]
async fn run_uses_bounded_memory_for_a_thousand_partitions() {
    let env =
        TestEnv::with_settings(|settings| settings.max_event_skew = std::time::Duration::from_secs(1 << 30));
    let text = "x".repeat(600);
    let item = |number: i64| {
        let at = format_time(NOW_MS - number * DAY);
        json!({ "id": number.to_string(), "when": at, "created_at": at, "text": text })
    };
    let items: Vec<_> = (0..1_000).map(item).collect();
    let before = peak_resident_bytes();
    let report = env.run_events([ScriptedResponse::page(&items, false, Some("end"))]).await;
    let after = peak_resident_bytes();
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1_000), "{report:?}");
    assert!(report.objects >= 360, "{report:?}");
    assert_eq!(env.rows(Dataset::Events).await.len(), 1_000);
    if let (Some(before), Some(after)) = (before, after) {
        let taken = (after - before) >> 20;
        assert!(taken < 16, "{taken} MiB");
    }
}

#[tokio::test]
async fn run_writes_objects_within_a_page_when_the_buffer_is_full() {
    let env = TestEnv::with_settings(|settings| settings.max_buffered_bytes = 64 << 10);
    let text = "x".repeat(2_000);
    let at = format_time(NOW_MS - DAY);
    let item = |id: u32| json!({ "id": id.to_string(), "when": at, "created_at": at, "text": text });
    let items: Vec<_> = (0..300).map(item).collect();
    let report = env.run_events([ScriptedResponse::page(&items, false, Some("end"))]).await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 300), "{report:?}");
    assert!(report.objects > 10, "one day, and 600 kB of rows: {report:?}");
    assert_eq!(env.rows(Dataset::Events).await.len(), 300);
}
