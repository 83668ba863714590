use crate::{
    credentials::Owner,
    error::{Error, ErrorKind},
    hosts::BaseUrl,
    models::{IdType, Whoami},
    operation::Operation,
    operations::whoami::GetWhoami,
    request::RequestContext,
    transport::Transport,
};

/// Who a credential belongs to, as `GET /whoami/v1` tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Identity {
    /// The id of the partner, organization or tenant.
    pub id: String,
    /// Which of the three it is.
    pub id_type: IdType,
    /// The host of operations that are not a tenant's.
    pub global: BaseUrl,
    /// The host of the tenant's data region, for a tenant's credential.
    pub data_region: Option<BaseUrl>,
}

impl Identity {
    pub(crate) fn owner(&self) -> Owner {
        Owner::new(self.id_type.clone(), self.id.as_str())
    }
}

/// Reads an identity, and checks the hosts that it names.
pub(crate) fn parse_identity<T: Transport>(
    whoami: &Whoami,
    context: &RequestContext<'_, T>,
) -> Result<Identity, Error> {
    let hosts = context.hosts();
    let given = |host: &Option<String>| host.clone().filter(|host| !host.is_empty());
    let api_hosts = whoami.api_hosts.clone().unwrap_or_default();
    let global = match given(&api_hosts.global) {
        Some(host) => hosts.validate_host(&host)?,
        None => hosts.global().clone(),
    };
    let data_region = given(&api_hosts.data_region).map(|host| hosts.validate_host(&host)).transpose()?;
    let malformed = |what: &str| {
        Error::new(ErrorKind::Malformed).with_operation(GetWhoami::ROUTE.to_string()).with_message(what)
    };
    let id_type = whoami.id_type.clone().ok_or_else(|| malformed("the answer holds no idType"))?;
    // Both go into messages, names and headers.
    if [whoami.id.as_str(), id_type.as_str()].iter().any(|id| !context.scrubber().is_clean(id)) {
        return Err(malformed("its id or idType holds a secret or a token"));
    }
    if [Some(&global), data_region.as_ref()]
        .into_iter()
        .flatten()
        .any(|host| !context.scrubber().is_clean(host.host()))
    {
        return Err(malformed("the name of a host holds a secret or a token"));
    }
    Ok(Identity { id: whoami.id.clone(), id_type, global, data_region })
}
