use std::{future::ready, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    BoxFuture,
    credential_source::{CredentialSource, NoCredential},
    credentials::Credentials,
};

/// What a client's requests are let in by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// A credential, which the client trades for tokens.
    Credentials(Credentials),
    /// A token that somebody else obtained: the client sees no secret.
    AccessToken(AccessToken),
    /// Nothing: whoever carries the requests adds the authorisation, and the
    /// client sees neither secret nor token.
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

/// An authority is a source that has no other.
impl CredentialSource for Auth {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        Box::pin(ready(Ok(self.clone())))
    }

    fn replace_rejected<'a>(&'a self, _: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        Box::pin(ready(Err(NoCredential::new("there is no other to try"))))
    }
}

/// An access token of Sophos Central, as its identity service gives it.
///
/// It is cleared from memory when the last copy goes, and is never printed.
#[derive(Debug, Clone)]
pub struct AccessToken {
    value: SecretString,
    expires_in: Option<Duration>,
}

impl AccessToken {
    /// A token that is good until it is refused.
    pub fn new(value: impl Into<SecretString>) -> Self {
        Self { value: value.into(), expires_in: None }
    }

    /// The same, which is good for so long from when it is handed over. The
    /// client asks its source for the next one before that.
    #[must_use]
    pub fn with_expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    pub(crate) fn expose_secret(&self) -> &str {
        self.value.expose_secret()
    }

    pub(crate) fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }
}

/// Two are the same when a client would send the same for them.
impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }
}

impl Eq for AccessToken {}
