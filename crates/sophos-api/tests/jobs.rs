//! Polling of jobs until they are done.

mod support;

use std::time::Duration;

use futures_executor::block_on;
use futures_util::StreamExt;
use serde_json::{Value, json};
use sophos_api::{
    Error, ErrorKind, Job, JobState, Operation, PollOptions, job_updates,
    operations::{
        detections::{detection_groups::GetDetectionGroupsQuery, queries::GetDetectionsQuery},
        email::{
            post_delivery_quarantine::GetPostDeliveryDownloadStatus,
            quarantine_attachments::GetQuarantineDownloadStatus,
        },
        endpoint::{forensic_logs::GetForensicLog, memory_dumps::GetMemoryDump},
        firewall::{configuration::GetConfigTransaction, mdr_threat_feed::GetFirewallTransaction},
        live_discover::query_runs as live_discover,
        mobile::actions::GetAction,
        user_activity_verification::attestations::GetAttestation,
        xdr_query::query_runs::GetQueryRun,
    },
    poll_until_done,
};
use support::{SECOND, ScriptedResponse, ScriptedTransport, client, parse_response, tenant};

fn run(status: &str, result: &str) -> ScriptedResponse {
    ScriptedResponse::json(json!({"id": "run-1", "status": status, "result": result}))
}

fn running() -> ScriptedResponse {
    run("started", "notAvailable")
}

fn options() -> PollOptions {
    PollOptions::new().initial_interval(2 * SECOND).max_interval(8 * SECOND).timeout(60 * SECOND)
}

#[test]
fn poll_backs_off_until_the_job_is_finished() {
    let responses = (0..5).map(|_| running()).chain([run("finished", "succeeded")]);
    let script = ScriptedTransport::with_responses(responses);
    let tenant = tenant(&client(&script));

    let done = block_on(poll_until_done(&tenant, GetQueryRun::new("run-1"), options())).expect("a run");

    assert_eq!(done.id, "run-1");
    assert_eq!(script.api_requests().len(), 6);
    let waits = script.sleeps();
    assert_eq!(waits.len(), 5, "the first poll is immediate");
    for (wait, longest) in waits.iter().zip([2, 4, 8, 8, 8]) {
        let longest = longest * SECOND;
        assert!(*wait >= longest / 2 && *wait <= longest, "{waits:?}");
    }
}

#[test]
fn failed_job_is_an_error_with_its_reason() {
    for (result, expected) in [("failed", "failed"), ("timedOut", "timedOut"), ("canceled", "canceled")] {
        let script = ScriptedTransport::with_responses([running(), run("finished", result)]);
        let tenant = tenant(&client(&script));

        let error =
            block_on(poll_until_done(&tenant, GetQueryRun::new("run-1"), options())).expect_err(result);

        assert_eq!(error.kind(), ErrorKind::JobFailed);
        assert!(error.to_string().ends_with(expected), "{error}");
        assert_eq!(error.operation(), Some(GetQueryRun::ROUTE.to_string().as_str()));
        assert!(!error.is_retryable());
    }
}

#[test]
fn running_job_expires_at_its_time() {
    // The script's clock starts at 1,700,000,000 s: 2023-11-14T22:13:20Z.
    let pending = || {
        ScriptedResponse::json(json!({
            "id": "log-1", "status": "pending", "expiresAt": "2023-11-14T22:13:25.000Z",
        }))
    };
    let script = ScriptedTransport::with_responses([pending(), pending(), pending(), pending()]);
    let tenant = tenant(&client(&script));
    let operation = GetForensicLog::new("endpoint-1", "log-1");

    let error = block_on(poll_until_done(&tenant, operation, options())).expect_err("expired");

    assert_eq!(error.kind(), ErrorKind::JobExpired);
    assert!(script.api_requests().len() > 1, "the first state is not expired");
}

#[test]
fn polling_ends_at_the_timeout() {
    let script = ScriptedTransport::with_responses((0..50).map(|_| running()));
    let client = client(&script);
    let start = script.sent().len() as u64;
    assert_eq!(start, 0);

    let error =
        block_on(poll_until_done(&tenant(&client), GetQueryRun::new("run-1"), options())).expect_err("late");

    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.to_string().contains("the job is still running"), "{error}");
    assert!(script.sleeps().iter().sum::<Duration>() < 60 * SECOND);
}

