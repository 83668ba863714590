//! Queries of detections, their results and counts: `/detections/v1/queries/detections`.

use serde_json::Value;

use crate::{
    Error, Job, JobProgress, NumberedPage, Timestamp,
    models::{
        Reference,
        macros::{model, open_enum},
    },
    operation::{
        checks::Bounded,
        macros::{listed, operation},
    },
};

pub use super::query_run::{QueryRun, RunResult, RunStatus};

operation! {
    /// Starts a query of detections.
    ///
    /// Without a range it covers one day. Fails with 429 at too many requests.
    pub struct StartDetectionsQuery = POST "/detections/v1/queries/detections"
        (tenant replaced_by "fusion::detections::SearchDetections") -> QueryRun {
        /// The id of the detection rule.
        detection_rule: String,
        /// The severities, each 0 to 10.
        severity: [i64],
        /// The order of the results.
        sort: [SortField],
        /// The start of the time range.
        from: Timestamp,
        /// The end of the time range.
        to: Timestamp,
    } where {
        ..Self::check_severity
    }
}

impl StartDetectionsQuery {
    fn check_severity(&self) -> Result<(), Error> {
        self.severity.iter().try_for_each(|severity| severity.check("severity", &(0..=10)))
    }
}

operation! {
    /// Returns a query of detections with its state.
    pub struct GetDetectionsQuery = GET "/detections/v1/queries/detections/:runId"
        (tenant replaced_by "fusion::detections::PollDetections") -> QueryRun {
        /// The id of the query run.
        run_id!: String,
    }
}

operation! {
    /// Lists the results of a finished query of detections.
    pub struct ListDetections = GET "/detections/v1/queries/detections/:runId/results"
        (tenant replaced_by "fusion::detections::SearchDetections") -> NumberedPage<Detection> {
        /// The id of the query run.
        run_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
    }
}

operation! {
    /// Returns the numbers of detections by severity and type.
    ///
    /// Without a range it covers the last 30 days, the last day or the last hour for intervals of a
    /// day, an hour or a minute.
    pub struct GetDetectionCounts = GET "/detections/v1/queries/detections/counts"
        (tenant replaced_by "fusion::detections::AggregateDetectionsBySeverity") -> DetectionCounts {
        /// The start of the time range.
        from: String,
        /// The end of the time range.
        to: String,
        /// The length of the intervals.
        resolution: CountInterval,
        /// The ids of the detections.
        ids: [String],
        /// The id of the detection rule.
        detection_rule: String,
        /// The severity level.
        severity: String,
        /// The type of the detections.
        r#type: DetectionType,
        /// The category.
        category: DetectionCategory,
        /// The source of the detections.
        source: String,
        /// The text in the device name.
        device_name_contains: String,
        /// The type of the entity.
        entity_type: String,
        /// The text in the city, state or country.
        location: String,
        /// The name of the MITRE ATT&CK tactic.
        mitre_attack_tactics: String,
        /// The text in the id or name of a MITRE ATT&CK technique, or in a tactic.
        mitre_attack: String,
        /// The text in the name of the operating system.
        operating_system_name: String,
        /// The operating system, exactly.
        operating_system: String,
        /// The username, exactly.
        username: String,
        /// Whether suppressed detections are counted.
        show_suppressed: bool,
    }
}

model! {
    /// A field that orders the results.
    pub struct SortField with setters {
        /// The name of the field.
        field: String,
        /// The direction: `asc` or `desc`.
        direction: String,
    }
}

model! {
    /// A detection.
    pub struct Detection {
        /// The detection's id.
        id!: String,
        /// The sensor.
        sensor: Sensor,
        /// The id of the detection rule.
        detection_rule: String,
        /// The name of the MITRE ATT&CK tactic.
        detection_attack: String,
        /// The device.
        device: Device,
        /// The tactics and techniques of MITRE ATT&CK.
        mitre_attacks: Vec<MitreAttack>,
        /// The data of the sensor.
        raw_data: Value,
        /// The severity, 0 to 10.
        severity: i64,
        /// The time of the detection.
        time: Timestamp,
        /// The type, such as `Threat`.
        r#type: String,
        /// The kind of attack.
        attack_type: String,
        /// The time when the sensor reported it.
        sensor_generated_at: Timestamp,
        /// The Sigma rule.
        detection_sigma: Value,
        /// The EQL rule.
        detection_eql: String,
        /// The licenses of the rule.
        detection_licenses: String,
        /// The locations of addresses.
        geolocation: Vec<Geolocation>,
        /// The reputations of files.
        intelix_file_reputation: Vec<FileReputation>,
        /// The description of the rule.
        rule_description: String,
        /// The schema of the raw data.
        schema: String,
    }
}

