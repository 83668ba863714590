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
    authority::{AccessToken, Authority},
    credential_source::{MOST_REFUSALS, NoCredential},
    credentials::{Credentials, Owner},
    error::{Error, ErrorKind},
    exchange::{Context, bearer},
    identity::{Identity, read_identity},
    operation::{Operation, Target},
    operations::{token::RequestToken, whoami::WhoAmI},
    sync::lock,
    transport::Transport,
};

/// A token is renewed this long before it expires, or at three quarters of its
/// life if that is later.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// A token, and which one it is, so that one that was refused is dropped once.
#[derive(Clone)]
pub(crate) struct Token {
    /// `None` when somebody else adds it.
    pub(crate) header: Option<HeaderValue>,
    pub(crate) number: u64,
    renew_at: Duration,
    /// What it was had with, in words for people.
    origin: Arc<str>,
    /// The source's own, if it is one.
    given: Option<AccessToken>,
}

/// What all callers of a credential share: its token and its identity.
#[derive(Default)]
pub(crate) struct Session {
    state: SyncMutex<State>,
    tokens: AtomicU64,
    /// The source's last token that the API has refused.
    turned_away: SyncMutex<Option<AccessToken>>,
    renewal: Inquiry,
    whoami: Inquiry,
}

/// Both under one lock: the token is one of the owner, as far as that is known.
#[derive(Default)]
struct State {
    token: Option<Token>,
    owner: Option<Known>,
}

