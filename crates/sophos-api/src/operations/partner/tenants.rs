//! Creation of the tenants of a partner: `/partner/v1/tenants`.

use crate::{
    model::model,
    models::{BillingType, Tenant},
    operation_macro::{listed, operation},
};

operation! {
    /// Creates a tenant of a partner.
    pub struct CreateTenant = POST "/partner/v1/tenants" (partner global) -> Tenant {
        /// The name.
        name!: String,
        /// The country code of the data: `US`, `IE`, `DE`, `CA`, `AU`, `JP`, `BR` or `IN`.
        data_geography!: String,
        /// The contact person.
        contact!: Contact,
        /// The billing: `trial` or `usage`.
        billing_type!: BillingType,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The display name.
        show_as: String,
    }
}

model! {
    /// The contact person of a new tenant.
    pub struct Contact with setters {
        /// The first name.
        first_name: String,
        /// The last name.
        last_name: String,
        /// The email address.
        email: String,
        /// The phone number.
        phone: String,
        /// The mobile number.
        mobile: String,
        /// The fax number.
        fax: String,
        /// The postal address.
        address: ContactAddress,
    }
}

model! {
    /// The postal address of a contact.
    pub struct ContactAddress with setters {
        /// The first line.
        address1: String,
        /// The second line.
        address2: String,
        /// The third line.
        address3: String,
        /// The city.
        city: String,
        /// The state.
        state: String,
        /// The country.
        country_code: String,
        /// The postal code.
        postal_code: String,
    }
}

listed! {
    CreateTenant
}
