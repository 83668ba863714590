//! Detection of secrets shared by sources, or by a source and the approval links.

use std::collections::{BTreeMap, HashMap};

use super::{
    Source,
    section::{Item, Section},
};
use crate::signal::clean;

/// Rejects an approval secret that is also a source's, because the source could approve its own
/// alerts. Warns of sources that share a secret.
pub(super) fn check_shared_secrets<'a, 'i>(
    table: &Section<'a, 'i>,
    sources: &BTreeMap<String, Source>,
    approval: Option<(&str, &Item<'a, 'i>)>,
) {
    let mut first: HashMap<String, &str> = HashMap::new();
    for (name, item) in table.entries() {
        // A source with issues is disabled and authenticates nothing.
        let secret = sources.get(name).and_then(|source| source.verification.secret_name());
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { continue };
        let stored = canonical_name(secret);
        if let Some((own, approval)) = approval
            && canonical_name(own) == stored
        {
            approval.error(format!(
                "shared secret: the source {} could approve its own alerts; use a separate secret for approval links",
                clean(name)
            ));
        }
        match first.get(&stored) {
            Some(other) => item.warn(format!(
                "shared secret: a signature for the source {} is also valid for this one; use separate secrets",
                clean(other)
            )),
            None => _ = first.insert(stored, name),
        }
    }
}

/// The secret's name in the store that distinguishes the fewest names: environment variables, which
/// ignore case and punctuation.
fn canonical_name(secret: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    secret.chars().map(sign).collect()
}
