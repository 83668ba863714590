//! Queries of detections grouped by rule and device: `/detections/v1/queries/detection-groups`.

use crate::{
    Error, Job, JobProgress, NumberedPage, Timestamp,
    models::macros::model,
    operation::{
        checks::Bounded,
        macros::{listed, operation},
    },
    operations::detections::queries::{Device, MitreAttack, QueryRun, Sensor, SortField},
};

operation! {
    /// Starts a query of detection groups.
    ///
    /// Fails with 429 at too many requests.
    pub struct StartDetectionGroupsQuery = POST "/detections/v1/queries/detection-groups"
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

impl StartDetectionGroupsQuery {
    fn check_severity(&self) -> Result<(), Error> {
        self.severity.iter().try_for_each(|severity| severity.check("severity", &(0..=10)))
    }
}

operation! {
    /// Returns a query of detection groups with its state.
    pub struct GetDetectionGroupsQuery = GET "/detections/v1/queries/detection-groups/:runId"
        (tenant replaced_by "fusion::detections::SearchDetections") -> QueryRun {
        /// The id of the query run.
        run_id!: String,
    }
}

operation! {
    /// Lists the results of a finished query of detection groups.
    pub struct ListDetectionGroups = GET "/detections/v1/queries/detection-groups/:runId/results"
        (tenant replaced_by "fusion::detections::SearchDetections") -> NumberedPage<DetectionGroup> {
        /// The id of the query run.
        run_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
    }
}

model! {
    /// Detections of one rule on one device.
    pub struct DetectionGroup {
        /// The severity, 0 to 10.
        severity: i64,
        /// The type, such as `Threat`.
        r#type: String,
        /// The number of detections.
        count: i64,
        /// The sensor.
        sensor: Sensor,
        /// The id of the detection rule.
        detection_rule: String,
        /// The tactics and techniques of MITRE ATT&CK.
        mitre_attacks: Vec<MitreAttack>,
        /// The time of the last detection.
        time: Timestamp,
        /// The group's id.
        id!: String,
        /// The device.
        device: Device,
        /// The description of the rule.
        detection_rule_description: String,
    }
}

impl Job for GetDetectionGroupsQuery {
    fn progress(run: &QueryRun) -> JobProgress {
        run.progress()
    }
}

listed! {
    StartDetectionGroupsQuery
    GetDetectionGroupsQuery
    ListDetectionGroups
}
