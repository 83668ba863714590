//! Mobile devices: `/mobile/v1/devices`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Deleted, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
    operations::mobile::operating_systems::OperatingSystem,
};

operation! {
    /// Lists the mobile devices of a tenant.
    pub struct ListDevices = GET "/mobile/v1/devices" (tenant) -> NumberedPage<Device> {
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
        /// The ids to match.
        ids: [String],
        /// The ids of operating systems to match.
        operating_system_ids: [String],
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
        /// The platform, such as `android` or `iOS`.
        platform: String,
        /// The kind of management, such as `ixm` or `androidWorkProfile`.
        management_type: String,
        /// The state of the management.
        managed_state: ManagedState,
        /// Whether the device complies with its policy.
        compliant: bool,
        /// The severity of compliance violations.
        violation_severity: ViolationSeverity,
        /// The health.
        health_state: HealthLevel,
        /// The owner.
        ownership_type: OwnershipType,
        /// The UTC time, or the ISO 8601 duration before now, of the latest creation, exclusive.
        created_before: String,
        /// The UTC time, or the ISO 8601 duration before now, of the earliest creation, inclusive.
        created_after: String,
        /// The UTC time, or the ISO 8601 duration before now, of the latest report, exclusive.
        last_seen_before: String,
        /// The UTC time, or the ISO 8601 duration before now, of the earliest report, inclusive.
        last_seen_after: String,
        /// The ids of device groups to match.
        device_group_ids: [String],
    }
}

operation! {
    /// Adds a mobile device.
    ///
    /// Fails with 404 if the group does not exist, and with 422 if there are too many devices.
    pub struct CreateDevice = POST "/mobile/v1/devices" (tenant) -> Device {
        /// The name.
        name!: String,
        /// The platform, such as `android` or `iOS`.
        platform!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The owner.
        ownership_type: OwnershipType,
        /// The id of the device group.
        group_id: String,
    }
}

operation! {
    /// Deletes a mobile device.
    ///
    /// Fails with 409 at a conflicting change.
    pub struct DeleteDevice = DELETE "/mobile/v1/devices/:id" (tenant) -> Deleted {
        /// The device's id.
        id!: String,
    }
}

operation! {
    /// Returns a mobile device.
    pub struct GetDevice = GET "/mobile/v1/devices/:id" (tenant) -> Device {
        /// The device's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
    }
}

operation! {
    /// Replaces the name, the owner and the group of a mobile device.
    pub struct UpdateDevice = PUT "/mobile/v1/devices/:id" (tenant) -> Device {
        /// The device's id.
        id!: String,
        /// The name.
        name!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The owner.
        ownership_type: OwnershipType,
        /// The id of the device group.
        group_id: String,
    }
}

model! {
    /// A mobile device.
    pub struct Device {
        /// The device's id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The actions that the device supports, such as `sync` or `get-logs`.
        available_actions: Vec<String>,
        /// The user.
        assigned_person: AssignedPerson,
        /// The name.
        name: String,
        /// The compliance with its policy.
        compliance: Compliance,
        /// The state of the management.
        managed_state: ManagedState,
        /// The owner.
        ownership_type: OwnershipType,
        /// The health.
        health_state: HealthState,
        /// The kind of management, such as `ixm` or `androidWorkProfile`.
        management_type: String,
        /// The operating system.
        os: OperatingSystem,
        /// The email address.
        email: String,
        /// The description.
        description: String,
        /// The phone number.
        phone_number as id: String,
        /// The time of the last report.
        last_seen_at: Timestamp,
        /// The time of the last report of the app Sophos Mobile Control.
        smc_app_last_seen_at: Timestamp,
        /// The time of the last report of Intercept X for Mobile.
        ixm_app_last_seen_at: Timestamp,
        /// The model.
        model_name: String,
        /// The id in another system.
        external_id: String,
        /// The device group.
        device_group: Reference,
        /// The findings of the last scan.
        scan_result_summary: ScanSummary,
        /// The level of the device's log.
        log_level: String,
        /// Whether Apple's supervision is turned on.
        supervised: bool,
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
    /// The user of a device.
    pub struct AssignedPerson {
        /// The user's id.
        id as id: String,
        /// The id within Sophos Mobile.
        internal_id: String,
        /// The name.
        name: String,
        /// The email address.
        email: String,
    }
}

model! {
    /// The compliance of a device with its policy.
    pub struct Compliance {
        /// Whether the device complies with its policy.
        compliant: bool,
        /// The most severe violation.
        severity: ViolationSeverity,
    }
}

model! {
    /// The health of a device.
    pub struct HealthState {
        /// The health.
        state: HealthLevel,
        /// The origin of the health, such as `automatic`.
        mode: String,
    }
}

model! {
    /// The numbers of findings of the last scan.
    pub struct ScanSummary {
        /// The time of the last scan.
        last_scanned_at: Timestamp,
        /// The number of suspicious apps.
        suspicious_count: i64,
        /// The number of malicious apps.
        malicious_count: i64,
        /// The number of potentially unwanted apps.
        pua_count: i64,
        /// The number of apps with a low reputation.
        low_reputation_count: i64,
    }
}

open_enum! {
    /// The state of a device's management.
    pub enum ManagedState {
        /// Managed.
        Managed = "managed",
        /// Not managed.
        NotManaged = "notManaged",
        /// Checked out.
        CheckedOut = "checkedOut",
        /// Decommissioned.
        Decommissioned = "decommissioned",
        /// Enrolling.
        Enrolling = "enrolling",
        /// Wiped.
        Wiped = "wiped",
    }
}

open_enum! {
    /// The amount of detail of a response.
    pub enum View {
        /// The identifying fields.
        Basic = "basic",
        /// All fields.
        Full = "full",
        /// The usual fields.
        Summary = "summary",
    }
}

open_enum! {
    /// The severity of a compliance violation.
    pub enum ViolationSeverity {
        /// High.
        High = "high",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
    }
}

open_enum! {
    /// The health of a device.
    pub enum HealthLevel {
        /// Warnings.
        Amber = "amber",
        /// Good.
        Green = "green",
        /// Threats.
        Red = "red",
    }
}

open_enum! {
    /// The owner of a device.
    pub enum OwnershipType {
        /// The company.
        Corporate = "corporate",
        /// The employee.
        Employee = "employee",
    }
}

listed! {
    ListDevices
    CreateDevice
    DeleteDevice
    GetDevice
    UpdateDevice
}
