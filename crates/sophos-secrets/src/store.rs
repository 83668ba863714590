use std::{fmt, sync::Arc};

use sophos_api::BoxFuture;

use crate::{SourceError, StoredCredential};

/// Which reading of a credential is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
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
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>>;

    /// Reads one credential. `None` when there is no such version.
    ///
    /// # Errors
    /// When it cannot be read or is not as expected. The error names the place,
    /// never a value.
    fn read<'a>(
        &'a self,
        name: &'a str,
        version: Version,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SourceError>>;
}

/// A credential in a listing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listed {
    /// Its name, by which [`CredentialStore::read`] finds it.
    pub name: String,
    /// The credential, or why it is none.
    pub credential: Result<Arc<StoredCredential>, SourceError>,
}

impl Listed {
    /// An entry of a listing.
    pub fn new(name: impl Into<String>, credential: Result<StoredCredential, SourceError>) -> Self {
        Self { name: name.into(), credential: credential.map(Arc::new) }
    }
}
