use std::{fmt, sync::Arc};

use sophos_api::BoxFuture;

use crate::{Purpose, SecretError, StoredCredential};

/// The requested version of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedVersion {
    /// The current version, perhaps from a cache.
    Cached,
    /// The current version, read after this request.
    Fresh,
    /// The previous version, read after this request.
    Previous,
}

/// A store of credentials by name.
pub trait CredentialStore: fmt::Debug + Send + Sync {
    /// Lists all credentials in the order of their names, perhaps from a cache. An invalid
    /// credential is listed with its error.
    ///
    /// # Errors
    /// When the location cannot be read.
    fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>>;

    /// Loads one credential. `None` if the version does not exist.
    ///
    /// # Errors
    /// When the credential cannot be read or is invalid. The error has the location, and
    /// no value.
    fn load<'a>(
        &'a self,
        name: &'a str,
        version: RequestedVersion,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SecretError>>;
}

/// A credential in a listing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListedCredential {
    /// The name, for [`CredentialStore::load`].
    pub name: String,
    /// The credential, or its error.
    pub credential: Result<Arc<StoredCredential>, SecretError>,
}

impl ListedCredential {
    /// Creates an entry of a listing.
    pub fn new(name: impl Into<String>, credential: Result<StoredCredential, SecretError>) -> Self {
        Self { name: name.into(), credential: credential.map(Arc::new) }
    }
}

/// The maximum number of names in a message.
const MAX_NAMES: usize = 10;

/// The credentials of a listing for one purpose.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PurposeSelection {
    /// The credentials for the purpose, each with its name.
    pub usable: Vec<(String, Arc<StoredCredential>)>,
    /// The names of the skipped credentials, which serve other purposes only.
    pub skipped: Vec<String>,
    /// The errors of invalid credentials.
    pub errors: Vec<SecretError>,
    purpose: Purpose,
}

impl PurposeSelection {
    /// Selects the credentials for `purpose`, in their order.
    pub fn new(listed: impl IntoIterator<Item = ListedCredential>, purpose: Purpose) -> Self {
        let mut selection = Self { usable: Vec::new(), skipped: Vec::new(), errors: Vec::new(), purpose };
        for ListedCredential { name, credential } in listed {
            match credential {
                Ok(stored) if stored.is_used_for(purpose) => selection.usable.push((name, stored)),
                Ok(stored) => {
                    let used_for: Vec<_> = stored.used_for.iter().map(ToString::to_string).collect();
                    let used_for = used_for.join(", ");
                    tracing::debug!(event = "credential_not_selected", secret_name = name, used_for, %purpose, "skipped a credential for other purposes");
                    selection.skipped.push(name);
                }
                Err(error) => selection.errors.push(error),
            }
        }
        selection
    }

    /// The skipped credentials with a remedy, for an error; `None` if none was skipped.
    pub fn advice(&self) -> Option<String> {
        let (purpose, count) = (self.purpose, self.skipped.len());
        let mut names =
            self.skipped.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
        if count > MAX_NAMES {
            names.push_str(&format!(" and {} more", count - MAX_NAMES));
        }
        let advice = match count {
            0 => return None,
            1 => format!("{names} is not used for {purpose}: add \"{purpose}\" to its used_for"),
            _ => format!("{names} are not used for {purpose}: add \"{purpose}\" to the used_for of one"),
        };
        Some(format!("{advice}, or store another credential"))
    }
}
