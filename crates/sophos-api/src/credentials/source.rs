use std::{error, fmt, future::ready};

use crate::{
    BoxFuture,
    credentials::{Auth, Credentials},
    scrub::redact_tokens,
};

/// The most calls of [`CredentialSource::replace_rejected`] for one token: for a fresh
/// read, for the previous credential, and for the reason that there is no other.
pub(crate) const MAX_REJECTIONS: usize = 3;

/// The source of a client's credential, and of a replacement when the service rejects
/// it.
///
/// A [`Credentials`] or [`Auth`] is a source without a replacement. The debug output of
/// a client includes its source, so `Debug` must not show a secret.
///
/// A replacement must belong to the same owner; the client rejects any other. This
/// applies once the client knows the owner, by
/// [`Client::identity`](crate::Client::identity) or because the credential names it.
/// All methods but [`Client::for_tenant`](crate::Client::for_tenant) request the identity.
///
/// ```
/// use sophos_api::{Auth, BoxFuture, CredentialSource, Credentials, NoCredential};
///
/// /// Reads the credential of a file at each token.
/// #[derive(Debug)]
/// struct FromFile(std::path::PathBuf);
///
/// impl CredentialSource for FromFile {
///     fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
///         let text = std::fs::read_to_string(&self.0);
///         let credentials = text.ok().and_then(|text| {
///             let (id, secret) = text.trim().split_once(':')?;
///             Some(Credentials::new(id, secret).into())
///         });
///         let missing = || NoCredential::new(format!("no credential in {}", self.0.display()));
///         Box::pin(std::future::ready(credentials.ok_or_else(missing)))
///     }
///
///     fn replace_rejected<'a>(&'a self, _: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
///         self.current()
///     }
/// }
/// ```
pub trait CredentialSource: fmt::Debug + Send + Sync {
    /// Returns the current credential or access token. The client calls it for each
    /// token, about once an hour. So it adopts a rotated credential while the previous
    /// one is still valid.
    ///
    /// # Errors
    /// There is no credential.
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>>;

    /// Returns a replacement for a credential that the identity service rejected, or for
    /// a token that the API rejected. The client calls it at most three times for one
    /// token. An implementation first reads the credential again, then returns the
    /// previous one, then the reason why there is no other.
    ///
    /// # Errors
    /// There is no other: the name of the secret and the remedy.
    fn replace_rejected<'a>(&'a self, rejected: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>>;
}

impl CredentialSource for Credentials {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        Box::pin(ready(Ok(self.clone().into())))
    }

    fn replace_rejected<'a>(&'a self, _: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        Box::pin(ready(Err(NoCredential::new("there is no other credential"))))
    }
}

/// The reason why there is no credential, with the remedy. It holds no secret: anything
/// like a token is removed, and a client removes the secrets that it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCredential(String);

impl NoCredential {
    /// A reason that names the location of the secret, and never its value.
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
