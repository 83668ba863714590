use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc, Mutex as SyncMutex,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_lock::Mutex;
use http::HeaderValue;
use secrecy::ExposeSecret;

use crate::{
    credential_source::{MOST_REFUSALS, NoCredential},
    credentials::{Credentials, Owner},
    error::{Error, ErrorKind},
    exchange::{Context, bearer},
    hosts::BaseUrl,
    models::{IdType, Whoami},
    operation::{Operation, Target},
    operations::{token::RequestToken, whoami::WhoAmI},
    sync::lock,
    transport::Transport,
};

/// A token is renewed this long before it expires, or at three quarters of its
/// life if that is later.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Who a credential belongs to, as `GET /whoami/v1` tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Identity {
    /// The id of the partner, organization or tenant.
    pub id: String,
    /// Which of the three it is.
    pub id_type: IdType,
    /// The host of operations that are not a tenant's.
    pub global: BaseUrl,
    /// The host of the tenant's data region, for a tenant's credential.
    pub data_region: Option<BaseUrl>,
}

impl Identity {
    fn owner(&self) -> Owner {
        Owner::new(self.id_type.clone(), self.id.as_str())
    }
}

/// A token, and which one it is, so that one that was refused is dropped once.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    pub(crate) number: u64,
    renew_at: Duration,
    /// The credential that it was had with.
    client_id: Arc<str>,
}

/// What all callers of a credential share: its token and its identity.
#[derive(Default)]
pub(crate) struct Session {
    token: SyncMutex<Option<Token>>,
    tokens: AtomicU64,
    renewal: Inquiry,
    identity: SyncMutex<Option<Known>>,
    whoami: Inquiry,
}

/// Whose a credential is.
#[derive(Clone)]
struct Known {
    identity: Identity,
    client_id: Arc<str>,
}

/// A question that one caller asks for all who wait for its answer.
#[derive(Default)]
struct Inquiry {
    failure: Mutex<Option<Error>>,
    asked: AtomicU64,
}

impl Inquiry {
    /// What is `known`, else the answer of `ask`. However many callers wait,
    /// one of them asks, and they share its answer or its failure. Nobody waits
    /// for another when its own `time_is_up`.
    async fn answer<V>(
        &self,
        known: impl Fn() -> Option<V>,
        time_is_up: impl Future<Output = ()>,
        ask: impl Future<Output = Result<V, Error>>,
    ) -> Result<V, Error> {
        if let Some(value) = known() {
            return Ok(value);
        }
        let before = self.asked.load(Ordering::Acquire);
        let Some(mut failure) = unless(self.failure.lock(), time_is_up).await else {
            return Err(Error::new(ErrorKind::Deadline).with_message("another caller was still asking"));
        };
        if let Some(value) = known() {
            return Ok(value);
        }
        // Somebody asked while this caller waited for the lock. That it had no
        // time left is its own affair.
        let asked = self.asked.load(Ordering::Acquire) > before;
        if let Some(error) = failure.as_ref().filter(|error| asked && error.kind() != ErrorKind::Deadline) {
            return Err(error.clone());
        }
        let outcome = ask.await;
        *failure = outcome.as_ref().err().cloned();
        self.asked.fetch_add(1, Ordering::AcqRel);
        outcome
    }
}

impl Session {
    /// The current token, or a new one.
    pub(crate) async fn token<T: Transport>(&self, context: &Context<'_, T>) -> Result<Token, Error> {
        let ask = async {
            let token = self.request(context).await?;
            *lock(&self.token) = Some(token.clone());
            Ok(token)
        };
        self.renewal.answer(|| self.current(context.now()), context.time_is_up(), ask).await
    }

    /// Drops a token that the service refused, unless it was replaced already.
    pub(crate) fn refused(&self, token: &Token) {
        let mut slot = lock(&self.token);
        if slot.as_ref().is_some_and(|current| current.number == token.number) {
            *slot = None;
        }
    }

    /// The identity, asked for once.
    pub(crate) async fn identity<T: Transport>(&self, context: &Context<'_, T>) -> Result<Identity, Error> {
        let ask = async {
            let target = Target::host(context.hosts().global().clone());
            let whoami = context.call(&WhoAmI {}, &target).await?;
            let identity = read_identity(&whoami, context)?;
            // The token that just let it in, or one that has replaced it since
            // and was held against nothing.
            let token = lock(&self.token).clone();
            let client_id = token.map(|token| token.client_id).unwrap_or_default();
            *lock(&self.identity) = Some(Known { identity: identity.clone(), client_id });
            Ok(identity)
        };
        let known = || lock(&self.identity).as_ref().map(|known| known.identity.clone());
        self.whoami.answer(known, context.time_is_up(), ask).await
    }

