//! The typed columns of each dataset in Parquet.
//!
//! A change of a column is a new version of the schema: readers rely on names and types.
//! New columns go to the end.

use super::{ColumnKind, ParquetColumn};
use crate::dataset::Dataset;

const fn text(name: &'static str, paths: &'static [&'static str]) -> ParquetColumn {
    ParquetColumn { name, kind: ColumnKind::Text, paths }
}

const fn json(name: &'static str, paths: &'static [&'static str]) -> ParquetColumn {
    ParquetColumn { name, kind: ColumnKind::Json, paths }
}

const fn boolean(name: &'static str, paths: &'static [&'static str]) -> ParquetColumn {
    ParquetColumn { name, kind: ColumnKind::Boolean, paths }
}

const fn integer(name: &'static str, paths: &'static [&'static str]) -> ParquetColumn {
    ParquetColumn { name, kind: ColumnKind::Integer, paths }
}

const fn time(name: &'static str, paths: &'static [&'static str]) -> ParquetColumn {
    ParquetColumn { name, kind: ColumnKind::Time, paths }
}

/// The typed columns of a dataset.
pub(super) const fn of_dataset(dataset: Dataset) -> &'static [ParquetColumn] {
    match dataset {
        Dataset::Events => EVENTS,
        Dataset::Alerts => ALERTS,
        Dataset::Audit => AUDIT,
        Dataset::Detections => DETECTIONS,
        Dataset::Cases => CASES,
        Dataset::Endpoints => ENDPOINTS,
        Dataset::EndpointChanges => ENDPOINT_CHANGES,
        Dataset::Health => HEALTH,
        Dataset::Policies => POLICIES,
        Dataset::Exclusions => EXCLUSIONS,
        Dataset::Licenses => LICENSES,
        Dataset::Firewalls => FIREWALLS,
        Dataset::Admins => ADMINS,
        Dataset::Isolations => ISOLATIONS,
    }
}

const EVENTS: &[ParquetColumn] = &[
    text("type", &["type"]),
    text("severity", &["severity"]),
    text("event_group", &["group"]),
    text("name", &["name"]),
    text("threat", &["threat"]),
    text("location", &["location"]),
    text("endpoint_id", &["endpoint_id"]),
    text("endpoint_type", &["endpoint_type"]),
    text("source_ip", &["source_info.ip"]),
    text("user_id", &["user_id"]),
    text("user_name", &["source"]),
    text("origin", &["origin"]),
    text("app_sha256", &["appSha256"]),
    json("app_certs", &["appCerts"]),
    json("core_remedy_items", &["core_remedy_items"]),
    json("amsi_threat_data", &["amsi_threat_data"]),
    json("ips_threat_data", &["ips_threat_data"]),
    json("whitelist_properties", &["whitelist_properties"]),
];

const ALERTS: &[ParquetColumn] = &[
    text("type", &["type"]),
    text("severity", &["severity"]),
    text("description", &["description"]),
    text("category", &["category"]),
    text("product", &["product"]),
    text("threat", &["threat"]),
    boolean("threat_cleanable", &["threat_cleanable"]),
    text("threat_status", &["data.threat_status"]),
    text("location", &["location"]),
    text("endpoint_id", &["data.endpoint_id", "managedAgent.id"]),
    text("endpoint_type", &["data.endpoint_type", "managedAgent.type"]),
    text("endpoint_platform", &["data.endpoint_platform"]),
    text("source_ip", &["data.source_info.ip"]),
    text("user_name", &["source"]),
    text("person_id", &["person.id", "data.user_match_id"]),
    text("event_id", &["event_service_event_id"]),
    text("group_key", &["groupKey"]),
    json("allowed_actions", &["allowedActions"]),
];

const AUDIT: &[ParquetColumn] = &[
    text("type", &["type"]),
    text("action", &["action"]),
    text("object_name", &["objectName"]),
    text("description", &["description"]),
    text("modified_by_id", &["modifiedBy.id"]),
    text("modified_by_type", &["modifiedBy.type"]),
    text("modified_by_email", &["modifiedBy.email", "modifiedBy"]),
    text("modifier_account_id", &["modifierAccount.id", "modifierAccountId"]),
    text("modifier_account_type", &["modifierAccount.type"]),
    text("resource_owner_id", &["resourceOwner.id", "resourceOwnerId"]),
    text("origin_ip", &["originIpAddress"]),
];

const DETECTIONS: &[ParquetColumn] = &[
    text("type", &["type"]),
    integer("severity", &["severity"]),
    text("detection_rule", &["detectionRule"]),
    text("rule_description", &["ruleDescription"]),
    text("attack_type", &["attackType"]),
    text("detection_attack", &["detectionAttack"]),
    text("sensor_id", &["sensor.id"]),
    text("sensor_type", &["sensor.type"]),
    text("sensor_source", &["sensor.source"]),
    text("device_id", &["device.id"]),
    text("device_type", &["device.type"]),
    text("device_name", &["device.entity"]),
    time("sensor_generated_at", &["sensorGeneratedAt"]),
    json("mitre_attacks", &["mitreAttacks"]),
    json("geolocation", &["geolocation"]),
    json("file_reputation", &["intelixFileReputation"]),
];

const CASES: &[ParquetColumn] = &[
    text("name", &["name"]),
    text("type", &["type"]),
    text("severity", &["severity"]),
    text("status", &["status"]),
    text("verdict", &["verdict"]),
    text("managed_by", &["managedBy"]),
    boolean("escalated", &["escalated"]),
    text("overview", &["overview"]),
    integer("detection_count", &["detectionCount"]),
    text("initial_detection_id", &["initialDetection.id"]),
    text("initial_detection_rule", &["initialDetection.detectionRule"]),
    text("assignee_id", &["assignee.id"]),
    text("assignee_name", &["assignee.name"]),
    text("created_by_name", &["createdBy.name"]),
    time("assigned_at", &["assignedAt"]),
    time("updated_at", &["updatedAt"]),
    time("resolved_at", &["resolvedAt"]),
];

const ENDPOINTS: &[ParquetColumn] = &[
    text("hostname", &["hostname"]),
    text("type", &["type"]),
    text("os_platform", &["os.platform"]),
    text("os_name", &["os.name"]),
    boolean("os_is_server", &["os.isServer"]),
    integer("os_major_version", &["os.majorVersion"]),
    integer("os_minor_version", &["os.minorVersion"]),
    integer("os_build", &["os.build"]),
    text("health_overall", &["health.overall"]),
    text("health_threats", &["health.threats.status"]),
    text("health_services", &["health.services.status"]),
    boolean("online", &["online"]),
    time("last_seen_at", &["lastSeenAt"]),
    text("isolation_status", &["isolation.status"]),
    boolean("admin_isolated", &["isolation.adminIsolated"]),
    boolean("self_isolated", &["isolation.selfIsolated"]),
    boolean("tamper_protection_enabled", &["tamperProtectionEnabled"]),
    text("lockdown_status", &["lockdown.status"]),
    text("encryption_status", &["encryption.overallStatus"]),
    boolean("mdr_managed", &["mdrManaged"]),
    json("ipv4_addresses", &["ipv4Addresses"]),
    json("ipv6_addresses", &["ipv6Addresses"]),
    json("mac_addresses", &["macAddresses"]),
    text("group_id", &["group.id"]),
    text("group_name", &["group.name"]),
    text("person_id", &["associatedPerson.id"]),
    text("person_name", &["associatedPerson.name"]),
    text("person_login", &["associatedPerson.viaLogin"]),
    text("serial_number", &["serialNumber"]),
    text("cloud_provider", &["cloud.provider"]),
    text("cloud_instance_id", &["cloud.instanceId"]),
    json("assigned_products", &["assignedProducts"]),
    json("tags", &["tags"]),
    time("last_agent_update_at", &["lastAgentUpdateAt"]),
    time("last_os_update_at", &["lastOsUpdateAt"]),
];

const ENDPOINT_CHANGES: &[ParquetColumn] = &[
    text("change", &["change"]),
    text("endpoint_id", &["id"]),
    text("hostname", &["after.hostname", "before.hostname"]),
    time("before_at", &["beforeAt"]),
    time("after_at", &["afterAt"]),
    json("members", &["members"]),
    json("before_record", &["before"]),
    json("after_record", &["after"]),
];

const HEALTH: &[ParquetColumn] = &[
    integer("protection_computer_total", &["endpoint.protection.computer.total"]),
    integer("protection_computer_bad", &["endpoint.protection.computer.notFullyProtected"]),
    integer("protection_computer_score", &["endpoint.protection.computer.score"]),
    integer("protection_server_total", &["endpoint.protection.server.total"]),
    integer("protection_server_bad", &["endpoint.protection.server.notFullyProtected"]),
    integer("protection_server_score", &["endpoint.protection.server.score"]),
    integer("tamper_protection_computer_total", &["endpoint.tamperProtection.computer.total"]),
    integer("tamper_protection_computer_bad", &["endpoint.tamperProtection.computer.disabled"]),
    integer("tamper_protection_computer_score", &["endpoint.tamperProtection.computer.score"]),
    integer("tamper_protection_server_total", &["endpoint.tamperProtection.server.total"]),
    integer("tamper_protection_server_bad", &["endpoint.tamperProtection.server.disabled"]),
    integer("tamper_protection_server_score", &["endpoint.tamperProtection.server.score"]),
    boolean("tamper_protection_global", &["endpoint.tamperProtection.global"]),
    json("policy", &["endpoint.policy"]),
    json("exclusions", &["endpoint.exclusions"]),
    json("network_device", &["networkDevice"]),
];

const POLICIES: &[ParquetColumn] = &[
    text("name", &["name"]),
    text("type", &["type"]),
    boolean("enabled", &["enabled"]),
    integer("priority", &["priority"]),
    boolean("locked_by_managing_account", &["lockedByManagingAccount"]),
    text("created_by_name", &["createdBy.name"]),
    text("updated_by_name", &["updatedBy.name"]),
    time("updated_at", &["updatedAt"]),
    json("applies_to", &["appliesTo"]),
    json("settings", &["settings"]),
];

const EXCLUSIONS: &[ParquetColumn] = &[
    text("type", &["type"]),
    text("value", &["value"]),
    text("description", &["description"]),
    text("comment", &["comment"]),
    text("scan_mode", &["scanMode"]),
    text("direction", &["direction"]),
    json("local_ports", &["localPorts"]),
    json("remote_ports", &["remotePorts"]),
    json("remote_addresses", &["remoteAddresses"]),
    text("file_name", &["properties.fileName"]),
    text("path", &["properties.path"]),
    text("sha256", &["properties.sha256"]),
    text("certificate_signer", &["properties.certificateSigner"]),
    boolean("locked_by_managing_account", &["lockedByManagingAccount"]),
    text("created_by_name", &["createdBy.name"]),
    time("updated_at", &["updatedAt"]),
];

const LICENSES: &[ParquetColumn] = &[
    text("license_identifier", &["licenseIdentifier"]),
    text("product_code", &["product.code"]),
    text("product_name", &["product.name"]),
    text("type", &["type"]),
    text("start_date", &["startDate"]),
    text("end_date", &["endDate"]),
    boolean("perpetual", &["perpetual"]),
    boolean("unlimited", &["unlimited"]),
    integer("quantity", &["quantity"]),
    integer("usage_count", &["usage.current.count"]),
    time("usage_collected_at", &["usage.current.collectedAt"]),
];

const FIREWALLS: &[ParquetColumn] = &[
    text("name", &["name"]),
    text("hostname", &["hostname"]),
    text("serial_number", &["serialNumber"]),
    text("model", &["model"]),
    text("firmware_version", &["firmwareVersion"]),
    boolean("connected", &["status.connected"]),
    boolean("suspended", &["status.suspended"]),
    text("managing_status", &["status.managingStatus", "status.managing"]),
    text("reporting_status", &["status.reportingStatus", "status.reporting"]),
    text("group_id", &["group.id"]),
    text("group_name", &["group.name"]),
    text("cluster_id", &["cluster.id"]),
    text("cluster_mode", &["cluster.mode"]),
    text("cluster_status", &["cluster.status"]),
    json("external_ipv4_addresses", &["externalIpv4Addresses"]),
    json("capabilities", &["capabilities"]),
    time("state_changed_at", &["stateChangedAt", "statusChangedAt"]),
    time("updated_at", &["updatedAt"]),
];

const ADMINS: &[ParquetColumn] = &[
    text("user_name", &["username"]),
    text("name", &["profile.name", "name"]),
    text("first_name", &["profile.firstName"]),
    text("last_name", &["profile.lastName"]),
    text("email", &["profile.email"]),
    json("role_assignments", &["roleAssignments"]),
    json("users", &["users"]),
    time("updated_at", &["updatedAt"]),
];

const ISOLATIONS: &[ParquetColumn] = &[
    text("decision", &["decision"]),
    integer("sequence", &["sequence"]),
    text("transition", &["transition"]),
    text("action", &["action"]),
    text("alert_source", &["alert_source"]),
    text("tool", &["tool"]),
    text("severity", &["severity"]),
    text("title", &["title"]),
    text("endpoint_id", &["endpoint_id"]),
    text("hostname", &["hostname"]),
    text("requested_by", &["requested_by"]),
    text("code", &["entry.code", "entry.not_actionable.code"]),
    text("detail", &["entry.detail", "entry.reason", "entry.not_actionable.detail"]),
    json("entry", &["entry"]),
];
