//! Sources that are disabled by their issues.

use std::fmt;

use sophos_api::TenantId;

use super::{ConfigIssue, Source};

/// A source with issues in its table. It creates no decisions, and its existing decisions wait.
#[derive(Debug, Clone)]
pub struct DisabledSource {
    pub(super) name: String,
    pub(super) issues: Vec<ConfigIssue>,
    /// The source, as far as it could be parsed.
    pub(super) source: Option<Source>,
}

impl DisabledSource {
    /// The source's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The issues, by line.
    pub fn issues(&self) -> &[ConfigIssue] {
        &self.issues
    }

    /// The source, if its verification has no issue.
    pub(crate) fn verifiable_source(&self) -> Option<&Source> {
        let verify = format!("sources.{}.verify", self.name);
        let is_verified = !self.issues.iter().any(|issue| issue.key.starts_with(&verify));
        self.source.as_ref().filter(|_| is_verified)
    }

    /// The tenants of the source, as far as they could be parsed.
    pub fn tenants(&self) -> &[TenantId] {
        self.source.as_ref().map_or(&[], |source| &source.tenants)
    }
}

impl fmt::Display for DisabledSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, issue) in self.issues.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{issue}")?;
        }
        Ok(())
    }
}
