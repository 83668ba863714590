//! The page on which a person approves.

use std::time::Duration;

use serde_json::json;
use sophos_isolation::{
    ApprovalLinks, DecisionId, Received, Step, Target, adapters::Tool, signal::Signal, webhook::Request,
};

use super::{Dress, MARK, NOW, TENANT, World, current, get};

/// Until when the decision of these tests waits.
pub(super) const UNTIL: u64 = NOW.as_secs() + 3_600;

const ENDPOINT: &str = "6e9567ea-bb50-40c5-9f12-42eb308e4c9b";

pub(super) fn links() -> ApprovalLinks {
    ApprovalLinks::new("https://hooks.example/", current("approval").into())
}

/// The request that a link leads to.
pub(super) fn follow(links: &ApprovalLinks, id: &DecisionId, until: u64) -> Request {
    let link = links.link(id, until);
    let rest = link.expose().strip_prefix("https://hooks.example").expect("the base");
    let (path, query) = rest.split_once('?').expect("a query");
    Request { query: query.into(), ..get(path) }
}

pub(super) fn answer(request: &Request, body: &str) -> Request {
    let request = Request { method: "POST".into(), body: body.into(), ..request.clone() };
    request.with("content-type", "application/x-www-form-urlencoded")
}

/// A decision that waits.
pub(super) async fn waiting(world: &World, event: &str) -> DecisionId {
    let id = DecisionId::of("scripts", event);
    let mut signal = Signal::default();
    signal.title = "<script>alert('1')</script> & \"x\"".into();
    let received = Received {
        source: "scripts".into(),
        tool: Tool::Generic,
        signal,
        alert: None,
        body_sha256: String::new(),
        from: None,
        key: None,
        not_actionable: None,
    };
    let ledger = world.webhook.ledger();
    ledger.begin(&id, &received, NOW).await.expect("the store");
    let mut decision = ledger.decision(&id).await.expect("the store").expect("a decision");
    let hostname = Some("<b onload=x>ws-042</b>".into());
    let target = Target { tenant: TENANT.into(), endpoint: ENDPOINT.into(), hostname };
    let step = Step::Waiting { target, why: "it is <i>protected</i>".into(), until: UNTIL };
    assert!(ledger.take(&mut decision, step, NOW).await.expect("the store"));
    id
}

#[tokio::test]
async fn a_link_shows_what_is_asked() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let before = world.memory.all();
    let (response, notice) = world.handle(&request).await;
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
    // Mail programs follow links, again and again.
    for _ in 0..3 {
        assert_eq!(world.send(&request).await, response);
    }
    assert_eq!(world.memory.all(), before);
    assert!(world.queued().is_empty());
}

#[tokio::test]
async fn pages_load_nothing_and_tell_nobody() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let bad = Request { query: String::new(), ..request.clone() };
    for request in [&request, &bad, &answer(&request, "answer=maybe"), &answer(&request, "answer=decline")] {
        let response = world.send(request).await;
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
async fn it_is_approved_once() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let response = world.send(&answer(&request, "answer=approve")).await;
    assert_eq!(response.status, 200);
    assert!(response.body.contains("Approved"), "{}", response.body);
    assert_eq!(world.submitted(id.as_str()).as_deref(), Some("approve"));
    assert_eq!(world.queued(), [id.to_string()]);
    let reminders = world.memory.count("inbox/");
    let before = world.memory.all();

    // The button was pressed twice.
    let again = world.send(&answer(&request, "answer=approve")).await;
    assert!(again.body.contains("Approved"), "{}", again.body);
    let declined = world.send(&answer(&request, "answer=decline")).await;
    assert!(declined.body.contains("Nothing was changed"), "{}", declined.body);
    let shown = world.send(&request).await;
    assert!(shown.body.contains("Approved") && !shown.body.contains("<form"), "{}", shown.body);
    assert_eq!((world.memory.all(), reminders), (before, 2), "nothing was changed");
}

#[tokio::test]
async fn it_is_declined_once() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let response = world.send(&answer(&request, "answer=decline")).await;
    assert!(response.body.contains("Declined"), "{}", response.body);
    assert_eq!(world.submitted(id.as_str()).as_deref(), Some("decline"));
    let before = world.memory.all();
    assert!(world.send(&answer(&request, "answer=decline")).await.body.contains("Declined"));
    let approved = world.send(&answer(&request, "answer=approve")).await;
    assert!(approved.body.contains("Nothing was changed"), "{}", approved.body);
    assert_eq!(world.memory.all(), before);
    assert!(world.queued().is_empty(), "there is nothing to work on");
}

