//! Tenants.

use crate::verb::{Noun, Param, Verb, op};

pub(crate) const TENANTS: Noun = Noun {
    name: "tenants",
    about: "Tenants of a partner or an organization",
    object: "tenant",
    columns: &["name=/showAs|/name", "id", "region=/dataRegion", "geography=/dataGeography", "billing=/billingType", "status"],
    verbs: &[
        Verb::list("list", "Lists the tenants", &[op!(partner::tenants::ListPartnerTenants), op!(organization::tenants::ListOrganizationTenants)])
            .page_size(100)
            .fixed(&[("pageTotal", "true")])
            .examples(&["tenants list", "tenants list -o csv --columns showAs,id,apiHost"]),
        Verb::get("get", "Shows a tenant", &[op!(partner::tenants::GetPartnerTenant), op!(organization::tenants::GetOrganizationTenant)])
            .examples(&["tenants get 4a7b…"]),
        Verb::change("create", "Creates a tenant of a partner", "create", &[op!(partner::tenants::CreateTenant)])
            .params(&[
                Param::text("name", "The name").required(),
                Param::choice("data-geography", "The location of the data", &["US", "IE", "DE", "CA", "AU", "JP", "BR", "IN", "GB"]).required(),
                Param::choice("billing-type", "The billing", &["trial", "usage", "term"]).required(),
                Param::text("first-name", "The first name of the contact").field("contact/firstName").required(),
                Param::text("last-name", "The last name of the contact").field("contact/lastName").required(),
                Param::text("email", "The email address of the contact").field("contact/email").required(),
                Param::text("phone", "The telephone of the contact").field("contact/phone"),
                Param::text("address", "The first line of the contact's address").field("contact/address/address1").required(),
                Param::text("city", "The city of the contact").field("contact/address/city").required(),
                Param::text("state", "The state of the contact").field("contact/address/state"),
                Param::text("postal-code", "The postal code of the contact").field("contact/address/postalCode"),
                Param::text("country", "The country code of the contact").field("contact/address/countryCode").required(),
            ])
            .examples(&[
                "tenants create --name Acme --data-geography IE --billing-type trial --first-name Ada --last-name Abbott \
                 --email it@acme.example --address '1 High Street' --city Cork --country IE",
            ]),
        Verb::list("usage", "Lists the billing usage of a month", &[op!(partner::billing::ListUsage)]).object("usage record")
            .columns(&["tenant=/accountId", "contact=/contactName", "product=/productDescription", "sku", "quantity=/billableQuantity", "from=/billingStartDate", "to=/billingEndDate"])
            .examples(&["tenants usage 2026 10 -o csv"]),
    ],
};
