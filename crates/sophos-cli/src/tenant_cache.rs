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

/// The stored names and ids, of the profile that stored last if none is given.
pub(crate) fn load(profile: Option<&str>) -> Vec<(String, String)> {
    let text = profile.map_or_else(latest, path).and_then(|path| fs::read_to_string(path).ok());
    let tenants: Vec<CachedTenant> =
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    tenants.into_iter().map(|tenant| (tenant.name, tenant.id)).collect()
}

/// The file of the profile that stored last.
fn latest() -> Option<PathBuf> {
    let files = fs::read_dir(path("")?.parent()?).ok()?;
    let changed = |file: &fs::DirEntry| file.metadata().and_then(|metadata| metadata.modified()).ok();
    files.filter_map(Result::ok).max_by_key(changed).map(|file| file.path())
}

fn path(profile: &str) -> Option<PathBuf> {
    use etcetera::BaseStrategy;

    let folder = etcetera::choose_base_strategy().ok()?.cache_dir().join("sophos");
    let name: String = profile.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    Some(folder.join(format!("tenants-{name}.json")))
}