model! {
    /// The sensor that reported a detection.
    pub struct Sensor {
        /// The sensor's id.
        id as id: String,
        /// The type, such as `endpoint`, `network`, `cloud` or `email`.
        r#type: String,
        /// The vendor.
        source: String,
        /// The version.
        version: String,
        /// The name.
        name: String,
    }
}

model! {
    /// The device of a detection.
    pub struct Device {
        /// The device's id.
        id as id: String,
        /// The type: `computer`, `server` or `sensor`.
        r#type: String,
        /// The name of the device.
        entity: String,
    }
}

model! {
    /// A tactic of MITRE ATT&CK with the detected techniques.
    pub struct MitreAttack {
        /// The tactic.
        tactic: MitreTactic,
    }
}

model! {
    /// A tactic with its techniques.
    pub struct MitreTactic {
        /// The tactic's id, such as `TA0005`.
        id as id: String,
        /// The name.
        name: String,
        /// The techniques.
        techniques: Vec<Reference>,
    }
}

model! {
    /// The location of an address in a detection.
    pub struct Geolocation {
        /// The field of the raw data.
        field_name: String,
        /// The value of the field.
        field_value: String,
        /// The city.
        city: String,
        /// The state.
        state: String,
        /// The country.
        country: String,
        /// The country code.
        country_code: String,
        /// The postal code.
        postal: String,
        /// The latitude, in degrees.
        latitude: f64,
        /// The longitude, in degrees.
        longitude: f64,
    }
}

model! {
    /// The reputation of a file in a detection.
    pub struct FileReputation {
        /// The field of the raw data.
        field_name: String,
        /// The value of the field.
        field_value: String,
        /// The score of the reputation.
        reputation_score: i64,
        /// The name of the threat.
        detection_name: String,
    }
}

model! {
    /// The numbers of detections over time.
    pub struct DetectionCounts {
        /// The start of the time range.
        from: Timestamp,
        /// The length of the intervals.
        resolution: CountInterval,
        /// The tenant.
        tenant: Reference,
        /// The end of the time range.
        to: Timestamp,
        /// The numbers of each interval.
        resolution_detection_counts: Vec<IntervalCounts>,
    }
}

model! {
    /// The numbers of detections in an interval.
    pub struct IntervalCounts {
        /// The start of the interval.
        starts_at: Timestamp,
        /// The number of detections.
        total_count: i64,
        /// The end of the interval.
        ends_at: Timestamp,
        /// The numbers by severity.
        count_by_severity: SeverityCounts,
        /// The numbers by type.
        count_by_type: TypeCounts,
    }
}

model! {
    /// The numbers of detections by severity.
    pub struct SeverityCounts {
        /// The number of severity info.
        info: i64,
        /// The number of severity low.
        low: i64,
        /// The number of severity medium.
        medium: i64,
        /// The number of severity high.
        high: i64,
        /// The number of severity critical.
        critical: i64,
    }
}

model! {
    /// The numbers of detections by type.
    pub struct TypeCounts {
        /// The number of processes.
        process: i64,
        /// The number of threats.
        threat: i64,
        /// The number of vulnerabilities.
        vulnerability: i64,
    }
}

open_enum! {
    /// The length of an interval of counts.
    pub enum CountInterval {
        /// A day.
        Day = "day",
        /// An hour.
        Hour = "hour",
        /// A minute.
        Minute = "minute",
    }
}

open_enum! {
    /// The type of a detection.
    pub enum DetectionType {
        /// Process.
        Process = "process",
        /// Threat.
        Threat = "threat",
        /// Vulnerability.
        Vulnerability = "vulnerability",
    }
}

open_enum! {
    /// The category of a detection.
    pub enum DetectionCategory {
        /// Cloud.
        Cloud = "cloud",
        /// Email.
        Email = "email",
        /// Endpoint.
        Endpoint = "endpoint",
        /// Firewall.
        Firewall = "firewall",
        /// Identity and access management.
        Iam = "iam",
        /// Network.
        Network = "network",
    }
}

impl Job for GetDetectionsQuery {
    fn progress(run: &QueryRun) -> JobProgress {
        run.progress()
    }
}

listed! {
    StartDetectionsQuery
    GetDetectionsQuery
    ListDetections
    GetDetectionCounts
}
