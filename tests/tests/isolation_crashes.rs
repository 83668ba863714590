//! The webhook and the worker are killed at every request that they make of the
//! ledger's store while one event is taken to an isolated endpoint. The sender
//! sends again what was not answered, the queue brings back what was not
//! handled, and the follow-up looks at the rest: one isolation, every time.

use std::{collections::BTreeSet, time::Duration};

use end_to_end::{
    isolation::{Delivery, ENFORCE, IsolationWorld, decision_of, estate, hostname, machine_id, tight},
    queue::{EventSource, Queue},
    s3::{S3Server, Trap},
};
use local_lambda::{Outcome, Pool};
use serde_json::{Value, json};
use sophos_isolation::{DecisionId, State};
use sophos_simulator::CredentialKind;

/// Longer than a lease.
const LEASE_IS_OVER: Duration = Duration::from_secs(120);

struct Bench {
    world: IsolationWorld,
    s3: S3Server,
    queue: Queue,
    webhook: Pool,
    worker: EventSource,
    _folder: tempfile::TempDir,
}

/// How far a run into a trap came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Webhook,
    Worker,
    Nobody,
}

impl Bench {
    async fn start(machines: usize, policy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
        let mut world =
            IsolationWorld::start(estate(machines), CredentialKind::Tenant, policy).await.expect("a world");
        world.keep_ledger_in(&s3);
        let queue = Queue::start().await.expect("a queue");
        let webhook = queue.admit(world.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
        let webhook = Pool::start(s3.admit(webhook), 1).await.expect("the webhook starts");
        let worker = EventSource::new(&queue, s3.admit(world.worker()), 1, 10).await;
        let worker = worker.expect("the worker starts");
        Self { world, s3, queue, webhook, worker, _folder: folder }
    }

    /// The status and the body of the webhook's answer.
    async fn deliver(&self, delivery: &Delivery) -> (u64, Value) {
        match self.webhook.invoke(&delivery.event()).await.expect("the webhook starts") {
            Outcome::Ok(answer) => {
                let body = answer["body"].as_str().unwrap_or_default();
                let body = serde_json::from_str(body).unwrap_or_default();
                (answer["statusCode"].as_u64().unwrap_or_default(), body)
            }
            other => panic!("{other:?}\n{}", self.webhook.logs().join("\n")),
        }
    }

    /// Delivers an event and has it worked on, until somebody is in the trap.
    async fn run_into(&self, trap: Trap, delivery: &Delivery) -> Killed {
        self.s3.set(Some(trap));
        tokio::select! {
            (status, answer) = self.deliver(delivery) => assert_eq!(status, 202, "{answer}"),
            () = self.s3.trapped() => {
                self.webhook.kill_one().expect("the webhook runs");
                return Killed::Webhook;
            }
        }
        tokio::select! {
            drained = self.worker.drain() => {
                assert_eq!((drained.handled, drained.returned), (1, 0), "{drained:?}");
                Killed::Nobody
            }
            () = self.s3.trapped() => {
                self.worker.pool().kill_one().expect("the worker runs");
                Killed::Worker
            }
        }
    }

    async fn follow_up(&self) -> Value {
        match self.worker.pool().invoke(&json!({ "follow_up": "all" })).await.expect("the worker starts") {
            Outcome::Ok(report) => report,
            other => panic!("{other:?}\n{}", self.worker.pool().logs().join("\n")),
        }
    }

    /// What happens after a crash without anybody's doing.
    async fn go_on(&self, killed: Killed, delivery: &Delivery) {
        self.s3.set(None);
        if killed == Killed::Webhook {
            let (status, answer) = self.deliver(delivery).await;
            assert!(matches!(status, 200 | 202), "{status} {answer}");
        }
        self.queue.make_visible();
        let drained = self.worker.drain().await;
        assert_eq!(drained.returned, 0, "{drained:?}");
        self.world.let_pass(LEASE_IS_OVER).expect("the ledger's files");
        // The first may have to make the call, the next sees that it took effect.
        for _ in 0..2 {
            let report = self.follow_up().await;
            assert_eq!(report["errors"], json!([]), "{report}");
        }
    }

    /// One isolation of the right endpoint, a ledger that reads back, and what
    /// is taken of the budgets is what decisions hold.
    async fn check(&self, when: &str, id: &DecisionId, machine: usize) {
        let decision = self.world.decision(id).await.expect("a decision");
        assert_eq!(decision.state(), State::Isolated, "{when}: {decision:#?}");
        let claim = decision.claim().expect("a claim");
        assert_eq!(claim.target.endpoint, machine_id(machine), "{when}");
        let changes = self.world.simulator.isolation_changes();
        assert_eq!(changes.len(), 1, "{when}: {changes:#?}");
        assert_eq!((changes[0].endpoint.as_str(), changes[0].enabled), (machine_id(machine).as_str(), true));
        self.world.simulator.forget_isolation_changes();

        let taken: BTreeSet<_> = self.world.slots().expect("slots").into_iter().collect();
        for slot in &claim.slots {
            assert!(taken.contains(slot), "{when}: {slot} of the claim is free");
        }
        assert_eq!(claim.slots.len(), 3, "{when}: {:?}", claim.slots);
    }

    /// Slots that are taken and that no claim has.
    async fn abandoned(&self) -> usize {
        let decisions = self.world.decisions().await.expect("a ledger that reads back");
        let held: BTreeSet<_> =
            decisions.iter().filter_map(|one| one.claim()).flat_map(|one| &one.slots).collect();
        let taken = self.world.slots().expect("slots");
        taken.iter().filter(|slot| !held.contains(slot)).count()
    }
}

/// Kills at each request in turn, each time with an event and a machine of its
/// own.
async fn kill_at_every_request(trap: fn(usize) -> Trap) {
    let bench = Bench::start(300, ENFORCE).await;
    let mut kills = Vec::new();
    for number in 1.. {
        let delivery = Delivery::isolate(&format!("event-{number}"), &hostname(number));
        let killed = bench.run_into(trap(number), &delivery).await;
        let request = bench.s3.requests().into_iter().nth(number - 1).unwrap_or_default();
        let at = format!("{killed:?} killed at {:?}: {request}", trap(number));
        bench.go_on(killed, &delivery).await;
        let (status, answer) = bench.deliver(&delivery).await;
        assert_eq!(status, 200, "{at}: {answer}");
        bench.check(&at, &decision_of(&answer).expect("a decision"), number).await;
        assert_eq!(bench.abandoned().await, 0, "{at}");
        bench.world.clear_agenda().expect("the agenda");
        if killed == Killed::Nobody {
            break;
        }
        kills.push(at);
    }
    println!("{} kills:\n{}", kills.len(), kills.join("\n"));
    let of = |killed: &str| kills.iter().filter(|kill| kill.starts_with(killed)).count();
    assert!(of("Webhook") >= 2 && of("Worker") >= 10, "{} kills", kills.len());
    // Beside `received/` the reminder is written at once: either may be the request.
    for object in ["alerts/", "decisions/", "machines/", "slots/estate/", "slots/hour/"] {
        let writes = |kill: &String| kill.contains("PUT ") && kill.contains(object);
        assert!(kills.iter().any(writes), "none while it wrote to {object}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_request_of_the_store_leaves_one_isolation() {
    kill_at_every_request(Trap::Before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_after_any_request_of_the_store_leaves_one_isolation() {
    kill_at_every_request(Trap::After).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_has_not_spent_the_budget_of_its_decision() {
    let delivery = Delivery::isolate("1", &hostname(1));
    let probe = Bench::start(1, &tight()).await;
    assert_eq!(probe.run_into(Trap::Before(usize::MAX), &delivery).await, Killed::Nobody);
    let requests = probe.s3.requests();
    for budget in ["/slots/estate/", "/tenant/", "/source/"] {
        let takes = |request: &String| request.starts_with("PUT ") && request.contains(budget);
        let number = requests.iter().position(takes).expect("it takes a slot") + 1;
        let bench = Bench::start(1, &tight()).await;
        assert_eq!(bench.run_into(Trap::After(number), &delivery).await, Killed::Worker);
        let request = bench.s3.requests().pop().unwrap_or_default();
        assert!(takes(&request), "{request}");
        bench.go_on(Killed::Worker, &delivery).await;
        let (_, answer) = bench.deliver(&delivery).await;
        bench.check(budget, &decision_of(&answer).expect("a decision"), 1).await;
        assert_eq!(bench.abandoned().await, 0, "{budget}");
    }
}
