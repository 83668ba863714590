use std::{error, fmt, future::ready};

use crate::{BoxFuture, auth::Auth, credentials::Credentials, scrub::redact_tokens};

/// How often a source is asked for another credential for one token: for what it
/// reads anew, for the one before, and for the reason that there is no more.
pub(crate) const MAX_REJECTIONS: usize = 3;

/// Where a client's authority comes from, and where it looks for another when
/// the service refuses the one that it has.
///
/// A fixed [`Credentials`] or [`Auth`] is a source that has no other. A client
/// prints its source, so that `Debug` must show no secret.
///
/// What replaces another must belong to the same owner: from when the client
/// knows whose the first is (by [`Client::identity`](crate::Client::identity),
/// which all but [`Client::for_tenant`](crate::Client::for_tenant) ask for), or the
/// credential itself names its owner. One of somebody else counts as refused.
pub trait CredentialSource: fmt::Debug + Send + Sync {
    /// What to be let in by from now on: the credential to ask for the next token
    /// with, or that token. Asked for whenever a token is needed, about once an
    /// hour, so that one that was replaced is taken up while the one before it
    /// still works.
    ///
    /// # Errors
    /// When there is none.
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>>;

    /// What to try in place of a credential that the identity service has refused,
    /// or of a token that the API has. Asked three times at most for one token: an
    /// implementation first reads anew, then offers the credential before, then
    /// says why there is no more.
    ///
    /// # Errors
    /// When there is no other: which secret it is, and what to do.
    fn replace_rejected<'a>(&'a self, rejected: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>>;
}

impl CredentialSource for Credentials {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        Box::pin(ready(Ok(self.clone().into())))
    }

    fn replace_rejected<'a>(&'a self, _: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        Box::pin(ready(Err(NoCredential::new("there is no other to try"))))
    }
}

/// Why there is no credential, and what to do. Holds no secret: what looks like a
/// token is removed, and a client removes those that it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCredential(String);

impl NoCredential {
    /// The reason, in words that name the place and never a value.
    pub fn new(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self(redact_tokens(&reason).into_owned())
    }
}

impl fmt::Display for NoCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for NoCredential {}
