//! The imported `credentials` as a credential source of the client.

use std::{
    fmt,
    future::ready,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sophos_api::{AccessToken, Auth, BoxFuture, CredentialSource, Credentials, Error, Hosts, NoCredential};

use crate::{
    bindings::sophos::central::{
        credentials::{self, Grant, RequestReason, Service},
        types::Failure,
    },
    failure::no_credential,
};

/// The imported `credentials`. It caches nothing: caching is the host's choice.
pub(crate) struct HostCredentialSource {
    /// The grant of the first call, until its first use.
    initial: Mutex<Option<Auth>>,
}

impl HostCredentialSource {
    /// Requests the first grant and returns the hosts of its service.
    ///
    /// # Errors
    /// `no-credential` with the host's reason, or `invalid` for a base URL.
    pub(crate) fn request_initial() -> Result<(Self, Hosts), Failure> {
        let access = credentials::obtain(RequestReason::Needed).map_err(|reason| no_credential(&reason))?;
        let hosts = match access.service {
            Service::Sophos => Hosts::sophos_central(),
            Service::Other(addresses) => {
                let base = |address: &str| address.parse().map_err(|error: Error| Failure::from(error));
                Hosts::new(base(&addresses.identity)?, base(&addresses.global)?)
            }
        };
        Ok((Self { initial: Mutex::new(Some(to_auth(access.grant))) }, hosts))
    }
}

impl fmt::Debug for HostCredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostCredentialSource")
    }
}

impl CredentialSource for HostCredentialSource {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        let initial = self.initial.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(ready(initial.map_or_else(|| request_grant(RequestReason::Needed), Ok)))
    }

    fn replace_rejected<'a>(&'a self, rejected: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        let replacement = request_grant(RequestReason::Rejected).and_then(|auth| {
            if auth == *rejected {
                return Err(NoCredential::new("the host returned the rejected grant again"));
            }
            Ok(auth)
        });
        Box::pin(ready(replacement))
    }
}

fn request_grant(reason: RequestReason) -> Result<Auth, NoCredential> {
    credentials::obtain(reason).map(|access| to_auth(access.grant)).map_err(NoCredential::new)
}

fn to_auth(grant: Grant) -> Auth {
    match grant {
        Grant::Client(client) => Credentials::new(client.id, client.secret).into(),
        Grant::Token(token) => {
            let value = AccessToken::new(token.value);
            match token.expires_in {
                Some(seconds) => value.with_expires_in(Duration::from_secs(seconds.into())),
                None => value,
            }
            .into()
        }
        Grant::HostManaged => Auth::HostManaged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::sophos::central::credentials::Token;

    #[test]
    fn host_credentials_debug_output_is_redacted() {
        let grant = Grant::Token(Token { value: "s3cret".into(), expires_in: Some(60) });
        let source = HostCredentialSource { initial: Mutex::new(Some(to_auth(grant))) };
        assert!(!format!("{source:?} {:?}", source.initial).contains("s3cret"));
    }
}
