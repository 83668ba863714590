//! A credential that changes under a client's hands.

mod support;

use std::{
    collections::VecDeque,
    future::{pending, ready},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_executor::block_on;
use futures_util::future::join_all;
use serde_json::json;
use sophos_api::{
    BoxFuture, Caller, Client, CredentialSource, Credentials, ErrorKind, NoCredential, Owner, RateBudget,
    SharedBudget, Window, models::IdType, operations::endpoints::ListEndpoints,
};
use support::{Answer, OWN_ID, SECOND, SECRET, Script, Sent, last_page, tenant, whoami};

/// What is handed out, in this order, and what for.
#[derive(Debug, Default)]
struct Source {
    current: Mutex<VecDeque<Result<Credentials, NoCredential>>>,
    next: Mutex<VecDeque<Result<Credentials, NoCredential>>>,
    asked: Mutex<Vec<String>>,
    hangs: bool,
}

fn named(client_id: &str) -> Credentials {
    Credentials::new(client_id, SECRET)
}

impl Source {
    /// `current` for each token, and `next` for each refusal; the last of
    /// `current` again and again.
    fn of<const C: usize, const N: usize>(current: [Credentials; C], next: [Credentials; N]) -> Arc<Self> {
        Arc::new(Self {
            current: Mutex::new(current.into_iter().map(Ok).collect()),
            next: Mutex::new(next.into_iter().map(Ok).collect()),
            ..Self::default()
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a list").clone()
    }

    fn note(&self, what: impl Into<String>) {
        self.asked.lock().expect("a list").push(what.into());
    }
}

/// A handle that the client may own.
#[derive(Debug)]
struct Shared(Arc<Source>);

impl CredentialSource for Shared {
    fn current(&self) -> BoxFuture<'_, Result<Credentials, NoCredential>> {
        self.0.note("current");
        if self.0.hangs {
            return Box::pin(pending());
        }
        let mut left = self.0.current.lock().expect("a list");
        let next = if left.len() > 1 { left.pop_front() } else { left.front().cloned() };
        Box::pin(ready(next.expect("one at least")))
    }

    fn after_refusal<'a>(
        &'a self,
        refused: &'a Credentials,
    ) -> BoxFuture<'a, Result<Credentials, NoCredential>> {
        self.0.note(format!("after {}", refused.client_id()));
        let next = self.0.next.lock().expect("a list").pop_front();
        Box::pin(ready(
            next.unwrap_or_else(|| Err(NoCredential::new("secret acme holds no other; store one"))),
        ))
    }
}

fn client(script: &Arc<Script>, source: &Arc<Source>) -> Client<Arc<Script>> {
    Client::builder(Arc::clone(script), Shared(Arc::clone(source))).budget(RateBudget::unlimited()).build()
}

