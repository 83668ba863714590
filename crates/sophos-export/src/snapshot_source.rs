//! The operations that a snapshot reads: listings, page by page, and single responses.

use serde::Serialize;
use serde_json::Value;
use sophos_api::{
    Error, KeyedPage, NumberedPage, Operation, Paged, Raw, Route,
    models::EndpointView,
    operations::{
        common::admins::ListAdmins,
        endpoint::{
            allowed_items::ListAllowedItems,
            blocked_addresses::ListBlockedAddresses,
            blocked_items::ListBlockedItems,
            endpoints::{ListEndpoints, MAX_PAGE_SIZE},
            exploit_mitigation::ListMitigatedApplications,
            intrusion_prevention_exclusions::ListIntrusionPreventionExclusions,
            isolation_exclusions::ListIsolationExclusions,
            policies::ListPolicies,
            scanning_exclusions::ListScanningExclusions,
            web_control::ListTlsExcludedWebsites,
        },
        firewall::{firewall_groups::ListFirewallGroups, firewalls::ListFirewalls},
        licenses::product_licenses::ListFirewallLicenses,
    },
};

/// A listing that a snapshot reads to its end.
pub(crate) trait Listing: Paged {
    /// The records of a page, which the service accepts.
    const PAGE_SIZE: u32;
    /// Whether pages have keys, so that a change of the listing moves no record to
    /// another page. Otherwise they have numbers.
    const IS_KEYED: bool = false;
    /// The member of a record that identifies it.
    const ID_MEMBER: &'static str = "id";

    /// The page at this position; the first if `None`.
    fn page(position: Option<&str>, size: u32) -> Self;

    /// The position of this page.
    fn position(&self) -> Option<String>;

    /// The number of records in all pages, if the service returned it.
    fn total(page: &Self::Response) -> Option<u64>;
}

impl Listing for ListEndpoints {
    const PAGE_SIZE: u32 = MAX_PAGE_SIZE;
    const IS_KEYED: bool = true;

    fn page(position: Option<&str>, size: u32) -> Self {
        let mut operation = Self::new();
        operation.view = Some(EndpointView::Full);
        operation.page_size = Some(size);
        operation.page_from_key = position.map(str::to_owned);
        operation
    }

    fn position(&self) -> Option<String> {
        self.page_from_key.clone()
    }

    fn total(page: &KeyedPage<Self::Item>) -> Option<u64> {
        page.pages.items
    }
}

macro_rules! impl_numbered_listing {
    ($($operation:ty, $page_size:literal, $id:literal;)+) => {$(
        impl Listing for $operation {
            const PAGE_SIZE: u32 = $page_size;
            const ID_MEMBER: &'static str = $id;

            fn page(position: Option<&str>, size: u32) -> Self {
                let mut operation = Self::new().page_size(size).page_total(true);
                operation.page = position.and_then(|number| number.parse().ok());
                operation
            }

            fn position(&self) -> Option<String> {
                self.page.map(|number| number.to_string())
            }

            fn total(page: &NumberedPage<Self::Item>) -> Option<u64> {
                page.pages.items
            }
        }
    )+};
}

impl_numbered_listing! {
    ListPolicies, 100, "id";
    ListScanningExclusions, 100, "id";
    ListIsolationExclusions, 100, "id";
    ListIntrusionPreventionExclusions, 100, "id";
    ListAllowedItems, 100, "id";
    ListBlockedItems, 100, "id";
    ListBlockedAddresses, 100, "id";
    ListMitigatedApplications, 100, "id";
    ListTlsExcludedWebsites, 100, "value";
    ListFirewallLicenses, 100, "serialNumber";
    ListFirewalls, 100, "id";
    ListFirewallGroups, 100, "id";
    ListAdmins, 100, "id";
}

/// An operation whose response stays as the service sent it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Verbatim<O>(pub(crate) O);

impl<O: Operation> Operation for Verbatim<O> {
    type Response = Raw<Value>;
    const ROUTE: Route = O::ROUTE;

    fn validate(&self) -> Result<(), Error> {
        self.0.validate()
    }
}

/// The path of an operation as the source in rows.
pub(crate) fn source_path<O: Operation>() -> &'static str {
    O::ROUTE.path.trim_start_matches('/')
}
