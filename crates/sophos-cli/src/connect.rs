//! The client of the selected credential, and its tenants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sophos_api::{
    Client, Hosts, Identity, RateLimit, ScopeHeader, TenantClient,
    models::{IdType, Tenant},
};

use crate::{
    config::{self, Profile, StoredMetadata},
    context::Context,
    exit::{Exit, Failure},
    tenant_cache,
    transport::CliTransport,
};

/// The client of a credential.
pub(crate) type CliClient = Client<CliTransport>;

/// The client of a tenant.
pub(crate) type CliTenant = TenantClient<CliTransport>;

/// A connection with the selected credential. It sends nothing before the first use.
#[derive(Debug)]
pub(crate) struct Session {
    /// The client.
    pub(crate) client: CliClient,
    /// The profile.
    pub(crate) profile: Profile,
    /// What the location of the credential says beside the secret.
    pub(crate) metadata: StoredMetadata,
}

impl Session {
    /// Reads the credential and builds the client.
    ///
    /// # Errors
    /// When the configuration is invalid or the credential cannot be read.
    pub(crate) async fn open(context: &Context) -> Result<Self, Failure> {
        let profile = config::load(&context.globals)?;
        let (source, metadata) = config::credential_source(&profile).await?;
        let transport = CliTransport::new(context.globals.debug)?;
        let mut builder = Client::builder(transport, source).hosts(hosts(&profile)?);
        if let Some(rate_limit) = &profile.rate_limit {
            builder = builder.rate_limit(rate_limit.parse::<RateLimit>()?);
        }
        Ok(Self { client: builder.build(), profile, metadata })
    }

    /// The owner of the credential.
    ///
    /// # Errors
    /// As for [`Client::identity`].
    pub(crate) async fn identity(&self) -> Result<Identity, Failure> {
        Ok(self.client.identity().await?)
    }

    /// Whether an operation goes to a tenant rather than to the credential's own account.
    ///
    /// # Errors
    /// As for [`Client::identity`].
    pub(crate) async fn is_for_tenant(&self, context: &Context, scope: ScopeHeader) -> Result<bool, Failure> {
        let account = match scope {
            ScopeHeader::Tenant => return Ok(true),
            ScopeHeader::TenantOrOwner => [IdType::Partner, IdType::Organization],
            ScopeHeader::TenantOrPartner => [IdType::Partner, IdType::Partner],
            _ => return Ok(false),
        };
        let globals = &context.globals;
        let is_chosen = globals.tenant.is_some() || globals.all_tenants || self.profile.tenant.is_some();
        Ok(is_chosen || !account.contains(&self.identity().await?.id_type))
    }

    /// Lists the tenants, and stores their names for shell completion.
    ///
    /// # Errors
    /// As for [`Client::list_tenants`].
    pub(crate) async fn list_tenants(&self, context: &Context) -> Result<Vec<Tenant>, Failure> {
        let list = self.client.list_tenants().await?;
        for error in &list.errors {
            context.warn(&error.to_string());
        }
        tenant_cache::store(&self.profile.name, &list.tenants);
        Ok(list.tenants)
    }

    /// The tenants of `--all-tenants`, `--tenant`, or the only one of the credential.
    ///
    /// # Errors
    /// When the choice is missing or ambiguous, or the tenant does not exist.
    pub(crate) async fn selected_tenants(&self, context: &Context) -> Result<Vec<SelectedTenant>, Failure> {
        if context.globals.all_tenants {
            let tenants = self.list_tenants(context).await?;
            return Ok(tenants.into_iter().map(|record| SelectedTenant::new(&self.client, record)).collect());
        }
        let tenant = self.selected_tenant(context).await?;
        Ok(vec![SelectedTenant { name: tenant.id().to_string(), client: Ok(tenant) }])
    }

