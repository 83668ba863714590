//! The stored format: a ledger that is checked in, written once.
//!
//! Objects outlive releases. Every release must read the objects of
//! `stored_ledger/` in the same way, and write the same bytes for the same input.
//! Add objects for a new kind of record; never change one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use sophos_isolation::{
    AlertKey, ApprovalAnswer, BackendError, Claim, CreatedDecision, DecisionId, DecisionState, FollowUpScope,
    IsolationOrigin, IsolationTarget, Ledger, ReceivedSignal, RefusalReason, ReleaseReason, Transition,
    adapters::Tool,
    policy::Policy,
    verify::{Keys, VersionStage},
    webhook::{KeySource, Queue, Request, Response, Webhook},
};
use sophos_store::Store;

use crate::support::{ACME, HOUR, TestEnv, host, id, machines};

/// The run that wrote the stored ledger.
const WRITER: &str = "0123456789abcdef0123456789abcdef";

/// The time of the records that no engine wrote.
const NOW: Duration = Duration::from_millis(1_768_471_200_123);

const POLICY: &str = r#"version = 1
mode = "enforce"
[release]
after = "4h"
[limits]
estate_share = 1.0
[sources.edr]
tool = "generic"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "bearer", secret = "edr" }
[sources.ask]
tool = "generic"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "bearer", secret = "ask" }
approve = "always"
[sources.scripts]
tool = "generic"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "signature", secret = "scripts" }
"#;

fn policy() -> Policy {
    Policy::parse(POLICY).unwrap()
}

fn stored_ledger() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/stored_ledger")
}

fn ledger(folder: &Path) -> Ledger<Store> {
    Ledger::with_writer_id(Store::open(folder.to_str().unwrap()).unwrap(), WRITER)
}

fn decision_id(event: &str) -> DecisionId {
    DecisionId::from_event_id("edr", event)
}

/// A signal with every member.
fn full_signal() -> ReceivedSignal {
    let signal = json!({
        "action": "isolate",
        "host": {
            "endpoint_id": id(9),
            "ec2_instance_id": "i-0123456789abcdef0",
            "mac_addresses": ["02:00:00:00:00:09"],
            "hostnames": ["pc-9.corp.example"],
            "netbios_names": ["PC-9"],
            "ip_addresses": ["10.1.0.9"],
        },
        "tenant": ACME,
        "account": "123456789012",
        "host_accounts": ["210987654321"],
        "severity": "critical",
        "title": "malware",
        "reason": "ransom note",
        "observed_at": "2026-01-15T09:59:00Z",
        "release_after_seconds": 3_600,
        "shared_host": true,
    });
    ReceivedSignal {
        source: "edr".to_owned(),
        tool: Tool::Generic,
        signal: serde_json::from_value(signal).unwrap(),
        alert: Some(AlertKey::from_alert_id("edr", "full alert")),
        body_sha256: "ab".repeat(32),
        source_ip: Some("203.0.113.9".to_owned()),
        secret_stage: Some(VersionStage::Previous),
        not_actionable: None,
    }
}

/// A signal with the members that every signal has, of a message that calls for
/// nothing.
fn minimal_signal() -> ReceivedSignal {
    ReceivedSignal {
        source: "edr".to_owned(),
        tool: Tool::GuardDuty,
        signal: serde_json::from_value(json!({ "action": "release", "host": {} })).unwrap(),
        alert: None,
        body_sha256: "cd".repeat(32),
        source_ip: None,
        secret_stage: None,
        not_actionable: Some(RefusalReason { code: "test_alert".to_owned(), detail: "a test".to_owned() }),
    }
}

