//! Secrets that more than one sender, or a sender and the approval links, have.

use std::collections::{BTreeMap, HashMap};

use super::{
    Source,
    section::{Item, Section},
};
use crate::signal::clean;

/// Notes that the key of approval links is a sender's, who could approve its own
/// alerts, and warns of sources that share a key.
pub(super) fn check_shared_secrets<'a, 'i>(
    table: &Section<'a, 'i>,
    sources: &BTreeMap<String, Source>,
    approval: Option<(&str, &Item<'a, 'i>)>,
) {
    let mut first: HashMap<String, &str> = HashMap::new();
    for (name, item) in table.entries() {
        // What could not be read is disabled, and proves nothing.
        let secret = sources.get(name).and_then(|source| source.verification.secret_name());
        let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { continue };
        let stored = canonical_name(secret);
        if let Some((own, approval)) = approval
            && canonical_name(own) == stored
        {
            approval.error(format!(
                "is the secret of the source {} as well, which could approve its own alerts: give the links a secret of their own",
                clean(name)
            ));
        }
        match first.get(&stored) {
            Some(other) => item.warn(format!(
                "has the secret of the source {}: what is signed for one is good for the other; give each a secret of its own",
                clean(other)
            )),
            None => _ = first.insert(stored, name),
        }
    }
}

/// The name of a secret in the store that tells the fewest names apart: variables
/// make no difference of case and of signs.
fn canonical_name(secret: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    secret.chars().map(sign).collect()
}
