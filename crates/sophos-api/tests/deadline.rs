//! No operation waits past its deadline.

mod support;

use std::{sync::Arc, time::Duration};

use futures_executor::block_on;
use futures_util::future::join_all;
use sophos_api::{
    ApiClient, Client, ErrorKind, RateLimit, RateWindow, RetryPolicy, Transport, TransportErrorKind,
    operations::{
        endpoint::endpoints::{GetEndpoint, ListEndpoints},
        endpoint::isolation::UpdateIsolation,
    },
};
use support::{
    SECOND, ScriptedResponse, ScriptedTransport, SentRequest, client, client_with, last_page, tenant,
};

fn get() -> GetEndpoint {
    GetEndpoint::full("e")
}

/// A handle of the client with a deadline after this time.
fn with_time_left(client: &Client<Arc<ScriptedTransport>>, time: Duration) -> Client<Arc<ScriptedTransport>> {
    client.with_deadline(client.transport().now() + time)
}

#[test]
fn retry_after_beyond_the_deadline_fails_at_once() {
    for (left, waited) in [(29, false), (30, false), (31, true)] {
        let script = ScriptedTransport::with_responses([
            ScriptedResponse::status(429).header("retry-after", "30"),
            last_page(&[]),
        ]);
        let client = with_time_left(&client(&script), SECOND * left);
        let answer = block_on(tenant(&client).send(&ListEndpoints::default()));
        assert_eq!(answer.is_ok(), waited, "{left} s");
        assert_eq!(script.sleeps().len(), usize::from(waited), "{left} s");
        if let Err(error) = answer {
            assert_eq!(
                (error.kind(), error.retry_after()),
                (ErrorKind::DeadlineExceeded, Some(SECOND * 30)),
                "{left} s"
            );
            assert!(error.to_string().contains("after 1 attempts, the last error: "), "{error}");
            assert!(error.to_string().contains("(429)"), "{error}");
        }
    }
}

#[test]
fn backoff_never_exceeds_the_deadline() {
    let policy = RetryPolicy::new().max_attempts(100);
    for left in 1..40 {
        let script = ScriptedTransport::with_responses(
            (0..100).map(|_| ScriptedResponse::status(503).with_delay(SECOND / 10)),
        );
        let start = script.now();
        let client =
            with_time_left(&client_with(&script, RateLimit::unlimited(), policy.clone()), SECOND * left);
        let error = block_on(tenant(&client).send(&get())).expect_err("unavailable");
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::DeadlineExceeded, None), "{left} s");
        assert!(error.is_retryable());
        assert!(script.now() <= start + SECOND * left, "{left} s: {:?}", script.now() - start);
        assert!(!script.api_requests().is_empty());
    }
}

#[test]
fn request_timeout_is_limited_by_the_deadline() {
    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(503).header("retry-after", "3").with_delay(SECOND * 4),
        last_page(&[]),
    ]);
    let client = with_time_left(&client(&script), SECOND * 10);
    block_on(tenant(&client).send(&ListEndpoints::default())).expect("a response");
    let timeouts: Vec<_> = script.sent().iter().map(|sent| sent.timeout).collect();
    assert_eq!(timeouts, [SECOND * 10, SECOND * 10, SECOND * 3], "the token's request as well");

    let script = ScriptedTransport::with_responses([last_page(&[])]);
    let client = with_time_left(&support::client(&script), SECOND * 100);
    block_on(tenant(&client).send(&ListEndpoints::default())).expect("a response");
    assert_eq!(script.api_requests()[0].timeout, SECOND * 60, "nor more than one attempt may take");
}

