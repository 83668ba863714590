//! Devices: `/mobile/v1/devices` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, Timestamp, models::{Actor, Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A device.
    pub struct Device {
        /// The id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The available actions.
        available_actions: Vec<DeviceAvailableAction>,
        /// The assigned person.
        assigned_person: DeviceAssignedPerson,
        /// The name.
        name: String,
        /// The compliance.
        compliance: DeviceCompliance,
        /// The managed state.
        managed_state: DeviceManagedState,
        /// The ownership type.
        ownership_type: String,
        /// The health state.
        health_state: DeviceHealthState,
        /// The management type.
        management_type: DeviceManagementType,
        /// The os.
        os: DeviceO,
        /// The email.
        email: String,
        /// The description.
        description: String,
        /// The phone number.
        phone_number: String,
        /// The last seen at.
        last_seen_at: Value,
        /// The smc app last seen at.
        smc_app_last_seen_at: Value,
        /// The ixm app last seen at.
        ixm_app_last_seen_at: Value,
        /// The model name.
        model_name: String,
        /// The external id.
        external_id: String,
        /// The device group.
        device_group: Reference,
        /// The scan result summary.
        scan_result_summary: DeviceScanResultSummary,
        /// The log level.
        log_level: String,
        /// Whether `supervised` is set.
        supervised: bool,
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
    /// A device assigned person.
    pub struct DeviceAssignedPerson {
        /// The id.
        id as id: String,
        /// The internal id.
        internal_id: String,
        /// The name.
        name: String,
        /// The email.
        email: String,
    }
}

model! {
    /// A device compliance.
    pub struct DeviceCompliance {
        /// Whether `compliant` is set.
        compliant: bool,
        /// The severity.
        severity: String,
    }
}

model! {
    /// A device health state.
    pub struct DeviceHealthState {
        /// The state.
        state: String,
        /// The mode.
        mode: String,
    }
}

model! {
    /// A device o.
    pub struct DeviceO {
        /// The id.
        id as id: String,
        /// The version.
        version: String,
        /// The name.
        name: String,
        /// The platform.
        platform: String,
        /// The major version.
        major_version: i64,
        /// The minor version.
        minor_version: i64,
        /// The patch version.
        patch_version: i64,
    }
}

model! {
    /// A device scan result summary.
    pub struct DeviceScanResultSummary {
        /// The time: last scanned.
        last_scanned_at: Timestamp,
        /// The suspicious count.
        suspicious_count: i64,
        /// The malicious count.
        malicious_count: i64,
        /// The pua count.
        pua_count: i64,
        /// The low reputation count.
        low_reputation_count: i64,
    }
}

model! {
    /// A compliance violation.
    pub struct ComplianceViolation {
        /// The description.
        description: String,
        /// The time: detected.
        detected_at: Timestamp,
        /// The type.
        r#type: ComplianceViolationType,
        /// The severity.
        severity: String,
    }
}

model! {
    /// An installed app.
    pub struct InstalledApp {
        /// The name.
        name: String,
        /// The version.
        version: String,
        /// The identifier.
        identifier: String,
        /// The source.
        source: String,
        /// The time: installed.
        installed_at: Timestamp,
    }
}

model! {
    /// A device location.
    pub struct DeviceLocation {
        /// The accuracy.
        accuracy: String,
        /// The longitude.
        longitude: f64,
        /// The latitude.
        latitude: f64,
        /// The located at.
        located_at: Value,
    }
}

