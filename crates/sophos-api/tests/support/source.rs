//! A scripted source of credentials, and a service that accepts them.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
};

use serde_json::json;
use sophos_api::{Auth, BoxFuture, Client, CredentialSource, Credentials, NoCredential, RateLimit};

use super::{SECRET, ScriptedResponse, ScriptedTransport, last_page, script::YieldOnce, whoami};

/// A source that returns credentials in this order, and records its calls.
#[derive(Debug, Default)]
pub(crate) struct ScriptedSource {
    pub(crate) current: Mutex<VecDeque<Result<Credentials, NoCredential>>>,
    pub(crate) next: Mutex<VecDeque<Result<Credentials, NoCredential>>>,
    pub(crate) calls: Mutex<Vec<String>>,
    /// The calls that do not return the next time.
    pub(crate) hanging: Mutex<Vec<&'static str>>,
}

pub(crate) fn credentials_named(client_id: &str) -> Credentials {
    Credentials::new(client_id, SECRET)
}

impl ScriptedSource {
    /// Returns `current` for each token and `next` for each rejection. The last of
    /// `current` is repeated.
    pub(crate) fn new<const C: usize, const N: usize>(
        current: [Credentials; C],
        next: [Credentials; N],
    ) -> Arc<Self> {
        Arc::new(Self {
            current: Mutex::new(current.into_iter().map(Ok).collect()),
            next: Mutex::new(next.into_iter().map(Ok).collect()),
            ..Self::default()
        })
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().expect("a list").clone()
    }

    /// Records a call, and returns whether it returns.
    fn record_request(&self, what: String) -> bool {
        let mut hanging = self.hanging.lock().expect("a list");
        let hangs = hanging.iter().position(|hanging| *hanging == what).map(|at| hanging.remove(at));
        self.calls.lock().expect("a list").push(what);
        hangs.is_none()
    }
}

/// A future that yields to the other tasks once.
fn after_yield<'a, V: Send + 'a>(value: V) -> BoxFuture<'a, V> {
    Box::pin(async {
        YieldOnce::default().await;
        value
    })
}

/// A handle of the source for a client.
#[derive(Debug)]
pub(crate) struct SharedSource(pub(crate) Arc<ScriptedSource>);

impl CredentialSource for SharedSource {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        if !self.0.record_request("current".into()) {
            return Box::pin(pending());
        }
        let mut left = self.0.current.lock().expect("a list");
        let next = if left.len() > 1 { left.pop_front() } else { left.front().cloned() };
        after_yield(next.expect("one at least").map(Auth::from))
    }

    fn replace_rejected<'a>(&'a self, rejected: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        let Auth::Credentials(rejected) = rejected else { unreachable!("the source returns credentials") };
        if !self.0.record_request(format!("after {}", rejected.client_id())) {
            return Box::pin(pending());
        }
        let next = self.0.next.lock().expect("a list").pop_front();
        let next = next.unwrap_or_else(|| Err(NoCredential::new("secret acme holds no other; store one")));
        after_yield(next.map(Auth::from))
    }
}

pub(crate) fn client(
    script: &Arc<ScriptedTransport>,
    source: &Arc<ScriptedSource>,
) -> Client<Arc<ScriptedTransport>> {
    Client::builder(Arc::clone(script), SharedSource(Arc::clone(source)))
        .rate_limit(RateLimit::unlimited())
        .build()
}

/// A service that rejects the `rejected` clients, and names another owner for `foreign`.
/// Its listings are empty.
pub(crate) fn scripted_service(
    rejected: &'static [&'static str],
    foreign: &'static str,
) -> Arc<ScriptedTransport> {
    ScriptedTransport::with_router(move |sent| {
        let is_for = |id: &str| sent.body.contains(&format!("client_id={id}&"));
        if sent.is_token() {
            if rejected.iter().any(|id| is_for(id)) {
                return Some(ScriptedResponse::text(401, r#"{"errorCode": "oauth.invalid_client_secret"}"#));
            }
            let id = sent.body.split("client_id=").nth(1)?.split('&').next()?;
            return Some(ScriptedResponse::json(
                json!({ "access_token": format!("token-of-{id}"), "expires_in": 3600 }),
            ));
        }
        if sent.is_whoami() {
            let mut identity = whoami("partner");
            if sent.header("authorization") == Some(&format!("Bearer token-of-{foreign}")) {
                identity["id"] = json!("97d69ec5-d0b3-425a-8d0d-cf4ac6521463");
            }
            return Some(ScriptedResponse::json(identity));
        }
        Some(last_page(&[]))
    })
}

pub(crate) fn sent_tokens(script: &ScriptedTransport) -> Vec<String> {
    let sent = script.api_requests();
    sent.iter().map(|sent| sent.header("authorization").expect("a token").to_owned()).collect()
}
