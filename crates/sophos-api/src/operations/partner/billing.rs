//! Monthly usage of the tenants of a partner: `/partner/v1/billing/usage`.

use crate::{
    KeyedPage,
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the billed usage of a month.
    ///
    /// Fails with 404 if there is no data of that month.
    pub struct ListUsage = GET "/partner/v1/billing/usage/:year/:month" (partner global)
        -> KeyedPage<UsageItem> {
        /// The year, such as 2026.
        year!: u32,
        /// The month, from 1 to 12.
        month!: u32,
        /// The number of items per page.
        page_size: u32,
        /// The key of the page, from the page before.
        page_from_key: String,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The fields to return; all if empty.
        fields: [String],
        /// The email address of the tenant's contact.
        contact_email: String,
        /// The id of a tenant.
        account_id: String,
    } where {
        month: 1..=12,
    }
}

model! {
    /// An item of a partner's monthly bill. Amounts are decimal text.
    pub struct UsageItem {
        /// The id of the partner.
        partner_account_id: String,
        /// The partner's account number for electronic data interchange.
        partner_edi_account_number: String,
        /// The name of the partner.
        partner_account_name: String,
        /// The first day of the billing period.
        billing_start_date: String,
        /// The last day of the billing period.
        billing_end_date: String,
        /// The order number.
        order_number: String,
        /// The order line item number.
        order_line_item_number: String,
        /// The account number, or the serial number of a firewall.
        account_number_or_serial_number: String,
        /// The product description.
        product_description: String,
        /// The product group.
        product_group: String,
        /// The stock-keeping unit.
        sku: String,
        /// The quantity that is billed.
        billable_quantity: i64,
        /// The id of the account in another system.
        external_id: String,
        /// The id of the tenant.
        account_id: String,
        /// The status of the account: `active`, `canceled` or `suspended`.
        account_status: String,
        /// The quantity that was used.
        actual_quantity: i64,
        /// The product code.
        product_code: String,
        /// The identifier that the partner assigned to the account.
        assigned_account_identifier: String,
        /// The contact name.
        contact_name: String,
        /// The email address of the tenant's contact.
        contact_email: String,
        /// The contact street.
        contact_street: String,
        /// The contact city.
        contact_city: String,
        /// The contact country.
        contact_country: String,
        /// The contact zip.
        contact_zip: String,
        /// The currency of `unit_msrp`.
        unit_msrp_currency: String,
        /// The recommended retail price of a unit.
        unit_msrp: String,
        /// The currency of `unit_price`.
        unit_price_currency: String,
        /// The price of a unit.
        unit_price: String,
        /// The currency of `net_price`.
        net_price_currency: String,
        /// The price without taxes.
        net_price: String,
        /// The currency of `price_with_taxes`.
        price_with_taxes_currency: String,
        /// The price with taxes.
        price_with_taxes: String,
        /// The distributor account name.
        distributor_account_name: String,
        /// The additional discount, in percent.
        additional_discount_percentage: i64,
        /// The quantity that was ordered.
        ordered_quantity: i64,
    }
}

listed! {
    ListUsage
}
