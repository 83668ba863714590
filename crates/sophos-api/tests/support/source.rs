//! A source of credentials that is a script, and a service that knows them.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
};

use serde_json::json;
use sophos_api::{Auth, BoxFuture, Client, CredentialSource, Credentials, NoCredential, RateLimit};

use super::{Answer, SECRET, Script, last_page, script::Yield, whoami};

/// What is handed out, in this order, and what for.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) current: Mutex<VecDeque<Result<Credentials, NoCredential>>>,
    pub(crate) next: Mutex<VecDeque<Result<Credentials, NoCredential>>>,
    pub(crate) asked: Mutex<Vec<String>>,
    /// The questions that are not answered the next time.
    pub(crate) hanging: Mutex<Vec<&'static str>>,
}

pub(crate) fn named(client_id: &str) -> Credentials {
    Credentials::new(client_id, SECRET)
}

impl Source {
    /// `current` for each token, and `next` for each refusal; the last of
    /// `current` again and again.
    pub(crate) fn of<const C: usize, const N: usize>(
        current: [Credentials; C],
        next: [Credentials; N],
    ) -> Arc<Self> {
        Arc::new(Self {
            current: Mutex::new(current.into_iter().map(Ok).collect()),
            next: Mutex::new(next.into_iter().map(Ok).collect()),
            ..Self::default()
        })
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a list").clone()
    }

    /// Notes a question, and whether it is answered.
    fn is_answered(&self, what: String) -> bool {
        let mut hanging = self.hanging.lock().expect("a list");
        let hangs = hanging.iter().position(|hanging| *hanging == what).map(|at| hanging.remove(at));
        self.asked.lock().expect("a list").push(what);
        hangs.is_none()
    }
}

/// What comes once everybody else has gone on.
fn later<'a, V: Send + 'a>(value: V) -> BoxFuture<'a, V> {
    Box::pin(async {
        Yield::default().await;
        value
    })
}

/// A handle that the client may own.
#[derive(Debug)]
pub(crate) struct Shared(pub(crate) Arc<Source>);

impl CredentialSource for Shared {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        if !self.0.is_answered("current".into()) {
            return Box::pin(pending());
        }
        let mut left = self.0.current.lock().expect("a list");
        let next = if left.len() > 1 { left.pop_front() } else { left.front().cloned() };
        later(next.expect("one at least").map(Auth::from))
    }

    fn replace_rejected<'a>(&'a self, refused: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        let Auth::Credentials(refused) = refused else { unreachable!("it hands out credentials") };
        if !self.0.is_answered(format!("after {}", refused.client_id())) {
            return Box::pin(pending());
        }
        let next = self.0.next.lock().expect("a list").pop_front();
        let next = next.unwrap_or_else(|| Err(NoCredential::new("secret acme holds no other; store one")));
        later(next.map(Auth::from))
    }
}

pub(crate) fn client(script: &Arc<Script>, source: &Arc<Source>) -> Client<Arc<Script>> {
    Client::builder(Arc::clone(script), Shared(Arc::clone(source))).rate_limit(RateLimit::unlimited()).build()
}

/// Refuses tokens of these clients; tells those of `foreign` that they are somebody
/// else's; answers every listing with nothing.
pub(crate) fn service(refused: &'static [&'static str], foreign: &'static str) -> Arc<Script> {
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

pub(crate) fn tokens(script: &Script) -> Vec<String> {
    let sent = script.calls();
    sent.iter().map(|sent| sent.header("authorization").expect("a token").to_owned()).collect()
}
