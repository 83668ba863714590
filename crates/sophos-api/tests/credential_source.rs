//! A credential that is read from a source, and replaced while a client works.

mod support;

use std::sync::Arc;

use futures_executor::block_on;
use futures_util::future::{join, join_all};
use serde_json::json;
use sophos_api::{
    Caller, Client, Credentials, Error, ErrorKind, NoCredential, Transport,
    operations::endpoints::ListEndpoints,
};
use support::{
    Accounts, Answer, SECOND, Script, Sent, Vault, credential, last_page, reading, reading_from, tenant,
};

/// Until a token is renewed.
const AN_HOUR: u32 = 3_300;

fn ask(client: &Client<Arc<Script>>) -> Result<(), Error> {
    block_on(tenant(client).send(&ListEndpoints::default())).map(|_| ())
}

/// The tokens that calls were made with.
fn bearers(script: &Script) -> Vec<String> {
    let bearer = |sent: &Sent| sent.header("authorization").unwrap_or("none").replace("Bearer token-of-", "");
    script.calls().iter().map(bearer).collect()
}

#[test]
fn one_that_changed_is_taken_up_at_the_next_token() {
    let vault = Vault::of("a", &[]);
    let (script, client) = reading(&vault, &Accounts::default());
    ask(&client).expect("an answer");
    vault.set(Ok(credential("b")));
    ask(&client).expect("an answer");
    assert_eq!(vault.asked(), ["current"], "a token is as good as it was");
    script.turn(SECOND * AN_HOUR);
    ask(&client).expect("an answer");
    assert_eq!(bearers(&script), ["a", "a", "b"]);
    assert_eq!(vault.asked(), ["current"]);
}

#[test]
fn after_a_refusal_the_next_is_tried() {
    for (refused, tried) in [
        (&[][..], &["current"][..]),
        (&["a"], &["current", "after a"]),
        (&["a", "b"], &["current", "after a", "after b"]),
        (&["a", "b", "c"], &["current", "after a", "after b", "after c"]),
    ] {
        let vault = Vault::of("a", &["b", "c", "d"]);
        let (script, client) = reading(&vault, &Accounts::refusing(refused));
        ask(&client).expect("an answer");
        assert_eq!(vault.asked(), tried);
        assert_eq!(script.count(Sent::is_token), tried.len());
        assert_eq!(bearers(&script), [["a", "b", "c", "d"][refused.len()]]);
    }
}

#[test]
fn no_more_than_three_questions_are_asked_for_one_token() {
    let vault = Vault::of("a", &["b", "c", "d", "e", "f"]);
    let (script, client) = reading(&vault, &Accounts::refusing(&["a", "b", "c", "d", "e", "f"]));
    let error = ask(&client).expect_err("all are refused");
    assert_eq!(error.kind(), ErrorKind::Credentials);
    assert_eq!(vault.asked(), ["current", "after a", "after b", "after c"]);
    assert_eq!(script.count(Sent::is_token), 4);
    ask(&client).expect_err("all are refused");
    assert_eq!(vault.asked()[..2], ["current", "after a"], "who asks later begins anew");
}

#[test]
fn a_listing_goes_on_with_the_next_credential_and_loses_nothing() {
    let (vault, accounts) = (Vault::of("a", &["b"]), Accounts::default());
    let service = accounts.clone();
    let script = Script::routed(move |sent| {
        let page =
            |id: &str, next: &str| Answer::json(json!({"items": [{"id": id}], "pages": {"nextKey": next}}));
        service.answer(sent).or_else(|| {
            Some(match (sent.query("pageFromKey"), sent.header("authorization")) {
                (None, _) => page("one", "1"),
                // Here the first credential is deleted in the console.
                (Some("1"), Some("Bearer token-of-a")) => {
                    service.refuse("a");
                    Answer::status(401)
                }
                (Some("1"), _) => page("two", "2"),
                _ => last_page(&["three"]),
            })
        })
    });
    let client = reading_from(&script, &vault);
    let tenant = tenant(&client);
    let mut pages = tenant.pages(ListEndpoints::default());
    let mut ids = Vec::new();
    while let Some(page) = block_on(pages.next()) {
        ids.extend(page.expect("a page").items.into_iter().map(|item| item.read().expect("one").id.clone()));
    }
    assert_eq!(ids, ["one", "two", "three"]);
    assert_eq!(bearers(&script), ["a", "a", "b", "b"]);
    assert_eq!(vault.asked(), ["current", "current", "after a"]);
}

#[test]
fn twenty_callers_share_a_token_and_each_question() {
    for (refused, tokens, works) in [(&["a"][..], 2, true), (&["a", "b"], 2, false)] {
        let vault = Vault::of("a", &["b"]);
        let (script, client) = reading(&vault, &Accounts::refusing(refused));
        let (tenant, operation) = (tenant(&client), ListEndpoints::default());
        let answers = block_on(join_all((0..20).map(|_| tenant.send(&operation))));
        for answer in answers {
            assert_eq!(answer.is_ok(), works, "{answer:?}");
            if let Err(error) = answer {
                assert!(error.to_string().contains("the vault holds no more"), "{error}");
            }
        }
        assert_eq!(script.count(Sent::is_token), tokens);
        assert_eq!(vault.asked()[..2], ["current", "after a"]);
        assert_eq!(client.stats().token_requests, tokens as u64);
    }
    let vault = Vault::default();
    vault.set(Err(NoCredential::new("the vault is locked")));
    let (script, client) = reading(&vault, &Accounts::default());
    let answers = block_on(join_all((0..20).map(|_| client.identity())));
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|e| e.kind() == ErrorKind::NoCredential)));
    assert_eq!((vault.asked().len(), script.sent().len()), (1, 0));
}

