//! The tenants that have moved to Sophos Fusion, for `sophos config test`.

use std::fmt;

use futures_util::{StreamExt, stream};
use serde::Serialize;
use sophos_api::{Platform, models::Tenant};

use crate::{
    connect::{Session, hosts},
    exit::Failure,
};

/// The tenants that are tested, the first of the listing.
const MAX_TESTED_TENANTS: usize = 50;

/// The tenants that are tested at once.
const MAX_CONCURRENT_TESTS: usize = 8;

/// The names of moved tenants in the text.
const MAX_SHOWN_NAMES: usize = 5;

/// The tenants that have moved, of those that were tested.
#[derive(Debug, Serialize)]
pub(super) struct FusionReport {
    /// The number of tenants of the credential.
    tenants: usize,
    /// The number of tenants whose platform is known.
    tested: usize,
    moved: Vec<MovedTenant>,
}

#[derive(Debug, Serialize)]
struct MovedTenant {
    id: String,
    name: String,
}

impl fmt::Display for FusionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tested, tenants) = (self.tested, self.tenants);
        let names: Vec<_> =
            self.moved.iter().take(MAX_SHOWN_NAMES).map(|tenant| tenant.name.as_str()).collect();
        let count = self.moved.len();
        match count {
            0 if (tested, tenants) == (1, 1) => return f.write_str("not moved"),
            _ if (tested, tenants) == (1, 1) => return f.write_str("moved"),
            0 => f.write_str("no tenant has moved")?,
            _ => write!(f, "{count} moved: {}", names.join(", "))?,
        }
        if count > names.len() {
            write!(f, " and {} more", count - names.len())?;
        }
        write!(f, " (tested {tested} of {tenants})")
    }
}

/// Reads the platform of the first tenants. A tenant that fails is counted in a warning.
/// `None` without tenants, and for a simulator or a gateway without a host of Sophos Fusion.
///
/// # Errors
/// When a host of the profile is invalid.
pub(super) async fn run(
    session: &Session,
    tenants: &[Tenant],
    warnings: &mut Vec<String>,
) -> Result<Option<FusionReport>, Failure> {
    if tenants.is_empty() || hosts(&session.profile)?.fusion().is_none() {
        return Ok(None);
    }
    let mut report = FusionReport { tenants: tenants.len(), tested: 0, moved: Vec::new() };
    let (mut failed, mut first) = (0_usize, None);
    let tests = tenants.iter().take(MAX_TESTED_TENANTS).map(|tenant| async move {
        let platform = match session.client.for_tenant(tenant) {
            Ok(client) => client.platform().await,
            Err(error) => Err(error),
        };
        (tenant, platform)
    });
    let mut results = stream::iter(tests).buffered(MAX_CONCURRENT_TESTS);
    while let Some((tenant, platform)) = results.next().await {
        match platform {
            Ok(platform) => {
                report.tested += 1;
                if platform == Platform::Fusion {
                    report.moved.push(MovedTenant::new(tenant));
                }
            }
            Err(error) => {
                failed += 1;
                first.get_or_insert(error);
            }
        }
    }
    if let Some(error) = first {
        warnings.push(format!("the test for Sophos Fusion failed for {failed} tenants, first with: {error}"));
    }
    Ok(Some(report))
}

impl MovedTenant {
    fn new(tenant: &Tenant) -> Self {
        let name = tenant.show_as.as_ref().or(tenant.name.as_ref());
        Self { id: tenant.id.to_string(), name: name.cloned().unwrap_or_else(|| tenant.id.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fusion_report_tells_how_many_were_tested() {
        let text = |tenants, tested, moved: usize| {
            let moved = (0..moved).map(|index| MovedTenant { id: String::new(), name: format!("T{index}") });
            FusionReport { tenants, tested, moved: moved.collect() }.to_string()
        };
        assert_eq!(text(1, 1, 0), "not moved");
        assert_eq!(text(1, 1, 1), "moved");
        assert_eq!(text(1500, 50, 0), "no tenant has moved (tested 50 of 1500)");
        assert_eq!(text(9, 9, 2), "2 moved: T0, T1 (tested 9 of 9)");
        assert_eq!(text(9, 8, 7), "7 moved: T0, T1, T2, T3, T4 and 2 more (tested 8 of 9)");
    }
}
