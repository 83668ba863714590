//! The host's grant as a source of the client.

use std::{
    fmt,
    future::ready,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sophos_api::{
    AccessToken, Authority, BoxFuture, CredentialSource, Credentials, Error, Hosts, NoCredential,
};

use crate::{
    bindings::sophos::central::{
        credentials::{self, Grant, Occasion, Service},
        types::Failure,
    },
    failure::no_credential,
};

/// Asks the host, each time anew: it knows best what to keep.
pub(crate) struct HostGrant {
    /// What came with the place, until it is used.
    first: Mutex<Option<Authority>>,
}

impl HostGrant {
    /// Asks for the first grant and the place where it is good.
    pub(crate) fn first() -> Result<(Self, Hosts), Failure> {
        let access = credentials::obtain(Occasion::Needed).map_err(|reason| no_credential(&reason))?;
        let hosts = match access.service {
            Service::Sophos => Hosts::sophos(),
            Service::Other(addresses) => {
                let base = |address: &str| address.parse().map_err(|error: Error| Failure::from(error));
                Hosts::at(base(&addresses.identity)?, base(&addresses.global)?)
            }
        };
        Ok((Self { first: Mutex::new(Some(authority(access.grant))) }, hosts))
    }
}

impl fmt::Debug for HostGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostGrant")
    }
}

impl CredentialSource for HostGrant {
    fn current(&self) -> BoxFuture<'_, Result<Authority, NoCredential>> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(ready(first.map_or_else(|| obtain(Occasion::Needed), Ok)))
    }

    fn after_refusal<'a>(&'a self, refused: &'a Authority) -> BoxFuture<'a, Result<Authority, NoCredential>> {
        let other = obtain(Occasion::Refused).and_then(|authority| {
            if authority == *refused {
                return Err(NoCredential::new("the host gave the same again"));
            }
            Ok(authority)
        });
        Box::pin(ready(other))
    }
}

fn obtain(why: Occasion) -> Result<Authority, NoCredential> {
    credentials::obtain(why).map(|access| authority(access.grant)).map_err(NoCredential::new)
}

fn authority(grant: Grant) -> Authority {
    match grant {
        Grant::Client(client) => Credentials::new(client.id, client.secret).into(),
        Grant::Token(token) => {
            let value = AccessToken::new(token.value);
            match token.expires_in {
                Some(seconds) => value.good_for(Duration::from_secs(seconds.into())),
                None => value,
            }
            .into()
        }
        Grant::Ambient => Authority::Ambient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::sophos::central::credentials::Token;

    #[test]
    fn what_a_grant_holds_is_not_printed() {
        let grant = Grant::Token(Token { value: "s3cret".into(), expires_in: Some(60) });
        let source = HostGrant { first: Mutex::new(Some(authority(grant))) };
        assert!(!format!("{source:?} {:?}", source.first).contains("s3cret"));
    }
}
