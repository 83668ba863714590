//! Violations, apps, location, policies and findings of a mobile device: `/mobile/v1/devices/{id}`.

use crate::{
    NumberedPage, Timestamp,
    models::macros::{model, open_enum},
    operation::macros::{listed, operation},
    operations::mobile::devices::{View, ViolationSeverity},
};

operation! {
    /// Lists the compliance violations of a device.
    pub struct ListComplianceViolations = GET "/mobile/v1/devices/:id/compliance-violations" (tenant)
        -> NumberedPage<ComplianceViolation> {
        /// The device's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The severity to match.
        violation_severity: ViolationSeverity,
    }
}

operation! {
    /// Lists the apps on a device.
    pub struct ListInstalledApps = GET "/mobile/v1/devices/:id/installed-apps" (tenant)
        -> NumberedPage<InstalledApp> {
        /// The device's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
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
        /// The source to match.
        app_source: String,
    }
}

operation! {
    /// Returns the last location of a device.
    ///
    /// Fails with 404 if the device or its location is unknown.
    pub struct GetDeviceLocation = GET "/mobile/v1/devices/:id/location" (tenant) -> DeviceLocation {
        /// The device's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
    }
}

operation! {
    /// Lists the policies of a device.
    pub struct ListDevicePolicies = GET "/mobile/v1/devices/:id/policies" (tenant)
        -> NumberedPage<DevicePolicy> {
        /// The device's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
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
    /// Lists the findings of Intercept X for Mobile on a device.
    pub struct ListDeviceScanResults = GET "/mobile/v1/devices/:id/scan-results" (tenant)
        -> NumberedPage<DeviceScanResult> {
        /// The device's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
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
        /// The kind to match.
        scan_result_type: ScanResultType,
    }
}

model! {
    /// A compliance violation of a device.
    pub struct ComplianceViolation {
        /// The description.
        description: String,
        /// The time of the detection.
        detected_at: Timestamp,
        /// The kind of violation, such as `minOsVersion`.
        r#type: String,
        /// The severity.
        severity: ViolationSeverity,
    }
}

model! {
    /// An app on a device.
    pub struct InstalledApp {
        /// The name.
        name: String,
        /// The version.
        version: String,
        /// The identifier of the app.
        identifier: String,
        /// The source of the app.
        source: String,
        /// The time of the installation.
        installed_at: Timestamp,
    }
}

model! {
    /// The location of a device.
    pub struct DeviceLocation {
        /// The accuracy, as text.
        accuracy: String,
        /// The longitude, in degrees.
        longitude: f64,
        /// The latitude, in degrees.
        latitude: f64,
        /// The time of the location.
        located_at: Timestamp,
    }
}

model! {
    /// A policy of a device.
    pub struct DevicePolicy {
        /// The policy.
        policy: PolicyReference,
        /// The state of the policy on the device.
        state: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A policy.
    pub struct PolicyReference {
        /// The policy's id.
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
    /// A finding of Intercept X for Mobile.
    pub struct DeviceScanResult {
        /// The kind of finding, such as `pua`.
        r#type: String,
        /// The name.
        name: String,
        /// The identifier of the app.
        identifier: String,
        /// The version of the app.
        version as id: String,
        /// The name of the threat.
        threat_name: String,
        /// The URL of the threat's description.
        threat_link: String,
        /// The time of the detection.
        detected_at: Timestamp,
    }
}

open_enum! {
    /// The kind of a finding.
    pub enum ScanResultType {
        /// An app with a low reputation.
        LowReputation = "lowReputation",
        /// A suspicious app.
        Suspicious = "suspicious",
        /// A malicious app.
        Threat = "threat",
    }
}

listed! {
    ListComplianceViolations
    ListInstalledApps
    GetDeviceLocation
    ListDevicePolicies
    ListDeviceScanResults
}
