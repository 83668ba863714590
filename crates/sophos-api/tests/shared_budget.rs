//! A rate budget that a client spends together with others.

mod support;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_executor::block_on;
use futures_util::future::join;
use sophos_api::{
    BoxFuture, Caller, Client, ErrorKind, RateBudget, RetryPolicy, SharedBudget, Transport, Window,
    operations::endpoints::ListEndpoints,
};
use support::{Answer, SECOND, Script, Sent, credentials, last_page, script::Yield, tenant};

/// A turn that everybody else goes on before so often, and its wait.
type Turn = (u32, Result<Duration, Duration>);

/// One turn after the other, as it is told; then none that waits.
#[derive(Debug)]
struct Turns {
    clock: Arc<Script>,
    turns: Mutex<VecDeque<Turn>>,
    /// When it was asked, and with which deadline.
    asked: Mutex<Vec<(Duration, Option<Duration>)>>,
}

impl SharedBudget for Turns {
    fn turn(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>> {
        self.asked.lock().expect("a lock").push((self.clock.now(), deadline));
        let next = self.turns.lock().expect("a lock").pop_front();
        let (rounds, turn) = next.unwrap_or((0, Ok(Duration::ZERO)));
        Box::pin(async move {
            for _ in 0..rounds {
                Yield::default().await;
            }
            self.clock.turn(turn.unwrap_or_default());
            turn
        })
    }
}

struct Set {
    script: Arc<Script>,
    turns: Arc<Turns>,
    client: Client<Arc<Script>>,
    start: Duration,
}

fn set<const A: usize, const T: usize>(answers: [Answer; A], turns: [Turn; T], budget: RateBudget) -> Set {
    patient(answers, turns, budget, 2)
}

fn patient<const A: usize, const T: usize>(
    answers: [Answer; A],
    turns: [Turn; T],
    budget: RateBudget,
    attempts: u32,
) -> Set {
    let script = Script::queue(answers);
    let turns = Arc::new(Turns {
        clock: Arc::clone(&script),
        turns: Mutex::new(turns.into_iter().collect()),
        asked: Mutex::default(),
    });
    let client = Client::builder(Arc::clone(&script), credentials())
        .budget(budget)
        .shared_budget(Arc::clone(&turns) as Arc<dyn SharedBudget>)
        .retry(RetryPolicy { attempts, ..Default::default() })
        .build();
    let start = script.now();
    Set { script, turns, client, start }
}

impl Set {
    /// When it was asked, since the beginning.
    fn asked(&self) -> Vec<Duration> {
        self.turns.asked.lock().expect("a lock").iter().map(|(at, _)| *at - self.start).collect()
    }
}

fn one_a_minute() -> RateBudget {
    RateBudget::new([Window::new(1, SECOND * 60)])
}

#[test]
fn it_is_asked_after_the_clients_own_budget_and_its_wait_is_counted() {
    let own = one_a_minute();
    let set = set([last_page(&[]), last_page(&[])], [(0, Ok(SECOND * 5)), (0, Ok(SECOND * 7))], own);
    let (tenant, operation) = (tenant(&set.client), ListEndpoints::default());
    block_on(tenant.send(&operation)).expect("an answer");
    assert_eq!(tenant.stats().waited, SECOND * 5);
    block_on(tenant.send(&operation)).expect("an answer");
    // The own place was taken at 0; 5 seconds of the next 60 had gone by.
    assert_eq!(set.asked(), [Duration::ZERO, SECOND * 60]);
    let sent: Vec<_> = set.script.calls().iter().map(|sent| sent.at - set.start).collect();
    assert_eq!(sent, [SECOND * 5, SECOND * 67]);
    assert_eq!((tenant.stats().waited, set.client.stats().waited), (SECOND * 67, SECOND * 67));
}

#[test]
fn each_request_to_the_api_takes_a_turn_and_no_token_does() {
    let answers = [Answer::status(503), last_page(&[]), Answer::status(401), last_page(&[])];
    let set = set(answers, [], RateBudget::unlimited());
    let tenant = tenant(&set.client);
    for turns in [2, 4] {
        block_on(tenant.send(&ListEndpoints::default())).expect("an answer");
        assert_eq!(set.asked().len(), turns, "repetitions as well");
    }
    block_on(set.client.identity()).expect("an identity");
    assert_eq!(set.asked().len(), 5, "and whoami");
    assert_eq!(set.script.count(Sent::is_token), 2);
}

#[test]
fn a_turn_that_would_come_too_late_is_told_and_costs_nothing() {
    let set = set([last_page(&[])], [(0, Err(SECOND * 40)); 3], one_a_minute());
    let deadline = set.start + SECOND * 30;
    let hurried = tenant(&set.client.with_deadline(deadline));
    for _ in 0..3 {
        let error = block_on(hurried.send(&ListEndpoints::default())).expect_err("no turn");
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Deadline, Some(SECOND * 40)));
        let error = error.to_string();
        assert!(error.contains("the rate budget of the credential is spent until then"), "{error}");
        assert!(error.ends_with("ask again in 40 s"), "{error}");
    }
    assert!(set.script.sent().is_empty());
    assert_eq!(set.client.stats(), Default::default(), "it did not wait");
    block_on(tenant(&set.client).send(&ListEndpoints::default())).expect("an answer");
    assert_eq!(set.script.now(), set.start, "nor did they take the place in the client's own budget");
    let asked = set.turns.asked.lock().expect("a lock");
    let deadlines: Vec<_> = asked.iter().map(|(_, deadline)| *deadline).collect();
    assert_eq!(deadlines, [Some(deadline), Some(deadline), Some(deadline), None]);
}

#[test]
fn who_gets_no_turn_of_its_own_takes_none_of_the_others() {
    let own = one_a_minute();
    let set = set([last_page(&[])], [], own);
    block_on(tenant(&set.client).send(&ListEndpoints::default())).expect("an answer");
    let hurried = tenant(&set.client.with_deadline(set.start + SECOND * 30));
    block_on(hurried.send(&ListEndpoints::default())).expect_err("no turn");
    assert_eq!(set.asked().len(), 1);
}

#[test]
fn who_waits_for_a_turn_keeps_to_what_the_service_says_meanwhile_and_asks_again() {
    let throttled = Answer::status(429).header("retry-after", "30");
    // The second caller's turn comes after the first has had its answer.
    let turns = [(0, Ok(Duration::ZERO)), (20, Ok(Duration::ZERO)), (0, Ok(SECOND * 5))];
    let set = patient([throttled, last_page(&[])], turns, RateBudget::unlimited(), 1);
    let (tenant, operation) = (tenant(&set.client), ListEndpoints::default());
    let (first, second) = block_on(join(tenant.send(&operation), tenant.send(&operation)));
    assert_eq!(first.expect_err("throttled").kind(), ErrorKind::Throttled);
    second.expect("an answer");
    let sent: Vec<_> = set.script.calls().iter().map(|sent| sent.at - set.start).collect();
    assert_eq!(sent, [Duration::ZERO, SECOND * 35]);
    // A turn from before the pause is none after it.
    assert_eq!(set.asked(), [Duration::ZERO, Duration::ZERO, SECOND * 30]);
}