#[tokio::test]
async fn several_answers_at_once_are_one() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let words = ["approve", "decline", "approve", "decline", "approve"];
    let requests = words.map(|word| answer(&request, &format!("answer={word}")));
    let answers = futures_util::future::join_all(requests.iter().map(|request| world.send(request))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let (won, lost) = match world.submitted(id.as_str()).expect("an answer").as_str() {
        "approve" => ("approve", "decline"),
        _ => ("decline", "approve"),
    };
    for (word, answer) in words.iter().zip(&answers) {
        let unchanged = answer.body.contains("Nothing was changed");
        assert_eq!(unchanged, *word == lost, "{won} won: {}", answer.body);
    }
}

#[tokio::test]
async fn a_form_says_one_of_two_things() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let before = world.memory.all();
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
        assert_eq!(world.send(&answer(&request, body)).await.status, 422, "{body}");
    }
    let broken = Request { body: b"answer=approve\xff".to_vec(), ..answer(&request, "") };
    assert_eq!(world.send(&broken).await.status, 422);
    // The answer is in the form, not in a link.
    let linked = Request { query: format!("{}&answer=approve", request.query), ..answer(&request, "") };
    assert_eq!(world.send(&linked).await.status, 422);
    assert_eq!(world.memory.all(), before);
}

#[tokio::test]
async fn after_its_time_nothing_is_answered() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let before = world.memory.all();
    for now in [UNTIL, UNTIL + 1, UNTIL + 100_000] {
        for request in [&request, &answer(&request, "answer=approve"), &answer(&request, "answer=decline")] {
            let (response, _) = world.handle_at(request, Duration::from_secs(now)).await;
            assert_eq!(response.status, 403);
        }
    }
    // A link that is good for longer than the decision waits.
    let long = follow(&links(), &id, UNTIL + 100);
    let (response, _) = world.handle_at(&answer(&long, "answer=approve"), Duration::from_secs(UNTIL)).await;
    assert!(response.body.contains("Nothing was changed"), "{}", response.body);
    assert_eq!(world.memory.all(), before);
    let last = Duration::from_secs(UNTIL) - Duration::from_millis(1);
    assert!(world.handle_at(&answer(&request, "answer=approve"), last).await.0.body.contains("Approved"));
}

#[tokio::test]
async fn what_fails_can_be_answered_again() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let request = follow(&links(), &id, UNTIL);
    let approve = answer(&request, "answer=approve");
    for folder in ["decisions/", "answers/"] {
        world.memory.fail(Some(folder));
        for request in [&request, &approve] {
            assert_eq!(world.send(request).await.status, 503);
        }
    }
    world.memory.fail(None);
    world.line.fail(true);
    let (response, notice) = world.handle(&approve).await;
    assert_eq!((response.status, notice.problem().as_deref()), (503, Some("the queue is out of order")));
    world.line.fail(false);
    assert_eq!(world.send(&approve).await.status, 200);
    assert_eq!(world.queued(), [id.to_string()]);
    assert_eq!(world.submitted(id.as_str()).as_deref(), Some("approve"));
}

/// An answer is the worker's to take: the webhook writes no transition.
#[tokio::test]
async fn webhook_writes_no_decision_for_an_answer() {
    for word in ["approve", "decline"] {
        let world = World::new();
        let id = waiting(&world, "a").await;
        let before = world.memory.count("decisions/");
        world.send(&answer(&follow(&links(), &id, UNTIL), &format!("answer={word}"))).await;
        assert_eq!((world.memory.count("decisions/"), world.memory.count("agenda/")), (before, 0));
    }
}

#[test]
fn a_link_is_not_printed() {
    let id = DecisionId::of("scripts", "a");
    let (links, link) = (links(), links().link(&id, UNTIL));
    let printed = format!("{links:?} {link:?} {:?}", json!({ "base": "x" }));
    let signature = link.expose().rsplit('=').next().expect("a signature");
    assert_eq!(signature.len(), 64);
    assert!(!printed.contains(signature) && !printed.contains(MARK), "{printed}");
}
