use crate::{
    error::{Error, ErrorKind},
    models::{IdType, Tenant},
    session::Identity,
};

/// The most tenants in a page.
pub(crate) const MAX_TENANT_PAGE_SIZE: u32 = 100;

/// The tenants of a credential.
///
/// ```
/// use sophos_api::{Client, Error, TenantId, Transport};
///
/// /// The ids of the tenants of a data region.
/// async fn tenants_in<T: Transport>(client: &Client<T>, region: &str) -> Result<Vec<TenantId>, Error> {
///     let list = client.list_tenants().await?;
///     list.errors.iter().for_each(|error| eprintln!("skipping a tenant: {error}"));
///     let in_region = list.tenants.into_iter().filter(|tenant| tenant.data_region.as_deref() == Some(region));
///     Ok(in_region.map(|tenant| tenant.id).collect())
/// }
/// ```
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
