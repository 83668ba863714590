//! Detections: `/detections/v1/queries/detections` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, Timestamp, models::{Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A detections query.
    pub struct DetectionsQuery {
        /// The id.
        id as id: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The time: finished.
        finished_at: Timestamp,
        /// The result count.
        result_count: i64,
        /// The result.
        result: DetectionsQueryResult,
        /// The status.
        status: DetectionsQueryStatus,
    }
}

model! {
    /// A detections query sort.
    pub struct DetectionsQuerySort {
        /// The field.
        field: String,
        /// The direction.
        direction: String,
    }
}

model! {
    /// A detection.
    pub struct Detection {
        /// The id.
        id!: String,
        /// The sensor.
        sensor: DetectionSensor,
        /// The detection rule.
        detection_rule: String,
        /// The detection attack.
        detection_attack: String,
        /// The device.
        device: DetectionDevice,
        /// The mitre attacks.
        mitre_attacks: Vec<DetectionMitreAttack>,
        /// The raw data.
        raw_data: Value,
        /// The severity.
        severity: i64,
        /// The time: time.
        time: Timestamp,
        /// The type.
        r#type: String,
        /// The attack type.
        attack_type: String,
        /// The time: sensor generated.
        sensor_generated_at: Timestamp,
        /// The detection sigma.
        detection_sigma: Value,
        /// The detection eql.
        detection_eql: String,
        /// The detection licenses.
        detection_licenses: String,
        /// The geolocation.
        geolocation: Vec<DetectionGeolocation>,
        /// The intelix file reputation.
        intelix_file_reputation: Vec<DetectionIntelixFileReputation>,
        /// The rule description.
        rule_description: String,
        /// The schema.
        schema: String,
    }
}

model! {
    /// A detection sensor.
    pub struct DetectionSensor {
        /// The id.
        id as id: String,
        /// The type.
        r#type: DetectionSensorType,
        /// The source.
        source: String,
        /// The version.
        version: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A detection device.
    pub struct DetectionDevice {
        /// The id.
        id as id: String,
        /// The type.
        r#type: DetectionDeviceType,
        /// The entity.
        entity: String,
    }
}

model! {
    /// A detection mitre attack.
    pub struct DetectionMitreAttack {
        /// The tactic.
        tactic: DetectionMitreAttackTactic,
    }
}

model! {
    /// A detection mitre attack tactic.
    pub struct DetectionMitreAttackTactic {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The techniques.
        techniques: Vec<Reference>,
    }
}

model! {
    /// A detection geolocation.
    pub struct DetectionGeolocation {
        /// The field name.
        field_name: String,
        /// The field value.
        field_value: String,
        /// The city.
        city: String,
        /// The state.
        state: String,
        /// The country.
        country: String,
        /// The country code.
        country_code: String,
        /// The postal.
        postal: String,
        /// The latitude.
        latitude: f64,
        /// The longitude.
        longitude: f64,
    }
}

model! {
    /// A detection intelix file reputation.
    pub struct DetectionIntelixFileReputation {
        /// The field name.
        field_name: String,
        /// The field value.
        field_value: String,
        /// The reputation score.
        reputation_score: i64,
        /// The detection name.
        detection_name: String,
    }
}

model! {
    /// A detection count.
    pub struct DetectionCount {
        /// The time: from.
        from: Timestamp,
        /// The resolution.
        resolution: DetectionCountResolution,
        /// The tenant.
        tenant: Reference,
        /// The time: to.
        to: Timestamp,
        /// The resolution detection counts.
        resolution_detection_counts: Vec<DetectionCountResolutionDetectionCount>,
    }
}

model! {
    /// A detection count resolution detection count.
    pub struct DetectionCountResolutionDetectionCount {
        /// The time: starts.
        starts_at: Timestamp,
        /// The total count.
        total_count: i64,
        /// The time: ends.
        ends_at: Timestamp,
        /// The count by severity.
        count_by_severity: DetectionCountResolutionDetectionCountCountBySeverity,
        /// The count by type.
        count_by_type: DetectionCountResolutionDetectionCountCountByType,
    }
}

model! {
    /// A detection count resolution detection count count by severity.
    pub struct DetectionCountResolutionDetectionCountCountBySeverity {
        /// The info.
        info: i64,
        /// The low.
        low: i64,
        /// The medium.
        medium: i64,
        /// The high.
        high: i64,
        /// The critical.
        critical: i64,
    }
}

model! {
    /// A detection count resolution detection count count by type.
    pub struct DetectionCountResolutionDetectionCountCountByType {
        /// The process.
        process: i64,
        /// The threat.
        threat: i64,
        /// The vulnerability.
        vulnerability: i64,
    }
}

open_enum! {
    /// The detections query result.
    pub enum DetectionsQueryResult {
        /// `canceled`.
        Canceled = "canceled",
        /// `succeeded`.
        Succeeded = "succeeded",
    }
}

open_enum! {
    /// The detections query status.
    pub enum DetectionsQueryStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
    }
}

