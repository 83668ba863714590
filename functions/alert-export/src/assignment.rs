//! Which credential serves which tenant.

use std::collections::HashSet;

use sophos_api::{Owner, TenantId, models::IdType};
use sophos_export::TenantRef;

/// The tenants of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TenantAssignment {
    pub(crate) credential: String,
    pub(crate) tenants: Vec<TenantRef>,
}

/// How near a credential is to a tenant: its own first, then its
/// organization's, then its partner's.
pub(crate) fn specificity(owner: Option<&Owner>) -> u8 {
    match owner.map(|owner| &owner.id_type) {
        Some(IdType::Tenant) => 0,
        Some(IdType::Organization) => 1,
        Some(_) => 2,
        // What does not say whom it serves serves what is left.
        None => 3,
    }
}

/// Gives each tenant to the first credential that reaches it, in the order given.
pub(crate) fn assign(mut reached: Vec<TenantAssignment>) -> Vec<TenantAssignment> {
    let mut served = HashSet::<TenantId>::new();
    for credential in &mut reached {
        credential.tenants.retain(|tenant| served.insert(tenant.id.clone()));
    }
    reached
}

/// The tenants of all credentials, in turns: one credential's thousands come
/// not before another's few.
pub(crate) fn interleave(served: &[TenantAssignment]) -> Vec<(&str, &TenantRef)> {
    let longest = served.iter().map(|credential| credential.tenants.len()).max().unwrap_or_default();
    let turn = |number| {
        served.iter().filter_map(move |credential| {
            Some((credential.credential.as_str(), credential.tenants.get(number)?))
        })
    };
    (0..longest).flat_map(turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(credential: &str, tenants: &[&str]) -> TenantAssignment {
        TenantAssignment {
            credential: credential.into(),
            tenants: tenants.iter().map(|tenant| TenantRef::new(*tenant)).collect(),
        }
    }

    #[test]
    fn assign_gives_each_tenant_to_the_most_specific_credential() {
        let owner = |kind| Owner::new(kind, "an-id");
        let owners = [
            Some(owner(IdType::Tenant)),
            Some(owner(IdType::Organization)),
            Some(owner(IdType::Partner)),
            None,
        ];
        assert!(owners.iter().map(|owner| specificity(owner.as_ref())).is_sorted_by(|a, b| a < b));
        let given = vec![
            assignment("own", &["B"]),
            assignment("partner", &["a", "b", "c"]),
            assignment("rest", &["C", "d"]),
        ];
        let expected =
            [assignment("own", &["B"]), assignment("partner", &["a", "c"]), assignment("rest", &["d"])];
        assert_eq!(assign(given), expected);
    }

    #[test]
    fn interleave_alternates_between_credentials() {
        let served =
            [assignment("large", &["a", "b", "c"]), assignment("small", &["x"]), assignment("none", &[])];
        let turns: Vec<_> =
            interleave(&served).iter().map(|(name, tenant)| (*name, tenant.id.as_str())).collect();
        assert_eq!(turns, [("large", "a"), ("small", "x"), ("large", "b"), ("large", "c")]);
    }
}