/// Whose a credential is.
#[derive(Clone)]
struct Known {
    identity: Identity,
    origin: Arc<str>,
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
        let current = || self.current(context.now());
        let request =
            async { self.request(context).await.map_err(|error| error.scrubbed(context.scrubber())) };
        self.renewal.answer(current, context.time_is_up(), request).await
    }

    /// Drops a token that the service refused, unless it was replaced already.
    pub(crate) fn refused(&self, token: &Token) {
        if token.given.is_some() {
            lock(&self.turned_away).clone_from(&token.given);
        }
        let mut state = lock(&self.state);
        if state.token.as_ref().is_some_and(|current| current.number == token.number) {
            state.token = None;
        }
    }

    /// The identity, asked for once.
    pub(crate) async fn identity<T: Transport>(&self, context: &Context<'_, T>) -> Result<Identity, Error> {
        let known = || lock(&self.state).owner.as_ref().map(|known| known.identity.clone());
        let ask = async {
            let mut token = self.token(context).await?;
            // A credential that names its owner was held against it with its token.
            if let Some(identity) = known() {
                return Ok(identity);
            }
            let mut told = self.ask_for_identity(context, &token).await;
            if told.as_ref().is_err_and(|error| error.status() == Some(401)) {
                self.refused(&token);
                token = self.token(context).await?;
                told = self.ask_for_identity(context, &token).await;
            }
            let told = told.map_err(|error| error.scrubbed(context.scrubber()))?;
            Ok(self.settle(told, token.origin))
        };
        self.whoami.answer(known, context.time_is_up(), ask).await
    }

    async fn ask_for_identity<T: Transport>(
        &self,
        context: &Context<'_, T>,
        token: &Token,
    ) -> Result<Identity, Error> {
        let target = Target::host(context.hosts().global().clone());
        let whoami = context.call_with(&WhoAmI {}, &target, token).await?;
        read_identity(&whoami, context)
    }

    /// Notes whose a credential is, unless that is known by now. A token of
    /// another that has come meanwhile was held against nothing: it goes.
    fn settle(&self, identity: Identity, origin: Arc<str>) -> Identity {
        let mut state = lock(&self.state);
        let State { token, owner } = &mut *state;
        let known = owner.get_or_insert(Known { identity, origin });
        token.take_if(|token| token.origin != known.origin);
        known.identity.clone()
    }

    /// Makes this the token of all, unless somebody has learnt meanwhile whose it
    /// must be.
    fn adopt(&self, new: &Token) -> bool {
        let mut state = lock(&self.state);
        let held = state.owner.as_ref().is_none_or(|known| known.origin == new.origin);
        if held {
            state.token = Some(new.clone());
        }
        held
    }

    /// A token of what the source has now; when that is refused, of the next that
    /// it has.
    async fn request<T: Transport>(&self, context: &Context<'_, T>) -> Result<Token, Error> {
        let late = || Error::new(ErrorKind::Deadline).with_message("the credential was still being read");
        let none = |reason: NoCredential| Error::new(ErrorKind::NoCredential).and(&reason);
        let current = unless(context.source().current(), context.time_is_up()).await.ok_or_else(late)?;
        let mut authority = current.map_err(none)?;
        let mut refusals = 0;
        loop {
            let token = match &authority {
                Authority::Credentials(credentials) => self.request_with(context, credentials).await,
                Authority::Token(given) => self.take(context, given).await,
                Authority::Ambient => {
                    let token = self.number(None, Duration::MAX, "the authorisation on the way");
                    self.enter(context, None, token).await
                }
            };
            let error = match token {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            if error.kind() != ErrorKind::Credentials || refusals == MOST_REFUSALS {
                return Err(error);
            }
            refusals += 1;
            let next = unless(context.source().after_refusal(&authority), context.time_is_up()).await;
            authority = next.ok_or_else(late)?.map_err(|reason| error.and(&reason))?;
        }
    }

    fn number(&self, header: Option<HeaderValue>, renew_at: Duration, origin: &str) -> Token {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        Token { header, number, renew_at, origin: origin.into(), given: None }
    }

    /// The source's own token, unless it is of no use any more.
    async fn take<T: Transport>(
        &self,
        context: &Context<'_, T>,
        given: &AccessToken,
    ) -> Result<Token, Error> {
        context.scrubber().learn(given.value());
        let useless = |why: &str| Error::new(ErrorKind::Credentials).with_message(why);
        if lock(&self.turned_away).as_ref() == Some(given) {
            return Err(useless("the access token was refused; obtain another").with_status(401));
        }
        if given.time_left().is_some_and(|left| left.is_zero()) {
            return Err(useless("the access token has expired; obtain another"));
        }
        let header = bearer(given.value()).ok_or_else(|| useless("the access token is no header value"))?;
        let renew_at = match given.time_left() {
            Some(left) => context.now().saturating_add(renew_after(left)),
            None => Duration::MAX,
        };
        // Nothing says whose it is, so each is held against the one before.
        let origin = format!("access token {}", self.tokens.load(Ordering::Relaxed) + 1);
        let token = Token { given: Some(given.clone()), ..self.number(Some(header), renew_at, &origin) };
        self.enter(context, None, token).await
    }

    async fn request_with<T: Transport>(
        &self,
        context: &Context<'_, T>,
        credentials: &Credentials,
    ) -> Result<Token, Error> {
        context.scrubber().learn(credentials.client_secret().expose_secret());
        let operation = RequestToken::new(credentials);
        let asked_at = context.now();
        let answer = context.request_token(&operation).await.map_err(|error| match error.status() {
            // Clients see all three for a credential that is no longer good.
            Some(400 | 401 | 403) => error.with_kind(ErrorKind::Credentials),
            _ => error,
        })?;
        if let Some(token) = &answer.access_token {
            context.scrubber().learn(token.expose_secret());
        }
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
        let renew_at = asked_at.saturating_add(renew_after(life));
        let origin = format!("credential {}", credentials.client_id());
        let token = self.number(Some(header), renew_at, &origin);
        self.enter(context, credentials.owner(), token).await
    }

    /// Makes this the token of all, once it is known to be one of the owner.
    async fn enter<T: Transport>(
        &self,
        context: &Context<'_, T>,
        named: Option<&Owner>,
        token: Token,
    ) -> Result<Token, Error> {
        self.hold_against(context, named, &token).await?;
        while !self.adopt(&token) {
            self.hold_against(context, named, &token).await?;
        }
        Ok(token)
    }

    /// What replaces another must belong to the same owner, and what names its
    /// owner to that one.
    async fn hold_against<T: Transport>(
        &self,
        context: &Context<'_, T>,
        named: Option<&Owner>,
        token: &Token,
    ) -> Result<(), Error> {
        let known = lock(&self.state).owner.clone();
        let before = known.as_ref().map(|known| known.identity.owner());
        let refuse = |owner: &Owner| {
            let mut expected = before.iter().chain(named);
            let Some(expected) = expected.find(|expected| *expected != owner) else { return Ok(()) };
            let message = format!(
                "{} belongs to {owner}, and {expected} is expected; store one of {expected}",
                token.origin
            );
            Err(Error::new(ErrorKind::Credentials)
                .with_operation(WhoAmI::ROUTE.to_string())
                .with_message(message))
        };
        match &known {
            Some(known) if known.origin == token.origin => return refuse(&known.identity.owner()),
            None if named.is_none() => return Ok(()),
            _ => {}
        }
        let identity = self.ask_for_identity(context, token).await?;
        refuse(&identity.owner())?;
        // Unless somebody has learnt meanwhile that it must be another's.
        let mut state = lock(&self.state);
        if state.owner.as_ref().is_none_or(|known| known.identity.owner() == identity.owner()) {
            state.owner = Some(Known { identity, origin: Arc::clone(&token.origin) });
        }
        Ok(())
    }

    fn current(&self, now: Duration) -> Option<Token> {
        lock(&self.state).token.clone().filter(|token| now < token.renew_at)
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
