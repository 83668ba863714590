use crate::{
    credentials::Owner,
    error::{Error, ErrorKind},
    hosts::{BaseUrl, Hosts},
    models::{IdType, Whoami},
    operation::Operation,
    operations::whoami::GetWhoami,
    scrub::Scrubber,
};

/// The owner of a credential, from `GET /whoami/v1`.
///
/// ```
/// use sophos_api::{Client, Error, Transport, models::IdType};
///
/// async fn describe<T: Transport>(client: &Client<T>) -> Result<String, Error> {
///     let identity = client.identity().await?;
///     Ok(match identity.id_type {
///         IdType::Tenant => format!("tenant {} on {:?}", identity.id, identity.data_region),
///         id_type => format!("{id_type} {}", identity.id),
///     })
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Identity {
    /// The id of the partner, organization or tenant.
    pub id: String,
    /// The type of the owner.
    pub id_type: IdType,
    /// The global host.
    pub global: BaseUrl,
    /// The host of the tenant's data region, for a tenant's credential.
    pub data_region: Option<BaseUrl>,
}

impl Identity {
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.id_type.clone(), self.id.as_str())
    }
}

/// Parses an identity, and checks its hosts.
pub(crate) fn parse_identity(whoami: &Whoami, hosts: &Hosts, scrubber: &Scrubber) -> Result<Identity, Error> {
    let non_empty = |host: &Option<String>| host.clone().filter(|host| !host.is_empty());
    let api_hosts = whoami.api_hosts.clone().unwrap_or_default();
    let global = match non_empty(&api_hosts.global) {
        Some(host) => hosts.validate_host(&host)?,
        None => hosts.global().clone(),
    };
    let data_region = non_empty(&api_hosts.data_region).map(|host| hosts.validate_host(&host)).transpose()?;
    let malformed = |reason: &str| {
        Error::new(ErrorKind::Malformed).with_operation(GetWhoami::ROUTE.to_string()).with_message(reason)
    };
    let id_type = whoami.id_type.clone().ok_or_else(|| malformed("the response holds no idType"))?;
    // Both become part of messages, names and headers.
    if [whoami.id.as_str(), id_type.as_str()].iter().any(|id| !scrubber.is_clean(id)) {
        return Err(malformed("the id or idType holds a secret or a token"));
    }
    if [Some(&global), data_region.as_ref()].into_iter().flatten().any(|host| !scrubber.is_clean(host.host()))
    {
        return Err(malformed("the name of a host holds a secret or a token"));
    }
    Ok(Identity { id: whoami.id.clone(), id_type, global, data_region })
}
