use std::{fmt, sync::Arc};

use sophos_api::BoxFuture;

use crate::{Purpose, SecretError, StoredCredential};

/// Which reading of a credential is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedVersion {
    /// The current one; it may have been read a while ago.
    Cached,
    /// The current one, read from now on.
    Fresh,
    /// The one before it, read from now on.
    Previous,
}

/// Credentials by name.
pub trait CredentialStore: fmt::Debug + Send + Sync {
    /// All credentials that there are, in the order of their names. May have
    /// been read a while ago. One that is not as expected is listed with what
    /// is wrong with it, and harms no other.
    ///
    /// # Errors
    /// When the place itself cannot be read.
    fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>>;

    /// Reads one credential. `None` when there is no such version.
    ///
    /// # Errors
    /// When it cannot be read or is not as expected. The error names the place,
    /// never a value.
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
    /// Its name, by which [`CredentialStore::load`] finds it.
    pub name: String,
    /// The credential, or why it is none.
    pub credential: Result<Arc<StoredCredential>, SecretError>,
}

impl ListedCredential {
    /// A credential of this name, or why it is none.
    pub fn new(name: impl Into<String>, credential: Result<StoredCredential, SecretError>) -> Self {
        Self { name: name.into(), credential: credential.map(Arc::new) }
    }
}

/// How many names an error lists.
const MAX_NAMES: usize = 10;

/// What of a listing is used for one purpose.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PurposeSelection {
    /// Those that are used for it, each with its name.
    pub usable: Vec<(String, Arc<StoredCredential>)>,
    /// The names of those that are passed over: they say that they are used for
    /// something else.
    pub skipped: Vec<String>,
    /// What is wrong with those that are no credentials.
    pub errors: Vec<SecretError>,
    purpose: Purpose,
}

impl PurposeSelection {
    /// What of these is used for `purpose`, in their order.
    pub fn new(listed: impl IntoIterator<Item = ListedCredential>, purpose: Purpose) -> Self {
        let mut serving = Self { usable: Vec::new(), skipped: Vec::new(), errors: Vec::new(), purpose };
        for ListedCredential { name, credential } in listed {
            match credential {
                Ok(stored) if stored.is_used_for(purpose) => serving.usable.push((name, stored)),
                Ok(stored) => {
                    let used_for: Vec<_> = stored.used_for.iter().map(ToString::to_string).collect();
                    let used_for = used_for.join(", ");
                    tracing::debug!(credential = name, used_for, %purpose, "it is used for something else");
                    serving.skipped.push(name);
                }
                Err(error) => serving.errors.push(error),
            }
        }
        serving
    }

    /// Which were passed over, and what to do if one of them was meant; `None` when
    /// none was.
    pub fn advice(&self) -> Option<String> {
        let (purpose, count) = (self.purpose, self.skipped.len());
        let mut names =
            self.skipped.iter().take(MAX_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
        if count > MAX_NAMES {
            names.push_str(&format!(" and {} more", count - MAX_NAMES));
        }
        let told = match count {
            0 => return None,
            1 => format!("{names} is not used for {purpose}: add \"{purpose}\" to its used_for"),
            _ => format!("{names} are not used for {purpose}: add \"{purpose}\" to the used_for of one"),
        };
        Some(format!("{told}, or store another credential"))
    }
}