open_enum! {
    /// The detection sensor type.
    pub enum DetectionSensorType {
        /// `cloud`.
        Cloud = "cloud",
        /// `iam`.
        Iam = "iam",
        /// `network`.
        Network = "network",
    }
}

open_enum! {
    /// The detection device type.
    pub enum DetectionDeviceType {
        /// `computer`.
        Computer = "computer",
        /// `sensor`.
        Sensor = "sensor",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The detection count resolution.
    pub enum DetectionCountResolution {
        /// `day`.
        Day = "day",
        /// `minute`.
        Minute = "minute",
    }
}

open_enum! {
    /// The detection count type.
    pub enum DetectionCountType {
        /// `process`.
        Process = "process",
        /// `threat`.
        Threat = "threat",
        /// `vulnerability`.
        Vulnerability = "vulnerability",
    }
}

open_enum! {
    /// The detection count category.
    pub enum DetectionCountCategory {
        /// `cloud`.
        Cloud = "cloud",
        /// `email`.
        Email = "email",
        /// `endpoint`.
        Endpoint = "endpoint",
        /// `firewall`.
        Firewall = "firewall",
        /// `iam`.
        Iam = "iam",
        /// `network`.
        Network = "network",
    }
}

operation! {
    /// Runs a query on the detections.
    pub struct StartDetectionsQuery = POST "/detections/v1/queries/detections" (tenant)
        -> DetectionsQuery {
        /// The detection rule.
        detection_rule: String,
        /// The severity.
        severity: [i64],
        /// The order, such as `name:asc`.
        sort: [DetectionsQuerySort],
        /// The time: from.
        from: Timestamp,
        /// The time: to.
        to: Timestamp,
    }
}

operation! {
    /// Returns the detections query run with the given ID.
    pub struct GetDetectionsQuery = GET "/detections/v1/queries/detections/:runId" (tenant)
        -> DetectionsQuery {
        /// The run id.
        run_id!: String,
    }
}

operation! {
    /// Returns the results of the detections query run with the given ID.
    pub struct ListDetections = GET "/detections/v1/queries/detections/:runId/results" (tenant)
        -> NumberedPage<Detection> {
        /// The run id.
        run_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
    }
}

operation! {
    /// Gets detection counts grouped by severity and type.
    pub struct GetDetectionCounts = GET "/detections/v1/queries/detections/counts" (tenant)
        -> DetectionCount {
        /// The from.
        from: String,
        /// The to.
        to: String,
        /// The resolution.
        resolution: DetectionCountResolution,
        /// The ids.
        ids: [String],
        /// The detection rule.
        detection_rule: String,
        /// The severity.
        severity: String,
        /// The type.
        r#type: DetectionCountType,
        /// The category.
        category: DetectionCountCategory,
        /// The source.
        source: String,
        /// The device name contains.
        device_name_contains: String,
        /// The entity type.
        entity_type: String,
        /// The location.
        location: String,
        /// The mitre attack tactics.
        mitre_attack_tactics: String,
        /// The mitre attack.
        mitre_attack: String,
        /// The operating system name.
        operating_system_name: String,
        /// The operating system.
        operating_system: String,
        /// The username.
        username: String,
        /// The show suppressed.
        show_suppressed: String,
    }
}

tested! {
    StartDetectionsQuery
    GetDetectionsQuery
    ListDetections
    GetDetectionCounts
}
