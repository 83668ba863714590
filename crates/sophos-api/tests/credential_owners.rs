//! The verification of a credential's owner.

mod support;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_executor::block_on;
use futures_util::future::join;
use proptest::prelude::*;
use serde_json::json;
use sophos_api::{
    ApiClient, Credentials, ErrorKind, Owner, models::IdType, operations::endpoint::endpoints::ListEndpoints,
};
use support::{
    OWN_ID, SECOND, SECRET, ScriptedResponse, ScriptedTransport, SentRequest, last_page,
    source::{ScriptedSource, client, credentials_named, scripted_service, sent_tokens},
    tenant, whoami,
};

const OTHER_ID: &str = "97d69ec5-d0b3-425a-8d0d-cf4ac6521463";

fn partner(id: &str) -> Owner {
    Owner::new(IdType::Partner, id)
}

#[test]
fn credential_of_another_owner_is_skipped() {
    let script = scripted_service(&[], "foreign");
    let source = ScriptedSource::new(
        [credentials_named("old"), credentials_named("foreign")],
        [credentials_named("good")],
    );
    let client = client(&script, &source);
    let owner = block_on(client.identity()).expect("an identity");
    assert_eq!(owner.id, OWN_ID);
    let tenant = tenant(&client);
    script.advance(SECOND * 3_600);
    block_on(tenant.send(&ListEndpoints::default())).expect("a response");
    assert_eq!(source.calls(), ["current", "current", "after foreign"]);
    assert_eq!(
        sent_tokens(&script),
        ["Bearer token-of-good"],
        "no request used the token of the other owner"
    );
    // One request for the identity at a replacement, and none without one.
    assert_eq!(script.count(SentRequest::is_whoami), 3);
    script.advance(SECOND * 3_600);
    block_on(client.identity()).expect("an identity");
    assert_eq!(script.count(SentRequest::is_whoami), 3);
}

