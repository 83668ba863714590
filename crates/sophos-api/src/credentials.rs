mod auth;
mod source;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::models::{IdType, tenant_id::TenantId};

pub use auth::{AccessToken, Auth};
pub(crate) use source::MAX_REJECTIONS;
pub use source::{CredentialSource, NoCredential};

/// A Sophos Central API credential, as an administrator creates it in the console.
///
/// The last copy clears the secret from memory. Debug output does not show it.
///
/// ```
/// use sophos_api::{Credentials, Owner, models::IdType};
///
/// let owner = Owner::new(IdType::Tenant, "0f1d…");
/// let credentials = Credentials::new("client id", "client secret").with_owner(owner);
/// assert!(!format!("{credentials:?}").contains("client secret"));
/// ```
#[derive(Debug, Clone)]
pub struct Credentials {
    client_id: String,
    client_secret: SecretString,
    owner: Option<Owner>,
}

impl Credentials {
    /// A credential with this client id and secret.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into(), owner: None }
    }

    /// Sets the expected partner, organization or tenant. A client rejects the
    /// credential if the service names another owner.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The client id. It is not a secret: the console displays it.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The expected owner.
    pub fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    pub(crate) fn client_secret(&self) -> &SecretString {
        &self.client_secret
    }
}

/// Two credentials are equal if their client ids and secrets are.
impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.client_id == other.client_id
            && self.client_secret.expose_secret() == other.client_secret.expose_secret()
    }
}

impl Eq for Credentials {}

/// A partner, an organization or a tenant, as in `GET /whoami/v1`.
///
/// ```
/// use sophos_api::{Owner, TenantId, models::IdType};
///
/// assert_eq!(Owner::new(IdType::Tenant, "7").tenant_id(), Some(TenantId::from("7")));
/// assert_eq!(Owner::new(IdType::Partner, "7").tenant_id(), None);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Owner {
    /// The type of the owner.
    pub id_type: IdType,
    /// The id of the owner.
    pub id: String,
}

impl Owner {
    /// The owner of this type and id.
    pub fn new(id_type: IdType, id: impl Into<String>) -> Self {
        Self { id_type, id: id.into() }
    }

    /// The tenant's id, if the owner is a tenant.
    pub fn tenant_id(&self) -> Option<TenantId> {
        (self.id_type == IdType::Tenant).then(|| self.id.as_str().into())
    }
}

/// Ids are compared in either case: the service uses both.
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