    /// The tenant of `--tenant`, or the only one of the credential.
    ///
    /// # Errors
    /// When the choice is missing or ambiguous, or the tenant does not exist.
    pub(crate) async fn selected_tenant(&self, context: &Context) -> Result<CliTenant, Failure> {
        if context.globals.all_tenants {
            return Err(Failure::usage("--all-tenants is not possible here: expected --tenant NAME|ID"));
        }
        let chosen = context.globals.tenant.as_ref().or(self.profile.tenant.as_ref());
        if let Some(chosen) = chosen {
            return self.find_tenant(context, chosen).await;
        }
        let identity = self.identity().await?;
        if identity.id_type == IdType::Tenant {
            return Ok(self.client.tenant(identity.id.as_str()).await?);
        }
        let tenants = self.list_tenants(context).await?;
        if let [only] = tenants.as_slice() {
            return Ok(self.client.for_tenant(only)?);
        }
        let message = format!("missing tenant: the {} has {} tenants", identity.id_type, tenants.len());
        Err(Failure::usage(message).hint(
            "add --tenant NAME|ID or --all-tenants; `sophos tenants list` shows them; `tenant` in the profile sets a default",
        ))
    }

    /// The tenant of this id or name.
    ///
    /// # Errors
    /// When none or several match.
    pub(crate) async fn find_tenant(&self, context: &Context, chosen: &str) -> Result<CliTenant, Failure> {
        if is_id(chosen) {
            return Ok(self.client.tenant(chosen).await?);
        }
        let tenants = self.list_tenants(context).await?;
        let wanted = chosen.to_lowercase();
        let names = |tenant: &Tenant| {
            [&tenant.name, &tenant.show_as]
                .into_iter()
                .flatten()
                .map(|name| name.to_lowercase())
                .collect::<Vec<_>>()
        };
        let mut found: Vec<_> = tenants.iter().filter(|tenant| names(tenant).contains(&wanted)).collect();
        if found.is_empty() {
            found = tenants
                .iter()
                .filter(|tenant| names(tenant).iter().any(|name| name.contains(&wanted)))
                .collect();
        }
        match found.as_slice() {
            [only] => Ok(self.client.for_tenant(only)?),
            [] => Err(Failure::new(
                Exit::NotFound,
                format!("unknown tenant \"{chosen}\": expected a name or an id"),
            )
            .hint("run `sophos tenants list`")),
            several => {
                let list: Vec<_> = several
                    .iter()
                    .take(5)
                    .map(|tenant| format!("{} ({})", tenant.name.as_deref().unwrap_or_default(), tenant.id))
                    .collect();
                Err(Failure::usage(format!(
                    "ambiguous tenant \"{chosen}\": {} match, such as {}",
                    several.len(),
                    list.join(", ")
                ))
                .hint("use the id"))
            }
        }
    }
}

/// A tenant that a command works on.
#[derive(Debug)]
pub(crate) struct SelectedTenant {
    /// The name, or the id.
    pub(crate) name: String,
    /// Its client, or the reason for its absence.
    pub(crate) client: Result<CliTenant, Failure>,
}

impl SelectedTenant {
    fn new(client: &CliClient, record: Tenant) -> Self {
        let client = client.for_tenant(&record).map_err(Failure::from);
        let name = record.show_as.or(record.name).unwrap_or_else(|| record.id.to_string());
        Self { name, client }
    }
}

/// Whether a text is an id rather than a name.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, character)| match index {
            8 | 13 | 18 | 23 => character == '-',
            _ => character.is_ascii_hexdigit(),
        })
}

/// The hosts of a profile.
///
/// # Errors
/// When an address is invalid, or only one of both is set.
pub(crate) fn hosts(profile: &Profile) -> Result<Hosts, Failure> {
    let hosts = match (&profile.identity_url, &profile.global_url) {
        (None, None) => Hosts::sophos_central(),
        (Some(identity), Some(global)) => Hosts::new(identity.parse()?, global.parse()?),
        _ => return Err(Failure::usage("only one of identity_url and global_url is set: set both")),
    };
    Ok(match &profile.fusion_url {
        Some(fusion) => hosts.with_fusion(fusion.parse()?),
        None => hosts,
    })
}

/// The time since the Unix epoch, for caches.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
