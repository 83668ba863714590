use crate::{
    error::{Error, ErrorKind},
    identity::Identity,
    models::{IdType, Tenant},
};

/// Tenants a page of a listing at most.
pub(crate) const MAX_TENANT_PAGE_SIZE: u32 = 100;

/// The tenants that a credential reaches.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TenantList {
    /// Those whose records could be read.
    pub tenants: Vec<Tenant>,
    /// One error for each record that could not.
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
    Error::new(ErrorKind::WrongCredentialType)
        .with_message(format!("a credential of a {id_type} is not one of partner, organization and tenant"))
}
