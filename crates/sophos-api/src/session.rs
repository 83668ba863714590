//! The token and the identity that all callers of a credential share.

mod identity;
mod request;
pub(crate) mod single_flight;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::HeaderValue;
use secrecy::ExposeSecret;

use crate::{
    credentials::{AccessToken, Auth, CredentialSource, Credentials, MAX_REJECTIONS, NoCredential, Owner},
    error::{Error, ErrorKind},
    models::IdType,
    operation::{Operation, RequestTarget},
    operations::{token::RequestToken, whoami::GetWhoami},
    send::{FixedHeader, SecretInBody, SendContext, exchange_of},
    sync::lock,
    transport::Transport,
};

pub use identity::Identity;
use identity::parse_identity;
pub(crate) use request::RequestContext;
use single_flight::{SingleFlight, until_deadline};

/// The client renews a token this long before it expires, or at three quarters of
/// its lifetime if that is later.
const RENEWAL_MARGIN: Duration = Duration::from_secs(300);

/// The assumed lifetime of a token whose response does not tell it.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3_600);

/// A token with its generation, so that a rejected one is dropped once.
#[derive(Clone)]
pub(crate) struct IssuedToken {
    /// `None` if the host of this program adds it.
    pub(crate) header: Option<HeaderValue>,
    pub(crate) generation: u64,
    renew_at: Duration,
    /// A description of the credential that it was issued for.
    origin: Arc<str>,
    /// The access token of the source, if it provided one.
    provided: Option<AccessToken>,
}

/// The token and the identity that all callers of a credential share.
pub(crate) struct Session {
    source: Arc<dyn CredentialSource>,
    state: Mutex<SessionState>,
    token_count: AtomicU64,
    /// The last access token of the source that the API rejected.
    last_rejected: Mutex<Option<AccessToken>>,
    renewal: SingleFlight,
    whoami: SingleFlight,
}

/// Both under one lock: the token belongs to the owner, if that is known.
#[derive(Default)]
struct SessionState {
    token: Option<IssuedToken>,
    owner: Option<KnownOwner>,
}

/// The owner of a credential.
#[derive(Clone)]
struct KnownOwner {
    identity: Identity,
    origin: Arc<str>,
}

impl Session {
    pub(crate) fn new(source: Arc<dyn CredentialSource>) -> Self {
        Self {
            source,
            state: Mutex::default(),
            token_count: AtomicU64::new(0),
            last_rejected: Mutex::default(),
            renewal: SingleFlight::default(),
            whoami: SingleFlight::default(),
        }
    }

    /// The source of the credential.
    pub(crate) fn source(&self) -> &dyn CredentialSource {
        self.source.as_ref()
    }

    /// The current token, or a new one.
    pub(crate) async fn token<T: Transport>(
        &self,
        context: &SendContext<'_, T>,
    ) -> Result<IssuedToken, Error> {
        let cached = || self.cached_token(context.now());
        let request =
            async { self.obtain_token(context).await.map_err(|error| error.scrubbed(context.scrubber())) };
        self.renewal.run(cached, context.deadline_reached(), request).await
    }

    /// Drops a token that the service rejected, unless another has replaced it.
    pub(crate) fn invalidate_token(&self, token: &IssuedToken) {
        if token.provided.is_some() {
            lock(&self.last_rejected).clone_from(&token.provided);
        }
        let mut state = lock(&self.state);
        if state.token.as_ref().is_some_and(|current| current.generation == token.generation) {
            state.token = None;
        }
    }

    /// The identity, if it was requested before.
    pub(crate) fn known_identity(&self) -> Option<Identity> {
        lock(&self.state).owner.as_ref().map(|known| known.identity.clone())
    }

    /// The type of the credential, if the identity was requested before.
    pub(crate) fn credential_type(&self) -> Option<IdType> {
        self.known_identity().map(|identity| identity.id_type)
    }

    /// The identity, which is requested once.
    pub(crate) async fn identity<T: Transport>(
        &self,
        context: &SendContext<'_, T>,
    ) -> Result<Identity, Error> {
        let known = || self.known_identity();
        let fetch = async {
            let mut token = self.token(context).await?;
            // The owner of a credential that names one was verified with the token.
            if let Some(identity) = known() {
                return Ok(identity);
            }
            let mut identity = self.fetch_identity(context, &token).await;
            if identity.as_ref().is_err_and(|error| error.status() == Some(401)) {
                self.invalidate_token(&token);
                token = self.token(context).await?;
                identity = self.fetch_identity(context, &token).await;
            }
            let identity = identity.map_err(|error| error.scrubbed(context.scrubber()))?;
            Ok(self.set_owner(identity, token.origin))
        };
        self.whoami.run(known, context.deadline_reached(), fetch).await
    }