/// Refuses tokens of these clients; tells those of `foreign` that they are somebody
/// else's; answers every listing with nothing.
fn service(refused: &'static [&'static str], foreign: &'static str) -> Arc<Script> {
    Script::routed(move |sent| {
        let asks = |id: &str| sent.body.contains(&format!("client_id={id}&"));
        if sent.is_token() {
            if refused.iter().any(|id| asks(id)) {
                return Some(Answer::text(401, r#"{"errorCode": "oauth.invalid_client_secret"}"#));
            }
            let id = sent.body.split("client_id=").nth(1)?.split('&').next()?;
            return Some(Answer::json(
                json!({ "access_token": format!("token-of-{id}"), "expires_in": 3600 }),
            ));
        }
        if sent.is_whoami() {
            let mut answer = whoami("partner");
            if sent.header("authorization") == Some(&format!("Bearer token-of-{foreign}")) {
                answer["id"] = json!("97d69ec5-d0b3-425a-8d0d-cf4ac6521463");
            }
            return Some(Answer::json(answer));
        }
        Some(last_page(&[]))
    })
}

fn tokens(script: &Script) -> Vec<String> {
    let sent = script.calls();
    sent.iter().map(|sent| sent.header("authorization").expect("a token").to_owned()).collect()
}

#[test]
fn one_that_was_replaced_is_taken_up_with_the_next_token() {
    let script = service(&[], "nobody");
    let source = Source::of([named("old"), named("new")], []);
    let tenant = tenant(&client(&script, &source));
    let ask = || block_on(tenant.send(&ListEndpoints::default())).expect("an answer");
    ask();
    ask();
    assert_eq!(source.asked(), ["current"], "one token for both");
    script.turn(SECOND * 3_600);
    ask();
    assert_eq!(tokens(&script), ["Bearer token-of-old", "Bearer token-of-old", "Bearer token-of-new"]);
    assert_eq!(script.count(Sent::is_whoami), 0, "nobody has asked whose it is");
}

#[test]
fn when_one_is_refused_the_next_is_tried_and_no_call_is_lost() {
    let script = service(&["old", "fresh"], "nobody");
    let source = Source::of([named("old")], [named("fresh"), named("previous")]);
    let tenant = tenant(&client(&script, &source));
    block_on(tenant.send(&ListEndpoints::default())).expect("an answer");
    assert_eq!(source.asked(), ["current", "after old", "after fresh"]);
    assert_eq!(tokens(&script), ["Bearer token-of-previous"]);
}

#[test]
fn a_source_that_has_no_other_says_why_and_is_not_asked_for_ever() {
    let script = service(&["old"], "nobody");
    let source = Source::of([named("old")], []);
    let error =
        block_on(tenant(&client(&script, &source)).send(&ListEndpoints::default())).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert!(error.to_string().contains("secret acme holds no other; store one"), "{error}");
    assert_eq!(source.asked(), ["current", "after old"]);

    let script = service(&["old"], "nobody");
    let endless = Source::of([named("old")], [named("old"), named("old"), named("old"), named("old")]);
    let error = block_on(client(&script, &endless).identity()).expect_err("refused");
    assert_eq!((error.kind(), endless.asked().len()), (ErrorKind::Credentials, 4), "{:?}", endless.asked());
    assert_eq!(script.count(Sent::is_token), 4);
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
}

#[test]
fn one_that_cannot_be_read_is_told_with_the_reason() {
    let script = service(&[], "nobody");
    let source = Arc::new(Source {
        current: Mutex::new([Err(NoCredential::new("secret acme: access denied"))].into()),
        ..Source::default()
    });
    let error = block_on(client(&script, &source).identity()).expect_err("unreadable");
    assert_eq!(error.kind(), ErrorKind::NoCredential);
    assert!(error.to_string().contains("secret acme: access denied"), "{error}");
    assert!(script.sent().is_empty());
}

#[test]
fn a_hundred_callers_share_one_question() {
    let script = service(&["old"], "nobody");
    let source = Source::of([named("old")], [named("new")]);
    let tenant = tenant(&client(&script, &source));
    let operation = ListEndpoints::default();
    let answers = block_on(join_all((0..100).map(|_| tenant.send(&operation))));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(source.asked(), ["current", "after old"]);
    assert_eq!(script.count(Sent::is_token), 2);
}

#[test]
fn one_of_somebody_else_is_refused_and_the_next_is_tried() {
    let script = service(&[], "foreign");
    let source = Source::of([named("old"), named("foreign")], [named("good")]);
    let client = client(&script, &source);
    let owner = block_on(client.identity()).expect("an identity");
    assert_eq!(owner.id, OWN_ID);
    let tenant = tenant(&client);
    script.turn(SECOND * 3_600);
    block_on(tenant.send(&ListEndpoints::default())).expect("an answer");
    assert_eq!(source.asked(), ["current", "current", "after foreign"]);
    assert_eq!(tokens(&script), ["Bearer token-of-good"], "no tenant was asked about with the other's token");
    // One question when it was replaced, and none when it was not.
    assert_eq!(script.count(Sent::is_whoami), 3);
    script.turn(SECOND * 3_600);
    block_on(client.identity()).expect("an identity");
    assert_eq!(script.count(Sent::is_whoami), 3);
}

#[test]
fn one_that_names_its_owner_is_held_against_it() {
    let owner = |id: &str| Owner::new(IdType::Partner, id);
    let script = service(&[], "nobody");
    let source = Source::of([named("mine").belonging_to(owner(&OWN_ID.to_lowercase()))], []);
    let client = client(&script, &source);
    block_on(client.identity()).expect("the same in either case");
    assert_eq!(script.count(Sent::is_whoami), 1, "it is not asked twice");

    let script = service(&[], "nobody");
    let source = Source::of([named("mine").belonging_to(owner("97d69ec5-d0b3-425a-8d0d-cf4ac6521463"))], []);
    let tenant = tenant(&self::client(&script, &source));
    let error = block_on(tenant.send(&ListEndpoints::default())).expect_err("somebody else's");
    assert_eq!(error.kind(), ErrorKind::Credentials);
    for part in ["97d69ec5", OWN_ID, "mine"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(script.calls().is_empty());
}

#[test]
fn a_reading_that_hangs_is_cut_at_the_deadline() {
    let script = service(&[], "nobody");
    let hanging = Arc::new(Source { hangs: true, ..Source::default() });
    let client = client(&script, &hanging);
    let deadline = sophos_api::Transport::now(&script) + SECOND * 5;
    for _ in 0..2 {
        let error = block_on(client.with_deadline(deadline).identity()).expect_err("late");
        assert_eq!(error.kind(), ErrorKind::Deadline);
    }
    assert!(script.sent().is_empty());
}

#[test]
fn nothing_that_is_shown_holds_the_secret() {
    let script = service(&[], "nobody");
    let client = Client::builder(script, named("mine")).build();
    let shown = format!("{client:?} {:?}", named("mine"));
    assert!(shown.contains("mine") && !shown.contains(SECRET), "{shown}");
}

/// Waits so long each time, or refuses.
#[derive(Debug)]
struct Budget {
    waits: Result<Duration, Duration>,
    deadlines: Mutex<Vec<Option<Duration>>>,
}

#[derive(Debug)]
struct Lent(Arc<Budget>);

impl SharedBudget for Lent {
    fn turn(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>> {
        self.0.deadlines.lock().expect("a list").push(deadline);
        Box::pin(ready(self.0.waits))
    }
}

#[test]
fn a_budget_that_others_spend_too_is_asked_before_each_request_after_the_own() {
    let shared = Arc::new(Budget { waits: Ok(SECOND * 2), deadlines: Mutex::default() });
    let script = service(&[], "nobody");
    let client = Client::builder(Arc::clone(&script), named("mine"))
        .budget(RateBudget::new([Window::new(1, SECOND)]))
        .shared_budget(Arc::new(Lent(Arc::clone(&shared))))
        .build();
    let tenant = tenant(&client);
    for _ in 0..2 {
        block_on(tenant.send(&ListEndpoints::default())).expect("an answer");
    }
    assert_eq!(shared.deadlines.lock().expect("a list")[..], [None, None], "a token costs nothing of it");
    assert_eq!(client.stats().waited, SECOND * 5, "twice the others', and once the own");
    assert_eq!(tenant.stats().waited, SECOND * 5);

    let spent = Arc::new(Budget { waits: Err(SECOND * 90), deadlines: Mutex::default() });
    let script = service(&[], "nobody");
    let client =
        Client::builder(Arc::clone(&script), named("mine")).shared_budget(Arc::new(Lent(spent))).build();
    let error = block_on(client.identity()).expect_err("spent");
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Deadline, Some(SECOND * 90)));
    assert_eq!(script.count(|sent| !sent.is_token()), 0);
}