#[test]
fn request_ends_at_the_deadline() {
    let late = || ScriptedResponse::status(200).with_delay(SECOND * 30);
    let script = ScriptedTransport::with_responses([late()]);
    let start = script.now();
    let client = with_time_left(&client(&script), SECOND * 10);
    let error = block_on(tenant(&client).send(&get())).expect_err("too late");
    assert_eq!((error.kind(), script.now() - start), (ErrorKind::DeadlineExceeded, SECOND * 10));

    // The service may have executed the change, which the error must tell.
    let script = ScriptedTransport::with_responses([late()]);
    let client = with_time_left(&support::client(&script), SECOND * 10);
    let change = UpdateIsolation::new("e", true);
    let error = block_on(tenant(&client).send(&change)).expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn client_sends_nothing_after_the_deadline() {
    let script = ScriptedTransport::with_responses([last_page(&[])]);
    let client = client(&script);
    for late in [with_time_left(&client, Duration::ZERO), client.with_deadline(Duration::ZERO)] {
        let error = block_on(tenant(&late).send(&ListEndpoints::default())).expect_err("too late");
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(block_on(late.identity()).expect_err("too late").kind(), ErrorKind::DeadlineExceeded);
    }
    assert!(script.sent().is_empty());
    assert_eq!(client.stats(), Default::default());

    block_on(tenant(&client).send(&ListEndpoints::default())).expect("the other handle has time");
    let before = client.stats();
    let error =
        block_on(tenant(&with_time_left(&client, Duration::ZERO)).send(&get())).expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(client.stats(), before, "though there is a token");
}

#[test]
fn permit_beyond_the_deadline_fails_at_once() {
    let script = ScriptedTransport::with_responses([last_page(&[]), last_page(&[])]);
    let client =
        client_with(&script, RateLimit::new([RateWindow::new(1, SECOND * 60)]), RetryPolicy::default());
    block_on(tenant(&client).send(&ListEndpoints::default())).expect("a response");
    let hurried = tenant(&with_time_left(&client, SECOND * 30));
    for _ in 0..3 {
        let error = block_on(hurried.send(&ListEndpoints::default())).expect_err("no permit");
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::DeadlineExceeded, Some(SECOND * 60)));
    }
    assert!(script.sleeps().is_empty());
    block_on(tenant(&client).send(&ListEndpoints::default())).expect("a response");
    assert_eq!(script.sleeps(), [SECOND * 60], "those who gave up took no place");
}

#[test]
fn pause_beyond_the_deadline_fails_at_once() {
    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(429).header("retry-after", "60"),
        last_page(&[]),
    ]);
    let once = RetryPolicy::new().max_attempts(1);
    let client = client_with(&script, RateLimit::unlimited(), once);
    block_on(tenant(&client).send(&get())).expect_err("throttled");
    script.advance(SECOND * 10);
    let error = block_on(tenant(&with_time_left(&client, SECOND * 40)).send(&get())).expect_err("paused");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::DeadlineExceeded, Some(SECOND * 50)));
    assert!(script.sleeps().is_empty());
}

#[test]
fn waiting_for_a_shared_token_ends_at_the_deadline() {
    let script = ScriptedTransport::with_router(|sent| {
        let slow = serde_json::json!({"access_token": "t"});
        Some(if sent.is_token() {
            ScriptedResponse::json(slow).with_delay(SECOND * 30)
        } else {
            last_page(&[])
        })
    });
    let client = client(&script);
    let (patient, hurried) = (tenant(&client), tenant(&with_time_left(&client, SECOND * 10)));
    let operation = ListEndpoints::default();
    let responses = block_on(join_all([patient.send(&operation), hurried.send(&operation)]));
    assert!(responses[0].is_ok());
    assert_eq!(responses[1].as_ref().expect_err("too late").kind(), ErrorKind::DeadlineExceeded);
    assert_eq!((script.count(SentRequest::is_token), script.api_requests().len()), (1, 1));
    assert_eq!(script.sleeps(), [SECOND * 10], "it waited no longer than it had");
}

#[test]
fn deadline_of_one_caller_does_not_fail_the_others() {
    let script = ScriptedTransport::with_router(|sent| {
        let no_connection = sent.is_token() && sent.timeout < SECOND * 60;
        if no_connection {
            return Some(ScriptedResponse::failure(TransportErrorKind::Timeout).with_delay(SECOND * 5));
        }
        (!sent.is_token() && !sent.is_whoami()).then(|| last_page(&[]))
    });
    let client = client(&script);
    let (hurried, patient) = (tenant(&with_time_left(&client, SECOND * 5)), tenant(&client));
    let operation = ListEndpoints::default();
    let responses = block_on(join_all([hurried.send(&operation), patient.send(&operation)]));
    assert_eq!(responses[0].as_ref().expect_err("too late").kind(), ErrorKind::DeadlineExceeded);
    assert!(responses[1].is_ok(), "{:?}", responses[1]);
    assert_eq!((script.count(SentRequest::is_token), script.api_requests().len()), (2, 1));
}

#[test]
fn tenant_clients_keep_the_deadline() {
    let script = ScriptedTransport::with_responses([]);
    let client = client(&script);
    let tenant = tenant(&client.with_deadline(client.transport().now() + SECOND)).clone();
    script.advance(SECOND);
    let error = block_on(tenant.send(&ListEndpoints::default())).expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let mut pages = tenant.pages(ListEndpoints::default());
    assert_eq!(
        block_on(pages.next()).expect("a page").expect_err("too late").kind(),
        ErrorKind::DeadlineExceeded
    );
}
