//! Name of a tenant: `/account-info/v1/account-info`.

use crate::{
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Returns the name of a tenant.
    ///
    /// A public client calls it; it is not published.
    pub struct GetAccountInfo = GET "/account-info/v1/account-info" (tenant) -> AccountInfo {}
}

model! {
    /// The name of a tenant.
    pub struct AccountInfo {
        /// The name.
        name: String,
        /// The display name.
        show_as: String,
    }
}

listed! {
    GetAccountInfo
}
