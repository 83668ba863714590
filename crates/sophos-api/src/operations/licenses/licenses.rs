//! Licensing: `/licenses/v1/licenses` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A license.
    pub struct License {
        /// The organization.
        organization: Reference,
        /// The tenant.
        tenant: Reference,
        /// The licenses.
        licenses: Vec<LicenseLicense>,
    }
}

model! {
    /// A license license.
    pub struct LicenseLicense {
        /// The id.
        id as id: String,
        /// The license identifier.
        license_identifier: String,
        /// The product.
        product: LicenseLicenseProduct,
        /// The start date.
        start_date: String,
        /// Whether `perpetual` is set.
        perpetual: bool,
        /// The type.
        r#type: String,
        /// Whether `unlimited` is set.
        unlimited: bool,
    }
}

model! {
    /// A license license product.
    pub struct LicenseLicenseProduct {
        /// The code.
        code: String,
    }
}

model! {
    /// A firewall license.
    pub struct FirewallLicense {
        /// The serial number.
        serial_number: String,
        /// The owner.
        owner: FirewallLicenseOwner,
        /// The model.
        model: String,
        /// The model type.
        model_type: FirewallLicenseModelType,
        /// The licenses.
        licenses: Vec<FirewallLicenseLicense>,
        /// The organization.
        organization: Reference,
        /// The partner.
        partner: Reference,
        /// The tenant.
        tenant: Reference,
        /// The billing tenant.
        billing_tenant: Reference,
        /// The last seen at.
        last_seen_at: Timestamp,
    }
}

model! {
    /// A firewall license owner.
    pub struct FirewallLicenseOwner {
        /// The id.
        id as id: String,
        /// The type.
        r#type: FirewallLicenseOwnerType,
    }
}

model! {
    /// A firewall license license.
    pub struct FirewallLicenseLicense {
        /// The id.
        id as id: String,
        /// The product.
        product: FirewallLicenseLicenseProduct,
        /// The start date.
        start_date: String,
        /// The license identifier.
        license_identifier: String,
        /// Whether `perpetual` is set.
        perpetual: bool,
        /// The type.
        r#type: FirewallLicenseLicenseType,
        /// Whether `unlimited` is set.
        unlimited: bool,
        /// The end date.
        end_date: String,
        /// The quantity.
        quantity: i64,
        /// The usage.
        usage: FirewallLicenseLicenseUsage,
    }
}

model! {
    /// A firewall license license product.
    pub struct FirewallLicenseLicenseProduct {
        /// The code.
        code: String,
        /// The name.
        name: String,
        /// The generic code.
        generic_code: String,
    }
}

model! {
    /// A firewall license license usage.
    pub struct FirewallLicenseLicenseUsage {
        /// The current.
        current: FirewallLicenseLicenseUsageCurrent,
    }
}

model! {
    /// A firewall license license usage current.
    pub struct FirewallLicenseLicenseUsageCurrent {
        /// The count.
        count: i64,
        /// The date.
        date: String,
        /// The time: collected.
        collected_at: Timestamp,
    }
}

open_enum! {
    /// The firewall license owner type.
    pub enum FirewallLicenseOwnerType {
        /// `organization`.
        Organization = "organization",
        /// `partner`.
        Partner = "partner",
    }
}

open_enum! {
    /// The firewall license model type.
    pub enum FirewallLicenseModelType {
        /// `hardware`.
        Hardware = "hardware",
        /// `virtual`.
        Virtual = "virtual",
    }
}

open_enum! {
    /// The firewall license license type.
    pub enum FirewallLicenseLicenseType {
        /// `enterprise`.
        Enterprise = "enterprise",
        /// `ordered`.
        Ordered = "ordered",
        /// `perpetual`.
        Perpetual = "perpetual",
        /// `term`.
        Term = "term",
        /// `trial`.
        Trial = "trial",
        /// `usage`.
        Usage = "usage",
    }
}

operation! {
    /// Gets tenant licenses.
    pub struct ListLicenses = GET "/licenses/v1/licenses" (tenant global)
        -> License {
    }
}

operation! {
    /// Gets firewalls claimed by tenant or managed by the partner.
    pub struct ListFirewallLicenses = GET "/licenses/v1/licenses/firewalls" (tenant global)
        -> NumberedPage<FirewallLicense> {
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

tested! {
    ListLicenses
    ListFirewallLicenses
}