model! {
    /// A device policy.
    pub struct DevicePolicy {
        /// The policy.
        policy: DevicePolicyPolicy,
        /// The state.
        state: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A device policy policy.
    pub struct DevicePolicyPolicy {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The platform.
        platform: String,
        /// The type.
        r#type: String,
        /// The version.
        version: String,
    }
}

model! {
    /// A device propertie.
    pub struct DevicePropertie {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The type.
        r#type: DevicePropertieType,
    }
}

model! {
    /// A device property.
    pub struct DeviceProperty {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The type.
        r#type: DevicePropertyType,
    }
}

model! {
    /// A device scan result.
    pub struct DeviceScanResult {
        /// The type.
        r#type: DeviceScanResultType,
        /// The name.
        name: String,
        /// The identifier.
        identifier: String,
        /// The version.
        version: String,
        /// The threat name.
        threat_name: String,
        /// The threat link.
        threat_link: String,
        /// The detected at.
        detected_at: Value,
    }
}

open_enum! {
    /// The device available action.
    pub enum DeviceAvailableAction {
        /// `get-logs`.
        GetLogs = "get-logs",
        /// `send-message`.
        SendMessage = "send-message",
        /// `sync`.
        Sync = "sync",
        /// `unenroll`.
        Unenroll = "unenroll",
    }
}

open_enum! {
    /// The device managed state.
    pub enum DeviceManagedState {
        /// `managed`.
        Managed = "managed",
        /// `notManaged`.
        NotManaged = "notManaged",
        /// `checkedOut`.
        CheckedOut = "checkedOut",
        /// `decommissioned`.
        Decommissioned = "decommissioned",
        /// `enrolling`.
        Enrolling = "enrolling",
        /// `wiped`.
        Wiped = "wiped",
    }
}

open_enum! {
    /// The device management type.
    pub enum DeviceManagementType {
        /// `androidWorkProfile`.
        AndroidWorkProfile = "androidWorkProfile",
        /// `ixm`.
        Ixm = "ixm",
        /// `notManaged`.
        NotManaged = "notManaged",
    }
}

open_enum! {
    /// The device view.
    pub enum DeviceView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The device search field.
    pub enum DeviceSearchField {
        /// `identifier`.
        Identifier = "identifier",
        /// `key`.
        Key = "key",
        /// `modelName`.
        ModelName = "modelName",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
        /// `threatName`.
        ThreatName = "threatName",
        /// `version`.
        Version = "version",
    }
}

open_enum! {
    /// The device platform.
    pub enum DevicePlatform {
        /// `android`.
        Android = "android",
        /// `chrome`.
        Chrome = "chrome",
        /// `iOS`.
        IOS = "iOS",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The device violation severity.
    pub enum DeviceViolationSeverity {
        /// `high`.
        High = "high",
        /// `low`.
        Low = "low",
        /// `medium`.
        Medium = "medium",
    }
}

open_enum! {
    /// The device health level.
    pub enum DeviceHealthLevel {
        /// `amber`.
        Amber = "amber",
        /// `green`.
        Green = "green",
        /// `red`.
        Red = "red",
    }
}

open_enum! {
    /// The device ownership type.
    pub enum DeviceOwnershipType {
        /// `corporate`.
        Corporate = "corporate",
        /// `employee`.
        Employee = "employee",
    }
}

open_enum! {
    /// The compliance violation type.
    pub enum ComplianceViolationType {
        /// `custom`.
        Custom = "custom",
        /// `minOsVersion`.
        MinOsVersion = "minOsVersion",
        /// `pua`.
        Pua = "pua",
    }
}

open_enum! {
    /// The compliance violation view.
    pub enum ComplianceViolationView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The compliance violation violation severity.
    pub enum ComplianceViolationViolationSeverity {
        /// `high`.
        High = "high",
        /// `low`.
        Low = "low",
        /// `medium`.
        Medium = "medium",
    }
}

open_enum! {
    /// The installed app view.
    pub enum InstalledAppView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The installed app search field.
    pub enum InstalledAppSearchField {
        /// `identifier`.
        Identifier = "identifier",
        /// `key`.
        Key = "key",
        /// `modelName`.
        ModelName = "modelName",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
        /// `threatName`.
        ThreatName = "threatName",
        /// `version`.
        Version = "version",
    }
}

open_enum! {
    /// The device location view.
    pub enum DeviceLocationView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The device policy view.
    pub enum DevicePolicyView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The device policy search field.
    pub enum DevicePolicySearchField {
        /// `identifier`.
        Identifier = "identifier",
        /// `key`.
        Key = "key",
        /// `modelName`.
        ModelName = "modelName",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
        /// `threatName`.
        ThreatName = "threatName",
        /// `version`.
        Version = "version",
    }
}

open_enum! {
    /// The device propertie type.
    pub enum DevicePropertieType {
        /// `custom`.
        Custom = "custom",
        /// `minOsVersion`.
        MinOsVersion = "minOsVersion",
        /// `pua`.
        Pua = "pua",
    }
}

open_enum! {
    /// The device propertie view.
    pub enum DevicePropertieView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The device propertie search field.
    pub enum DevicePropertieSearchField {
        /// `identifier`.
        Identifier = "identifier",
        /// `key`.
        Key = "key",
        /// `modelName`.
        ModelName = "modelName",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
        /// `threatName`.
        ThreatName = "threatName",
        /// `version`.
        Version = "version",
    }
}

open_enum! {
    /// The device propertie device property type.
    pub enum DevicePropertieDevicePropertyType {
        /// `custom`.
        Custom = "custom",
        /// `system`.
        System = "system",
    }
}

open_enum! {
    /// The device property type.
    pub enum DevicePropertyType {
        /// `custom`.
        Custom = "custom",
        /// `minOsVersion`.
        MinOsVersion = "minOsVersion",
        /// `pua`.
        Pua = "pua",
    }
}

open_enum! {
    /// The device property view.
    pub enum DevicePropertyView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The device scan result type.
    pub enum DeviceScanResultType {
        /// `custom`.
        Custom = "custom",
        /// `minOsVersion`.
        MinOsVersion = "minOsVersion",
        /// `pua`.
        Pua = "pua",
    }
}

open_enum! {
    /// The device scan result view.
    pub enum DeviceScanResultView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The device scan result search field.
    pub enum DeviceScanResultSearchField {
        /// `identifier`.
        Identifier = "identifier",
        /// `key`.
        Key = "key",
        /// `modelName`.
        ModelName = "modelName",
        /// `name`.
        Name = "name",
        /// `osName`.
        OsName = "osName",
        /// `threatName`.
        ThreatName = "threatName",
        /// `version`.
        Version = "version",
    }
}

open_enum! {
    /// The device scan result scan result type.
    pub enum DeviceScanResultScanResultType {
        /// `lowReputation`.
        LowReputation = "lowReputation",
        /// `suspicious`.
        Suspicious = "suspicious",
        /// `threat`.
        Threat = "threat",
    }
}

operation! {
    /// Gets list of devices.
    pub struct ListDevices = GET "/mobile/v1/devices" (tenant)
        -> NumberedPage<Device> {
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DeviceView,
        /// The ids.
        ids: [String],
        /// The operating system ids.
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
        search_fields: [DeviceSearchField],
        /// The platform.
        platform: DevicePlatform,
        /// The management type.
        management_type: String,
        /// The managed state.
        managed_state: DeviceManagedState,
        /// The compliant.
        compliant: String,
        /// The violation severity.
        violation_severity: DeviceViolationSeverity,
        /// The health state.
        health_state: DeviceHealthLevel,
        /// The ownership type.
        ownership_type: DeviceOwnershipType,
        /// The created before.
        created_before: String,
        /// The created after.
        created_after: String,
        /// The last seen before.
        last_seen_before: String,
        /// The last seen after.
        last_seen_after: String,
        /// The device group ids.
        device_group_ids: [String],
    }
}

operation! {
    /// Creates mobile device.
    pub struct CreateDevice = POST "/mobile/v1/devices" (tenant)
        -> Device {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: DeviceView,
        /// The name.
        name: String,
        /// The platform.
        platform: String,
        /// The ownership type.
        ownership_type: String,
        /// The group id.
        group_id: String,
    }
}

operation! {
    /// Deletes a mobile device.
    pub struct DeleteDevice = DELETE "/mobile/v1/devices/:id" (tenant)
        -> Deleted {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Gets mobile device by ID.
    pub struct GetDevice = GET "/mobile/v1/devices/:id" (tenant)
        -> Device {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DeviceView,
    }
}

operation! {
    /// Updates a mobile device.
    pub struct UpdateDevice = PUT "/mobile/v1/devices/:id" (tenant)
        -> Device {
        /// The id.
        id!: String,
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: DeviceView,
        /// The name.
        name: String,
        /// The ownership type.
        ownership_type: String,
        /// The group id.
        group_id: String,
    }
}

operation! {
    /// Gets list of compliance violations.
    pub struct ListComplianceViolations = GET "/mobile/v1/devices/:id/compliance-violations" (tenant)
        -> NumberedPage<ComplianceViolation> {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: ComplianceViolationView,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The violation severity.
        violation_severity: ComplianceViolationViolationSeverity,
    }
}

operation! {
    /// Gets list of installed apps.
    pub struct ListInstalledApps = GET "/mobile/v1/devices/:id/installed-apps" (tenant)
        -> NumberedPage<InstalledApp> {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: InstalledAppView,
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
        search_fields: [InstalledAppSearchField],
        /// The app source.
        app_source: String,
    }
}

operation! {
    /// Gets device location.
    pub struct GetDeviceLocation = GET "/mobile/v1/devices/:id/location" (tenant)
        -> DeviceLocation {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DeviceLocationView,
    }
}

operation! {
    /// Gets list of assigned policies.
    pub struct ListDevicePolicies = GET "/mobile/v1/devices/:id/policies" (tenant)
        -> NumberedPage<DevicePolicy> {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DevicePolicyView,
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
        search_fields: [DevicePolicySearchField],
    }
}

operation! {
    /// Gets list of device properties.
    pub struct ListDeviceProperties = GET "/mobile/v1/devices/:id/properties" (tenant)
        -> NumberedPage<DevicePropertie> {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DevicePropertieView,
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
        search_fields: [DevicePropertieSearchField],
        /// The device property type.
        device_property_type: DevicePropertieDevicePropertyType,
        /// The device property key.
        device_property_key: String,
    }
}

operation! {
    /// Creates custom device property.
    pub struct CreateDeviceProperty = POST "/mobile/v1/devices/:id/properties" (tenant)
        -> DeviceProperty {
        /// The id.
        id!: String,
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: DevicePropertyView,
        /// The key.
        key: String,
        /// The value.
        value: String,
    }
}

operation! {
    /// Deletes single device property by key.
    pub struct DeleteDeviceProperty = DELETE "/mobile/v1/devices/:id/properties/:propertyKey" (tenant)
        -> Deleted {
        /// The id.
        id!: String,
        /// The property key.
        property_key!: String,
    }
}

operation! {
    /// Updates a device property by key.
    pub struct UpdateDeviceProperty = PUT "/mobile/v1/devices/:id/properties/:propertyKey" (tenant)
        -> Value {
        /// The id.
        id!: String,
        /// The property key.
        property_key!: String,
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: DevicePropertyView,
        /// The value.
        value: String,
    }
}

operation! {
    /// Gets list of Intercept X for Mobile scan results.
    pub struct ListDeviceScanResults = GET "/mobile/v1/devices/:id/scan-results" (tenant)
        -> NumberedPage<DeviceScanResult> {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: DeviceScanResultView,
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
        search_fields: [DeviceScanResultSearchField],
        /// The scan result type.
        scan_result_type: DeviceScanResultScanResultType,
    }
}

tested! {
    ListDevices
    CreateDevice
    DeleteDevice
    GetDevice
    UpdateDevice
    ListComplianceViolations
    ListInstalledApps
    GetDeviceLocation
    ListDevicePolicies
    ListDeviceProperties
    CreateDeviceProperty
    DeleteDeviceProperty
    UpdateDeviceProperty
    ListDeviceScanResults
}
