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
    auth::{AccessToken, Auth},
    credential_source::{MAX_REJECTIONS, NoCredential},
    credentials::{Credentials, Owner},
    error::{Error, ErrorKind},
    identity::{Identity, parse_identity},
    operation::{Operation, RequestTarget},
    operations::{token::RequestToken, whoami::GetWhoami},
    request::{RequestContext, bearer_header},
    sync::lock,
    transport::Transport,
};

/// The client renews a token this long before it expires, or at three quarters of
/// its lifetime if that is later.
const RENEWAL_MARGIN: Duration = Duration::from_secs(300);

/// The assumed lifetime of a token whose response does not tell it.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3_600);

/// A token, and which one it is, so that one that was refused is dropped once.
#[derive(Clone)]
pub(crate) struct IssuedToken {
    /// `None` when somebody else adds it.
    pub(crate) header: Option<HeaderValue>,
    pub(crate) generation: u64,
    renew_at: Duration,
    /// What it was had with, in words for people.
    origin: Arc<str>,
    /// The source's own, if it is one.
    provided: Option<AccessToken>,
}

/// What all callers of a credential share: its token and its identity.
#[derive(Default)]
pub(crate) struct Session {
    state: SyncMutex<SessionState>,
    token_count: AtomicU64,
    /// The source's last token that the API has refused.
    last_rejected: SyncMutex<Option<AccessToken>>,
    renewal: SingleFlight,
    whoami: SingleFlight,
}

/// Both under one lock: the token is one of the owner, as far as that is known.
#[derive(Default)]
struct SessionState {
    token: Option<IssuedToken>,
    owner: Option<KnownOwner>,
}

/// Whose a credential is.
#[derive(Clone)]
struct KnownOwner {
    identity: Identity,
    origin: Arc<str>,
}

/// A question that one caller asks for all who wait for its answer.
#[derive(Default)]
struct SingleFlight {
    last_failure: Mutex<Option<Error>>,
    completed: AtomicU64,
}

impl SingleFlight {
    /// What is `known`, else the answer of `ask`. However many callers wait,
    /// one of them asks, and they share its answer or its failure. Nobody waits
    /// for another when its own `deadline`.
    async fn run<V>(
        &self,
        cached: impl Fn() -> Option<V>,
        deadline: impl Future<Output = ()>,
        fetch: impl Future<Output = Result<V, Error>>,
    ) -> Result<V, Error> {
        if let Some(value) = cached() {
            return Ok(value);
        }
        let before = self.completed.load(Ordering::Acquire);
        let Some(mut failure) = until_deadline(self.last_failure.lock(), deadline).await else {
            return Err(
                Error::new(ErrorKind::DeadlineExceeded).with_message("another caller was still asking")
            );
        };
        if let Some(value) = cached() {
            return Ok(value);
        }
        // Somebody asked while this caller waited for the lock. That it had no
        // time left is its own affair.
        let asked = self.completed.load(Ordering::Acquire) > before;
        if let Some(error) =
            failure.as_ref().filter(|error| asked && error.kind() != ErrorKind::DeadlineExceeded)
        {
            return Err(error.clone());
        }
        let outcome = fetch.await;
        *failure = outcome.as_ref().err().cloned();
        self.completed.fetch_add(1, Ordering::AcqRel);
        outcome
    }
}

