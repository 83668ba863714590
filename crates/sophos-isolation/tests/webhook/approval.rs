//! The approval page.

use std::time::Duration;

use serde_json::json;
use sophos_isolation::{
    ApprovalLinks, DecisionId, IsolationTarget, ReceivedSignal, Transition, adapters::Tool, signal::Signal,
    webhook::Request,
};

use super::{NOW, RequestExt, SECRET_MARKER, TENANT, TestEnv, current_value, get};

/// The expiry of the approval in these tests.
pub(super) const UNTIL: u64 = NOW.as_secs() + 3_600;

const ENDPOINT: &str = "6e9567ea-bb50-40c5-9f12-42eb308e4c9b";

pub(super) fn approval_links() -> ApprovalLinks {
    ApprovalLinks::new("https://hooks.example/", current_value("approval").into())
}

/// The request of a link.
pub(super) fn follow_link(links: &ApprovalLinks, id: &DecisionId, until: u64) -> Request {
    let link = links.link(id, until);
    let rest = link.expose().strip_prefix("https://hooks.example").expect("the base");
    let (path, query) = rest.split_once('?').expect("a query");
    Request { query: query.into(), ..get(path) }
}

pub(super) fn answer_request(request: &Request, body: &str) -> Request {
    let request = Request { method: "POST".into(), body: body.into(), ..request.clone() };
    request.with_header("content-type", "application/x-www-form-urlencoded")
}

/// A decision that awaits approval.
pub(super) async fn waiting_decision(env: &TestEnv, event: &str) -> DecisionId {
    let id = DecisionId::from_event_id("scripts", event);
    let mut signal = Signal::default();
    signal.title = "<script>alert('1')</script> & \"x\"".into();
    let received = ReceivedSignal {
        source: "scripts".into(),
        tool: Tool::Generic,
        signal,
        alert: None,
        body_sha256: String::new(),
        source_ip: None,
        secret_stage: None,
        not_actionable: None,
    };
    let ledger = env.webhook.ledger();
    ledger.create_decision(&id, &received, NOW).await.expect("the store");
    let mut decision = ledger.load_decision(&id).await.expect("the store").expect("a decision");
    let hostname = Some("<b onload=x>ws-042</b>".into());
    let target = IsolationTarget { tenant: TENANT.into(), endpoint: ENDPOINT.into(), hostname };
    let step =
        Transition::PendingApproval { target, reason: "it is <i>protected</i>".into(), expires_at: UNTIL };
    assert!(ledger.append_transition(&mut decision, step, NOW).await.expect("the store"));
    id
}

#[tokio::test]
async fn approval_page_shows_the_decision() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let before = env.store.objects();
    let (response, notice) = env.handle(&request).await;
    assert_eq!((response.status, notice.problem()), (200, None));
    let page = &response.body;
    for text in [
        "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;",
        "&lt;b onload=x&gt;ws-042&lt;/b&gt;",
        "it is &lt;i&gt;protected&lt;/i&gt;",
        id.as_str(),
        ENDPOINT,
        TENANT,
        "<form method=\"post\">",
        "value=\"approve\"",
        "value=\"decline\"",
        "2026-09-21T15:13:20Z",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    for text in ["<script", "<b ", "<i>", "signature", "until=", "http:", "https:", "src="] {
        assert!(!page.contains(text), "{text}: {page}");
    }
    // Mail programs follow links repeatedly.
    for _ in 0..3 {
        assert_eq!(env.send(&request).await, response);
    }
    assert_eq!(env.store.objects(), before);
    assert!(env.queued().is_empty());
}

#[tokio::test]
async fn approval_page_loads_nothing_and_sends_no_referrer() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let bad = Request { query: String::new(), ..request.clone() };
    for request in [
        &request,
        &bad,
        &answer_request(&request, "answer=maybe"),
        &answer_request(&request, "answer=decline"),
    ] {
        let response = env.send(request).await;
        let header = |name: &str| response.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("script-src"), "{policy}");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn approval_is_recorded_once() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let response = env.send(&answer_request(&request, "answer=approve")).await;
    assert_eq!(response.status, 200);
    assert!(response.body.contains("Approved"), "{}", response.body);
    assert_eq!(env.submitted_answer(id.as_str()).as_deref(), Some("approve"));
    assert_eq!(env.queued(), [id.to_string()]);
    let reminders = env.store.count("inbox/");
    let before = env.store.objects();

    // The button was pressed twice.
    let again = env.send(&answer_request(&request, "answer=approve")).await;
    assert!(again.body.contains("Approved"), "{}", again.body);
    let declined = env.send(&answer_request(&request, "answer=decline")).await;
    assert!(declined.body.contains("Nothing was changed"), "{}", declined.body);
    let shown = env.send(&request).await;
    assert!(shown.body.contains("Approved") && !shown.body.contains("<form"), "{}", shown.body);
    assert_eq!((env.store.objects(), reminders), (before, 2), "nothing was changed");
}

