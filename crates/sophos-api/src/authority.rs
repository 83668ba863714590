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
pub enum Authority {
    /// A credential, which the client trades for tokens.
    Credentials(Credentials),
    /// A token that somebody else obtained: the client sees no secret.
    Token(AccessToken),
    /// Nothing: whoever carries the requests adds the authorisation, and the
    /// client sees neither secret nor token.
    Ambient,
}

impl From<Credentials> for Authority {
    fn from(credentials: Credentials) -> Self {
        Self::Credentials(credentials)
    }
}

impl From<AccessToken> for Authority {
    fn from(token: AccessToken) -> Self {
        Self::Token(token)
    }
}

/// An authority is a source that has no other.
impl CredentialSource for Authority {
    fn current(&self) -> BoxFuture<'_, Result<Authority, NoCredential>> {
        Box::pin(ready(Ok(self.clone())))
    }

    fn after_refusal<'a>(&'a self, _: &'a Authority) -> BoxFuture<'a, Result<Authority, NoCredential>> {
        Box::pin(ready(Err(NoCredential::new("there is no other to try"))))
    }
}

/// An access token of Sophos Central, as its identity service gives it.
///
/// It is cleared from memory when the last copy goes, and is never printed.
#[derive(Debug, Clone)]
pub struct AccessToken {
    value: SecretString,
    good_for: Option<Duration>,
}

impl AccessToken {
    /// A token that is good until it is refused.
    pub fn new(value: impl Into<SecretString>) -> Self {
        Self { value: value.into(), good_for: None }
    }

    /// The same, which is good for so long from when it is handed over. The
    /// client asks its source for the next one before that.
    #[must_use]
    pub fn good_for(mut self, time: Duration) -> Self {
        self.good_for = Some(time);
        self
    }

    pub(crate) fn value(&self) -> &str {
        self.value.expose_secret()
    }

    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.good_for
    }
}

/// Two are the same when a client would send the same for them.
impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl Eq for AccessToken {}
