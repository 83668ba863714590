//! Billing: `/partner/v1/billing/usage/:year/:month` and the operations beside it.

use crate::{KeyedPage, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An usage report.
    pub struct UsageReport {
        /// The partner account id.
        partner_account_id: String,
        /// The partner edi account number.
        partner_edi_account_number: String,
        /// The partner account name.
        partner_account_name: String,
        /// The billing start date.
        billing_start_date: String,
        /// The billing end date.
        billing_end_date: String,
        /// The order number.
        order_number: String,
        /// The order line item number.
        order_line_item_number: String,
        /// The account number or serial number.
        account_number_or_serial_number: String,
        /// The product description.
        product_description: String,
        /// The product group.
        product_group: String,
        /// The sku.
        sku: String,
        /// The billable quantity.
        billable_quantity: i64,
        /// The external id.
        external_id: String,
        /// The account id.
        account_id: String,
        /// The account status.
        account_status: UsageReportAccountStatus,
        /// The actual quantity.
        actual_quantity: i64,
        /// The product code.
        product_code: String,
        /// The assigned account identifier.
        assigned_account_identifier: String,
        /// The contact name.
        contact_name: String,
        /// The contact email.
        contact_email: String,
        /// The contact street.
        contact_street: String,
        /// The contact city.
        contact_city: String,
        /// The contact country.
        contact_country: String,
        /// The contact zip.
        contact_zip: String,
        /// The unit msrp currency.
        unit_msrp_currency: String,
        /// The unit msrp.
        unit_msrp: String,
        /// The unit price currency.
        unit_price_currency: String,
        /// The unit price.
        unit_price: String,
        /// The net price currency.
        net_price_currency: String,
        /// The net price.
        net_price: String,
        /// The price with taxes currency.
        price_with_taxes_currency: String,
        /// The price with taxes.
        price_with_taxes: String,
        /// The distributor account name.
        distributor_account_name: String,
        /// The additional discount percentage.
        additional_discount_percentage: i64,
        /// The ordered quantity.
        ordered_quantity: i64,
    }
}

open_enum! {
    /// The usage report account status.
    pub enum UsageReportAccountStatus {
        /// `active`.
        Active = "active",
        /// `canceled`.
        Canceled = "canceled",
        /// `suspended`.
        Suspended = "suspended",
    }
}

operation! {
    /// Gets the usage report.
    pub struct GetUsageReport = GET "/partner/v1/billing/usage/:year/:month" (partner global)
        -> KeyedPage<UsageReport> {
        /// The year.
        year!: String,
        /// The month.
        month!: String,
        /// The number of items per page.
        page_size: u32,
        /// The key of the page.
        page_from_key: String,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The fields to return.
        fields: [String],
        /// The contact email.
        contact_email: String,
        /// The account id.
        account_id: String,
    }
}

tested! {
    GetUsageReport
}
