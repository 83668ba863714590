//! Impacted entities and MITRE ATT&CK summary of a case: `/cases/v1/cases/{caseId}`.

use serde_json::Value;

use crate::{
    NumberedPage,
    models::macros::{model, open_enum},
    operation::macros::{listed, operation},
    operations::detections::queries::MitreTactic,
};

operation! {
    /// Lists the entities that a case affects.
    pub struct ListImpactedEntities = GET "/cases/v1/cases/:caseId/impacted-entities"
        (tenant replaced_by "fusion::cases::GetCaseEvidence") -> NumberedPage<ImpactedEntity> {
        /// The case's id, such as `ABC-123`.
        case_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The entity's id, exactly.
        id: String,
        /// The entity's name, exactly.
        name: String,
        /// The type.
        r#type: EntityType,
    }
}

operation! {
    /// Returns the MITRE ATT&CK tactics and techniques of a case.
    pub struct GetMitreAttackSummary = GET "/cases/v1/cases/:caseId/mitre-attack-summary"
        (tenant replaced_by "fusion::cases::GetCaseEvidence") -> MitreAttackSummary {
        /// The case's id, such as `ABC-123`.
        case_id!: String,
    }
}

model! {
    /// An entity that a case affects.
    pub struct ImpactedEntity {
        /// The entity's id.
        id as id: String,
        /// The name.
        name: String,
        /// The type.
        r#type: EntityType,
        /// The detections.
        detections: Vec<EntityDetection>,
        /// The attributes, by type of entity.
        entity_attributes: Value,
    }
}

model! {
    /// A detection of an entity.
    pub struct EntityDetection {
        /// The detection's id.
        id as id: String,
        /// The id of the detection rule.
        detection_rule: String,
    }
}

model! {
    /// The MITRE ATT&CK tactics and techniques of a case.
    pub struct MitreAttackSummary {
        /// The tactics.
        tactics: Vec<MitreTactic>,
    }
}

open_enum! {
    /// The type of an entity.
    pub enum EntityType {
        /// Device.
        Device = "device",
        /// File.
        File = "file",
        /// IP address.
        IpAddress = "ipAddress",
        /// Network flow.
        NetworkFlow = "networkFlow",
        /// Process.
        Process = "process",
        /// User.
        User = "user",
    }
}

listed! {
    ListImpactedEntities
    GetMitreAttackSummary
}
