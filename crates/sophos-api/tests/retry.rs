//! The conditions and the timing of retries.

mod support;

use std::{sync::Arc, time::Duration};

use futures_executor::block_on;
use futures_util::future::join_all;
use sophos_api::{
    ApiClient, ErrorKind, Operation, RateLimit, RateWindow, RetryPolicy, TransportErrorKind,
    operations::{
        common::alerts::{ActOnAlert, SearchAlerts},
        endpoint::endpoints::{GetEndpoint, ListEndpoints},
        endpoint::isolation::{UpdateIsolation, UpdateIsolations},
    },
};
use support::{
    SECOND, ScriptedResponse, ScriptedTransport, client, client_with, last_page, tenant, tenant_with_id,
};

fn endpoint() -> ScriptedResponse {
    ScriptedResponse::text(200, r#"{"id": "e", "items": []}"#)
}

fn get() -> GetEndpoint {
    GetEndpoint::full("e")
}

fn isolate() -> UpdateIsolation {
    UpdateIsolation::new("e", true)
}

fn isolate_many() -> UpdateIsolations {
    UpdateIsolations::new(["e"], true)
}

/// The number of requests of an operation after this first response.
fn count_sent<O: Operation>(first: &ScriptedResponse, operation: &O) -> usize {
    let script = ScriptedTransport::with_responses([first.clone(), endpoint()]);
    let answer = block_on(tenant(&client(&script)).send(operation));
    assert_eq!(answer.is_ok(), script.api_requests().len() == 2, "{first:?}");
    script.api_requests().len()
}

#[test]
fn retry_waits_for_retry_after() {
    // The clock of the script is at Tue, 14 Nov 2023 22:13:20 GMT.
    let date = "Tue, 14 Nov 2023 22:13:40 GMT";
    let throttled = || ScriptedResponse::status(429);
    for (answer, wait) in [
        (throttled().header("retry-after", "7"), Duration::from_secs(7)),
        (throttled().header("retry-after", "0"), Duration::ZERO),
        (throttled().header("retry-after", date), Duration::from_secs(20)),
        (
            throttled().header("retry-after", date).header("date", "Tue, 14 Nov 2023 22:13:10 GMT"),
            Duration::from_secs(30),
        ),
        (ScriptedResponse::status(503).header("retry-after", "9"), Duration::from_secs(9)),
    ] {
        let script = ScriptedTransport::with_responses([answer.clone(), endpoint()]);
        block_on(tenant(&client(&script)).send(&get())).expect("a response");
        let calls = script.api_requests();
        assert_eq!(calls[1].at - calls[0].at, wait, "{answer:?}");
        assert_eq!(script.sleeps().iter().sum::<Duration>(), wait, "{answer:?}");
    }
}

#[test]
fn retry_backs_off_without_retry_after() {
    for answer in [
        ScriptedResponse::status(429),
        ScriptedResponse::status(429).header("retry-after", "soon"),
        ScriptedResponse::status(503),
    ] {
        let script = ScriptedTransport::with_responses([answer, endpoint()]);
        block_on(tenant(&client(&script)).send(&get())).expect("a response");
        assert_eq!(script.sleeps().len(), 1);
        assert!(script.sleeps()[0] <= RetryPolicy::default().initial_backoff, "{:?}", script.sleeps());
    }
}

#[test]
fn retry_after_pauses_all_callers_of_the_credential() {
    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(429).header("retry-after", "30"),
        endpoint(),
        endpoint(),
    ]);
    let once = RetryPolicy::new().max_attempts(1);
    let client = client_with(&script, RateLimit::unlimited(), once);
    let error = block_on(tenant_with_id(&client, "a").send(&get())).expect_err("throttled");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(SECOND * 30)));
    for other in ["b", "c"] {
        block_on(tenant_with_id(&client, other).send(&get())).expect("a response");
    }
    let calls = script.api_requests();
    assert_eq!(calls[1].at - calls[0].at, SECOND * 30);
    assert_eq!(calls[2].at, calls[1].at, "the pause is over");
}

#[test]
fn retry_after_pauses_callers_that_wait_for_a_permit() {
    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(429).header("retry-after", "30"),
        endpoint(),
        endpoint(),
    ]);
    let budget = RateLimit::new([RateWindow::new(1, SECOND)]);
    let client = client_with(&script, budget, RetryPolicy::default());
    // Obtain a token first, so that no request waits for one.
    block_on(client.identity()).expect("an identity");
    script.advance(SECOND);
    let tenant = tenant(&client);
    let operation = get();
    let responses = block_on(join_all([tenant.send(&operation), tenant.send(&operation)]));
    assert!(responses.iter().all(Result::is_ok));
    let calls = script.api_requests();
    for call in &calls[1..] {
        assert!(call.at - calls[0].at >= SECOND * 30, "{:?}", call.at - calls[0].at);
    }
}