/// Every transition, with all of its members and with as few as it may have, and
/// the state of the decision after it.
fn transitions() -> Vec<(Transition, DecisionState)> {
    let target =
        || IsolationTarget { tenant: ACME.to_owned(), endpoint: id(9), hostname: Some("pc-9".to_owned()) };
    let unnamed = || IsolationTarget { hostname: None, ..target() };
    let text = || "a reason, in words".to_owned();
    let time = || Some("2026-01-15T10:00:07.000Z".to_owned());
    let claim = Claim {
        target: target(),
        policy_digest: "ef".repeat(32),
        lease_until: 1_768_471_290,
        comment_tag: "batch-0123456789abcdef01234567".to_owned(),
        release_after_seconds: Some(14_400),
        permits: vec![format!("permits/estate/{ACME}/000001.00000003")],
        origin: Some(IsolationOrigin::Shared),
    };
    let least = Claim {
        target: unnamed(),
        release_after_seconds: None,
        permits: Vec::new(),
        origin: None,
        ..claim.clone()
    };
    let other = || decision_id("another");
    vec![
        (
            Transition::Refused { code: "ambiguous".to_owned(), detail: text(), target: Some(target()) },
            DecisionState::Refused,
        ),
        (
            Transition::Refused { code: "no_host".to_owned(), detail: text(), target: None },
            DecisionState::Refused,
        ),
        (
            Transition::DryRun {
                target: target(),
                requires_approval: true,
                release_after_seconds: Some(14_400),
            },
            DecisionState::DryRun,
        ),
        (
            Transition::DryRun { target: unnamed(), requires_approval: false, release_after_seconds: None },
            DecisionState::DryRun,
        ),
        (
            Transition::PendingApproval { target: target(), reason: text(), expires_at: 1_768_500_000 },
            DecisionState::PendingApproval,
        ),
        (Transition::Approved { by: "ana".to_owned() }, DecisionState::Approved),
        (Transition::Declined { by: "ana".to_owned() }, DecisionState::Declined),
        (Transition::Expired, DecisionState::Expired),
        (Transition::Claimed(Box::new(claim)), DecisionState::Claimed),
        (Transition::Claimed(Box::new(least)), DecisionState::Claimed),
        (
            Transition::Deferred { detail: text(), retry_at: 1_768_471_230, target: Some(target()) },
            DecisionState::Deferred,
        ),
        (
            Transition::Deferred { detail: text(), retry_at: 1_768_471_260, target: None },
            DecisionState::Deferred,
        ),
        (
            Transition::Requested { origin: IsolationOrigin::Requested, comment_tag: None },
            DecisionState::Requested,
        ),
        (
            Transition::Requested { origin: IsolationOrigin::AlreadyApplied, comment_tag: None },
            DecisionState::Requested,
        ),
        (
            Transition::Requested {
                origin: IsolationOrigin::Shared,
                comment_tag: Some("iso-0123456789abcdef01234567".to_owned()),
            },
            DecisionState::Requested,
        ),
        (
            Transition::AlreadyIsolated { target: target(), comment: "by hand".to_owned() },
            DecisionState::AlreadyIsolated,
        ),
        (Transition::Isolated { effective_at: time() }, DecisionState::Isolated),
        (Transition::Isolated { effective_at: None }, DecisionState::Isolated),
        (Transition::Overdue { detail: text() }, DecisionState::Isolated),
        (
            Transition::ReleasePending { reason: ReleaseReason::Scheduled, by: None },
            DecisionState::ReleasePending,
        ),
        (
            Transition::ReleasePending { reason: ReleaseReason::Requested, by: Some("ana".to_owned()) },
            DecisionState::ReleasePending,
        ),
        (Transition::ReleaseRequested, DecisionState::ReleaseRequested),
        (Transition::Released { detail: text(), effective_at: time() }, DecisionState::Released),
        (Transition::Released { detail: text(), effective_at: None }, DecisionState::Released),
        (Transition::Transferred { to: other() }, DecisionState::Transferred),
        (Transition::Superseded { detail: text() }, DecisionState::Superseded),
        (Transition::Delegated { to: vec![other()], target: target() }, DecisionState::Delegated),
        (Transition::Merged { into: other(), target: target() }, DecisionState::Merged),
        (Transition::Failed { detail: text() }, DecisionState::Failed),
    ]
}

/// The keys of a webhook, and a queue that drops decisions.
struct Nowhere;

impl KeySource for Nowhere {
    async fn load_keys(&self, name: &str) -> Result<Keys, BackendError> {
        Ok(Keys::new(format!("key of {name}").into(), None))
    }
}

impl Queue for Nowhere {
    async fn send(&self, _: &[DecisionId]) -> Result<(), BackendError> {
        Ok(())
    }
}

/// Has a webhook handle a signed request of the source `scripts`.
async fn post(ledger: Ledger<Store>, body: &str, idempotency_key: Option<&str>) -> Response {
    let time = NOW.as_secs().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"key of scripts").unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-sophos-timestamp".to_owned(), time),
        ("x-sophos-signature".to_owned(), format!("v1={digest}")),
    ];
    headers.extend(idempotency_key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
    let request = Request {
        method: "POST".to_owned(),
        path: "/hooks/scripts".to_owned(),
        headers,
        body: body.into(),
        ..Request::default()
    };
    Webhook::new(ledger, Nowhere, Nowhere).handle(&policy(), &request, NOW).await.0
}

/// A request without an event id in its body.
const UNNAMED_EVENT: &str = r#"{"target":{"hostname":"pc-8"},"severity":"high","title":"beacon"}"#;