    async fn fetch_identity<T: Transport>(
        &self,
        context: &SendContext<'_, T>,
        token: &IssuedToken,
    ) -> Result<Identity, Error> {
        let target = RequestTarget::new(context.hosts().global().clone());
        let mut authorizer = FixedHeader::new(token.header.clone(), self.credential_type());
        let operation = GetWhoami::new();
        let mut exchange = exchange_of(&operation);
        context.execute(&mut exchange, &target, &mut authorizer).await?;
        let whoami = exchange.into_response()?;
        parse_identity(&whoami, context.hosts(), context.scrubber())
    }

    /// Stores the owner of the credential, unless it is known by now. A token from
    /// another credential was not verified against the owner: it is dropped.
    fn set_owner(&self, identity: Identity, origin: Arc<str>) -> Identity {
        let mut state = lock(&self.state);
        let SessionState { token, owner } = &mut *state;
        let known = owner.get_or_insert(KnownOwner { identity, origin });
        token.take_if(|token| token.origin != known.origin);
        known.identity.clone()
    }

    /// Stores the token for all callers, unless another task has meanwhile
    /// established a different owner.
    fn try_store_token(&self, new: &IssuedToken) -> bool {
        let mut state = lock(&self.state);
        let is_verified = state.owner.as_ref().is_none_or(|known| known.origin == new.origin);
        if is_verified {
            state.token = Some(new.clone());
        }
        is_verified
    }

