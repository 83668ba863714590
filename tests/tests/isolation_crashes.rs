//! Tests that kill the webhook and the worker at every request to the ledger's store, while one
//! event leads to an isolated endpoint. The sender repeats requests without a response, the
//! queue redelivers messages, and the follow-up does the rest: one isolation every time.

use std::{collections::BTreeSet, time::Duration};

use end_to_end::{
    isolation::{
        Delivery, ENFORCE_POLICY, IsolationEnv, hostname, machine_id, parse_decision_id, simulator_config,
        tight_limits_policy,
    },
    queue::{EventSource, Queue},
    s3::{S3Server, S3Trap},
};
use local_lambda::{InvocationOutcome, Pool};
use serde_json::{Value, json};
use sophos_isolation::{DecisionId, DecisionState};
use sophos_simulator::CredentialKind;

/// Longer than a lease.
const AFTER_LEASE_EXPIRY: Duration = Duration::from_secs(120);

struct Fixture {
    env: IsolationEnv,
    s3: S3Server,
    queue: Queue,
    webhook: Pool,
    worker: EventSource,
    _folder: tempfile::TempDir,
}

/// The function that a trap killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KilledFunction {
    Webhook,
    Worker,
    Neither,
}

impl Fixture {
    async fn start(machines: usize, policy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
        let mut env = IsolationEnv::start(simulator_config(machines), CredentialKind::Tenant, policy)
            .await
            .expect("an environment");
        env.use_s3_ledger(&s3);
        let queue = Queue::start().await.expect("a queue");
        let webhook = queue.configure(env.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
        let webhook = Pool::start(s3.configure(webhook), 1).await.expect("the webhook starts");
        let worker = EventSource::new(&queue, s3.configure(env.worker()), 1, 10).await;
        let worker = worker.expect("the worker starts");
        Self { env, s3, queue, webhook, worker, _folder: folder }
    }

    /// The status and the body of the webhook's response.
    async fn deliver(&self, delivery: &Delivery) -> (u64, Value) {
        match self.webhook.invoke(&delivery.to_event()).await.expect("the webhook starts") {
            InvocationOutcome::Ok(response) => {
                let body = response["body"].as_str().unwrap_or_default();
                let body = serde_json::from_str(body).unwrap_or_default();
                (response["statusCode"].as_u64().unwrap_or_default(), body)
            }
            other => panic!("{other:?}\n{}", self.webhook.logs().join("\n")),
        }
    }

    /// Sends an event and runs the worker until a request is in the trap.
    async fn run_until_trapped(&self, trap: S3Trap, delivery: &Delivery) -> KilledFunction {
        self.s3.set_trap(Some(trap));
        tokio::select! {
            (status, response) = self.deliver(delivery) => assert_eq!(status, 202, "{response}"),
            () = self.s3.wait_for_trap() => {
                self.webhook.kill_one().expect("the webhook runs");
                return KilledFunction::Webhook;
            }
        }
        tokio::select! {
            drained = self.worker.drain() => {
                assert_eq!((drained.handled, drained.returned), (1, 0), "{drained:?}");
                KilledFunction::Neither
            }
            () = self.s3.wait_for_trap() => {
                self.worker.pool().kill_one().expect("the worker runs");
                KilledFunction::Worker
            }
        }
    }

    async fn follow_up(&self) -> Value {
        match self.worker.pool().invoke(&json!({ "follow_up": "all" })).await.expect("the worker starts") {
            InvocationOutcome::Ok(report) => report,
            other => panic!("{other:?}\n{}", self.worker.pool().logs().join("\n")),
        }
    }

    /// Retries as the sender, the queue and the schedule do after a crash.
    async fn recover(&self, killed: KilledFunction, delivery: &Delivery) {
        self.s3.set_trap(None);
        if killed == KilledFunction::Webhook {
            let (status, response) = self.deliver(delivery).await;
            assert!(matches!(status, 200 | 202), "{status} {response}");
        }
        self.queue.make_visible();
        let drained = self.worker.drain().await;
        assert_eq!(drained.returned, 0, "{drained:?}");
        self.env.advance_ledger_time(AFTER_LEASE_EXPIRY).expect("the ledger's files");
        // The first run may have to send the request, the second confirms it.
        for _ in 0..2 {
            let report = self.follow_up().await;
            assert_eq!(report["errors"], json!([]), "{report}");
        }
    }

    /// Checks for one isolation of the right endpoint, a readable ledger, and permits that
    /// match the decisions.
    async fn check(&self, when: &str, id: &DecisionId, machine: usize) {
        let decision = self.env.decision(id).await.expect("a decision");
        assert_eq!(decision.state(), DecisionState::Isolated, "{when}: {decision:#?}");
        let claim = decision.claim().expect("a claim");
        assert_eq!(claim.target.endpoint, machine_id(machine), "{when}");
        let changes = self.env.simulator.isolation_changes();
        assert_eq!(changes.len(), 1, "{when}: {changes:#?}");
        assert_eq!((changes[0].endpoint.as_str(), changes[0].enabled), (machine_id(machine).as_str(), true));
        self.env.simulator.clear_isolation_changes();

        let taken: BTreeSet<_> = self.env.held_permits().expect("permits").into_iter().collect();
        for slot in &claim.permits {
            assert!(taken.contains(slot), "{when}: {slot} of the claim is free");
        }
        assert_eq!(claim.permits.len(), 3, "{when}: {:?}", claim.permits);
    }

    /// The number of permits without a claim.
    async fn abandoned_permits(&self) -> usize {
        let decisions = self.env.decisions().await.expect("a ledger that reads back");
        let held: BTreeSet<_> =
            decisions.iter().filter_map(|one| one.claim()).flat_map(|one| &one.permits).collect();
        let taken = self.env.held_permits().expect("permits");
        taken.iter().filter(|slot| !held.contains(slot)).count()
    }
}

/// Kills at each request in turn, each time with another event and machine.
async fn kill_at_every_request(trap: fn(usize) -> S3Trap) {
    let bench = Fixture::start(300, ENFORCE_POLICY).await;
    let mut kills = Vec::new();
    for number in 1.. {
        let delivery = Delivery::isolate(&format!("event-{number}"), &hostname(number));
        let killed = bench.run_until_trapped(trap(number), &delivery).await;
        let request = bench.s3.requests().into_iter().nth(number - 1).unwrap_or_default();
        let at = format!("{killed:?} killed at {:?}: {request}", trap(number));
        bench.recover(killed, &delivery).await;
        let (status, response) = bench.deliver(&delivery).await;
        assert_eq!(status, 200, "{at}: {response}");
        bench.check(&at, &parse_decision_id(&response).expect("a decision"), number).await;
        assert_eq!(bench.abandoned_permits().await, 0, "{at}");
        bench.env.clear_schedule().expect("the agenda");
        if killed == KilledFunction::Neither {
            break;
        }
        kills.push(at);
    }
    println!("{} kills:\n{}", kills.len(), kills.join("\n"));
    let of = |killed: &str| kills.iter().filter(|kill| kill.starts_with(killed)).count();
    assert!(of("Webhook") >= 2 && of("Worker") >= 10, "{} kills", kills.len());
    // `received/` and the scheduled check are written concurrently: either may be the
    // request.
    for object in ["alerts/", "decisions/", "claims/", "permits/estate/", "permits/hour/"] {
        let writes = |kill: &String| kill.contains("PUT ") && kill.contains(object);
        assert!(kills.iter().any(writes), "none while it wrote to {object}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_before_any_store_request_leaves_one_isolation() {
    kill_at_every_request(S3Trap::Before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_after_any_store_request_leaves_one_isolation() {
    kill_at_every_request(S3Trap::After).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crashed_run_does_not_consume_the_isolation_budget() {
    let delivery = Delivery::isolate("1", &hostname(1));
    let probe = Fixture::start(1, &tight_limits_policy()).await;
    assert_eq!(probe.run_until_trapped(S3Trap::Before(usize::MAX), &delivery).await, KilledFunction::Neither);
    let requests = probe.s3.requests();
    for budget in ["/permits/estate/", "/tenant/", "/source/"] {
        let takes = |request: &String| request.starts_with("PUT ") && request.contains(budget);
        let number = requests.iter().position(takes).expect("it takes a slot") + 1;
        let bench = Fixture::start(1, &tight_limits_policy()).await;
        assert_eq!(bench.run_until_trapped(S3Trap::After(number), &delivery).await, KilledFunction::Worker);
        let request = bench.s3.requests().pop().unwrap_or_default();
        assert!(takes(&request), "{request}");
        bench.recover(KilledFunction::Worker, &delivery).await;
        let (_, response) = bench.deliver(&delivery).await;
        bench.check(budget, &parse_decision_id(&response).expect("a decision"), 1).await;
        assert_eq!(bench.abandoned_permits().await, 0, "{budget}");
    }
}
