//! Authorization without a credential: by an access token of the source, and by the
//! host of the program.

mod support;

use std::{
    fmt,
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_executor::block_on;
use serde_json::json;
use sophos_api::{
    AccessToken, ApiClient, Auth, BoxFuture, Client, CredentialSource, ErrorKind, NoCredential, RateLimit,
    operations::endpoint::endpoints::ListEndpoints,
};
use support::{SECOND, ScriptedResponse, ScriptedTransport, SentRequest, last_page, tenant, whoami};

/// Access tokens in the order of their use: the current ones, and the replacements.
#[derive(Default)]
struct TokenSource {
    current: Mutex<Vec<AccessToken>>,
    replacements: Mutex<Vec<AccessToken>>,
}

impl TokenSource {
    fn new(tokens: impl IntoIterator<Item = AccessToken>, replacements: &[&str]) -> Self {
        let mut tokens: Vec<_> = tokens.into_iter().collect();
        tokens.reverse();
        let replacements = replacements.iter().rev().map(|token| AccessToken::new(*token)).collect();
        Self { current: Mutex::new(tokens), replacements: Mutex::new(replacements) }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl CredentialSource for TokenSource {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        let mut tokens = self.current.lock().expect("no panic");
        // The last one stays, as in a cache.
        let token = if tokens.len() > 1 { tokens.pop() } else { tokens.last().cloned() };
        let token = token.map(Auth::from).ok_or_else(|| NoCredential::new("the vault is sealed"));
        Box::pin(ready(token))
    }

    fn replace_rejected<'a>(&'a self, _: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        let token = self.replacements.lock().expect("no panic").pop();
        let token = token.map(Auth::from).ok_or_else(|| NoCredential::new("the vault has no newer one"));
        Box::pin(ready(token))
    }
}

fn client(
    script: &Arc<ScriptedTransport>,
    source: impl CredentialSource + 'static,
) -> Client<Arc<ScriptedTransport>> {
    Client::builder(Arc::clone(script), source).rate_limit(RateLimit::unlimited()).build()
}

/// A service that rejects all tokens but one.
fn script_accepting_token(token: &'static str) -> Arc<ScriptedTransport> {
    ScriptedTransport::with_router(move |sent| {
        let accepted = sent.header("authorization") == Some(&format!("Bearer {token}"));
        match (accepted, sent.is_whoami()) {
            (false, _) => Some(ScriptedResponse::status(401)),
            (true, true) => None,
            (true, false) => Some(last_page(&[])),
        }
    })
}

#[test]
fn client_sends_a_provided_access_token_unchanged() {
    let script = ScriptedTransport::with_responses((0..3).map(|_| last_page(&[])));
    let tenant = tenant(&client(&script, Auth::AccessToken(AccessToken::new("given"))));
    for _ in 0..3 {
        block_on(tenant.send(&ListEndpoints::default())).expect("accepted");
    }
    assert!(script.sent().iter().all(|sent| sent.header("authorization") == Some("Bearer given")));
    assert_eq!(script.count(SentRequest::is_token), 0, "no token is requested");
}

#[test]
fn client_sends_no_token_when_auth_is_host_managed() {
    let script = ScriptedTransport::with_responses([
        ScriptedResponse::status(401),
        last_page(&[]),
        ScriptedResponse::status(401),
        ScriptedResponse::status(401),
    ]);
    let tenant = tenant(&client(&script, Auth::HostManaged));
    block_on(tenant.send(&ListEndpoints::default())).expect("the host renewed the token");
    let error = block_on(tenant.send(&ListEndpoints::default())).expect_err("rejected twice");
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(script.sent().iter().all(|sent| sent.header("authorization").is_none()));
}

#[test]
fn client_replaces_an_access_token_before_it_expires() {
    let script = ScriptedTransport::with_responses((0..3).map(|_| last_page(&[])));
    let minutes = |count: u64| SECOND * 60 * count as u32;
    let tokens = ["first", "second"].map(|token| AccessToken::new(token).with_expires_in(minutes(60)));
    let tenant = tenant(&client(&script, TokenSource::new(tokens, &[])));
    for wait in [minutes(0), minutes(54), minutes(1)] {
        script.advance(wait);
        block_on(tenant.send(&ListEndpoints::default())).expect("accepted");
    }
    let sent: Vec<_> =
        script.api_requests().iter().map(|sent| sent.header("authorization").map(str::to_owned)).collect();
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    assert_eq!(sent, [bearer("first"), bearer("first"), bearer("second")]);
}

#[test]
fn client_does_not_resend_a_rejected_access_token() {
    for (replacements, failure, requests) in [
        // The source may return the rejected token once more, before it reads the next.
        (&["stale", "fresh"][..], None, 2),
        (&["old", "fresh"], Some(ErrorKind::Unauthorized), 2),
        (&["stale"], Some(ErrorKind::CredentialRejected), 1),
        (&[], Some(ErrorKind::CredentialRejected), 1),
    ] {
        let script = script_accepting_token("fresh");
        let source = TokenSource::new([AccessToken::new("stale")], replacements);
        let result = block_on(tenant(&client(&script, source)).send(&ListEndpoints::default()));
        assert_eq!(result.as_ref().err().map(sophos_api::Error::kind), failure, "{replacements:?}");
        assert_eq!(script.sent().len(), requests, "{replacements:?}");
        let Err(error) = result else { continue };
        assert_eq!(error.status(), Some(401));
        let text = error.to_string();
        assert!(!text.contains("stale") && !text.contains("old"), "{text}");
        if failure == Some(ErrorKind::CredentialRejected) {
            assert!(text.contains("obtain another; the vault has no newer one"), "{text}");
        }
    }
}

#[test]
fn client_does_not_send_unusable_access_tokens() {
    let unusable = [
        (AccessToken::new("over").with_expires_in(Duration::ZERO), "has expired"),
        (AccessToken::new("two\nlines"), "not a valid header value"),
    ];
    for (token, why) in unusable {
        let script = ScriptedTransport::with_responses([]);
        let error =
            block_on(tenant(&client(&script, Auth::AccessToken(token))).send(&ListEndpoints::default()))
                .expect_err(why);
        assert_eq!(error.kind(), ErrorKind::CredentialRejected);
        assert!(error.to_string().contains(why), "{error}");
        assert!(script.sent().is_empty());
    }
    let script = ScriptedTransport::with_responses([]);
    let none = tenant(&client(&script, TokenSource::default()));
    let error = block_on(none.send(&ListEndpoints::default())).expect_err("nothing to be let in by");
    assert_eq!(error.kind(), ErrorKind::NoCredential);
    assert!(error.to_string().contains("the vault is sealed"), "{error}");
}

#[test]
fn client_rejects_an_access_token_of_another_owner() {
    let script = ScriptedTransport::with_router(|sent| {
        let owner = match sent.header("authorization") {
            Some("Bearer first") => whoami("partner"),
            _ => json!({"id": "ffffffff-622d-4929-8e5d-8ff554f312fe", "idType": "partner"}),
        };
        sent.is_whoami().then(|| ScriptedResponse::json(owner))
    });
    let tokens = ["first", "second"].map(|token| AccessToken::new(token).with_expires_in(SECOND * 3_600));
    let client = client(&script, TokenSource::new(tokens, &[]));
    block_on(client.identity()).expect("the first is good");
    script.advance(SECOND * 3_500);
    let error = block_on(tenant(&client).send(&ListEndpoints::default())).expect_err("another's");
    assert_eq!(error.kind(), ErrorKind::CredentialRejected);
    assert!(error.to_string().contains("access token 2 belongs to partner ffffffff"), "{error}");
    assert!(script.api_requests().is_empty(), "no request used it");
}

#[test]
fn auth_debug_hides_the_token() {
    let authority = Auth::AccessToken(AccessToken::new("s3cret-token"));
    assert!(!format!("{authority:?}").contains("s3cret"));
}
