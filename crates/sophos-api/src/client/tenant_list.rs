use crate::{
    error::{Error, ErrorKind},
    models::{IdType, Tenant},
    session::Identity,
};

/// The most tenants in a page.
pub(crate) const MAX_TENANT_PAGE_SIZE: u32 = 100;

/// The tenants of a credential.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TenantList {
    /// The tenants with a valid record.
    pub tenants: Vec<Tenant>,
    /// One error for each invalid record.
    pub errors: Vec<Error>,
}

pub(crate) fn own_tenant(identity: &Identity) -> Tenant {
    Tenant {
        id: identity.id.as_str().into(),
        api_host: identity.data_region.as_ref().map(ToString::to_string),
        ..Tenant::default()
    }
}

pub(crate) fn unknown_id_type(id_type: &IdType) -> Error {
    Error::new(ErrorKind::WrongCredentialType).with_message(format!(
        "unknown credential type \"{id_type}\": expected partner, organization or tenant"
    ))
}
