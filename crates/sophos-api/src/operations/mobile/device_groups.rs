//! Groups of mobile devices: `/mobile/v1/device-groups`.

use crate::{
    NumberedPage, Timestamp,
    models::{Actor, Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
    operations::mobile::devices::View,
};

operation! {
    /// Lists the device groups.
    pub struct ListDeviceGroups = GET "/mobile/v1/device-groups" (tenant) -> NumberedPage<DeviceGroup> {
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
        /// The ids to match.
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
    /// Creates a device group.
    ///
    /// Fails with 404 if a policy does not exist, and with 422 if there are too many groups.
    pub struct CreateDeviceGroup = POST "/mobile/v1/device-groups" (tenant) -> DeviceGroup {
        /// The name.
        name!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The id of the policy for devices of employees.
        employee_compliance_policy_id: String,
        /// The id of the policy for devices of the company.
        corporate_compliance_policy_id: String,
    }
}

operation! {
    /// Deletes a device group.
    ///
    /// Fails with 409 at a conflicting change.
    pub struct DeleteDeviceGroup = DELETE "/mobile/v1/device-groups/:id" (tenant) -> Deleted {
        /// The group's id.
        id!: String,
    }
}

operation! {
    /// Returns a device group.
    pub struct GetDeviceGroup = GET "/mobile/v1/device-groups/:id" (tenant) -> DeviceGroup {
        /// The group's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
    }
}

operation! {
    /// Replaces the name and the policies of a device group.
    pub struct UpdateDeviceGroup = PUT "/mobile/v1/device-groups/:id" (tenant) -> DeviceGroup {
        /// The group's id.
        id!: String,
        /// The name.
        name!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The id of the policy for devices of employees.
        employee_compliance_policy_id: String,
        /// The id of the policy for devices of the company.
        corporate_compliance_policy_id: String,
    }
}

model! {
    /// A group of mobile devices.
    pub struct DeviceGroup {
        /// The group's id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The name.
        name: String,
        /// The policy for devices of employees.
        employee_compliance_policy: Reference,
        /// The policy for devices of the company.
        corporate_compliance_policy: Reference,
        /// The automatic enrollment of Apple devices.
        ios_auto_enrollment: IosAutoEnrollment,
        /// The description.
        description: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
    }
}

model! {
    /// The automatic enrollment of Apple devices into a group.
    pub struct IosAutoEnrollment {
        /// Whether it is enabled.
        enabled: bool,
        /// Whether the app Sophos Mobile Control is installed.
        install_smc_app: bool,
        /// The enrollment URL.
        url: String,
    }
}

listed! {
    ListDeviceGroups
    CreateDeviceGroup
    DeleteDeviceGroup
    GetDeviceGroup
    UpdateDeviceGroup
}
