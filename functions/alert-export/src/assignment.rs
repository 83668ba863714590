//! The assignment of tenants to credentials.

use std::collections::HashSet;

use sophos_api::{Owner, TenantId, models::IdType};
use sophos_export::TenantRef;

/// The tenants of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TenantAssignment {
    pub(crate) credential: String,
    pub(crate) tenants: Vec<TenantRef>,
}

/// The specificity of a credential: a tenant's own first, then its organization's, then
/// its partner's.
pub(crate) fn specificity(owner: Option<&Owner>) -> u8 {
    match owner.map(|owner| &owner.id_type) {
        Some(IdType::Tenant) => 0,
        Some(IdType::Organization) => 1,
        Some(_) => 2,
        // A credential without an owner serves the rest.
        None => 3,
    }
}

/// Assigns each tenant to its first credential, in the given order.
pub(crate) fn assign(mut assignments: Vec<TenantAssignment>) -> Vec<TenantAssignment> {
    let mut assigned = HashSet::<TenantId>::new();
    for credential in &mut assignments {
        credential.tenants.retain(|tenant| assigned.insert(tenant.id.clone()));
    }
    assignments
}

/// Interleaves the tenants of all credentials, so that a large credential does not delay a
/// small one.
pub(crate) fn interleave(assignments: &[TenantAssignment]) -> Vec<(&str, &TenantRef)> {
    let longest = assignments.iter().map(|credential| credential.tenants.len()).max().unwrap_or_default();
    let round = |number| {
        assignments.iter().filter_map(move |credential| {
            Some((credential.credential.as_str(), credential.tenants.get(number)?))
        })
    };
    (0..longest).flat_map(round).collect()
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
        let assignments =
            [assignment("large", &["a", "b", "c"]), assignment("small", &["x"]), assignment("none", &[])];
        let order: Vec<_> =
            interleave(&assignments).iter().map(|(name, tenant)| (*name, tenant.id.as_str())).collect();
        assert_eq!(order, [("large", "a"), ("small", "x"), ("large", "b"), ("large", "c")]);
    }
}
