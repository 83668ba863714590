//! Whose a credential is, when it is replaced and when it names its owner.

mod support;

use std::sync::Arc;

use futures_executor::block_on;
use futures_util::future::join_all;
use sophos_api::{
    Caller, Client, Error, ErrorKind, Owner, models::IdType, operations::endpoints::ListEndpoints,
};
use support::{
    Accounts, Answer, OWN_ID, SECOND, Script, Sent, TENANT_ID, Vault, credential, reading, tenant,
};

const AN_HOUR: u32 = 3_300;
const ANOTHER: &str = "0bad0bad-622d-4929-8e5d-8ff554f312fe";

fn ask(client: &Client<Arc<Script>>) -> Result<(), Error> {
    block_on(tenant(client).send(&ListEndpoints::default())).map(|_| ())
}

fn called_with(script: &Script, id: &str) -> bool {
    let bearer = format!("Bearer token-of-{id}");
    script.calls().iter().any(|sent| sent.header("authorization") == Some(&bearer))
}

/// A client that has worked with `a`, an hour later.
fn an_hour_with_a(vault: &Vault, accounts: &Accounts) -> (Arc<Script>, Client<Arc<Script>>) {
    let (script, client) = reading(vault, accounts);
    block_on(client.identity()).expect("an identity");
    ask(&client).expect("an answer");
    script.turn(SECOND * AN_HOUR);
    (script, client)
}

#[test]
fn a_replacement_is_asked_once_whose_it_is() {
    for id in [OWN_ID.to_lowercase(), OWN_ID.to_uppercase()] {
        let (vault, accounts) = (Vault::of("a", &[]), Accounts::default().own("b", "partner", &id));
        let (script, client) = an_hour_with_a(&vault, &accounts);
        assert_eq!(script.count(Sent::is_whoami), 1);
        vault.set(Ok(credential("b")));
        let (tenant, operation) = (tenant(&client), ListEndpoints::default());
        let answers = block_on(join_all((0..20).map(|_| tenant.send(&operation))));
        assert!(answers.iter().all(Result::is_ok), "{id}");
        assert!(called_with(&script, "b"));
        assert_eq!((script.count(Sent::is_whoami), script.count(Sent::is_token)), (2, 2));
        script.turn(SECOND * AN_HOUR);
        ask(&client).expect("an answer");
        assert_eq!(block_on(client.identity()).expect("an identity").id, id);
        assert_eq!(script.count(Sent::is_whoami), 2, "once for each credential");
    }
}

#[test]
fn a_replacement_of_another_owner_is_refused() {
    for (id_type, owner) in [("partner", ANOTHER), ("tenant", OWN_ID), ("organization", ANOTHER)] {
        let (vault, accounts) = (Vault::of("a", &[]), Accounts::default().own("b", id_type, owner));
        let (script, client) = an_hour_with_a(&vault, &accounts);
        vault.set(Ok(credential("b")));
        let error = ask(&client).expect_err("another's");
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let told = format!(
            "credential b belongs to {id_type} {owner}, and partner {OWN_ID} is expected; store one of"
        );
        assert!(error.to_string().contains(&told), "{error}");
        assert!(!called_with(&script, "b"), "no tenant is asked with it");
        assert_eq!(vault.asked(), ["current", "current", "after b"]);
        assert_eq!(block_on(client.identity()).expect("an identity").id, OWN_ID, "it stays what it was");

        vault.set(Ok(credential("a")));
        ask(&client).expect("the one before still works");
    }
}

#[test]
fn instead_of_anothers_the_one_before_is_used() {
    let (vault, accounts) = (Vault::of("a", &["a"]), Accounts::default().own("b", "partner", ANOTHER));
    let (script, client) = an_hour_with_a(&vault, &accounts);
    vault.set(Ok(credential("b")));
    ask(&client).expect("an answer");
    assert!(called_with(&script, "a") && !called_with(&script, "b"));
    assert_eq!(script.calls().len(), 2);
}