    /// A token of the credential that there is now; when it is refused, of the
    /// next that its source has.
    async fn request<T: Transport>(&self, context: &Context<'_, T>) -> Result<Token, Error> {
        let late = || Error::new(ErrorKind::Deadline).with_message("the credential was still being read");
        let none =
            |reason: NoCredential| Error::new(ErrorKind::NoCredential).with_message(reason.to_string());
        let current = unless(context.source().current(), context.time_is_up()).await.ok_or_else(late)?;
        let mut credentials = current.map_err(none)?;
        let mut refusals = 0;
        loop {
            let error = match self.request_with(context, &credentials).await {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            if error.kind() != ErrorKind::Credentials || refusals == MOST_REFUSALS {
                return Err(error);
            }
            refusals += 1;
            let next = unless(context.source().after_refusal(&credentials), context.time_is_up()).await;
            credentials = next.ok_or_else(late)?.map_err(|reason| error.and(&reason))?;
        }
    }

    async fn request_with<T: Transport>(
        &self,
        context: &Context<'_, T>,
        credentials: &Credentials,
    ) -> Result<Token, Error> {
        let operation = RequestToken::new(credentials);
        let asked_at = context.now();
        let answer = context.request_token(&operation).await.map_err(|error| match error.status() {
            // Clients see all three for a credential that is no longer good.
            Some(400 | 401 | 403) => error.with_kind(ErrorKind::Credentials),
            _ => error,
        })?;
        let malformed = |what: &str| {
            Error::new(ErrorKind::Malformed)
                .with_operation(RequestToken::ROUTE.to_string())
                .with_message(what)
        };
        if let Some(code) = answer.error_code.as_deref().filter(|code| *code != "success") {
            return Err(malformed(&format!("the identity service answered 200 with the error {code}"))
                .with_kind(ErrorKind::Credentials));
        }
        let token = answer.access_token.filter(|token| !token.expose_secret().is_empty());
        let token = token.ok_or_else(|| malformed("the answer holds no access_token"))?;
        let header =
            bearer(token.expose_secret()).ok_or_else(|| malformed("the token is no header value"))?;
        let life = Duration::from_secs(answer.expires_in.unwrap_or(3_600));
        let token = Token {
            header,
            number: self.tokens.fetch_add(1, Ordering::Relaxed),
            renew_at: asked_at.saturating_add(renew_after(life)),
            client_id: credentials.client_id().into(),
        };
        self.hold_against(context, credentials, &token).await?;
        Ok(token)
    }

    /// A credential that replaces another must belong to the same owner, and
    /// one that names its owner to that one.
    async fn hold_against<T: Transport>(
        &self,
        context: &Context<'_, T>,
        credentials: &Credentials,
        token: &Token,
    ) -> Result<(), Error> {
        let known = lock(&self.identity).clone();
        let same = known.as_ref().is_some_and(|known| known.client_id == token.client_id);
        let identity = match &known {
            Some(known) if same => known.identity.clone(),
            None if credentials.owner().is_none() => return Ok(()),
            _ => {
                let target = Target::host(context.hosts().global().clone());
                let whoami = context.call_with(&WhoAmI {}, &target, token).await?;
                read_identity(&whoami, context)?
            }
        };
        let owner = identity.owner();
        let before = known.map(|known| known.identity.owner());
        let mut expected = before.as_ref().into_iter().chain(credentials.owner());
        if let Some(expected) = expected.find(|expected| **expected != owner) {
            return Err(Error::new(ErrorKind::Credentials)
                .with_operation(WhoAmI::ROUTE.to_string())
                .with_message(format!(
                    "credential {} belongs to {owner}, and {expected} is expected; store one of {expected}",
                    credentials.client_id()
                )));
        }
        if !same {
            *lock(&self.identity) = Some(Known { identity, client_id: Arc::clone(&token.client_id) });
        }
        Ok(())
    }

    fn current(&self, now: Duration) -> Option<Token> {
        lock(&self.token).clone().filter(|token| now < token.renew_at)
    }
}

/// What `wanted` comes to, unless `end` comes first.
async fn unless<V>(wanted: impl Future<Output = V>, end: impl Future<Output = ()>) -> Option<V> {
    let (mut wanted, mut end) = (pin!(wanted), pin!(end));
    poll_fn(|context| match wanted.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// How long a token that lives for `life` is used.
fn renew_after(life: Duration) -> Duration {
    life.saturating_sub(RENEW_BEFORE).max(life.mul_f64(0.75))
}

fn read_identity<T: Transport>(whoami: &Whoami, context: &Context<'_, T>) -> Result<Identity, Error> {
    let hosts = context.hosts();
    let given = |host: &Option<String>| host.clone().filter(|host| !host.is_empty());
    let api_hosts = whoami.api_hosts.clone().unwrap_or_default();
    let global = match given(&api_hosts.global) {
        Some(host) => hosts.admit(&host)?,
        None => hosts.global().clone(),
    };
    let data_region = given(&api_hosts.data_region).map(|host| hosts.admit(&host)).transpose()?;
    let id_type = whoami.id_type.clone().ok_or_else(|| {
        Error::new(ErrorKind::Malformed)
            .with_operation(WhoAmI::ROUTE.to_string())
            .with_message("the answer holds no idType")
    })?;
    Ok(Identity { id: whoami.id.clone(), id_type, global, data_region })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_lived_token_is_renewed_in_its_last_quarter() {
        for (life, used) in [(3_600, 3_300), (1_799, 1_499), (600, 450), (10, 7), (0, 0)] {
            assert_eq!(renew_after(Duration::from_secs(life)).as_secs(), used);
        }
    }
}
