//! Licenses of a tenant and of its firewalls: `/licenses/v1/licenses`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Returns the licenses of a tenant.
    pub struct ListLicenses = GET "/licenses/v1/licenses" (tenant global) -> TenantLicenses {}
}

operation! {
    /// Lists the claimed firewalls with their licenses.
    ///
    /// A [`TenantClient`](crate::TenantClient) lists those of its tenant, a partner's
    /// [`Client`](crate::Client) those of the partner.
    pub struct ListFirewallLicenses = GET "/licenses/v1/licenses/firewalls" (tenant or partner global)
        -> NumberedPage<LicensedFirewall> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order, such as `name:asc`.
        sort: [String],
    }
}

model! {
    /// The licenses of a tenant.
    pub struct TenantLicenses {
        /// The organization.
        organization: Reference,
        /// The tenant.
        tenant: Reference,
        /// The licenses.
        licenses: Vec<License>,
    }
}

model! {
    /// A license.
    pub struct License {
        /// The license's id.
        id as id: String,
        /// The identifier of the license.
        license_identifier: String,
        /// The product.
        product: LicensedProduct,
        /// The first day, such as `2026-01-31`.
        start_date: String,
        /// Whether the license has no end.
        perpetual: bool,
        /// The type.
        r#type: LicenseType,
        /// Whether the quantity is unlimited.
        unlimited: bool,
        /// The last day.
        end_date: String,
        /// The licensed quantity.
        quantity: i64,
        /// The usage.
        usage: LicenseUsage,
    }
}

model! {
    /// A licensed product.
    pub struct LicensedProduct {
        /// The product code.
        code: String,
        /// The name.
        name: String,
        /// The product code without the model.
        generic_code: String,
    }
}

model! {
    /// A firewall with its licenses.
    pub struct LicensedFirewall {
        /// The serial number.
        serial_number: String,
        /// The owner of the licenses.
        owner: LicenseOwner,
        /// The model.
        model: String,
        /// The kind of model: `hardware` or `virtual`.
        model_type: String,
        /// The licenses.
        licenses: Vec<License>,
        /// The organization.
        organization: Reference,
        /// The partner.
        partner: Reference,
        /// The tenant.
        tenant: Reference,
        /// The tenant that is billed.
        billing_tenant: Reference,
        /// The time of the last report.
        last_seen_at: Timestamp,
    }
}

model! {
    /// The owner of a firewall's licenses.
    pub struct LicenseOwner {
        /// The owner's id.
        id as id: String,
        /// The kind of account: `organization` or `partner`.
        r#type: String,
    }
}

model! {
    /// The usage of a license.
    pub struct LicenseUsage {
        /// The current usage.
        current: UsageCount,
    }
}

model! {
    /// The usage of a license at a time.
    pub struct UsageCount {
        /// The used quantity.
        count: i64,
        /// The day of the count.
        date: String,
        /// The time of the count.
        collected_at: Timestamp,
    }
}

open_enum! {
    /// The type of a license.
    pub enum LicenseType {
        /// Enterprise.
        Enterprise = "enterprise",
        /// Ordered.
        Ordered = "ordered",
        /// Perpetual.
        Perpetual = "perpetual",
        /// Term.
        Term = "term",
        /// Trial.
        Trial = "trial",
        /// Usage.
        Usage = "usage",
    }
}

listed! {
    ListLicenses
    ListFirewallLicenses
}