#[test]
fn the_reason_is_in_the_error() {
    let none = |reason: &str| Err::<Credentials, _>(NoCredential::new(reason));
    let locked = Vault::default();
    locked.set(none("c/partner:\nit is locked"));
    let gone = Vault::of("a", &[]).then(none("c/partner: all is refused; make a new one"));
    for (vault, kind, status, told) in [
        (&locked, ErrorKind::NoCredential, None, "no credential could be read: c/partner: it is locked"),
        (&gone, ErrorKind::Credentials, Some(401), "c/partner: all is refused; make a new one"),
        (&Vault::of("a", &["b"]), ErrorKind::Credentials, Some(401), "the vault holds no more"),
    ] {
        let (_, client) = reading(vault, &Accounts::refusing(&["a", "b"]));
        let error = ask(&client).expect_err(told);
        assert_eq!((error.kind(), error.status()), (kind, status), "{error}");
        assert_eq!(error.code().is_some(), status.is_some(), "{error}");
        assert!(error.to_string().ends_with(told), "{error}");
        assert!(!error.is_transient(), "{error}");
    }
    // A fixed credential is a source that has no other.
    let accounts = Accounts::refusing(&["client-id"]);
    let script = Script::routed(move |sent| accounts.answer(sent));
    let error = ask(&support::client(&script)).expect_err("refused");
    assert!(error.to_string().ends_with("there is no other to try"), "{error}");
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn only_a_refusal_makes_it_look_for_another() {
    for (answer, asks) in [
        (Answer::status(400), true),
        (Answer::status(401), true),
        (Answer::status(403), true),
        (Answer::json(json!({"errorCode": "oauth.locked"})), true),
        (Answer::status(404), false),
        (Answer::status(429), false),
        (Answer::status(503), false),
        (Answer::text(200, "garbage"), false),
    ] {
        let (shown, vault) = (format!("{answer:?}"), Vault::of("a", &[]));
        let script = Script::routed(move |sent| sent.is_token().then(|| answer.clone()));
        ask(&reading_from(&script, &vault)).expect_err(&shown);
        assert_eq!(vault.asked().len(), 1 + usize::from(asks), "{shown}");
    }
}

#[test]
fn a_reading_that_hangs_is_cut_at_the_deadline() {
    for refused in [&[][..], &["a"]] {
        let vault = Vault::of("a", &["b"]);
        let (script, client) = reading(&vault, &Accounts::refusing(refused));
        let start = script.now();
        if refused.is_empty() {
            vault.hang(1);
        }
        let hanging = client.with_deadline(start + SECOND * 10);
        let answer = if refused.is_empty() {
            ask(&hanging)
        } else {
            // The question after the refusal is the one that hangs.
            block_on(async {
                let tenant = tenant(&hanging);
                let operation = ListEndpoints::default();
                let asking = tenant.send(&operation);
                let (answer, ()) = join(asking, async { vault.hang(1) }).await;
                answer.map(|_| ())
            })
        };
        let error = answer.expect_err("it hangs");
        assert_eq!((error.kind(), script.now() - start), (ErrorKind::Deadline, SECOND * 10));
        assert!(error.to_string().contains("the credential was still being read"), "{error}");
        assert!(script.calls().is_empty());
        ask(&client).expect("a later caller is not held up");
    }
}

#[test]
fn who_waits_for_one_whose_reading_hangs_asks_itself() {
    let vault = Vault::of("a", &[]);
    let (script, client) = reading(&vault, &Accounts::default());
    vault.hang(1);
    let (hurried, patient) = (tenant(&client.with_deadline(script.now() + SECOND * 10)), tenant(&client));
    let operation = ListEndpoints::default();
    let (hurried, patient) = block_on(join(hurried.send(&operation), patient.send(&operation)));
    assert_eq!(hurried.expect_err("it hangs").kind(), ErrorKind::Deadline);
    patient.expect("it has time");
    assert_eq!((vault.asked().len(), script.count(Sent::is_token)), (2, 1));
}

#[test]
fn nothing_that_is_printed_holds_the_secret() {
    let vault = Vault::of("a", &["b"]);
    let (script, client) = reading(&vault, &Accounts::refusing(&["a", "b"]));
    let builder = Client::builder(Arc::clone(&script), vault.clone());
    let error = ask(&client).expect_err("refused");
    let printed = format!("{builder:?} {client:?} {vault:?} {error:?} {error}");
    assert!(script.sent()[0].body.contains("5ecre7"), "it was there to be printed");
    assert!(printed.contains("\"a\"") && !printed.contains("5ecre7"), "{printed}");
}
