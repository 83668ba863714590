//! Locations: `/dns-protection/v2/locations` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Deleted}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A location.
    pub struct Location {
        /// The name.
        name: String,
        /// The id.
        id!: String,
        /// Whether `default` is set.
        default: bool,
        /// The description.
        description: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The ip list.
        ip_list: Vec<String>,
        /// The domain names.
        domain_names: Vec<String>,
        /// The doh secure location id.
        doh_secure_location_id: String,
        /// Whether `dohEnabled` is set.
        doh_enabled: bool,
        /// The policy id.
        policy_id: String,
        /// The doh url.
        doh_url: String,
    }
}

model! {
    /// A location ip address.
    pub struct LocationIpAddress {
        /// The add.
        add: Vec<String>,
    }
}

model! {
    /// A location domain name.
    pub struct LocationDomainName {
        /// The add.
        add: Vec<String>,
        /// The remove.
        remove: Vec<String>,
    }
}

operation! {
    /// Returns all Locations.
    pub struct ListLocations = GET "/dns-protection/v2/locations" (tenant)
        -> NumberedPage<Location> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Creates a new Location and returns the newly created Location.
    pub struct CreateLocation = POST "/dns-protection/v2/locations" (tenant)
        -> Location {
        /// The name.
        name: String,
        /// The id.
        id: String,
        /// Whether `default` is set.
        default: bool,
        /// The description.
        description: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The ip list.
        ip_list: [String],
        /// The domain names.
        domain_names: [String],
        /// The doh secure location id.
        doh_secure_location_id: String,
        /// Whether `dohEnabled` is set.
        doh_enabled: bool,
        /// The policy id.
        policy_id: String,
        /// The doh url.
        doh_url: String,
    }
}

operation! {
    /// Deletes Location by given ID.
    pub struct DeleteLocation = DELETE "/dns-protection/v2/locations/:id" (tenant)
        -> Deleted {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Returns Location of a given ID.
    pub struct GetLocation = GET "/dns-protection/v2/locations/:id" (tenant)
        -> Location {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Updates given Location.
    pub struct UpdateLocation = PATCH "/dns-protection/v2/locations/:id" (tenant)
        -> Location {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The ip addresses.
        ip_addresses: LocationIpAddress,
        /// The domain names.
        domain_names: LocationDomainName,
        /// Whether `dohEnabled` is set.
        doh_enabled: bool,
    }
}

tested! {
    ListLocations
    CreateLocation
    DeleteLocation
    GetLocation
    UpdateLocation
}
