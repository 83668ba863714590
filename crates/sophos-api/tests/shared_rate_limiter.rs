//! A rate limiter that several clients share.

mod support;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_executor::block_on;
use futures_util::future::join;
use sophos_api::{
    ApiClient, BoxFuture, Client, ErrorKind, RateLimit, RateWindow, RetryPolicy, SharedRateLimiter,
    Transport, operations::endpoint::endpoints::ListEndpoints,
};
use support::{
    SECOND, ScriptedResponse, ScriptedTransport, SentRequest, credentials, last_page, script::YieldOnce,
    tenant,
};

/// A permit after this number of yields, and its wait.
type ScriptedPermit = (u32, Result<Duration, Duration>);

/// The permits in this order, then permits without a wait.
#[derive(Debug)]
struct ScriptedRateLimiter {
    clock: Arc<ScriptedTransport>,
    permits: Mutex<VecDeque<ScriptedPermit>>,
    /// The time and the deadline of each call.
    requests: Mutex<Vec<(Duration, Option<Duration>)>>,
}

impl SharedRateLimiter for ScriptedRateLimiter {
    fn acquire_permit(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>> {
        self.requests.lock().expect("a lock").push((self.clock.now(), deadline));
        let next = self.permits.lock().expect("a lock").pop_front();
        let (rounds, turn) = next.unwrap_or((0, Ok(Duration::ZERO)));
        Box::pin(async move {
            for _ in 0..rounds {
                YieldOnce::default().await;
            }
            self.clock.advance(turn.unwrap_or_default());
            turn
        })
    }
}

struct Fixture {
    script: Arc<ScriptedTransport>,
    rate_limiter: Arc<ScriptedRateLimiter>,
    client: Client<Arc<ScriptedTransport>>,
    start: Duration,
}

fn fixture<const A: usize, const T: usize>(
    responses: [ScriptedResponse; A],
    turns: [ScriptedPermit; T],
    budget: RateLimit,
) -> Fixture {
    fixture_with_attempts(responses, turns, budget, 2)
}

fn fixture_with_attempts<const A: usize, const T: usize>(
    responses: [ScriptedResponse; A],
    turns: [ScriptedPermit; T],
    budget: RateLimit,
    attempts: u32,
) -> Fixture {
    let script = ScriptedTransport::with_responses(responses);
    let turns = Arc::new(ScriptedRateLimiter {
        clock: Arc::clone(&script),
        permits: Mutex::new(turns.into_iter().collect()),
        requests: Mutex::default(),
    });
    let client = Client::builder(Arc::clone(&script), credentials())
        .rate_limit(budget)
        .shared_rate_limiter(Arc::clone(&turns) as Arc<dyn SharedRateLimiter>)
        .retry_policy(RetryPolicy::new().max_attempts(attempts))
        .build();
    let start = script.now();
    Fixture { script, rate_limiter: turns, client, start }
}

impl Fixture {
    /// The times of the calls since the start.
    fn requested_at(&self) -> Vec<Duration> {
        self.rate_limiter.requests.lock().expect("a lock").iter().map(|(at, _)| *at - self.start).collect()
    }
}

fn one_per_minute() -> RateLimit {
    RateLimit::new([RateWindow::new(1, SECOND * 60)])
}

#[test]
fn shared_rate_limiter_runs_after_the_client_rate_limit() {
    let own = one_per_minute();
    let set = fixture([last_page(&[]), last_page(&[])], [(0, Ok(SECOND * 5)), (0, Ok(SECOND * 7))], own);
    let (tenant, operation) = (tenant(&set.client), ListEndpoints::default());
    block_on(tenant.send(&operation)).expect("a response");
    assert_eq!(tenant.stats().wait_time, SECOND * 5);
    block_on(tenant.send(&operation)).expect("a response");
    // The client's own permit is from 0; 5 of the next 60 seconds have passed.
    assert_eq!(set.requested_at(), [Duration::ZERO, SECOND * 60]);
    let sent: Vec<_> = set.script.api_requests().iter().map(|sent| sent.at - set.start).collect();
    assert_eq!(sent, [SECOND * 5, SECOND * 67]);
    assert_eq!((tenant.stats().wait_time, set.client.stats().wait_time), (SECOND * 67, SECOND * 67));
}

#[test]
fn api_requests_acquire_permits_and_token_requests_do_not() {
    let responses =
        [ScriptedResponse::status(503), last_page(&[]), ScriptedResponse::status(401), last_page(&[])];
    let set = fixture(responses, [], RateLimit::unlimited());
    let tenant = tenant(&set.client);
    for turns in [2, 4] {
        block_on(tenant.send(&ListEndpoints::default())).expect("a response");
        assert_eq!(set.requested_at().len(), turns, "repetitions as well");
    }
    block_on(set.client.identity()).expect("an identity");
    assert_eq!(set.requested_at().len(), 5, "and whoami");
    assert_eq!(set.script.count(SentRequest::is_token), 2);
}

#[test]
fn late_permit_fails_without_consuming_the_client_limit() {
    let set = fixture([last_page(&[])], [(0, Err(SECOND * 40)); 3], one_per_minute());
    let deadline = set.start + SECOND * 30;
    let hurried = tenant(&set.client.with_deadline(deadline));
    for _ in 0..3 {
        let error = block_on(hurried.send(&ListEndpoints::default())).expect_err("no permit");
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::DeadlineExceeded, Some(SECOND * 40)));
        let error = error.to_string();
        assert!(error.contains("the rate limit of the credential is exhausted until then"), "{error}");
        assert!(error.ends_with("retry in 40 s"), "{error}");
    }
    assert!(set.script.sent().is_empty());
    assert_eq!(set.client.stats(), Default::default(), "it did not wait");
    block_on(tenant(&set.client).send(&ListEndpoints::default())).expect("a response");
    assert_eq!(set.script.now(), set.start, "nor did they take the place in the client's own budget");
    let asked = set.rate_limiter.requests.lock().expect("a lock");
    let deadlines: Vec<_> = asked.iter().map(|(_, deadline)| *deadline).collect();
    assert_eq!(deadlines, [Some(deadline), Some(deadline), Some(deadline), None]);
}

