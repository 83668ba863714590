//! Sources that mistakes keep from acting.

use std::fmt;

use sophos_api::TenantId;

use super::{ConfigIssue, Source};

/// A source with mistakes in its table. It begins no decision, and those that
/// it began wait.
#[derive(Debug, Clone)]
pub struct DisabledSource {
    pub(super) name: String,
    pub(super) issues: Vec<ConfigIssue>,
    /// As much of it as could be read.
    pub(super) source: Option<Source>,
}

impl DisabledSource {
    /// The source's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The mistakes, by line.
    pub fn issues(&self) -> &[ConfigIssue] {
        &self.issues
    }

    /// The source, where no mistake is in how it proves itself.
    pub(crate) fn verifiable_source(&self) -> Option<&Source> {
        let verify = format!("sources.{}.verify", self.name);
        let is_verified = !self.issues.iter().any(|mistake| mistake.key.starts_with(&verify));
        self.source.as_ref().filter(|_| is_verified)
    }

    /// The tenants that it names, as far as they can be read.
    pub fn tenants(&self) -> &[TenantId] {
        self.source.as_ref().map_or(&[], |source| &source.tenants)
    }
}

impl fmt::Display for DisabledSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.issues.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{mistake}")?;
        }
        Ok(())
    }
}