#[test]
fn server_errors_are_retried_for_idempotent_operations() {
    for status in [408, 425, 500, 502, 503, 504] {
        let answer = ScriptedResponse::status(status);
        assert_eq!(count_sent(&answer, &get()), 2, "{status}");
        assert_eq!(count_sent(&answer, &SearchAlerts::default()), 2, "{status}: a search changes nothing");
        assert_eq!(count_sent(&answer, &isolate()), 1, "{status}");
        assert_eq!(count_sent(&answer, &isolate_many()), 1, "{status}");
        let act = ActOnAlert::new("a", "clearThreat".into());
        assert_eq!(count_sent(&answer, &act), 1, "{status}");
    }
}

#[test]
fn throttling_is_retried_for_all_operations() {
    for answer in [ScriptedResponse::status(429), ScriptedResponse::status(429).header("retry-after", "3")] {
        assert_eq!(count_sent(&answer, &get()), 2);
        assert_eq!(count_sent(&answer, &isolate()), 2);
        assert_eq!(count_sent(&answer, &isolate_many()), 2);
    }
}

#[test]
fn client_errors_are_never_retried() {
    for status in [400, 403, 404, 405, 409, 410, 422, 451] {
        let answer = ScriptedResponse::status(status).header("retry-after", "1");
        assert_eq!((count_sent(&answer, &get()), count_sent(&answer, &isolate())), (1, 1), "{status}");
    }
}

#[test]
fn transport_errors_are_retried_where_safe() {
    for (kind, get_sent, isolate_sent) in [
        (TransportErrorKind::Connect, 2, 2),
        (TransportErrorKind::Timeout, 2, 1),
        (TransportErrorKind::Interrupted, 2, 1),
        (TransportErrorKind::TooLarge, 1, 1),
        (TransportErrorKind::InvalidRequest, 1, 1),
    ] {
        let answer = ScriptedResponse::failure(kind);
        assert_eq!(
            (count_sent(&answer, &get()), count_sent(&answer, &isolate())),
            (get_sent, isolate_sent),
            "{kind:?}"
        );
    }
}

#[test]
fn transport_errors_map_to_error_kinds() {
    for (kind, expected) in [
        (TransportErrorKind::Connect, ErrorKind::Unreachable),
        (TransportErrorKind::Timeout, ErrorKind::Interrupted),
        (TransportErrorKind::Interrupted, ErrorKind::Interrupted),
        (TransportErrorKind::TooLarge, ErrorKind::TooLarge),
        (TransportErrorKind::InvalidRequest, ErrorKind::Invalid),
    ] {
        let script = ScriptedTransport::with_responses([ScriptedResponse::failure(kind)]);
        let once = RetryPolicy::new().max_attempts(1);
        let client = client_with(&script, RateLimit::unlimited(), once);
        let error = block_on(tenant(&client).send(&get())).expect_err("no answer");
        assert_eq!((error.kind(), error.status()), (expected, None), "{kind:?}");
        assert!(error.to_string().contains("the script says so"), "{error}");
    }
}

#[test]
fn truncated_responses_are_retried_for_idempotent_operations() {
    let cut = ScriptedResponse::text(200, r#"{"id": "e", "hostname": "#);
    assert_eq!((count_sent(&cut, &get()), count_sent(&cut, &isolate())), (2, 1));
}

#[test]
fn attempt_times_out_after_sixty_seconds() {
    let script = ScriptedTransport::with_responses([
        endpoint().with_delay(SECOND * 61),
        endpoint().with_delay(SECOND * 60),
    ]);
    block_on(tenant(&client(&script)).send(&get())).expect("the second answer");
    let calls = script.api_requests();
    assert_eq!((calls.len(), calls[0].timeout), (2, SECOND * 60));
    assert!(calls[1].at - calls[0].at >= SECOND * 60);
}

#[test]
fn last_error_is_returned_after_max_attempts() {
    let policy = RetryPolicy::default();
    let script = ScriptedTransport::with_responses(
        (0..6).map(|_| ScriptedResponse::text(503, r#"{"error": "busy", "requestId": "r-7"}"#)),
    );
    let client = client(&script);
    let error = block_on(tenant(&client).send(&get())).expect_err("unavailable");
    assert_eq!(
        (error.kind(), error.code(), error.request_id()),
        (ErrorKind::Unavailable, Some("busy"), Some("r-7"))
    );
    assert_eq!((script.api_requests().len(), script.remaining()), (6, 0));
    let waits = script.sleeps();
    for (index, wait) in waits.iter().enumerate() {
        let ceiling = policy.initial_backoff * 2_u32.pow(u32::try_from(index).expect("few"));
        assert!(*wait <= ceiling.min(policy.max_backoff), "{waits:?}");
    }
    assert!(waits.iter().sum::<Duration>() > Duration::ZERO, "{waits:?}");
    assert_eq!(client.stats().retries, 5);
}

#[test]
fn retry_after_beyond_the_maximum_is_returned() {
    let throttled = || ScriptedResponse::status(429).header("retry-after", "121");
    let script = ScriptedTransport::with_responses([throttled(), endpoint()]);
    let client = client(&script);
    let error = block_on(tenant(&client).send(&get())).expect_err("throttled");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(SECOND * 121)));
    assert!(error.to_string().contains("retry in 121 s"), "{error}");
    assert_eq!((script.api_requests().len(), script.sleeps().len()), (1, 0));
    block_on(tenant(&client).send(&get())).expect("a response");
    assert_eq!(script.sleeps(), [SECOND * 120], "no caller waits longer than max_retry_after");

    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(503).header("retry-after", "99999999999")
    ]);
    let error = block_on(tenant(&support::client(&script)).send(&get())).expect_err("unavailable");
    assert_eq!((error.kind(), script.sleeps().len()), (ErrorKind::Unavailable, 0));
}