#[test]
fn request_without_a_client_permit_takes_no_shared_one() {
    let own = one_per_minute();
    let set = fixture([last_page(&[])], [], own);
    block_on(tenant(&set.client).send(&ListEndpoints::default())).expect("a response");
    let hurried = tenant(&set.client.with_deadline(set.start + SECOND * 30));
    block_on(hurried.send(&ListEndpoints::default())).expect_err("no permit");
    assert_eq!(set.requested_at().len(), 1);
}

#[test]
fn shared_permit_is_reacquired_after_a_pause() {
    let throttled = ScriptedResponse::status(429).header("retry-after", "30");
    // The second permit is valid after the first response.
    let turns = [(0, Ok(Duration::ZERO)), (20, Ok(Duration::ZERO)), (0, Ok(SECOND * 5))];
    let set = fixture_with_attempts([throttled, last_page(&[])], turns, RateLimit::unlimited(), 1);
    let (tenant, operation) = (tenant(&set.client), ListEndpoints::default());
    let (first, second) = block_on(join(tenant.send(&operation), tenant.send(&operation)));
    assert_eq!(first.expect_err("throttled").kind(), ErrorKind::Throttled);
    second.expect("a response");
    let sent: Vec<_> = set.script.api_requests().iter().map(|sent| sent.at - set.start).collect();
    assert_eq!(sent, [Duration::ZERO, SECOND * 35]);
    // A permit from before the pause is invalid after it.
    assert_eq!(set.requested_at(), [Duration::ZERO, Duration::ZERO, SECOND * 30]);
}