#[test]
fn one_that_names_its_owner_is_held_against_it() {
    for (named, fits) in [
        (Owner::new(IdType::Partner, OWN_ID), true),
        (Owner::new(IdType::Partner, OWN_ID.to_lowercase()), true),
        (Owner::new(IdType::Partner, ANOTHER), false),
        (Owner::new(IdType::Tenant, OWN_ID), false),
        (Owner::new(IdType::Organization, OWN_ID), false),
    ] {
        let vault = Vault::default();
        vault.set(Ok(credential("a").belonging_to(named.clone())));
        let (script, client) = reading(&vault, &Accounts::default());
        let answer = ask(&client);
        assert_eq!((answer.is_ok(), called_with(&script, "a")), (fits, fits), "{named}");
        assert_eq!(block_on(client.identity()).is_ok(), fits, "{named}");
        if let Err(error) = answer {
            assert_eq!(error.kind(), ErrorKind::Credentials);
            let told = format!("belongs to partner {OWN_ID}, and {named} is expected");
            assert!(error.to_string().contains(&told), "{error}");
        } else {
            assert_eq!(script.count(Sent::is_whoami), 1, "it is known from then on");
        }
    }
}

#[test]
fn an_owner_that_is_named_later_counts_as_well() {
    let another = Owner::new(IdType::Partner, ANOTHER);
    for (replacement, whoamis) in [("a", 1), ("b", 2)] {
        let (vault, accounts) = (Vault::of("a", &[]), Accounts::default());
        let (script, client) = an_hour_with_a(&vault, &accounts);
        vault.set(Ok(credential(replacement).belonging_to(another.clone())));
        let error = ask(&client).expect_err("it is not of whom it says");
        assert_eq!(error.kind(), ErrorKind::Credentials, "{replacement}");
        assert!(error.to_string().contains(&format!("and {another} is expected")), "{error}");
        assert_eq!((script.calls().len(), script.count(Sent::is_whoami)), (1, whoamis), "{replacement}");
        let own = Owner::new(IdType::Partner, OWN_ID);
        vault.set(Ok(credential(replacement).belonging_to(own)));
        ask(&client).expect("an answer");
    }
}

#[test]
fn one_of_which_nobody_tells_whose_it_is_is_not_used() {
    let (vault, accounts) = (Vault::of("a", &["c"]), Accounts::default());
    let service = accounts.clone();
    let script = Script::routed(move |sent| {
        let silent = sent.is_whoami() && sent.header("authorization") == Some("Bearer token-of-b");
        let answer = if silent { Some(Answer::status(403)) } else { service.answer(sent) };
        Some(answer.unwrap_or_else(|| support::last_page(&[])))
    });
    let client = support::reading_from(&script, &vault);
    block_on(client.identity()).expect("an identity");
    script.turn(SECOND * AN_HOUR);
    vault.set(Ok(credential("b")));
    let error = ask(&client).expect_err("nobody tells");
    assert_eq!((error.kind(), script.calls().len()), (ErrorKind::Forbidden, 0));
    assert!(error.to_string().contains("GET /whoami/v1"), "{error}");
    assert_eq!(vault.asked(), ["current", "current"], "it was not refused");
    vault.set(Ok(credential("a")));
    ask(&client).expect("an answer");
}

#[test]
fn an_unknown_owner_is_no_reason_to_ask() {
    let (vault, accounts) = (Vault::of("a", &[]), Accounts::default().own("b", "partner", ANOTHER));
    let (script, client) = reading(&vault, &accounts);
    ask(&client).expect("an answer");
    script.turn(SECOND * AN_HOUR);
    vault.set(Ok(credential("b")));
    ask(&client).expect("an answer");
    assert_eq!(script.count(Sent::is_whoami), 0);
    assert!(script.calls().iter().all(|sent| sent.header("x-tenant-id") == Some(TENANT_ID)));
}
