use std::{future::ready, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    BoxFuture,
    credentials::{CredentialSource, Credentials, NoCredential},
};

/// The authorization of a client's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// A credential, which the client exchanges for tokens.
    Credentials(Credentials),
    /// A token from elsewhere: the client has no secret.
    AccessToken(AccessToken),
    /// None: the host of this program adds the authorization, and the client has neither
    /// a secret nor a token.
    HostManaged,
}

impl From<Credentials> for Auth {
    fn from(credentials: Credentials) -> Self {
        Self::Credentials(credentials)
    }
}

impl From<AccessToken> for Auth {
    fn from(token: AccessToken) -> Self {
        Self::AccessToken(token)
    }
}

/// A source with a single authorization.
impl CredentialSource for Auth {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        Box::pin(ready(Ok(self.clone())))
    }

    fn replace_rejected<'a>(&'a self, _: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        Box::pin(ready(Err(NoCredential::new("there is no other credential"))))
    }
}

/// An access token of Sophos Central, as its identity service issues it.
///
/// The last copy clears it from memory. Debug output does not show it.
///
/// ```
/// use std::time::Duration;
///
/// use sophos_api::{AccessToken, Auth, Client, Transport};
///
/// fn with_token<T: Transport>(transport: T, token: AccessToken) -> Client<T> {
///     Client::builder(transport, Auth::from(token)).build()
/// }
///
/// let token = AccessToken::new("eyJhbGciOi…").with_expires_in(Duration::from_secs(3_600));
/// assert!(!format!("{token:?}").contains("eyJhbGciOi"));
/// ```
#[derive(Debug, Clone)]
pub struct AccessToken {
    value: SecretString,
    expires_in: Option<Duration>,
}

impl AccessToken {
    /// A token that is valid until the service rejects it.
    pub fn new(value: impl Into<SecretString>) -> Self {
        Self { value: value.into(), expires_in: None }
    }

    /// Sets the remaining lifetime, from the time when the client receives the token.
    /// The client requests the next one from its source before the end.
    #[must_use]
    pub fn with_expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    pub(crate) fn expose_secret(&self) -> &str {
        self.value.expose_secret()
    }

    pub(crate) fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }
}

/// Two tokens are equal if their texts are.
impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }
}

impl Eq for AccessToken {}
