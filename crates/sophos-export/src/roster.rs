//! The tenants that a credential reaches, kept so that not every plan asks for
//! them.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use sophos_api::{TenantId, models::Tenant};
use sophos_store::{Store, file_name};

use crate::error::Error;

const FOLDER: &str = "_plan";

/// The tenants that a credential reaches, as the service listed them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Roster {
    version: u32,
    /// When they were listed, in milliseconds since the Unix epoch.
    pub listed_at_ms: u64,
    /// The tenants, in the order of their ids.
    pub tenants: Vec<Member>,
    /// Of each tenant that could not be read or leads to no host, why.
    pub unusable: Vec<String>,
}

/// A tenant, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub id: TenantId,
    /// The host of its data region, as the service named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_host: Option<String>,
    /// The code of its data region, such as `eu01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_region: Option<String>,
}

impl Member {
    /// A tenant of which only the id is known: where it is will be asked.
    pub fn of(id: impl Into<TenantId>) -> Self {
        Self { id: id.into(), api_host: None, data_region: None }
    }

    /// Whether it is known where it is.
    pub(crate) fn has_place(&self) -> bool {
        self.api_host.is_some() || self.data_region.is_some()
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        self.data_region.clone().or_else(|| self.api_host.clone()).unwrap_or_else(|| "nowhere known".into())
    }

    pub(crate) fn record(&self) -> Tenant {
        let mut record = Tenant::default();
        record.id = self.id.clone();
        record.api_host = self.api_host.clone();
        record.data_region = self.data_region.clone();
        record
    }
}

impl From<&Tenant> for Member {
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
pub struct Moved {
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
pub struct Changes {
    /// Tenants that were not there before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<String>,
    /// Tenants that are no longer there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// Tenants that are elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
}

impl Roster {
    /// A roster of what was listed at this time.
    pub(crate) fn new(listed_at: Duration, mut tenants: Vec<Member>, unusable: Vec<String>) -> Self {
        tenants.sort_by_cached_key(|member| key(&member.id));
        tenants.dedup_by(|a, b| a.id == b.id);
        Self { version: 1, listed_at_ms: listed_at.as_millis() as u64, tenants, unusable }
    }

    /// How old it is.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_millis(self.listed_at_ms))
    }

    /// What has changed since another listing. Since none, nothing: that all
    /// are new tells nobody anything.
    pub(crate) fn since(&self, before: Option<&Self>) -> Changes {
        let mut changes = Changes::default();
        let Some(before) = before else { return changes };
        let mut known: BTreeMap<_, _> =
            before.tenants.iter().map(|member| (key(&member.id), member)).collect();
        for member in &self.tenants {
            match known.remove(&key(&member.id)) {
                None => changes.new.push(member.id.to_string()),
                Some(before) if member.has_place() && before != member => changes.moved.push(Moved {
                    tenant: member.id.to_string(),
                    from: before.place(),
                    to: member.place(),
                }),
                Some(_) => {}
            }
        }
        changes.gone.extend(known.into_values().map(|member| member.id.to_string()));
        changes
    }

    /// The roster of a credential that was kept, if one was that can be read.
    pub(crate) async fn read(store: &Store, credential: &str) -> Result<Option<Self>, Error> {
        let Some(bytes) = store.read(&path(credential)).await? else { return Ok(None) };
        // It can be had again: what cannot be read is as good as none.
        let read = serde_json::from_slice::<Self>(&bytes).ok();
        Ok(read.filter(|roster| roster.version == 1))
    }

    pub(crate) async fn keep(&self, store: &Store, credential: &str) -> Result<(), Error> {
        let body = serde_json::to_vec(self).map_err(std::io::Error::from)?;
        Ok(store.write(&path(credential), body).await?)
    }
}

fn key(id: &TenantId) -> String {
    id.as_str().to_ascii_lowercase()
}

fn path(credential: &str) -> String {
    format!("{FOLDER}/{}.json", file_name(credential))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, region: &str) -> Member {
        Member { data_region: Some(region.into()), ..Member::of(id) }
    }

    fn roster(tenants: &[(&str, &str)]) -> Roster {
        let tenants = tenants.iter().map(|(id, region)| member(id, region)).collect();
        Roster::new(Duration::from_secs(60), tenants, Vec::new())
    }

    #[test]
    fn what_has_changed_is_told_by_tenant() {
        let before = roster(&[("a", "eu01"), ("b", "eu01"), ("c", "us01")]);
        let after = roster(&[("d", "eu01"), ("C", "eu02"), ("a", "eu01")]);
        let moved = Moved { tenant: "C".into(), from: "us01".into(), to: "eu02".into() };
        let changes = Changes { new: vec!["d".into()], gone: vec!["b".into()], moved: vec![moved] };
        assert_eq!(after.since(Some(&before)), changes);
        assert_eq!(after.since(Some(&after)), Changes::default());
        assert_eq!(after.since(None), Changes::default());
        assert_eq!(after.age(Duration::from_secs(90)), Duration::from_secs(30));
    }
}