#[test]
fn rate_limit_covers_all_tenants_of_a_credential() {
    let script = ScriptedTransport::with_responses((0..6).map(|_| last_page(&[])));
    let client = client_with(&script, RateLimit::new([RateWindow::new(2, SECOND)]), RetryPolicy::default());
    for name in ["a", "b", "c", "d", "e", "f"] {
        block_on(tenant_with_id(&client, name).send(&ListEndpoints::default())).expect("a response");
    }
    let start = script.api_requests()[0].at;
    let sent: Vec<_> = script.api_requests().iter().map(|call| (call.at - start).as_millis()).collect();
    assert_eq!(sent, [0, 0, 500, 1_000, 1_500, 2_000]);
    assert_eq!(client.stats().wait_time, SECOND * 2);

    let other =
        support::client_with(&script, RateLimit::new([RateWindow::new(2, SECOND)]), RetryPolicy::default());
    assert_eq!(block_on(other.identity()).expect("an identity").id, support::OWN_ID);
    assert_eq!(script.sleeps().len(), 4, "another credential has its own");
}

#[test]
fn retries_consume_rate_limit_permits() {
    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(503),
        ScriptedResponse::status(401),
        endpoint(),
    ]);
    let budget = RateLimit::new([RateWindow::new(1, SECOND * 100)]);
    let client = client_with(&script, budget, RetryPolicy::default());
    block_on(tenant(&client).send(&get())).expect("a response");
    let calls = script.api_requests();
    assert_eq!(calls[2].at - calls[0].at, SECOND * 200);
}

#[test]
fn stats_count_requests_per_client_and_tenant() {
    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(429).header("retry-after", "5"),
        ScriptedResponse::status(503).header("retry-after", "2"),
        endpoint(),
        endpoint(),
    ]);
    let client = client(&script);
    let (first, second) = (tenant_with_id(&client, "a"), tenant_with_id(&client, "b"));
    block_on(first.send(&get())).expect("a response");
    block_on(second.clone().send(&get())).expect("a response");
    block_on(client.identity()).expect("an identity");

    let of = |stats: sophos_api::RequestStats| {
        (stats.api_requests, stats.token_requests, stats.retries, stats.throttled, stats.wait_time.as_secs())
    };
    assert_eq!(of(first.stats()), (3, 1, 2, 1, 7));
    assert_eq!(of(second.stats()), (1, 0, 0, 0, 0), "a clone counts for the same handle");
    assert_eq!(of(client.stats()), (5, 1, 2, 1, 7), "with the question for the identity");
    assert_eq!(script.sent().len(), 6);
    assert_eq!(
        of(client_with(&script, RateLimit::unlimited(), RetryPolicy::default()).stats()),
        (0, 0, 0, 0, 0)
    );
}

#[test]
fn service_time_follows_the_last_date_header() {
    let script = ScriptedTransport::with_responses([
        endpoint().header("date", "Tue, 14 Nov 2023 22:14:20 GMT"),
        endpoint(),
    ]);
    let client = client(&script);
    assert_eq!(client.service_time(), None);
    block_on(tenant(&client).send(&get())).expect("a response");
    script.advance(SECOND * 5);
    block_on(tenant(&client).send(&get())).expect("an answer without a date");
    assert_eq!(client.service_time(), Some(SECOND * 1_700_000_065));
    assert!(Arc::ptr_eq(client.transport(), &script));
}
