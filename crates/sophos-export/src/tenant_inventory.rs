//! The tenants that a credential reaches, kept so that not every plan asks for
//! them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use sophos_api::{TenantId, models::Tenant};
use sophos_store::{Store, encode_name};

use crate::error::Error;

const FOLDER: &str = "_plan";

/// The tenants that a credential reaches, as the service listed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantInventory {
    version: u32,
    /// When they were listed, in milliseconds since the Unix epoch.
    pub listed_at_ms: u64,
    /// The tenants, in the order of their ids.
    pub tenants: Vec<TenantRef>,
    /// Of each tenant that could not be read or leads to no host, why.
    pub skipped: Vec<String>,
}

/// A tenant, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRef {
    /// Its id.
    pub id: TenantId,
    /// The host of its data region, as the service named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_host: Option<String>,
    /// The code of its data region, such as `eu01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_region: Option<String>,
}

impl TenantRef {
    /// A tenant of which only the id is known: where it is will be asked.
    pub fn new(id: impl Into<TenantId>) -> Self {
        Self { id: id.into(), api_host: None, data_region: None }
    }

    /// Whether it is known where it is.
    pub(crate) fn has_location(&self) -> bool {
        self.api_host.is_some() || self.data_region.is_some()
    }

    /// Where it is, for people.
    pub(crate) fn location(&self) -> String {
        self.data_region.clone().or_else(|| self.api_host.clone()).unwrap_or_else(|| "nowhere known".into())
    }

    pub(crate) fn to_tenant(&self) -> Tenant {
        let mut record = Tenant::default();
        record.id = self.id.clone();
        record.api_host = self.api_host.clone();
        record.data_region = self.data_region.clone();
        record
    }
}

impl From<&Tenant> for TenantRef {
    fn from(tenant: &Tenant) -> Self {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Self {
            id: tenant.id.clone(),
            api_host: given(&tenant.api_host),
            data_region: given(&tenant.data_region),
        }
    }
}

/// A tenant that is in another data region than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegionChange {
    /// The tenant's id.
    pub tenant: String,
    /// Where it was: the code of a region, or a host.
    pub from: String,
    /// Where it is.
    pub to: String,
}

/// What has changed from one listing to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InventoryChanges {
    /// Tenants that were not there before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Tenants that are no longer there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Tenants that are elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<RegionChange>,
}

impl TenantInventory {
    /// A roster of what was listed at this time.
    pub(crate) fn new(listed_at: Duration, mut tenants: Vec<TenantRef>, unusable: Vec<String>) -> Self {
        tenants.sort_by_cached_key(|member| sort_key(&member.id));
        tenants.dedup_by(|a, b| a.id == b.id);
        Self { version: 1, listed_at_ms: listed_at.as_millis() as u64, tenants, skipped: unusable }
    }

    /// How old it is.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_millis(self.listed_at_ms))
    }

    /// What has changed since another listing. Since none, nothing: that all
    /// are new tells nobody anything.
    pub(crate) fn changes_since(&self, before: Option<&Self>) -> InventoryChanges {
        let mut changes = InventoryChanges::default();
        let Some(before) = before else { return changes };
        let mut known: BTreeMap<_, _> =
            before.tenants.iter().map(|member| (sort_key(&member.id), member)).collect();
        for member in &self.tenants {
            match known.remove(&sort_key(&member.id)) {
                None => changes.added.push(member.id.to_string()),
                Some(before) if member.has_location() && before != member => {
                    changes.moved.push(RegionChange {
                        tenant: member.id.to_string(),
                        from: before.location(),
                        to: member.location(),
                    })
                }
                Some(_) => {}
            }
        }
        changes.removed.extend(known.into_values().map(|member| member.id.to_string()));
        changes
    }

    /// The roster of a credential that was kept, if one was that can be read.
    pub(crate) async fn load(store: &Store, credential: &str) -> Result<Option<Self>, Error> {
        let Some(bytes) = store.read(&object_path(credential)).await? else { return Ok(None) };
        // It can be had again: what cannot be read is as good as none.
        let read = serde_json::from_slice::<Self>(&bytes).ok();
        Ok(read.filter(|roster| roster.version == 1))
    }

    pub(crate) async fn save(&self, store: &Store, credential: &str) -> Result<(), Error> {
        let body = serde_json::to_vec(self).map_err(std::io::Error::from)?;
        Ok(store.write(&object_path(credential), body).await?)
    }
}

fn sort_key(id: &TenantId) -> String {
    id.as_str().to_ascii_lowercase()
}

fn object_path(credential: &str) -> String {
    format!("{FOLDER}/{}.json", encode_name(credential))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant_ref(id: &str, region: &str) -> TenantRef {
        TenantRef { data_region: Some(region.into()), ..TenantRef::new(id) }
    }

    fn inventory(tenants: &[(&str, &str)]) -> TenantInventory {
        let tenants = tenants.iter().map(|(id, region)| tenant_ref(id, region)).collect();
        TenantInventory::new(Duration::from_secs(60), tenants, Vec::new())
    }

    #[test]
    fn inventory_lists_changes_by_tenant() {
        let before = inventory(&[("a", "eu01"), ("b", "eu01"), ("c", "us01")]);
        let after = inventory(&[("d", "eu01"), ("C", "eu02"), ("a", "eu01")]);
        let moved = RegionChange { tenant: "C".into(), from: "us01".into(), to: "eu02".into() };
        let changes =
            InventoryChanges { added: vec!["d".into()], removed: vec!["b".into()], moved: vec![moved] };
        assert_eq!(after.changes_since(Some(&before)), changes);
        assert_eq!(after.changes_since(Some(&after)), InventoryChanges::default());
        assert_eq!(after.changes_since(None), InventoryChanges::default());
        assert_eq!(after.age(Duration::from_secs(90)), Duration::from_secs(30));
    }
}