#[test]
fn credential_is_verified_against_its_named_owner() {
    let script = scripted_service(&[], "none");
    let source =
        ScriptedSource::new([credentials_named("mine").with_owner(partner(&OWN_ID.to_lowercase()))], []);
    let client = client(&script, &source);
    block_on(client.identity()).expect("the same in either case");
    assert_eq!(script.count(SentRequest::is_whoami), 1, "the identity is requested once");

    let script = scripted_service(&[], "none");
    let source = ScriptedSource::new([credentials_named("mine").with_owner(partner(OTHER_ID))], []);
    let tenant = tenant(&self::client(&script, &source));
    let error = block_on(tenant.send(&ListEndpoints::default())).expect_err("another owner's");
    assert_eq!(error.kind(), ErrorKind::CredentialRejected);
    for part in ["97d69ec5", OWN_ID, "mine"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(script.api_requests().is_empty());
}

#[test]
fn credential_with_another_id_type_or_no_whoami_fails() {
    for (identity, kind, replaced) in [
        (ScriptedResponse::json(whoami("tenant")), ErrorKind::CredentialRejected, true),
        (ScriptedResponse::status(403), ErrorKind::Forbidden, false),
    ] {
        let script = ScriptedTransport::with_router(move |sent| {
            let id = sent.body.split("client_id=").nth(1).and_then(|body| body.split('&').next());
            match (sent.header("authorization"), id) {
                (_, Some(id)) => {
                    Some(ScriptedResponse::json(json!({"access_token": id, "expires_in": 3600})))
                }
                (Some("Bearer new"), None) if sent.is_whoami() => Some(identity.clone()),
                _ => (!sent.is_whoami()).then(|| last_page(&[])),
            }
        });
        let source = ScriptedSource::new([credentials_named("old"), credentials_named("new")], []);
        let client = client(&script, &source);
        block_on(client.identity()).expect("an identity");
        script.advance(SECOND * 3_600);
        let error = block_on(tenant(&client).send(&ListEndpoints::default())).expect_err("of another");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(script.api_requests().is_empty());
        assert_eq!(source.calls().contains(&"after new".to_owned()), replaced);
    }
}

#[test]
fn credential_naming_another_owner_is_rejected() {
    // Its owner is the known one, but it names another.
    let script = scripted_service(&[], "none");
    let source = ScriptedSource::new(
        [credentials_named("old"), credentials_named("new").with_owner(partner(OTHER_ID))],
        [],
    );
    let client = client(&script, &source);
    block_on(client.identity()).expect("an identity");
    script.advance(SECOND * 3_600);
    let error = block_on(tenant(&client).send(&ListEndpoints::default())).expect_err("of another");
    assert_eq!(error.kind(), ErrorKind::CredentialRejected);
    assert!(error.to_string().contains(OTHER_ID) && error.to_string().contains(OWN_ID), "{error}");
    assert!(script.api_requests().is_empty());

    // The same credential, which names another owner now.
    let script = scripted_service(&[], "none");
    let source = ScriptedSource::new(
        [credentials_named("one"), credentials_named("one").with_owner(partner(OTHER_ID))],
        [],
    );
    let client = self::client(&script, &source);
    block_on(client.identity()).expect("an identity");
    script.advance(SECOND * 3_600);
    block_on(tenant(&client).send(&ListEndpoints::default())).expect_err("of another");
    assert!(script.api_requests().is_empty());
    assert_eq!(script.count(SentRequest::is_whoami), 1, "whose it is was known");
}

#[test]
fn owner_ids_are_compared_case_insensitively() {
    let told = Arc::new(AtomicBool::new(false));
    let script = ScriptedTransport::with_router(move |sent| {
        let mut answer = whoami("partner");
        if sent.is_whoami() && told.swap(true, Ordering::Relaxed) {
            answer["id"] = json!(OWN_ID.to_lowercase());
        }
        match sent {
            sent if sent.is_token() => None,
            sent if sent.is_whoami() => Some(ScriptedResponse::json(answer)),
            _ => Some(last_page(&[])),
        }
    });
    let source = ScriptedSource::new(
        [credentials_named("old"), credentials_named("new").with_owner(partner(OWN_ID))],
        [],
    );
    let client = client(&script, &source);
    block_on(client.identity()).expect("an identity");
    script.advance(SECOND * 3_600);
    block_on(tenant(&client).send(&ListEndpoints::default())).expect("of the same");
    assert_eq!(script.count(SentRequest::is_whoami), 2);
}

#[test]
fn token_obtained_during_whoami_is_verified_afterwards() {
    // A request with the first token is rejected while the identity is requested, and
    // the source has a credential of another owner by then.
    let script = ScriptedTransport::with_router(|sent| {
        let with = |id: &str| sent.header("authorization") == Some(&format!("Bearer token-of-{id}"));
        let mut answer = whoami("partner");
        Some(match sent {
            sent if sent.is_token() => {
                let id = sent.body.split("client_id=").nth(1)?.split('&').next()?;
                ScriptedResponse::json(json!({"access_token": format!("token-of-{id}"), "expires_in": 3600}))
            }
            sent if sent.is_whoami() && with("old") => ScriptedResponse::json(answer).with_yields(50),
            sent if sent.is_whoami() && with("foreign") => {
                answer["id"] = json!(OTHER_ID);
                ScriptedResponse::json(answer)
            }
            sent if sent.is_whoami() => ScriptedResponse::json(answer),
            _ if with("old") => ScriptedResponse::status(401),
            _ => last_page(&[]),
        })
    });
    let source = ScriptedSource::new(
        [credentials_named("old"), credentials_named("foreign")],
        [credentials_named("good")],
    );
    let client = client(&script, &source);
    let (tenant, operation) = (tenant(&client), ListEndpoints::default());
    let (identity, call) = block_on(join(client.identity(), tenant.send(&operation)));
    assert_eq!(identity.expect("an identity").id, OWN_ID);
    call.expect("the owner was unknown");
    let before = script.api_requests().len();
    for _ in 0..2 {
        block_on(tenant.send(&operation)).expect("a response");
    }
    assert_eq!(sent_tokens(&script)[before..], ["Bearer token-of-good", "Bearer token-of-good"]);
    assert_eq!(source.calls(), ["current", "current", "current", "after foreign"]);
}

#[test]
fn rejected_whoami_does_not_reject_the_credential() {
    for (owner, whoamis) in [(None, 2), (Some(partner(OWN_ID)), 1)] {
        let script =
            ScriptedTransport::with_router(|sent| sent.is_whoami().then(|| ScriptedResponse::status(401)));
        let mine = owner.into_iter().fold(credentials_named("mine"), Credentials::with_owner);
        let source = ScriptedSource::new([mine], []);
        let error = block_on(client(&script, &source).identity()).expect_err("rejected");
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
        assert!(error.to_string().starts_with("GET /whoami/v1"), "{error}");
        assert_eq!(
            (script.count(SentRequest::is_token), script.count(SentRequest::is_whoami)),
            (whoamis, whoamis)
        );
        assert!(!source.calls().iter().any(|asked| asked.starts_with("after")));
    }
    let dead = AtomicBool::new(true);
    let script = ScriptedTransport::with_router(move |sent| {
        (sent.is_whoami() && dead.swap(false, Ordering::Relaxed)).then(|| ScriptedResponse::status(401))
    });
    let client = support::client(&script);
    block_on(client.identity()).expect("with a fresh token");
    assert_eq!((script.count(SentRequest::is_token), script.count(SentRequest::is_whoami)), (2, 2));
}

#[test]
fn owner_mismatch_error_hides_secrets() {
    let script = scripted_service(&[], "mine");
    let source = ScriptedSource::new([credentials_named("mine").with_owner(partner(OWN_ID))], []);
    let client = client(&script, &source);
    let error = block_on(client.identity()).expect_err("of another");
    let shown = format!("{error} {error:?} {error:#?} {client:?} {client:#?}");
    assert!(shown.contains("credential mine belongs to partner 97d69ec5"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains("token-of"), "{shown}");
}

/// A credential of the pool: its owner, whether the identity service accepts it, and
/// the owner that it names.
#[derive(Debug, Clone)]
struct PooledCredential {
    own: bool,
    valid: bool,
    named_owner: Option<bool>,
}

fn pooled_credential() -> impl Strategy<Value = PooledCredential> {
    let names = prop::option::of(prop::bool::weighted(0.8));
    (prop::bool::weighted(0.7), prop::bool::weighted(0.8), names)
        .prop_map(|(own, good, names)| PooledCredential { own, valid: good, named_owner: names })
}

fn owner_id(own: bool) -> &'static str {
    if own { OWN_ID } else { OTHER_ID }
}

proptest! {
    #[test]
    fn client_never_sends_requests_for_another_owner(
        pool in prop::collection::vec(pooled_credential(), 1..8),
        currents in prop::collection::vec(0_usize..8, 1..12),
        nexts in prop::collection::vec(0_usize..8, 0..24),
        turns in prop::collection::vec(prop::bool::ANY, 1..12),
    ) {
        let credential = |at: &usize| {
            let at = at % pool.len();
            let owner = pool[at].named_owner.map(|own| partner(owner_id(own)));
            Ok(owner.into_iter().fold(credentials_named(&format!("c{at}")), Credentials::with_owner))
        };
        let source = Arc::new(ScriptedSource {
            current: Mutex::new(currents.iter().map(credential).collect::<VecDeque<_>>()),
            next: Mutex::new(nexts.iter().map(credential).collect()),
            ..ScriptedSource::default()
        });
        let known = pool.clone();
        let script = ScriptedTransport::with_router(move |sent| {
            let of = |text: &str| text.split("c").nth(1)?.split('&').next()?.parse::<usize>().ok();
            Some(if sent.is_token() {
                let at = of(sent.body.split("client_id=").nth(1)?)?;
                if !known[at].valid {
                    return Some(ScriptedResponse::status(401));
                }
                ScriptedResponse::json(json!({"access_token": format!("token-c{at}"), "expires_in": 3600}))
            } else if sent.is_whoami() {
                let mut answer = whoami("partner");
                answer["id"] = json!(owner_id(known[of(sent.header("authorization")?.split('-').nth(1)?)?].own));
                ScriptedResponse::json(answer)
            } else {
                last_page(&[])
            })
        });
        let client = client(&script, &source);
        let Ok(identity) = block_on(client.identity()) else { return Ok(()) };
        let tenant = tenant(&client);
        for turn in turns {
            if turn {
                script.advance(SECOND * 3_600);
            }
            let (asked, requests) = (source.calls().len(), script.count(SentRequest::is_token));
            let answer = block_on(tenant.send(&ListEndpoints::default()));
            prop_assert!(source.calls().len() - asked <= 4, "once, and after three rejections");
            prop_assert!(script.count(SentRequest::is_token) - requests <= 4);
            if let Err(error) = answer {
                prop_assert_eq!(error.kind(), ErrorKind::CredentialRejected);
            }
        }
        for token in sent_tokens(&script) {
            let at: usize = token.trim_start_matches("Bearer token-c").parse().expect("a number");
            prop_assert_eq!(owner_id(pool[at].own), identity.id.as_str());
            prop_assert!(pool[at].valid);
        }
    }
}
