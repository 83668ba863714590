use std::{
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};

/// The id of a tenant: one customer's account.
///
/// It is a UUID in either case on the wire, so the comparison ignores the case.
///
/// ```
/// use sophos_api::TenantId;
///
/// let id = TenantId::from("11F104C5-CC4A-4A9F-BB9C-632C936DFB9F");
/// assert_eq!(id, TenantId::from("11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"));
/// assert_eq!(id.as_str(), "11F104C5-CC4A-4A9F-BB9C-632C936DFB9F");
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    /// The id as the service wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<String>> From<S> for TenantId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

impl PartialEq for TenantId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for TenantId {}

impl Hash for TenantId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
