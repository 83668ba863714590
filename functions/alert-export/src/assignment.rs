//! Which credential serves which tenant.

use std::collections::HashSet;

use sophos_api::{Owner, TenantId, models::IdType};
use sophos_export::Member;

/// The tenants of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) credential: String,
    pub(crate) tenants: Vec<Member>,
}

/// How near a credential is to a tenant: its own first, then its
/// organization's, then its partner's.
pub(crate) fn nearness(owner: Option<&Owner>) -> u8 {
    match owner.map(|owner| &owner.id_type) {
        Some(IdType::Tenant) => 0,
        Some(IdType::Organization) => 1,
        Some(_) => 2,
        // What does not say whom it serves serves what is left.
        None => 3,
    }
}

/// Gives each tenant to the first credential that reaches it, in the order given.
pub(crate) fn assign(mut reached: Vec<Served>) -> Vec<Served> {
    let mut served = HashSet::<TenantId>::new();
    for credential in &mut reached {
        credential.tenants.retain(|tenant| served.insert(tenant.id.clone()));
    }
    reached
}

/// The tenants of all credentials, in turns: one credential's thousands come
/// not before another's few.
pub(crate) fn in_turns(served: &[Served]) -> Vec<(&str, &Member)> {
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

    fn served(credential: &str, tenants: &[&str]) -> Served {
        Served {
            credential: credential.into(),
            tenants: tenants.iter().map(|tenant| Member::of(*tenant)).collect(),
        }
    }

    #[test]
    fn each_tenant_is_served_once_by_the_nearest_credential() {
        let owner = |kind| Owner::new(kind, "an-id");
        let owners = [
            Some(owner(IdType::Tenant)),
            Some(owner(IdType::Organization)),
            Some(owner(IdType::Partner)),
            None,
        ];
        assert!(owners.iter().map(|owner| nearness(owner.as_ref())).is_sorted_by(|a, b| a < b));
        let given =
            vec![served("own", &["B"]), served("partner", &["a", "b", "c"]), served("rest", &["C", "d"])];
        let expected = [served("own", &["B"]), served("partner", &["a", "c"]), served("rest", &["d"])];
        assert_eq!(assign(given), expected);
    }

    #[test]
    fn credentials_take_turns() {
        let served = [served("large", &["a", "b", "c"]), served("small", &["x"]), served("none", &[])];
        let turns: Vec<_> =
            in_turns(&served).iter().map(|(name, tenant)| (*name, tenant.id.as_str())).collect();
        assert_eq!(turns, [("large", "a"), ("small", "x"), ("large", "b"), ("large", "c")]);
    }
}
