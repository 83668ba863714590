//! The types, statuses, verdicts and sources of a tenant's cases.

use sophos_api::{
    ApiClient,
    fusion::cases::{
        ListCasePrimaryStatuses, ListCasePrimaryVerdicts, ListCaseSecondaryStatuses,
        ListCaseSecondaryVerdicts, ListCaseSources, ListCaseTypes,
    },
};

use crate::{
    connect::{CliTenant, is_id},
    context::Context,
    exit::Failure,
    fusion::moved_tenant,
    json::Json,
    verb::items_of,
};

/// A list of the reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReferenceList {
    Types,
    Statuses,
    SecondaryStatuses,
    Verdicts,
    SecondaryVerdicts,
    Sources,
}

impl ReferenceList {
    const ALL: [Self; 6] = [
        Self::Types,
        Self::Statuses,
        Self::SecondaryStatuses,
        Self::Verdicts,
        Self::SecondaryVerdicts,
        Self::Sources,
    ];

    /// The name of the option that takes an item of the list.
    const fn option(self) -> &'static str {
        match self {
            Self::Types => "type",
            Self::Statuses => "status",
            Self::SecondaryStatuses => "secondary-status",
            Self::Verdicts => "verdict",
            Self::SecondaryVerdicts => "secondary-verdict",
            Self::Sources => "source",
        }
    }

    async fn items(self, tenant: &CliTenant) -> Result<Vec<Json>, Failure> {
        let (page, member) = match self {
            Self::Types => (Json::from_serialize(&tenant.send(&ListCaseTypes::new()).await?), "types"),
            Self::Statuses => (
                Json::from_serialize(&tenant.send(&ListCasePrimaryStatuses::new()).await?),
                "primaryStatuses",
            ),
            Self::SecondaryStatuses => {
                let page = tenant.send(&ListCaseSecondaryStatuses::new()).await?;
                (Json::from_serialize(&page), "secondaryStatuses")
            }
            Self::Verdicts => (
                Json::from_serialize(&tenant.send(&ListCasePrimaryVerdicts::new()).await?),
                "primaryVerdicts",
            ),
            Self::SecondaryVerdicts => {
                let page = tenant.send(&ListCaseSecondaryVerdicts::new()).await?;
                (Json::from_serialize(&page), "secondaryVerdicts")
            }
            Self::Sources => (Json::from_serialize(&tenant.send(&ListCaseSources::new()).await?), "sources"),
        };
        let page =
            page.map_err(|error| Failure::other(format!("reading the {} failed: {error}", self.option())))?;
        Ok(items_of(page, member))
    }

    /// The id of an item, by its id, title or name.
    ///
    /// # Errors
    /// When the tenant has no such item.
    pub(super) async fn find(self, tenant: &CliTenant, value: &str) -> Result<String, Failure> {
        if is_id(value) {
            return Ok(value.to_owned());
        }
        let items = self.items(tenant).await?;
        let text = |item: &Json, name: &str| item.get(name).and_then(Json::as_str).map(str::to_owned);
        let is_meant = |item: &&Json| {
            ["title", "name"]
                .iter()
                .any(|name| text(item, name).is_some_and(|text| text.eq_ignore_ascii_case(value)))
        };
        if let Some(id) = items.iter().find(is_meant).and_then(|item| text(item, "id")) {
            return Ok(id);
        }
        let titles: Vec<_> = items.iter().filter_map(|item| text(item, "title")).collect();
        let message = format!("unknown {} \"{value}\": expected {}", self.option(), titles.join(", "));
        Err(Failure::usage(message).hint("run `sophos fusion cases reference-data`"))
    }
}

/// The id of an optional item.
///
/// # Errors
/// As for [`ReferenceList::find`].
pub(super) async fn find(
    tenant: &CliTenant,
    list: ReferenceList,
    value: Option<&String>,
) -> Result<Option<String>, Failure> {
    match value {
        Some(value) => list.find(tenant, value).await.map(Some),
        None => Ok(None),
    }
}

/// Writes all lists, each item with the option that takes it.
///
/// # Errors
/// When the tenant has not moved, or a request fails.
pub(super) async fn show(context: &Context) -> Result<(), Failure> {
    let tenant = moved_tenant(context).await?;
    let mut records = context.records(&["option", "title", "name", "id"]);
    for list in ReferenceList::ALL {
        for item in list.items(&tenant).await? {
            records.write_json(item.with_first("option", list.option()))?;
        }
    }
    records.finish()?;
    Ok(())
}
