use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::{models::IdType, tenant_id::TenantId};

/// A Sophos Central API credential, as an administrator made it in the console.
///
/// The secret is cleared from memory when the last copy goes, and is never
/// printed.
#[derive(Debug, Clone)]
pub struct Credentials {
    client_id: String,
    client_secret: SecretString,
    owner: Option<Owner>,
}

impl Credentials {
    /// A credential of this client id and secret.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into(), owner: None }
    }

    /// The same, which must belong to this partner, organization or tenant: a
    /// client refuses to work with it if the service says otherwise.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The client id. Not a secret: it names the credential in the console.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whom it must belong to, if that is known.
    pub fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    pub(crate) fn client_secret(&self) -> &SecretString {
        &self.client_secret
    }
}

/// Two are the same when a client would send the same for them.
impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.client_id == other.client_id
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

impl Eq for Credentials {}

/// A partner, an organization or a tenant, as `GET /whoami/v1` names it.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Which of the three.
    pub id_type: IdType,
    /// Its id.
    pub id: String,
}

impl Owner {
    /// The owner of this kind and id.
    pub fn new(id_type: IdType, id: impl Into<String>) -> Self {
        Self { id_type, id: id.into() }
    }

    /// The tenant, if it is one.
    pub fn tenant_id(&self) -> Option<TenantId> {
        (self.id_type == IdType::Tenant).then(|| self.id.as_str().into())
    }
}

/// Ids are the same in either case: the service writes both.
impl PartialEq for Owner {
    fn eq(&self, other: &Self) -> bool {
        self.id_type == other.id_type && self.id.eq_ignore_ascii_case(&other.id)
    }
}

impl Eq for Owner {}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id_type, self.id)
    }
}
