//! Detection Groups: `/detections/v1/queries/detection-groups` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A detection groups query.
    pub struct DetectionGroupsQuery {
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
        result: DetectionGroupsQueryResult,
        /// The status.
        status: DetectionGroupsQueryStatus,
    }
}

model! {
    /// A detection groups query sort.
    pub struct DetectionGroupsQuerySort {
        /// The field.
        field: String,
        /// The direction.
        direction: String,
    }
}

model! {
    /// A detection group.
    pub struct DetectionGroup {
        /// The severity.
        severity: i64,
        /// The type.
        r#type: String,
        /// The count.
        count: i64,
        /// The sensor.
        sensor: DetectionGroupSensor,
        /// The detection rule.
        detection_rule: String,
        /// The mitre attacks.
        mitre_attacks: Vec<DetectionGroupMitreAttack>,
        /// The time: time.
        time: Timestamp,
        /// The id.
        id!: String,
        /// The device.
        device: DetectionGroupDevice,
        /// The detection rule description.
        detection_rule_description: String,
    }
}

model! {
    /// A detection group sensor.
    pub struct DetectionGroupSensor {
        /// The id.
        id as id: String,
        /// The type.
        r#type: DetectionGroupSensorType,
        /// The source.
        source: String,
        /// The version.
        version: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A detection group mitre attack.
    pub struct DetectionGroupMitreAttack {
        /// The tactic.
        tactic: DetectionGroupMitreAttackTactic,
    }
}

model! {
    /// A detection group mitre attack tactic.
    pub struct DetectionGroupMitreAttackTactic {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The techniques.
        techniques: Vec<Reference>,
    }
}

model! {
    /// A detection group device.
    pub struct DetectionGroupDevice {
        /// The id.
        id as id: String,
        /// The type.
        r#type: DetectionGroupDeviceType,
        /// The entity.
        entity: String,
    }
}

open_enum! {
    /// The detection groups query result.
    pub enum DetectionGroupsQueryResult {
        /// `canceled`.
        Canceled = "canceled",
        /// `succeeded`.
        Succeeded = "succeeded",
    }
}

open_enum! {
    /// The detection groups query status.
    pub enum DetectionGroupsQueryStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
    }
}

open_enum! {
    /// The detection group sensor type.
    pub enum DetectionGroupSensorType {
        /// `cloud`.
        Cloud = "cloud",
        /// `email`.
        Email = "email",
        /// `firewall`.
        Firewall = "firewall",
        /// `iam`.
        Iam = "iam",
    }
}

open_enum! {
    /// The detection group device type.
    pub enum DetectionGroupDeviceType {
        /// `computer`.
        Computer = "computer",
        /// `sensor`.
        Sensor = "sensor",
        /// `server`.
        Server = "server",
    }
}

operation! {
    /// Runs a detection groups query.
    pub struct StartDetectionGroupsQuery = POST "/detections/v1/queries/detection-groups" (tenant)
        -> DetectionGroupsQuery {
        /// The detection rule.
        detection_rule: String,
        /// The severity.
        severity: [i64],
        /// The order, such as `name:asc`.
        sort: [DetectionGroupsQuerySort],
        /// The time: from.
        from: Timestamp,
        /// The time: to.
        to: Timestamp,
    }
}

operation! {
    /// Returns the group query run with the given ID.
    pub struct GetDetectionGroupsQuery = GET "/detections/v1/queries/detection-groups/:runId" (tenant)
        -> DetectionGroupsQuery {
        /// The run id.
        run_id!: String,
    }
}

operation! {
    /// Returns the results of the group query run with the given ID.
    pub struct ListDetectionGroups = GET "/detections/v1/queries/detection-groups/:runId/results" (tenant)
        -> NumberedPage<DetectionGroup> {
        /// The run id.
        run_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
    }
}

tested! {
    StartDetectionGroupsQuery
    GetDetectionGroupsQuery
    ListDetectionGroups
}