    /// Obtains a token with the current credential of the source, or with the next one
    /// if the service rejects it.
    async fn obtain_token<T: Transport>(&self, context: &SendContext<'_, T>) -> Result<IssuedToken, Error> {
        let late =
            || Error::new(ErrorKind::DeadlineExceeded).with_message("the credential was not read in time");
        let missing = |reason: NoCredential| Error::new(ErrorKind::NoCredential).with_reason(&reason);
        let current =
            until_deadline(self.source.current(), context.deadline_reached()).await.ok_or_else(late)?;
        let mut auth = current.map_err(missing)?;
        let mut rejections = 0;
        loop {
            let token = match &auth {
                Auth::Credentials(credentials) => self.request_token(context, credentials).await,
                Auth::AccessToken(token) => self.use_provided_token(context, token).await,
                Auth::HostManaged => {
                    let token = self.new_token(None, Duration::MAX, "the authorization of the host");
                    self.verify_and_store(context, None, token).await
                }
            };
            let error = match token {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            if error.kind() != ErrorKind::CredentialRejected || rejections == MAX_REJECTIONS {
                return Err(error);
            }
            rejections += 1;
            let next = until_deadline(self.source.replace_rejected(&auth), context.deadline_reached()).await;
            auth = next.ok_or_else(late)?.map_err(|reason| error.with_reason(&reason))?;
        }
    }

    fn new_token(&self, header: Option<HeaderValue>, renew_at: Duration, origin: &str) -> IssuedToken {
        let generation = self.token_count.fetch_add(1, Ordering::Relaxed);
        IssuedToken { header, generation, renew_at, origin: origin.into(), provided: None }
    }

    /// Uses the access token of the source, unless it was rejected or has expired.
    async fn use_provided_token<T: Transport>(
        &self,
        context: &SendContext<'_, T>,
        provided: &AccessToken,
    ) -> Result<IssuedToken, Error> {
        context.scrubber().add_secret(provided.expose_secret());
        let rejected = |why: &str| Error::new(ErrorKind::CredentialRejected).with_message(why);
        if lock(&self.last_rejected).as_ref() == Some(provided) {
            return Err(rejected("the access token was rejected; obtain another").with_status(401));
        }
        if provided.expires_in().is_some_and(|left| left.is_zero()) {
            return Err(rejected("the access token has expired; obtain another"));
        }
        let header = bearer_header(provided.expose_secret())
            .ok_or_else(|| rejected("the access token is not a valid header value"))?;
        let renew_at = match provided.expires_in() {
            Some(left) => context.now().saturating_add(time_until_renewal(left)),
            None => Duration::MAX,
        };
        // Its owner is unknown, so each is verified against the one before.
        let origin = format!("access token {}", self.token_count.load(Ordering::Relaxed) + 1);
        let token = IssuedToken {
            provided: Some(provided.clone()),
            ..self.new_token(Some(header), renew_at, &origin)
        };
        self.verify_and_store(context, None, token).await
    }

    async fn request_token<T: Transport>(
        &self,
        context: &SendContext<'_, T>,
        credentials: &Credentials,
    ) -> Result<IssuedToken, Error> {
        context.scrubber().add_secret(credentials.client_secret().expose_secret());
        let operation = RequestToken::new(credentials);
        let requested_at = context.now();
        let target = RequestTarget::new(context.hosts().identity().clone());
        let mut exchange = exchange_of(&operation);
        let sent = context.execute(&mut exchange, &target, &mut SecretInBody).await;
        sent.map_err(|error| match error.status() {
            // The service uses all three for a credential that is no longer valid.
            Some(400 | 401 | 403) => error.with_kind(ErrorKind::CredentialRejected),
            _ => error,
        })?;
        let response = exchange.into_response()?;
        if let Some(token) = &response.access_token {
            context.scrubber().add_secret(token.expose_secret());
        }
        let malformed = |what: &str| {
            Error::new(ErrorKind::Malformed)
                .with_operation(RequestToken::ROUTE.to_string())
                .with_message(what)
        };
        if let Some(code) = response.error_code.as_deref().filter(|code| *code != "success") {
            return Err(malformed(&format!("the identity service responded with 200 and the error {code}"))
                .with_kind(ErrorKind::CredentialRejected));
        }
        let token = response.access_token.filter(|token| !token.expose_secret().is_empty());
        let token = token.ok_or_else(|| malformed("the response holds no access_token"))?;
        let header = bearer_header(token.expose_secret())
            .ok_or_else(|| malformed("the token is not a valid header value"))?;
        let lifetime = response.expires_in.map_or(DEFAULT_LIFETIME, Duration::from_secs);
        let renew_at = requested_at.saturating_add(time_until_renewal(lifetime));
        let origin = format!("credential {}", credentials.client_id());
        let token = self.new_token(Some(header), renew_at, &origin);
        self.verify_and_store(context, credentials.owner(), token).await
    }

    /// Stores the token for all callers, once it is verified to be the owner's.
    async fn verify_and_store<T: Transport>(
        &self,
        context: &SendContext<'_, T>,
        named: Option<&Owner>,
        token: IssuedToken,
    ) -> Result<IssuedToken, Error> {
        self.verify_owner(context, named, &token).await?;
        while !self.try_store_token(&token) {
            self.verify_owner(context, named, &token).await?;
        }
        Ok(token)
    }

    /// Verifies that a replacement belongs to the same owner, and that a credential
    /// which names its owner belongs to that one.
    async fn verify_owner<T: Transport>(
        &self,
        context: &SendContext<'_, T>,
        named: Option<&Owner>,
        token: &IssuedToken,
    ) -> Result<(), Error> {
        let known = lock(&self.state).owner.clone();
        let before = known.as_ref().map(|known| known.identity.owner());
        let verify = |owner: &Owner| {
            let mut expected = before.iter().chain(named);
            let Some(expected) = expected.find(|expected| *expected != owner) else { return Ok(()) };
            let message = format!(
                "{} belongs to {owner}: expected {expected}; store a credential of {expected}",
                token.origin
            );
            Err(Error::new(ErrorKind::CredentialRejected)
                .with_operation(GetWhoami::ROUTE.to_string())
                .with_message(message))
        };
        match &known {
            Some(known) if known.origin == token.origin => return verify(&known.identity.owner()),
            None if named.is_none() => return Ok(()),
            _ => {}
        }
        let identity = self.fetch_identity(context, token).await?;
        verify(&identity.owner())?;
        // Another task may have established a different owner meanwhile.
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

/// The time for which the client uses a token of this lifetime.
fn time_until_renewal(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(RENEWAL_MARGIN.min(lifetime / 4))
}

/// The `Authorization` header of a token, hidden from debug output.
fn bearer_header(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lived_token_is_renewed_in_its_last_quarter() {
        for (lifetime, used) in [(3_600, 3_300), (1_799, 1_499), (600, 450), (10, 7), (0, 0)] {
            assert_eq!(time_until_renewal(Duration::from_secs(lifetime)).as_secs(), used);
        }
    }
}