#[tokio::test]
async fn decline_is_recorded_once() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let response = env.send(&answer_request(&request, "answer=decline")).await;
    assert!(response.body.contains("Declined"), "{}", response.body);
    assert_eq!(env.submitted_answer(id.as_str()).as_deref(), Some("decline"));
    let before = env.store.objects();
    assert!(env.send(&answer_request(&request, "answer=decline")).await.body.contains("Declined"));
    let approved = env.send(&answer_request(&request, "answer=approve")).await;
    assert!(approved.body.contains("Nothing was changed"), "{}", approved.body);
    assert_eq!(env.store.objects(), before);
    assert!(env.queued().is_empty(), "there is nothing to work on");
}

#[tokio::test]
async fn concurrent_answers_are_recorded_once() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let words = ["approve", "decline", "approve", "decline", "approve"];
    let requests = words.map(|word| answer_request(&request, &format!("answer={word}")));
    let responses = futures_util::future::join_all(requests.iter().map(|request| env.send(request))).await;
    assert!(responses.iter().all(|response| response.status == 200));
    let (won, lost) = match env.submitted_answer(id.as_str()).expect("a response").as_str() {
        "approve" => ("approve", "decline"),
        _ => ("decline", "approve"),
    };
    for (word, response) in words.iter().zip(&responses) {
        let unchanged = response.body.contains("Nothing was changed");
        assert_eq!(unchanged, *word == lost, "{won} won: {}", response.body);
    }
}

#[tokio::test]
async fn form_accepts_approve_or_decline_only() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let before = env.store.objects();
    for body in [
        "",
        "answer=",
        "answer=yes",
        "answer=APPROVE",
        "Answer=approve",
        "approve",
        "answer",
        "answer=%ff",
        "answer=approve%00",
        "{\"answer\":\"approve\"}",
        "answer+=approve",
        "answer=approve+",
    ] {
        assert_eq!(env.send(&answer_request(&request, body)).await.status, 422, "{body}");
    }
    let broken = Request { body: b"answer=approve\xff".to_vec(), ..answer_request(&request, "") };
    assert_eq!(env.send(&broken).await.status, 422);
    // The answer is in the form, not in a link.
    let linked =
        Request { query: format!("{}&answer=approve", request.query), ..answer_request(&request, "") };
    assert_eq!(env.send(&linked).await.status, 422);
    assert_eq!(env.store.objects(), before);
}

#[tokio::test]
async fn answer_is_rejected_after_its_time() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let before = env.store.objects();
    for now in [UNTIL, UNTIL + 1, UNTIL + 100_000] {
        for request in [
            &request,
            &answer_request(&request, "answer=approve"),
            &answer_request(&request, "answer=decline"),
        ] {
            let (response, _) = env.handle_at(request, Duration::from_secs(now)).await;
            assert_eq!(response.status, 403);
        }
    }
    // A link that expires after the decision.
    let long = follow_link(&approval_links(), &id, UNTIL + 100);
    let (response, _) =
        env.handle_at(&answer_request(&long, "answer=approve"), Duration::from_secs(UNTIL)).await;
    assert!(response.body.contains("Nothing was changed"), "{}", response.body);
    assert_eq!(env.store.objects(), before);
    let last = Duration::from_secs(UNTIL) - Duration::from_millis(1);
    assert!(
        env.handle_at(&answer_request(&request, "answer=approve"), last).await.0.body.contains("Approved")
    );
}

#[tokio::test]
async fn answer_can_be_repeated_after_a_failure() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let request = follow_link(&approval_links(), &id, UNTIL);
    let approve = answer_request(&request, "answer=approve");
    for folder in ["decisions/", "answers/"] {
        env.store.fail_on(Some(folder));
        for request in [&request, &approve] {
            assert_eq!(env.send(request).await.status, 503);
        }
    }
    env.store.fail_on(None);
    env.queue.set_failing(true);
    let (response, notice) = env.handle(&approve).await;
    assert_eq!((response.status, notice.problem().as_deref()), (503, Some("the queue is out of order")));
    env.queue.set_failing(false);
    assert_eq!(env.send(&approve).await.status, 200);
    assert_eq!(env.queued(), [id.to_string()]);
    assert_eq!(env.submitted_answer(id.as_str()).as_deref(), Some("approve"));
}

/// The worker applies the answer: the webhook writes no transition.
#[tokio::test]
async fn answer_writes_no_decision_entry() {
    for word in ["approve", "decline"] {
        let env = TestEnv::new();
        let id = waiting_decision(&env, "a").await;
        let before = env.store.count("decisions/");
        env.send(&answer_request(&follow_link(&approval_links(), &id, UNTIL), &format!("answer={word}")))
            .await;
        assert_eq!((env.store.count("decisions/"), env.store.count("schedule/")), (before, 0));
    }
}

#[test]
fn approval_link_is_not_in_debug_output() {
    let id = DecisionId::from_event_id("scripts", "a");
    let (links, link) = (approval_links(), approval_links().link(&id, UNTIL));
    let printed = format!("{links:?} {link:?} {:?}", json!({ "base": "x" }));
    let signature = link.expose().rsplit('=').next().expect("a signature");
    assert_eq!(signature.len(), 64);
    assert!(!printed.contains(signature) && !printed.contains(SECRET_MARKER), "{printed}");
}
