use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::json;
use sophos_api::{BoxFuture, CredentialSource, Credentials, NoCredential};

use super::{Answer, SECRET, Sent, Yield};

type Offer = Result<Credentials, NoCredential>;

/// A source of credentials that does as it is told, and notes what it is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vault(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    current: Option<Offer>,
    next: VecDeque<Offer>,
    hangs: u32,
    asked: Vec<String>,
}

/// The credential of this client id.
pub(crate) fn credential(id: &str) -> Credentials {
    Credentials::new(id, SECRET)
}

impl Vault {
    pub(crate) fn of(current: &str, next: &[&str]) -> Self {
        let this = Self::default();
        this.set(Ok(credential(current)));
        this.inside().next = next.iter().map(|id| Ok(credential(id))).collect();
        this
    }

    /// What is current from now on.
    pub(crate) fn set(&self, current: Offer) {
        self.inside().current = Some(current);
    }

    /// What it offers after the next refusal for which it has nothing yet.
    pub(crate) fn then(self, next: Offer) -> Self {
        self.inside().next.push_back(next);
        self
    }

    /// The next so many questions are never answered.
    pub(crate) fn hang(&self, times: u32) {
        self.inside().hangs = times;
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.inside().asked)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, question: String, of: impl FnOnce(&mut Inside) -> Offer) -> BoxFuture<'_, Offer> {
        let mut inside = self.inside();
        inside.asked.push(question);
        if inside.hangs > 0 {
            inside.hangs -= 1;
            return Box::pin(pending());
        }
        let offer = of(&mut inside);
        Box::pin(async {
            Yield::default().await;
            offer
        })
    }
}

impl CredentialSource for Vault {
    fn current(&self) -> BoxFuture<'_, Offer> {
        self.offer("current".into(), |inside| inside.current.clone().expect("it was set"))
    }

    fn after_refusal<'a>(&'a self, refused: &'a Credentials) -> BoxFuture<'a, Offer> {
        let none = || Err(NoCredential::new("the vault holds no more"));
        let question = format!("after {}", refused.client_id());
        self.offer(question, |inside| inside.next.pop_front().unwrap_or_else(none))
    }
}

/// Whom the service lets in, and whose credentials they are: of [`OWN_ID`] if
/// nothing else is said. The token of `a` is `token-of-a`.
///
/// [`OWN_ID`]: super::OWN_ID
#[derive(Clone, Default)]
pub(crate) struct Accounts(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    refused: BTreeSet<String>,
    owners: BTreeMap<String, (String, String)>,
}

impl Accounts {
    pub(crate) fn refusing(ids: &[&str]) -> Self {
        let this = Self::default();
        ids.iter().for_each(|id| this.refuse(id));
        this
    }

    pub(crate) fn refuse(&self, id: &str) {
        self.known().refused.insert(id.to_owned());
    }

    pub(crate) fn own(self, id: &str, id_type: &str, owner: &str) -> Self {
        self.known().owners.insert(id.to_owned(), (id_type.to_owned(), owner.to_owned()));
        self
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a request for a token or about an identity.
    pub(crate) fn answer(&self, sent: &Sent) -> Option<Answer> {
        let known = self.known();
        if sent.is_token() {
            let id = sent.body.split('&').find_map(|pair| pair.strip_prefix("client_id=")).expect("an id");
            let id = id.replace("%2D", "-");
            if known.refused.contains(&id) {
                return Some(Answer::text(401, r#"{"errorCode": "oauth.invalid_client_secret"}"#));
            }
            return Some(Answer::json(json!({"access_token": format!("token-of-{id}"), "expires_in": 3600})));
        }
        if !sent.is_whoami() {
            return None;
        }
        let id = sent.header("authorization").and_then(|header| header.strip_prefix("Bearer token-of-"));
        let mut whoami = super::whoami("partner");
        if let Some((id_type, owner)) = known.owners.get(id.expect("a token of these")) {
            (whoami["idType"], whoami["id"]) = (json!(id_type), json!(owner));
        }
        Some(Answer::json(whoami))
    }
}
