//! Locations of DNS Protection: `/dns-protection/v2/locations`.

use crate::{
    NumberedPage, Timestamp,
    models::{Deleted, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the locations of a tenant.
    pub struct ListLocations = GET "/dns-protection/v2/locations" (tenant) -> NumberedPage<Location> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Creates a location, of at most 50.
    ///
    /// Fails with 409 at a conflict with another location.
    pub struct CreateLocation = POST "/dns-protection/v2/locations" (tenant) -> Location {
        /// The name.
        name!: String,
        /// Whether this is the default location.
        default: bool,
        /// The description.
        description: String,
        /// The IP addresses.
        ip_list: [String],
        /// The domain names.
        domain_names: [String],
        /// Whether DNS over HTTPS is turned on.
        doh_enabled: bool,
        /// The id of the policy.
        policy_id: String,
    }
}

operation! {
    /// Deletes a location.
    pub struct DeleteLocation = DELETE "/dns-protection/v2/locations/:id" (tenant) -> Deleted {
        /// The location's id.
        id!: String,
    }
}

operation! {
    /// Returns a location.
    pub struct GetLocation = GET "/dns-protection/v2/locations/:id" (tenant) -> Location {
        /// The location's id.
        id!: String,
    }
}

operation! {
    /// Changes a location.
    ///
    /// Fails with 409 at a conflict with another location.
    pub struct UpdateLocation = PATCH "/dns-protection/v2/locations/:id" (tenant) -> Location {
        /// The location's id.
        id!: String,
        /// The name.
        name: String,
        /// The changes of the IP addresses.
        ip_addresses: ListChanges,
        /// The changes of the domain names.
        domain_names: ListChanges,
        /// Whether DNS over HTTPS is turned on.
        doh_enabled: bool,
    }
}

model! {
    /// A network whose DNS requests DNS Protection filters.
    pub struct Location {
        /// The name.
        name: String,
        /// The location's id.
        id!: String,
        /// Whether this is the default location.
        default: bool,
        /// The description.
        description: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The IP addresses.
        ip_list: Vec<String>,
        /// The domain names.
        domain_names: Vec<String>,
        /// The id in `doh_url`.
        doh_secure_location_id: String,
        /// Whether DNS over HTTPS is turned on.
        doh_enabled: bool,
        /// The id of the policy.
        policy_id: String,
        /// The URL of DNS over HTTPS.
        doh_url: String,
    }
}

model! {
    /// The entries to add to a list and to remove from it.
    pub struct ListChanges with setters {
        /// The entries to add.
        add: Vec<String>,
        /// The entries to remove.
        remove: Vec<String>,
    }
}

listed! {
    ListLocations
    CreateLocation
    DeleteLocation
    GetLocation
    UpdateLocation
}
