//! The names of tenants, for shell completion.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use sophos_api::models::Tenant;

#[derive(Serialize, Deserialize)]
struct CachedTenant {
    id: String,
    name: String,
}

/// Stores the names of a profile's tenants. A failure only costs completion.
pub(crate) fn store(profile: &str, tenants: &[Tenant]) {
    let names: Vec<_> = tenants
        .iter()
        .map(|tenant| CachedTenant {
            id: tenant.id.to_string(),
            name: tenant.show_as.clone().or_else(|| tenant.name.clone()).unwrap_or_default(),
        })
        .collect();
    let (Some(path), Ok(text)) = (path(profile), serde_json::to_string(&names)) else { return };
    let unchanged = fs::read_to_string(&path).is_ok_and(|old| old == text);
    if !unchanged && let Some(folder) = path.parent() {
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
    }
}

/// The stored names and ids.
pub(crate) fn load(profile: &str) -> Vec<(String, String)> {
    let text = path(profile).and_then(|path| fs::read_to_string(path).ok());
    let tenants: Vec<CachedTenant> =
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    tenants.into_iter().map(|tenant| (tenant.name, tenant.id)).collect()
}

fn path(profile: &str) -> Option<PathBuf> {
    use etcetera::BaseStrategy;

    let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("sophos");
    let name: String = profile.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    Some(folder.join(format!("tenants-{name}.json")))
}
