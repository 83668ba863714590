//! Endpoint Groups Management: `/endpoint/v1/endpoint-groups` and the operations beside it.

use crate::{KeyedPage, NumberedPage, Timestamp, models::{Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An endpoint group.
    pub struct EndpointGroup {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The type.
        r#type: EndpointGroupType,
        /// The tenant.
        tenant: Reference,
        /// The description.
        description: String,
        /// The endpoints.
        endpoints: EndpointGroupEndpoint,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// An endpoint group endpoint.
    pub struct EndpointGroupEndpoint {
        /// The total.
        total: i64,
        /// The items count.
        items_count: i64,
        /// The items.
        items: Vec<EndpointGroupEndpointItem>,
    }
}

model! {
    /// An endpoint group endpoint item.
    pub struct EndpointGroupEndpointItem {
        /// The id.
        id as id: String,
        /// The hostname.
        hostname: String,
    }
}

model! {
    /// An endpoints from group.
    pub struct EndpointsFromGroup {
        /// The removed endpoints.
        removed_endpoints: Vec<EndpointsFromGroupRemovedEndpoint>,
        /// The errors.
        errors: EndpointsFromGroupError,
    }
}

model! {
    /// An endpoints from group removed endpoint.
    pub struct EndpointsFromGroupRemovedEndpoint {
        /// The id.
        id as id: String,
        /// The hostname.
        hostname: String,
    }
}

model! {
    /// An endpoints from group error.
    pub struct EndpointsFromGroupError {
        /// The endpoints not found.
        endpoints_not_found: Vec<String>,
    }
}

model! {
    /// An endpoints of group.
    pub struct EndpointsOfGroup {
        /// The id.
        id as id: String,
        /// The type.
        r#type: EndpointsOfGroupType,
        /// The hostname.
        hostname: String,
        /// The os.
        os: EndpointsOfGroupO,
        /// The tenant.
        tenant: Reference,
        /// The health.
        health: EndpointsOfGroupHealth,
        /// The ipv4 addresses.
        ipv4_addresses: Vec<String>,
        /// The ipv6 addresses.
        ipv6_addresses: Vec<String>,
        /// The mac addresses.
        mac_addresses: Vec<String>,
        /// The group.
        group: Reference,
        /// The associated person.
        associated_person: EndpointsOfGroupAssociatedPerson,
        /// Whether `tamperProtectionEnabled` is set.
        tamper_protection_enabled: bool,
        /// The assigned products.
        assigned_products: Vec<EndpointsOfGroupAssignedProduct>,
        /// The time: last seen.
        last_seen_at: Timestamp,
        /// The encryption.
        encryption: EndpointsOfGroupEncryption,
        /// The lockdown.
        lockdown: EndpointsOfGroupLockdown,
        /// Whether `online` is set.
        online: bool,
        /// The cloud.
        cloud: EndpointsOfGroupCloud,
        /// The isolation.
        isolation: EndpointsOfGroupIsolation,
    }
}

model! {
    /// An endpoints of group o.
    pub struct EndpointsOfGroupO {
        /// The platform.
        platform: EndpointsOfGroupOPlatform,
        /// The name.
        name: String,
        /// Whether `isServer` is set.
        is_server: bool,
        /// The major version.
        major_version: i64,
        /// The minor version.
        minor_version: i64,
        /// The build.
        build: i64,
    }
}

model! {
    /// An endpoints of group health.
    pub struct EndpointsOfGroupHealth {
        /// The overall.
        overall: EndpointsOfGroupHealthOverall,
        /// The threats.
        threats: EndpointsOfGroupHealthThreat,
        /// The services.
        services: EndpointsOfGroupHealthService,
    }
}

model! {
    /// An endpoints of group health threat.
    pub struct EndpointsOfGroupHealthThreat {
        /// The status.
        status: EndpointsOfGroupHealthThreatStatus,
    }
}

model! {
    /// An endpoints of group health service.
    pub struct EndpointsOfGroupHealthService {
        /// The status.
        status: EndpointsOfGroupHealthServiceStatus,
        /// The service details.
        service_details: Vec<EndpointsOfGroupHealthServiceServiceDetail>,
    }
}

model! {
    /// An endpoints of group health service service detail.
    pub struct EndpointsOfGroupHealthServiceServiceDetail {
        /// The name.
        name: String,
        /// The status.
        status: EndpointsOfGroupHealthServiceServiceDetailStatus,
    }
}

model! {
    /// An endpoints of group associated person.
    pub struct EndpointsOfGroupAssociatedPerson {
        /// The name.
        name: String,
        /// The via login.
        via_login: String,
        /// The id.
        id as id: String,
    }
}

model! {
    /// An endpoints of group assigned product.
    pub struct EndpointsOfGroupAssignedProduct {
        /// The code.
        code: EndpointsOfGroupAssignedProductCode,
        /// The version.
        version: String,
        /// The status.
        status: EndpointsOfGroupAssignedProductStatus,
    }
}

model! {
    /// An endpoints of group encryption.
    pub struct EndpointsOfGroupEncryption {
        /// The volumes.
        volumes: Vec<EndpointsOfGroupEncryptionVolume>,
    }
}

model! {
    /// An endpoints of group encryption volume.
    pub struct EndpointsOfGroupEncryptionVolume {
        /// The volume id.
        volume_id: String,
        /// The status.
        status: EndpointsOfGroupEncryptionVolumeStatus,
    }
}

model! {
    /// An endpoints of group lockdown.
    pub struct EndpointsOfGroupLockdown {
        /// The status.
        status: EndpointsOfGroupLockdownStatus,
        /// The update status.
        update_status: EndpointsOfGroupLockdownUpdateStatus,
    }
}

model! {
    /// An endpoints of group cloud.
    pub struct EndpointsOfGroupCloud {
        /// The provider.
        provider: EndpointsOfGroupCloudProvider,
        /// The instance id.
        instance_id: String,
    }
}

model! {
    /// An endpoints of group isolation.
    pub struct EndpointsOfGroupIsolation {
        /// The status.
        status: EndpointsOfGroupIsolationStatus,
        /// Whether `adminIsolated` is set.
        admin_isolated: bool,
        /// Whether `selfIsolated` is set.
        self_isolated: bool,
    }
}

model! {
    /// An endpoints to group.
    pub struct EndpointsToGroup {
        /// The added endpoints.
        added_endpoints: Vec<Reference>,
        /// The errors.
        errors: EndpointsToGroupError,
    }
}

model! {
    /// An endpoints to group error.
    pub struct EndpointsToGroupError {
        /// The endpoints not found.
        endpoints_not_found: Vec<String>,
        /// The endpoints of wrong type.
        endpoints_of_wrong_type: Vec<String>,
    }
}

model! {
    /// An endpoint from group.
    pub struct EndpointFromGroup {
        /// Whether `removed` is set.
        removed: bool,
    }
}

model! {
    /// An endpoint groups of type.
    pub struct EndpointGroupsOfType {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The type.
        r#type: EndpointGroupsOfTypeType,
        /// The tenant.
        tenant: Reference,
        /// The description.
        description: String,
        /// The endpoints.
        endpoints: EndpointGroupsOfTypeEndpoint,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// An endpoint groups of type endpoint.
    pub struct EndpointGroupsOfTypeEndpoint {
        /// The total.
        total: i64,
        /// The items count.
        items_count: i64,
        /// The items.
        items: Vec<EndpointGroupsOfTypeEndpointItem>,
    }
}

model! {
    /// An endpoint groups of type endpoint item.
    pub struct EndpointGroupsOfTypeEndpointItem {
        /// The id.
        id as id: String,
        /// The hostname.
        hostname: String,
    }
}

open_enum! {
    /// The endpoint group type.
    pub enum EndpointGroupType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The endpoint group group type.
    pub enum EndpointGroupGroupType {
        /// `computer`.
        Computer = "computer",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The endpoint group search field.
    pub enum EndpointGroupSearchField {
        /// `associatedPersonName`.
        AssociatedPersonName = "associatedPersonName",
        /// `description`.
        Description = "description",
        /// `groupName`.
        GroupName = "groupName",
        /// `hostname`.
        Hostname = "hostname",
        /// `ipAddresses`.
        IpAddresses = "ipAddresses",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
    }
}

open_enum! {
    /// The endpoints of group type.
    pub enum EndpointsOfGroupType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The endpoints of group oplatform.
    pub enum EndpointsOfGroupOPlatform {
        /// `linux`.
        Linux = "linux",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The endpoints of group health overall.
    pub enum EndpointsOfGroupHealthOverall {
        /// `bad`.
        Bad = "bad",
        /// `good`.
        Good = "good",
        /// `suspicious`.
        Suspicious = "suspicious",
        /// `unknown`.
        Unknown = "unknown",
    }
}

open_enum! {
    /// The endpoints of group health threat status.
    pub enum EndpointsOfGroupHealthThreatStatus {
        /// `good`.
        Good = "good",
        /// `suspicious`.
        Suspicious = "suspicious",
        /// `unknown`.
        Unknown = "unknown",
    }
}

open_enum! {
    /// The endpoints of group health service status.
    pub enum EndpointsOfGroupHealthServiceStatus {
        /// `bad`.
        Bad = "bad",
        /// `good`.
        Good = "good",
        /// `suspicious`.
        Suspicious = "suspicious",
        /// `unknown`.
        Unknown = "unknown",
    }
}

open_enum! {
    /// The endpoints of group health service service detail status.
    pub enum EndpointsOfGroupHealthServiceServiceDetailStatus {
        /// `missing`.
        Missing = "missing",
        /// `running`.
        Running = "running",
        /// `stopped`.
        Stopped = "stopped",
    }
}

open_enum! {
    /// The endpoints of group assigned product code.
    pub enum EndpointsOfGroupAssignedProductCode {
        /// `coreAgent`.
        CoreAgent = "coreAgent",
        /// `deviceEncryption`.
        DeviceEncryption = "deviceEncryption",
        /// `endpointProtection`.
        EndpointProtection = "endpointProtection",
        /// `interceptX`.
        InterceptX = "interceptX",
        /// `mtd`.
        Mtd = "mtd",
        /// `mtr`.
        Mtr = "mtr",
        /// `xdr`.
        Xdr = "xdr",
        /// `ztna`.
        Ztna = "ztna",
    }
}

open_enum! {
    /// The endpoints of group assigned product status.
    pub enum EndpointsOfGroupAssignedProductStatus {
        /// `installed`.
        Installed = "installed",
        /// `notInstalled`.
        NotInstalled = "notInstalled",
    }
}

open_enum! {
    /// The endpoints of group encryption volume status.
    pub enum EndpointsOfGroupEncryptionVolumeStatus {
        /// `encrypted`.
        Encrypted = "encrypted",
        /// `encrypting`.
        Encrypting = "encrypting",
        /// `notEncrypted`.
        NotEncrypted = "notEncrypted",
        /// `notSupported`.
        NotSupported = "notSupported",
        /// `suspended`.
        Suspended = "suspended",
        /// `unknown`.
        Unknown = "unknown",
    }
}

open_enum! {
    /// The endpoints of group lockdown status.
    pub enum EndpointsOfGroupLockdownStatus {
        /// `creatingWhitelist`.
        CreatingWhitelist = "creatingWhitelist",
        /// `notInstalled`.
        NotInstalled = "notInstalled",
        /// `registering`.
        Registering = "registering",
        /// `starting`.
        Starting = "starting",
        /// `stopping`.
        Stopping = "stopping",
        /// `uninstalled`.
        Uninstalled = "uninstalled",
    }
}

open_enum! {
    /// The endpoints of group lockdown update status.
    pub enum EndpointsOfGroupLockdownUpdateStatus {
        /// `notInstalled`.
        NotInstalled = "notInstalled",
        /// `rebootRequired`.
        RebootRequired = "rebootRequired",
        /// `upToDate`.
        UpToDate = "upToDate",
        /// `updating`.
        Updating = "updating",
    }
}

open_enum! {
    /// The endpoints of group cloud provider.
    pub enum EndpointsOfGroupCloudProvider {
        /// `aws`.
        Aws = "aws",
        /// `azure`.
        Azure = "azure",
    }
}

open_enum! {
    /// The endpoints of group isolation status.
    pub enum EndpointsOfGroupIsolationStatus {
        /// `isolated`.
        Isolated = "isolated",
        /// `notIsolated`.
        NotIsolated = "notIsolated",
    }
}

open_enum! {
    /// The endpoints of group search field.
    pub enum EndpointsOfGroupSearchField {
        /// `associatedPersonName`.
        AssociatedPersonName = "associatedPersonName",
        /// `description`.
        Description = "description",
        /// `groupName`.
        GroupName = "groupName",
        /// `hostname`.
        Hostname = "hostname",
        /// `ipAddresses`.
        IpAddresses = "ipAddresses",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
    }
}

open_enum! {
    /// The endpoint groups of type type.
    pub enum EndpointGroupsOfTypeType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The endpoint groups of type search field.
    pub enum EndpointGroupsOfTypeSearchField {
        /// `associatedPersonName`.
        AssociatedPersonName = "associatedPersonName",
        /// `description`.
        Description = "description",
        /// `groupName`.
        GroupName = "groupName",
        /// `hostname`.
        Hostname = "hostname",
        /// `ipAddresses`.
        IpAddresses = "ipAddresses",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
    }
}

operation! {
    /// Lists the endpoint groups.
    pub struct ListEndpointGroups = GET "/endpoint/v1/endpoint-groups" (tenant)
        -> NumberedPage<EndpointGroup> {
        /// The group type.
        group_type: EndpointGroupGroupType,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The ids.
        ids: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [EndpointGroupSearchField],
        /// The endpoint ids.
        endpoint_ids: [String],
    }
}

operation! {
    /// Adds new endpoint group to the directory.
    pub struct CreateEndpointGroup = POST "/endpoint/v1/endpoint-groups" (tenant)
        -> EndpointGroup {
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The type.
        r#type: EndpointGroupType,
        /// The endpoint ids.
        endpoint_ids: [String],
    }
}

operation! {
    /// Deletes endpoint group.
    pub struct DeleteEndpointGroup = DELETE "/endpoint/v1/endpoint-groups/:groupId" (tenant)
        -> Deleted {
        /// The group id.
        group_id!: String,
    }
}

operation! {
    /// Gets endpoint group by ID.
    pub struct GetEndpointGroup = GET "/endpoint/v1/endpoint-groups/:groupId" (tenant)
        -> EndpointGroup {
        /// The group id.
        group_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Updates endpoint group.
    pub struct UpdateEndpointGroup = PATCH "/endpoint/v1/endpoint-groups/:groupId" (tenant)
        -> EndpointGroup {
        /// The group id.
        group_id!: String,
        /// The fields to return.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
    }
}

operation! {
    /// Removes endpoints from a group.
    pub struct RemoveEndpointsFromGroup = DELETE "/endpoint/v1/endpoint-groups/:groupId/endpoints" (tenant)
        -> EndpointsFromGroup {
        /// The group id.
        group_id!: String,
        /// The ids.
        ids: [String],
    }
}

operation! {
    /// Returns the endpoints in your specified group.
    pub struct ListEndpointsOfGroup = GET "/endpoint/v1/endpoint-groups/:groupId/endpoints" (tenant)
        -> KeyedPage<EndpointsOfGroup> {
        /// The group id.
        group_id!: String,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The key of the page.
        page_from_key: String,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [EndpointsOfGroupSearchField],
    }
}

operation! {
    /// Adds endpoints to your group.
    pub struct AddEndpointsToGroup = POST "/endpoint/v1/endpoint-groups/:groupId/endpoints" (tenant)
        -> EndpointsToGroup {
        /// The group id.
        group_id!: String,
        /// The ids.
        ids: [String],
    }
}

operation! {
    /// Removes endpoint from a group.
    pub struct RemoveEndpointFromGroup = DELETE "/endpoint/v1/endpoint-groups/:groupId/endpoints/:endpointId" (tenant)
        -> EndpointFromGroup {
        /// The group id.
        group_id!: String,
        /// The endpoint id.
        endpoint_id!: String,
    }
}

operation! {
    /// Lists the endpoint groups of type.
    pub struct ListEndpointGroupsOfType = GET "/endpoint/v1/endpoint-groups/types/:groupType" (tenant)
        -> NumberedPage<EndpointGroupsOfType> {
        /// The group type.
        group_type!: String,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The ids.
        ids: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [EndpointGroupsOfTypeSearchField],
        /// The endpoint ids.
        endpoint_ids: [String],
    }
}

tested! {
    ListEndpointGroups
    CreateEndpointGroup
    DeleteEndpointGroup
    GetEndpointGroup
    UpdateEndpointGroup
    RemoveEndpointsFromGroup
    ListEndpointsOfGroup
    AddEndpointsToGroup
    RemoveEndpointFromGroup
    ListEndpointGroupsOfType
}
