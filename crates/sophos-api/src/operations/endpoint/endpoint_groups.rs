//! Groups of endpoints: `/endpoint/v1/endpoint-groups`.

use crate::{
    KeyedPage, NumberedPage, Timestamp,
    models::{Deleted, Endpoint, EndpointType, Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the endpoint groups of a tenant.
    pub struct ListEndpointGroups = GET "/endpoint/v1/endpoint-groups" (tenant)
        -> NumberedPage<EndpointGroup> {
        /// The endpoint type of the groups.
        group_type: EndpointType,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The ids to match.
        ids: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in; the name if empty.
        search_fields: [String],
        /// The ids of endpoints; only groups with one of them match.
        endpoint_ids: [String],
    }
}

operation! {
    /// Creates an endpoint group.
    ///
    /// Fails with 409 if the name is in use, and with 404 if an endpoint does not exist. The
    /// response has no `updated_at`.
    pub struct CreateEndpointGroup = POST "/endpoint/v1/endpoint-groups" (tenant) -> EndpointGroup {
        /// The name.
        name!: String,
        /// The endpoint type, `computer` or `server`.
        r#type!: EndpointType,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The description.
        description: String,
        /// The ids of the first endpoints.
        endpoint_ids: [String],
    }
}

operation! {
    /// Deletes an endpoint group.
    ///
    /// Fails with 409 if the group has members or is synchronized from Active Directory.
    pub struct DeleteEndpointGroup = DELETE "/endpoint/v1/endpoint-groups/:groupId" (tenant) -> Deleted {
        /// The group's id.
        group_id!: String,
    }
}

operation! {
    /// Returns an endpoint group.
    pub struct GetEndpointGroup = GET "/endpoint/v1/endpoint-groups/:groupId" (tenant) -> EndpointGroup {
        /// The group's id.
        group_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Changes the name or the description of an endpoint group.
    ///
    /// Fails with 409 if the name is in use or the group is synchronized from Active Directory.
    pub struct UpdateEndpointGroup = PATCH "/endpoint/v1/endpoint-groups/:groupId" (tenant) -> EndpointGroup {
        /// The group's id.
        group_id!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The name.
        name: String,
        /// The description.
        description: String,
    }
}

operation! {
    /// Removes endpoints from a group.
    ///
    /// Succeeds although some endpoints do not exist; the response lists them.
    pub struct RemoveEndpointsFromGroup = DELETE "/endpoint/v1/endpoint-groups/:groupId/endpoints" (tenant)
        -> RemovedEndpoints {
        /// The group's id.
        group_id!: String,
        /// The ids of the endpoints.
        ids!: [String],
    }
}

operation! {
    /// Lists the endpoints of a group.
    pub struct ListEndpointsOfGroup = GET "/endpoint/v1/endpoint-groups/:groupId/endpoints" (tenant)
        -> KeyedPage<Endpoint> {
        /// The group's id.
        group_id!: String,
        /// The order. The service has suspended it.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The key of the page, from the page before.
        page_from_key: String,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The text to search for. The service has suspended it.
        search: String,
        /// The fields to search in. The service has suspended it.
        search_fields: [String],
    }
}

operation! {
    /// Adds endpoints to a group.
    ///
    /// Fails with 404 if the group or an endpoint does not exist, and with 409 for a group or
    /// endpoint that is synchronized from Active Directory.
    pub struct AddEndpointsToGroup = POST "/endpoint/v1/endpoint-groups/:groupId/endpoints" (tenant)
        -> AddedEndpoints {
        /// The group's id.
        group_id!: String,
        /// The ids of the endpoints, fewer than 1,000.
        ids!: [String],
    } where {
        ids: 1..=999,
    }
}

operation! {
    /// Removes one endpoint from a group.
    ///
    /// Fails with 409 if the group is synchronized from Active Directory.
    pub struct RemoveEndpointFromGroup = DELETE "/endpoint/v1/endpoint-groups/:groupId/endpoints/:endpointId" (tenant)
        -> Removed {
        /// The group's id.
        group_id!: String,
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

operation! {
    /// Lists the endpoint groups of one endpoint type.
    pub struct ListEndpointGroupsOfType = GET "/endpoint/v1/endpoint-groups/types/:groupType" (tenant)
        -> NumberedPage<EndpointGroup> {
        /// The endpoint type of the groups.
        group_type!: EndpointType,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The ids to match.
        ids: [String],
        /// The text to search for.
        search: String,
        /// The fields to search in; the name if empty.
        search_fields: [String],
        /// The ids of endpoints; only groups with one of them match.
        endpoint_ids: [String],
    }
}

model! {
    /// A group of endpoints of one type.
    pub struct EndpointGroup {
        /// The group's id.
        id!: String,
        /// The name.
        name: String,
        /// The endpoint type, `computer` or `server`.
        r#type: EndpointType,
        /// The tenant.
        tenant: Reference,
        /// The description.
        description: String,
        /// The endpoints, possibly not all.
        endpoints: EndpointPreview,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// The first endpoints of a group.
    pub struct EndpointPreview {
        /// The number of all items.
        total: i64,
        /// The number of listed items.
        items_count: i64,
        /// The listed endpoints.
        items: Vec<EndpointReference>,
    }
}

model! {
    /// An endpoint's id and hostname.
    pub struct EndpointReference {
        /// The endpoint's id.
        id as id: String,
        /// The hostname.
        hostname: String,
    }
}

model! {
    /// The endpoints that were removed from a group.
    pub struct RemovedEndpoints {
        /// The removed endpoints.
        removed_endpoints: Vec<EndpointReference>,
        /// The failures.
        errors: RemovedEndpointErrors,
    }
}

model! {
    /// The endpoints that were not removed.
    pub struct RemovedEndpointErrors {
        /// The ids of endpoints that do not exist.
        endpoints_not_found: Vec<String>,
    }
}

model! {
    /// The endpoints that were added to a group.
    pub struct AddedEndpoints {
        /// The added endpoints.
        added_endpoints: Vec<EndpointReference>,
        /// The failures.
        errors: AddedEndpointErrors,
    }
}

model! {
    /// The endpoints that were not added.
    pub struct AddedEndpointErrors {
        /// The ids of endpoints that do not exist.
        endpoints_not_found: Vec<String>,
        /// The ids of endpoints of another type than the group's.
        endpoints_of_wrong_type: Vec<String>,
    }
}

model! {
    /// The result of a removal.
    pub struct Removed {
        /// Whether the endpoint was removed.
        removed: bool,
    }
}

listed! {
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
