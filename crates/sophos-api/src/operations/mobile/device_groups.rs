//! Device Groups: `/mobile/v1/device-groups` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, models::{Actor, Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A device group.
    pub struct DeviceGroup {
        /// The id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The name.
        name: String,
        /// The employee compliance policy.
        employee_compliance_policy: Reference,
        /// The corporate compliance policy.
        corporate_compliance_policy: Reference,
        /// The ios auto enrollment.
        ios_auto_enrollment: DeviceGroupIosAutoEnrollment,
        /// The description.
        description: String,
        /// The time of creation.
        created_at: Value,
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Value,
        /// The account that changed it last.
        updated_by: Actor,
    }
}

model! {
    /// A device group ios auto enrollment.
    pub struct DeviceGroupIosAutoEnrollment {
        /// Whether it is enabled.
        enabled: bool,
        /// Whether `installSmcApp` is set.
        install_smc_app: bool,
        /// The url.
        url: String,
    }
}

open_enum! {
    /// The device group view.
    pub enum DeviceGroupView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

operation! {
    /// Gets list of device groups.
    pub struct ListDeviceGroups = GET "/mobile/v1/device-groups" (tenant)
        -> NumberedPage<DeviceGroup> {
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DeviceGroupView,
        /// The ids.
        ids: [String],
        /// The order, such as `name:asc`.
        sort: [String],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [String],
    }
}

operation! {
    /// Creates device group.
    pub struct CreateDeviceGroup = POST "/mobile/v1/device-groups" (tenant)
        -> DeviceGroup {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: DeviceGroupView,
        /// The name.
        name: String,
        /// The employee compliance policy id.
        employee_compliance_policy_id: String,
        /// The corporate compliance policy id.
        corporate_compliance_policy_id: String,
    }
}

operation! {
    /// Deletes device group.
    pub struct DeleteDeviceGroup = DELETE "/mobile/v1/device-groups/:id" (tenant)
        -> Deleted {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Gets device group by ID.
    pub struct GetDeviceGroup = GET "/mobile/v1/device-groups/:id" (tenant)
        -> DeviceGroup {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DeviceGroupView,
    }
}

operation! {
    /// Updates device group.
    pub struct UpdateDeviceGroup = PUT "/mobile/v1/device-groups/:id" (tenant)
        -> DeviceGroup {
        /// The id.
        id!: String,
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: DeviceGroupView,
        /// The name.
        name: String,
        /// The employee compliance policy id.
        employee_compliance_policy_id: String,
        /// The corporate compliance policy id.
        corporate_compliance_policy_id: String,
    }
}

tested! {
    ListDeviceGroups
    CreateDeviceGroup
    DeleteDeviceGroup
    GetDeviceGroup
    UpdateDeviceGroup
}
