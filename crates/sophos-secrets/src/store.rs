use std::{fmt, sync::Arc};

use sophos_api::BoxFuture;

use crate::{Purpose, SourceError, StoredCredential};

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
    /// A credential of this name, or why it is none.
    pub fn new(name: impl Into<String>, credential: Result<StoredCredential, SourceError>) -> Self {
        Self { name: name.into(), credential: credential.map(Arc::new) }
    }
}

/// How many names an error lists.
const NAMED: usize = 10;

/// What of a listing is used for one purpose.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Serving {
    /// Those that are used for it, each with its name.
    pub usable: Vec<(String, Arc<StoredCredential>)>,
    /// The names of those that are passed over: they say that they are used for
    /// something else.
    pub passed_over: Vec<String>,
    /// What is wrong with those that are no credentials.
    pub wrong: Vec<SourceError>,
    purpose: Purpose,
}

impl Serving {
    /// What of these is used for `purpose`, in their order.
    pub fn of(listed: impl IntoIterator<Item = Listed>, purpose: Purpose) -> Self {
        let mut serving = Self { usable: Vec::new(), passed_over: Vec::new(), wrong: Vec::new(), purpose };
        for Listed { name, credential } in listed {
            match credential {
                Ok(stored) if stored.serves(purpose) => serving.usable.push((name, stored)),
                Ok(stored) => {
                    let used_for: Vec<_> = stored.used_for.iter().map(ToString::to_string).collect();
                    let used_for = used_for.join(", ");
                    tracing::debug!(credential = name, used_for, %purpose, "it is used for something else");
                    serving.passed_over.push(name);
                }
                Err(error) => serving.wrong.push(error),
            }
        }
        serving
    }

    /// Which were passed over, and what to do if one of them was meant; `None` when
    /// none was.
    pub fn advice(&self) -> Option<String> {
        let (purpose, count) = (self.purpose, self.passed_over.len());
        let mut names =
            self.passed_over.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        if count > NAMED {
            names.push_str(&format!(" and {} more", count - NAMED));
        }
        let told = match count {
            0 => return None,
            1 => format!("{names} is not used for {purpose}: add \"{purpose}\" to its used_for"),
            _ => format!("{names} are not used for {purpose}: add \"{purpose}\" to the used_for of one"),
        };
        Some(format!("{told}, or store another credential"))
    }
}