/// Writes one object of every kind into a folder.
async fn write_ledger(env: &TestEnv, folder: &Path) {
    // Without an engine: every transition.
    let all = ledger(folder);
    for (event, received) in [("full", full_signal()), ("minimal", minimal_signal())] {
        let created = all.create_decision(&decision_id(event), &received, NOW).await.unwrap();
        let CreatedDecision::New(mut decision) = created else { panic!("{event} exists") };
        for (number, (step, _)) in transitions().into_iter().enumerate().filter(|_| event == "full") {
            let at = NOW + Duration::from_secs(number as u64);
            assert!(all.append_transition(&mut decision, step, at).await.unwrap());
        }
    }
    // By the webhook: a signed request, and one that could not be parsed.
    assert_eq!(post(ledger(folder), UNNAMED_EVENT, Some("key-1")).await.status, 202);
    assert_eq!(post(ledger(folder), "no JSON", Some("key-2")).await.status, 422);
    // By the worker: an isolation, and a decision with a submitted answer.
    let policy = policy();
    let engine = env.engine_with_ledger(ledger(folder));
    for (source, number) in [("edr", 1), ("ask", 2), ("edr", 3)] {
        let received = ReceivedSignal {
            source: source.to_owned(),
            alert: Some(AlertKey::from_alert_id(source, "alert")),
            signal: serde_json::from_value(json!({
                "action": "isolate", "severity": "critical", "title": "malware", "host": host(number),
            }))
            .unwrap(),
            ..full_signal()
        };
        let id = DecisionId::from_event_id(source, &format!("event {number}"));
        engine.ledger().create_decision(&id, &received, env.now()).await.unwrap();
        if number == 3 {
            continue;
        }
        for worked in engine.process(&policy, std::slice::from_ref(&id), None).await {
            worked.result.unwrap();
        }
        if source == "ask" {
            let answer = engine.ledger().submit_answer(&id, ApprovalAnswer::Approve, "ana", env.now());
            answer.await.unwrap();
        } else {
            env.advance_clock(75);
            engine
                .follow_up_scope(&policy, FollowUpScope::Decisions(std::slice::from_ref(&id)), None)
                .await
                .unwrap();
        }
    }
    // An ended isolation, whose permits are released.
    let ended = decision_id("event 3");
    for worked in engine.process(&policy, std::slice::from_ref(&ended), None).await {
        worked.result.unwrap();
    }
    engine.ledger().release_decision(&ended, "ana", env.now()).await.unwrap();
    for _ in 0..4 {
        env.advance_clock(95);
        engine
            .follow_up_scope(&policy, FollowUpScope::Decisions(std::slice::from_ref(&ended)), None)
            .await
            .unwrap();
    }
    // A decision that awaits its first follow-up.
    let received = ReceivedSignal { not_actionable: None, ..minimal_signal() };
    engine.ledger().create_decision(&decision_id("waiting"), &received, env.now()).await.unwrap();
}

