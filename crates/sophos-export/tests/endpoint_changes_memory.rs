//! Memory of snapshots and of their comparison: it does not depend on the records' size.

mod support;

use std::fs;

use serde_json::json;
use sophos_export::{Dataset, StreamOutcome};
use support::{DAY, ScriptedResponse, TestEnv, endpoint};

const ENDPOINTS: u32 = 20_000;
const PAGE: u32 = 500;
const RECORD_BYTES: usize = 4_000;

/// The largest resident memory of this process so far, in bytes.
fn peak_resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// Serves endpoints that all have this status, page by page.
fn serve(env: &TestEnv, status: &'static str) {
    let text = "x".repeat(RECORD_BYTES);
    env.service.route(move |request| {
        let start = request.page_key.as_ref().map_or(0, |key| key.parse().expect("our own key"));
        let end = (start + PAGE).min(ENDPOINTS);
        let item = |number| {
            let mut endpoint = endpoint(number);
            endpoint["health"]["overall"] = json!(status);
            endpoint["text"] = json!(text);
            endpoint
        };
        let items: Vec<_> = (start..end).map(item).collect();
        let next = (end < ENDPOINTS).then(|| end.to_string());
        ScriptedResponse::bytes(json!({ "items": items, "pages": { "nextKey": next } }).to_string())
    });
}

#[tokio::test]
async fn comparison_uses_bounded_memory() {
    let env = TestEnv::new();
    let before = peak_resident_bytes();
    for status in ["good", "bad"] {
        serve(&env, status);
        assert_eq!(env.run(Dataset::Endpoints).await.rows, u64::from(ENDPOINTS));
        env.service.advance(DAY);
    }
    let report = env.run(Dataset::EndpointChanges).await;
    let after = peak_resident_bytes();
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, u64::from(ENDPOINTS)), "{report:?}");
    if let (Some(before), Some(after)) = (before, after) {
        // The records of one snapshot are 80 MiB.
        let taken = (after - before) >> 20;
        println!("{taken} MiB");
        assert!(taken < 64, "{taken} MiB");
    }
}