impl Session {
    /// The current token, or a new one.
    pub(crate) async fn token<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
    ) -> Result<IssuedToken, Error> {
        let current = || self.cached_token(context.now());
        let request =
            async { self.obtain_token(context).await.map_err(|error| error.scrubbed(context.scrubber())) };
        self.renewal.run(current, context.deadline_reached(), request).await
    }

    /// Drops a token that the service refused, unless it was replaced already.
    pub(crate) fn invalidate_token(&self, token: &IssuedToken) {
        if token.provided.is_some() {
            lock(&self.last_rejected).clone_from(&token.provided);
        }
        let mut state = lock(&self.state);
        if state.token.as_ref().is_some_and(|current| current.generation == token.generation) {
            state.token = None;
        }
    }

    /// The identity, asked for once.
    pub(crate) async fn identity<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
    ) -> Result<Identity, Error> {
        let known = || lock(&self.state).owner.as_ref().map(|known| known.identity.clone());
        let ask = async {
            let mut token = self.token(context).await?;
            // A credential that names its owner was held against it with its token.
            if let Some(identity) = known() {
                return Ok(identity);
            }
            let mut told = self.fetch_identity(context, &token).await;
            if told.as_ref().is_err_and(|error| error.status() == Some(401)) {
                self.invalidate_token(&token);
                token = self.token(context).await?;
                told = self.fetch_identity(context, &token).await;
            }
            let told = told.map_err(|error| error.scrubbed(context.scrubber()))?;
            Ok(self.set_owner(told, token.origin))
        };
        self.whoami.run(known, context.deadline_reached(), ask).await
    }

    async fn fetch_identity<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
        token: &IssuedToken,
    ) -> Result<Identity, Error> {
        let target = RequestTarget::new(context.hosts().global().clone());
        let whoami = context.send_with_token(&GetWhoami::new(), &target, token).await?;
        parse_identity(&whoami, context)
    }

    /// Notes whose a credential is, unless that is known by now. A token of
    /// another that has come meanwhile was held against nothing: it goes.
    fn set_owner(&self, identity: Identity, origin: Arc<str>) -> Identity {
        let mut state = lock(&self.state);
        let SessionState { token, owner } = &mut *state;
        let known = owner.get_or_insert(KnownOwner { identity, origin });
        token.take_if(|token| token.origin != known.origin);
        known.identity.clone()
    }

    /// Makes this the token of all, unless somebody has learnt meanwhile whose it
    /// must be.
    fn try_store_token(&self, new: &IssuedToken) -> bool {
        let mut state = lock(&self.state);
        let held = state.owner.as_ref().is_none_or(|known| known.origin == new.origin);
        if held {
            state.token = Some(new.clone());
        }
        held
    }

    /// A token of what the source has now; when that is refused, of the next that
    /// it has.
    async fn obtain_token<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
    ) -> Result<IssuedToken, Error> {
        let late =
            || Error::new(ErrorKind::DeadlineExceeded).with_message("the credential was still being read");
        let none = |reason: NoCredential| Error::new(ErrorKind::NoCredential).with_reason(&reason);
        let current =
            until_deadline(context.source().current(), context.deadline_reached()).await.ok_or_else(late)?;
        let mut authority = current.map_err(none)?;
        let mut refusals = 0;
        loop {
            let token = match &authority {
                Auth::Credentials(credentials) => self.request_token(context, credentials).await,
                Auth::AccessToken(given) => self.use_provided_token(context, given).await,
                Auth::HostManaged => {
                    let token = self.new_token(None, Duration::MAX, "the authorisation on the way");
                    self.verify_and_store(context, None, token).await
                }
            };
            let error = match token {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            if error.kind() != ErrorKind::CredentialRejected || refusals == MAX_REJECTIONS {
                return Err(error);
            }
            refusals += 1;
            let next =
                until_deadline(context.source().replace_rejected(&authority), context.deadline_reached())
                    .await;
            authority = next.ok_or_else(late)?.map_err(|reason| error.with_reason(&reason))?;
        }
    }

    fn new_token(&self, header: Option<HeaderValue>, renew_at: Duration, origin: &str) -> IssuedToken {
        let number = self.token_count.fetch_add(1, Ordering::Relaxed);
        IssuedToken { header, generation: number, renew_at, origin: origin.into(), provided: None }
    }

    /// The source's own token, unless it is of no use any more.
    async fn use_provided_token<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
        given: &AccessToken,
    ) -> Result<IssuedToken, Error> {
        context.scrubber().add_secret(given.expose_secret());
        let useless = |why: &str| Error::new(ErrorKind::CredentialRejected).with_message(why);
        if lock(&self.last_rejected).as_ref() == Some(given) {
            return Err(useless("the access token was refused; obtain another").with_status(401));
        }
        if given.expires_in().is_some_and(|left| left.is_zero()) {
            return Err(useless("the access token has expired; obtain another"));
        }
        let header = bearer_header(given.expose_secret())
            .ok_or_else(|| useless("the access token is no header value"))?;
        let renew_at = match given.expires_in() {
            Some(left) => context.now().saturating_add(time_until_renewal(left)),
            None => Duration::MAX,
        };
        // Nothing says whose it is, so each is held against the one before.
        let origin = format!("access token {}", self.token_count.load(Ordering::Relaxed) + 1);
        let token =
            IssuedToken { provided: Some(given.clone()), ..self.new_token(Some(header), renew_at, &origin) };
        self.verify_and_store(context, None, token).await
    }

    async fn request_token<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
        credentials: &Credentials,
    ) -> Result<IssuedToken, Error> {
        context.scrubber().add_secret(credentials.client_secret().expose_secret());
        let operation = RequestToken::new(credentials);
        let asked_at = context.now();
        let answer = context.request_token(&operation).await.map_err(|error| match error.status() {
            // Clients see all three for a credential that is no longer good.
            Some(400 | 401 | 403) => error.with_kind(ErrorKind::CredentialRejected),
            _ => error,
        })?;
        if let Some(token) = &answer.access_token {
            context.scrubber().add_secret(token.expose_secret());
        }
        let malformed = |what: &str| {
            Error::new(ErrorKind::Malformed)
                .with_operation(RequestToken::ROUTE.to_string())
                .with_message(what)
        };
        if let Some(code) = answer.error_code.as_deref().filter(|code| *code != "success") {
            return Err(malformed(&format!("the identity service answered 200 with the error {code}"))
                .with_kind(ErrorKind::CredentialRejected));
        }
        let token = answer.access_token.filter(|token| !token.expose_secret().is_empty());
        let token = token.ok_or_else(|| malformed("the answer holds no access_token"))?;
        let header =
            bearer_header(token.expose_secret()).ok_or_else(|| malformed("the token is no header value"))?;
        let lifetime = answer.expires_in.map_or(DEFAULT_LIFETIME, Duration::from_secs);
        let renew_at = asked_at.saturating_add(time_until_renewal(lifetime));
        let origin = format!("credential {}", credentials.client_id());
        let token = self.new_token(Some(header), renew_at, &origin);
        self.verify_and_store(context, credentials.owner(), token).await
    }

    /// Makes this the token of all, once it is known to be one of the owner.
    async fn verify_and_store<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
        named: Option<&Owner>,
        token: IssuedToken,
    ) -> Result<IssuedToken, Error> {
        self.verify_owner(context, named, &token).await?;
        while !self.try_store_token(&token) {
            self.verify_owner(context, named, &token).await?;
        }
        Ok(token)
    }

    /// What replaces another must belong to the same owner, and what names its
    /// owner to that one.
    async fn verify_owner<T: Transport>(
        &self,
        context: &RequestContext<'_, T>,
        named: Option<&Owner>,
        token: &IssuedToken,
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
            Err(Error::new(ErrorKind::CredentialRejected)
                .with_operation(GetWhoami::ROUTE.to_string())
                .with_message(message))
        };
        match &known {
            Some(known) if known.origin == token.origin => return refuse(&known.identity.owner()),
            None if named.is_none() => return Ok(()),
            _ => {}
        }
        let identity = self.fetch_identity(context, token).await?;
        refuse(&identity.owner())?;
        // Unless somebody has learnt meanwhile that it must be another's.
        let mut state = lock(&self.state);
        if state.owner.as_ref().is_none_or(|known| known.identity.owner() == identity.owner()) {
            state.owner = Some(KnownOwner { identity, origin: Arc::clone(&token.origin) });
        }
        Ok(())
    }

    fn cached_token(&self, now: Duration) -> Option<IssuedToken> {
        lock(&self.state).token.clone().filter(|token| now < token.renew_at)
    }
}

/// What `wanted` comes to, unless `end` comes first.
async fn until_deadline<V>(future: impl Future<Output = V>, deadline: impl Future<Output = ()>) -> Option<V> {
    let (mut wanted, mut end) = (pin!(future), pin!(deadline));
    poll_fn(|context| match wanted.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The time for which the client uses a token of this lifetime.
fn time_until_renewal(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(RENEWAL_MARGIN.min(lifetime / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lived_token_is_renewed_in_its_last_quarter() {
        for (life, used) in [(3_600, 3_300), (1_799, 1_499), (600, 450), (10, 7), (0, 0)] {
            assert_eq!(time_until_renewal(Duration::from_secs(life)).as_secs(), used);
        }
    }
}
