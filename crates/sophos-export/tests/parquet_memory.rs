//! Memory of a run that writes Parquet: it depends on the buffered bytes, neither on the
//! number of rows nor on the number of days.

#![cfg(feature = "parquet")]

mod support;

use std::{
    fs,
    sync::atomic::{AtomicI64, Ordering},
};

use serde_json::json;
use sophos_export::{Dataset, Format, StreamId, StreamOutcome, StreamVerification};
use support::{DAY, NOW_MS, ScriptedResponse, TENANT, TestEnv, format_time};

const PAGES: i64 = 30;
const PAGE_ROWS: i64 = 1_000;

/// The largest resident memory of this process so far, in bytes.
fn peak_resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib << 10)
}

#[tokio::test]
async fn parquet_run_uses_bounded_memory() {
    let env = TestEnv::with_settings(|settings| {
        settings.formats = Format::Parquet.into();
        settings.max_event_skew = std::time::Duration::from_secs(1 << 30);
    });
    let text = "x".repeat(600);
    // Of most pages all rows are of one day, of two pages each is of another day.
    let page = AtomicI64::new(0);
    env.service.route(move |_| {
        let number = page.fetch_add(1, Ordering::Relaxed);
        let item = |index: i64| {
            let id = number * PAGE_ROWS + index;
            let at = if number % 15 == 5 { format_time(NOW_MS - index * DAY) } else { format_time(NOW_MS) };
            json!({ "id": format!("{id:032x}"), "when": at, "created_at": at, "text": text, "name": id.to_string() })
        };
        let items: Vec<_> = (0..PAGE_ROWS).map(item).collect();
        let next = format!("cursor-{number}");
        ScriptedResponse::page(&items, number + 1 < PAGES, Some(&next))
    });
    let before = peak_resident_bytes();
    let report = env.run(Dataset::Events).await;
    let after = peak_resident_bytes();
    let rows = (PAGES * PAGE_ROWS) as u64;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, rows), "{report:?}");
    let stream = StreamId::new(Dataset::Events, TENANT).expect("a stream");
    let verification =
        StreamVerification::run(&env.store, &stream, true, |_| {}).await.expect("a verification");
    assert!(verification.is_sound(), "{:?}", verification.findings.first());
    if let (Some(before), Some(after)) = (before, after) {
        // The store in memory has the objects as well.
        let taken = (after - before - report.bytes.min(after - before)) >> 20;
        assert!(taken < 48, "{taken} MiB");
    }
}
