//! The tenants of a credential, stored so that not every plan lists them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use sophos_api::{TenantId, models::Tenant};
use sophos_store::{Store, encode_name};

use crate::error::Error;

const FOLDER: &str = "_plan";

/// The tenants of a credential, as the service listed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantInventory {
    version: u32,
    /// The time of the listing in milliseconds since the Unix epoch.
    pub listed_at_ms: u64,
    /// The tenants, in the order of their ids.
    pub tenants: Vec<TenantRef>,
    /// The errors of tenants whose records are invalid or have no valid host.
    pub skipped: Vec<String>,
}

/// A tenant and its location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRef {
    /// The tenant's id.
    pub id: TenantId,
    /// The API host of its data region, as the service returned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_host: Option<String>,
    /// The code of its data region, such as `eu01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_region: Option<String>,
}

impl TenantRef {
    /// A tenant without a location, which has to be looked up.
    pub fn new(id: impl Into<TenantId>) -> Self {
        Self { id: id.into(), api_host: None, data_region: None }
    }

    /// Whether the location is known.
    pub(crate) fn has_location(&self) -> bool {
        self.api_host.is_some() || self.data_region.is_some()
    }

    /// The location for messages.
    pub(crate) fn location(&self) -> String {
        self.data_region.clone().or_else(|| self.api_host.clone()).unwrap_or_else(|| "unknown".into())
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

/// The move of a tenant to another data region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegionChange {
    /// The tenant's id.
    pub tenant: String,
    /// The previous location: the code of a region, or a host.
    pub from: String,
    /// The current location.
    pub to: String,
}

/// The changes between two listings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InventoryChanges {
    /// The new tenants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// The removed tenants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// The tenants in another data region.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<RegionChange>,
}

impl TenantInventory {
    /// Creates the inventory of a listing at this time.
    pub(crate) fn new(listed_at: Duration, mut tenants: Vec<TenantRef>, skipped: Vec<String>) -> Self {
        tenants.sort_by_cached_key(|tenant| sort_key(&tenant.id));
        tenants.dedup_by(|a, b| a.id == b.id);
        Self { version: 1, listed_at_ms: listed_at.as_millis() as u64, tenants, skipped }
    }

    /// The age of the listing.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_millis(self.listed_at_ms))
    }

    /// The changes since another listing. Empty without one: the first listing would
    /// report all tenants as new.
    pub(crate) fn changes_since(&self, before: Option<&Self>) -> InventoryChanges {
        let mut changes = InventoryChanges::default();
        let Some(before) = before else { return changes };
        let mut known: BTreeMap<_, _> =
            before.tenants.iter().map(|tenant| (sort_key(&tenant.id), tenant)).collect();
        for tenant in &self.tenants {
            match known.remove(&sort_key(&tenant.id)) {
                None => changes.added.push(tenant.id.to_string()),
                Some(before) if tenant.has_location() && before != tenant => {
                    changes.moved.push(RegionChange {
                        tenant: tenant.id.to_string(),
                        from: before.location(),
                        to: tenant.location(),
                    })
                }
                Some(_) => {}
            }
        }
        changes.removed.extend(known.into_values().map(|tenant| tenant.id.to_string()));
        changes
    }

    /// Loads the stored inventory of a credential; `None` if it is missing or invalid.
    pub(crate) async fn load(store: &Store, credential: &str) -> Result<Option<Self>, Error> {
        let Some(bytes) = store.read(&object_path(credential)).await? else { return Ok(None) };
        // An invalid inventory is replaced by the next listing.
        let stored = serde_json::from_slice::<Self>(&bytes).ok();
        Ok(stored.filter(|inventory| inventory.version == 1))
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