#[test]
fn polling_ends_at_the_deadline_of_the_client() {
    let script = ScriptedTransport::with_responses((0..50).map(|_| running()));
    let client = client(&script).with_deadline(Duration::from_secs(1_700_000_000 + 5));

    let error =
        block_on(poll_until_done(&tenant(&client), GetQueryRun::new("run-1"), options())).expect_err("late");

    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(script.sleeps().iter().sum::<Duration>() < 5 * SECOND);
}

#[test]
fn failure_of_a_poll_ends_the_updates() {
    let script = ScriptedTransport::with_responses([running(), ScriptedResponse::status(403)]);
    let tenant = tenant(&client(&script));

    let updates: Vec<_> = block_on(job_updates(&tenant, GetQueryRun::new("run-1"), options()).collect());

    assert_eq!(updates.len(), 2);
    assert!(updates[1].as_ref().is_err_and(Error::is_forbidden));
}

#[test]
fn updates_hold_the_progress_of_each_poll() {
    let counts = |done: u32| {
        ScriptedResponse::json(json!({
            "id": "run-1", "status": if done < 8 { "started" } else { "finished" }, "result": "notAvailable",
            "endpointCounts": {"total": 8, "statuses": {"finished": {"succeeded": {"total": done}}}},
        }))
    };
    let script = ScriptedTransport::with_responses([counts(0), counts(3), counts(8)]);
    let tenant = tenant(&client(&script));

    let updates = job_updates(&tenant, live_discover::GetQueryRun::new("run-1"), options());
    let progress: Vec<_> = block_on(updates.map(|update| update.expect("an update").progress).collect());

    let states: Vec<_> = progress.iter().map(|progress| progress.state).collect();
    assert_eq!(states, [JobState::Running, JobState::Running, JobState::Finished]);
    let percents: Vec<_> = progress.iter().map(|progress| progress.percent).collect();
    assert_eq!(percents, [Some(0), Some(37), Some(100)]);
}

#[test]
fn dropped_poll_sends_nothing_more() {
    let script = ScriptedTransport::with_responses([running(), running()]);
    let tenant = tenant(&client(&script));
    let mut updates = job_updates(&tenant, GetQueryRun::new("run-1"), options());

    assert!(block_on(updates.next()).is_some_and(|update| update.is_ok()));
    drop(updates);

    assert_eq!(script.remaining(), 1);
}

fn state<O: Job>(body: Value) -> JobState {
    O::progress(&parse_response::<O>(200, body.to_string()).expect("a response")).state
}

fn status<O: Job>(status: &str) -> JobState {
    state::<O>(json!({"id": "1", "status": status}))
}

#[test]
fn states_of_each_job() {
    use JobState::{Expired, Failed, Finished, Running};
    for (status, result, expected) in [
        ("pending", "notAvailable", Running),
        ("started", "notAvailable", Running),
        ("finished", "success", Finished),
        ("finished", "partialSuccess", Finished),
        ("finished", "error", Failed),
        ("expired", "notAvailable", Expired),
        ("a-new-status", "a-new-result", Running),
        ("finished", "a-new-result", Finished),
    ] {
        let body = || json!({"id": "1", "status": status, "result": result});
        assert_eq!(state::<GetFirewallTransaction>(body()), expected, "{status} {result}");
        assert_eq!(state::<GetConfigTransaction>(body()), expected, "{status} {result}");
        assert_eq!(state::<GetDetectionsQuery>(body()), expected, "{status} {result}");
        assert_eq!(state::<GetDetectionGroupsQuery>(body()), expected, "{status} {result}");
        assert_eq!(state::<live_discover::GetQueryRun>(body()), expected, "{status} {result}");
    }
    for (word, expected) in [("processing", Running), ("completed", Finished), ("failed", Failed)] {
        assert_eq!(status::<GetQuarantineDownloadStatus>(word), expected);
        assert_eq!(status::<GetPostDeliveryDownloadStatus>(word), expected);
    }
    for (word, expected) in [("pending", Running), ("finished", Finished), ("expired", Expired)] {
        assert_eq!(status::<GetForensicLog>(word), expected);
        assert_eq!(status::<GetMemoryDump>(word), expected);
    }
    assert_eq!(status::<GetAttestation>("completed"), Finished);
    for (word, expected) in [("running", Running), ("successful", Finished), ("failed", Failed)] {
        assert_eq!(state::<GetAction>(json!({"id": "1", "state": word})), expected);
    }
}