/// The objects of a ledger, by their paths.
fn objects(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Returns an object without the sentences of engine and adapters, which may change.
fn without_sentences(path: &str, body: &[u8], of_engine: &[DecisionId]) -> String {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let is_decision = of_engine.iter().any(|id| path.starts_with(&format!("decisions/{id}/")));
    if !is_decision && !path.starts_with("unreadable/") {
        return text;
    }
    let lines = text.lines().map(|line| match line.trim_start().split_once(": ") {
        Some((key @ ("\"detail\"" | "\"reason\""), _)) => format!("{key}: …"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn engine_decisions() -> Vec<DecisionId> {
    let approved = DecisionId::from_event_id("ask", "event 2");
    vec![decision_id("event 1"), approved, decision_id("event 3")]
}

#[tokio::test]
async fn ledger_writes_the_stored_bytes() {
    let env = TestEnv::new(machines(3)).await;
    // Kept after a failure, so that new objects can be copied from it.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stored_ledger");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    write_ledger(&env, &folder).await;
    let (written, stored) = (objects(&folder), objects(&stored_ledger()));
    let paths = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&written), paths(&stored), "written to {}", folder.display());
    for (path, body) in &stored {
        let [now, before] =
            [&written[path], body].map(|body| without_sentences(path, body, &engine_decisions()));
        assert_eq!(now, before, "{path}");
    }
}

#[test]
fn stored_ledger_has_every_kind_of_object() {
    let stored = objects(&stored_ledger());
    for folder in [
        "received",
        "answers",
        "arrivals",
        "inbox",
        "replays",
        "unreadable",
        "decisions",
        "schedule",
        "claims",
        "alerts",
        "permits/hour",
        "permits/estate",
        "published",
    ] {
        assert!(stored.keys().any(|path| path.starts_with(&format!("{folder}/"))), "{folder}");
    }
    // A transition that is new must be stored as well.
    let full = transitions();
    let words = |step: &Transition| serde_json::to_value(step).unwrap()["transition"].clone();
    let mut kinds: Vec<_> = full.iter().map(|(step, _)| words(step).to_string()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 20, "{kinds:?}");
}

#[tokio::test]
async fn ledger_reads_every_stored_transition() {
    let ledger = ledger(&stored_ledger());
    let full = ledger.load_decision(&decision_id("full")).await.unwrap().unwrap();
    assert_eq!(full.received(), Some(&full_signal()));
    let expected = transitions();
    assert_eq!(full.entries().len(), expected.len() + 1);
    for (at, (entry, (step, _))) in full.entries()[1..].iter().zip(&expected).enumerate() {
        assert_eq!(entry.transition, *step);
        assert_eq!((entry.version, entry.sequence), (1, at as u32 + 2));
        assert_eq!(entry.at_ms, NOW.as_millis() as u64 + 1_000 * at as u64);
        assert!(entry.attempt_id.starts_with(WRITER));
    }
    let minimal = ledger.load_decision(&decision_id("minimal")).await.unwrap().unwrap();
    assert_eq!(minimal.received(), Some(&minimal_signal()));
    assert_eq!(minimal.refusal(), Some(("test_alert", "a test")));
}

#[tokio::test]
async fn stored_transitions_have_the_same_state() {
    let stored = objects(&stored_ledger());
    let id = decision_id("full");
    for (at, (step, state)) in transitions().iter().enumerate() {
        // The decision as it was after this transition.
        let folder = tempfile::tempdir().unwrap();
        for sequence in 1..=at + 2 {
            let path = format!("decisions/{id}/{sequence:04}.json");
            let target = folder.path().join(&path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, &stored[&path]).unwrap();
        }
        let decision = ledger(folder.path()).load_decision(&id).await.unwrap().unwrap();
        assert_eq!(decision.state(), *state, "{step:?}");
    }
}

#[tokio::test]
async fn engine_continues_the_stored_ledger() {
    let env = TestEnv::new(machines(3)).await;
    for (path, body) in objects(&stored_ledger()) {
        fs::create_dir_all(env.path(&path).parent().unwrap()).unwrap();
        fs::write(env.path(&path), body).unwrap();
    }
    let [isolated, approved, ended] = &engine_decisions()[..] else { panic!("three decisions") };
    let states = [isolated, approved, ended];
    let expected = [DecisionState::Isolated, DecisionState::PendingApproval, DecisionState::Released];
    for (id, expected) in states.into_iter().zip(expected) {
        assert_eq!(env.state(id).await, expected, "{id}");
    }
    env.isolate_in_console(1, true, &format!("{isolated}: edr: malware")).await;
    env.advance_clock(600);
    let policy = policy();

    // The alert's episode and the claim: an update of it is merged.
    let update = env.begin_update("edr", "alert", "update", json!({ "host": host(1) })).await;
    env.work(&policy, &update).await;
    let merged = env.decision(&update).await;
    let last = &merged.entries().last().unwrap().transition;
    assert!(matches!(last, Transition::Merged { into, .. } if into == isolated), "{last:?}");
    // The replay: another key for the same signed request is refused.
    assert_eq!(post(env.ledger(), UNNAMED_EVENT, Some("key-3")).await.status, 401);
    assert_eq!(post(env.ledger(), UNNAMED_EVENT, Some("key-1")).await.status, 200);
    // What was published is not published again.
    env.follow_up(&policy).await;
    assert_eq!(env.publisher.outcomes_of(isolated), [""; 0]);
    // The answer, and the schedule of both.
    env.follow_up_for(&policy, 300).await;
    assert_eq!(env.state(approved).await, DecisionState::Isolated);
    assert_eq!(env.state(isolated).await, DecisionState::Isolated);
    let waiting = env.decision(&decision_id("waiting")).await;
    assert_eq!(waiting.state(), DecisionState::Refused, "{waiting:?}");
    env.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(env.state(isolated).await, DecisionState::Released);
    assert_eq!(env.state(approved).await, DecisionState::Released);
    // Claims and permits are released.
    assert_eq!(env.object_names(&format!("claims/{ACME}/{}", id(1))).await, [""; 0]);
    let is_held = |name: &String| name.rsplit('.').next().unwrap().parse::<u32>().unwrap() % 2 == 1;
    let permits = env.object_names(&format!("permits/estate/{ACME}")).await;
    assert!(!permits.is_empty() && !permits.iter().any(is_held), "{permits:?}");
}
