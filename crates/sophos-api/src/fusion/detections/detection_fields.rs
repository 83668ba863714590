//! A detection and its parts.

use serde::{Deserialize, Serialize};

use crate::models::macros::{model, open_enum};

model! {
    /// A detection. The service calls it an alert.
    pub struct Detection in "snake_case" {
        /// The detection's id, such as `alert://priv:event-filter:…`.
        id!: String,
        /// The keys that detections of the same group have in common.
        group_key: Vec<String>,
        /// The title, the severity, the times and the detector.
        metadata: DetectionMetadata,
        /// The status.
        status: ResolutionStatus,
        /// The reason of the resolution.
        resolution_reason: String,
        /// Whether a rule suppressed it.
        suppressed: bool,
        /// The tenant.
        tenant: NodeId,
        /// The id of the tenant's parent.
        parent_tenant_id as id: String,
        /// The tags.
        tags: Vec<String>,
        /// The types of the sensors.
        sensor_types: Vec<String>,
        /// The ids of techniques of MITRE ATT&CK.
        attack_technique_ids: Vec<String>,
        /// The entities and their relationships.
        entities: Entities,
        /// The most relevant entities.
        key_entities: Vec<EntityLabel>,
        /// The entities at the source.
        source_entities: Vec<Entity>,
        /// The entities at the target.
        target_entities: Vec<Entity>,
        /// The events.
        event_ids: Vec<NodeId>,
        /// The cases.
        investigation_ids: Vec<NodeId>,
        /// The rules that raised it.
        alerting_rules: Vec<Rule>,
        /// The priority.
        priority: DetectionPriority,
        /// The former threat score.
        threat_score: f64,
        /// The threat score.
        threat_score_v2: f64,
        /// The times and the number of its events.
        events_metadata: DetectionEvents,
        /// Details by detectors.
        enrichment_details: Vec<Enrichment>,
        /// References of the detector or the rule.
        reference_details: Vec<ReferenceDetail>,
    }
}

model! {
    /// The title, the severity, the times and the detector of a detection.
    pub struct DetectionMetadata in "snake_case" {
        /// The title, of at most 1,024 characters.
        title: String,
        /// The whole title, if it is longer.
        full_title: String,
        /// The description.
        description: String,
        /// The severity, 0 to 1.
        severity: f64,
        /// The confidence, 0 to 1.
        confidence: f64,
        /// The origin.
        origin: DetectionOrigin,
        /// Whether it cannot be changed.
        read_only: bool,
        /// The detector and the rule.
        creator: Creator,
        /// The engine.
        engine: Engine,
        /// The time at which the behaviour began.
        began_at: EpochTime,
        /// The time at which the behaviour ended.
        ended_at: EpochTime,
        /// The time of creation.
        created_at: EpochTime,
        /// The time at which it was stored.
        inserted_at: EpochTime,
        /// The time of the last change.
        updated_at: EpochTime,
        /// The time at which its events were first seen.
        first_seen_at: EpochTime,
        /// The time at which it first had a case.
        first_investigated_at: EpochTime,
        /// The time at which it was first resolved.
        first_resolved_at: EpochTime,
    }
}

/// A time as seconds since the Unix epoch, with nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "catalog", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct EpochTime {
    /// The seconds.
    pub seconds: i64,
    /// The nanoseconds of the second.
    #[serde(default)]
    pub nanos: i32,
}

impl EpochTime {
    /// A time of whole seconds.
    pub fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// The time, if it is in the range of times.
    pub fn instant(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::new(self.seconds, self.nanos).ok()
    }
}

model! {
    /// The id of another object.
    pub struct NodeId {
        /// The id.
        id!: String,
    }
}

model! {
    /// The creator of a detection.
    pub struct Creator {
        /// The detector.
        detector: Detector,
        /// The rule.
        rule: CreationRule,
    }
}

model! {
    /// The detector of a detection.
    pub struct Detector in "snake_case" {
        /// The detector's id.
        detector_id as id: String,
        /// The name.
        detector_name: String,
        /// The version.
        version: String,
    }
}

model! {
    /// The rule that created a detection.
    pub struct CreationRule in "snake_case" {
        /// The rule's id.
        rule_id as id: String,
        /// The version.
        version: String,
    }
}

model! {
    /// The engine of a detection.
    pub struct Engine {
        /// The name.
        name: String,
        /// The version.
        version: String,
    }
}

model! {
    /// A rule.
    pub struct Rule {
        /// The rule's id.
        id as id: String,
        /// The version.
        version: String,
    }
}

model! {
    /// The entities of a detection.
    pub struct Entities {
        /// The entities, each its type and value, such as `ipAddress:10.0.0.1`.
        entities: Vec<String>,
        /// The relationships.
        relationships: Vec<EntityRelationship>,
    }
}

model! {
    /// A relationship of two entities.
    pub struct EntityRelationship in "snake_case" {
        /// The first entity.
        from_entity: String,
        /// The second entity.
        to_entity: String,
        /// The relationship.
        relationship: String,
        /// The type.
        r#type: String,
    }
}

model! {
    /// An entity with a label.
    pub struct EntityLabel {
        /// The entity.
        entity: String,
        /// The label.
        label: String,
    }
}

model! {
    /// An entity at the source or the target of a detection.
    pub struct Entity in "snake_case" {
        /// The entity's id.
        id!: String,
        /// The side.
        perspective: Perspective,
        /// The identifiers.
        identifiers: Vec<String>,
        /// The name to display.
        display_name: String,
        /// The type.
        subtype: String,
    }
}

model! {
    /// The priority of a detection.
    pub struct DetectionPriority {
        /// The value.
        value: f64,
        /// The program that set it.
        prioritizer: String,
        /// The version.
        version: String,
    }
}

model! {
    /// The events of a detection.
    pub struct DetectionEvents in "snake_case" {
        /// The time of the first event.
        began_at: EpochTime,
        /// The time of the last event.
        ended_at: EpochTime,
        /// The id of the first event.
        first_event_id as id: String,
        /// The id of the last event.
        last_event_id as id: String,
        /// The number of events.
        total_events: u64,
    }
}

model! {
    /// Details of a detection by a detector.
    pub struct Enrichment in "snake_case" {
        /// The technique of MITRE ATT&CK.
        mitre_attack_info: MitreAttack,
    }
}

model! {
    /// A technique of MITRE ATT&CK.
    pub struct MitreAttack in "snake_case" {
        /// The technique's id.
        technique_id as id: String,
        /// The name.
        technique: String,
        /// The tactics.
        tactics: Vec<String>,
        /// The URL of its description.
        url: String,
    }
}

model! {
    /// A reference in a detection.
    pub struct ReferenceDetail {
        /// The reference.
        reference: WebReference,
    }
}

model! {
    /// A reference to a page.
    pub struct WebReference {
        /// The type.
        r#type: String,
        /// The URL.
        url: String,
        /// The description.
        description: String,
    }
}

open_enum! {
    /// The resolution of a detection.
    pub enum ResolutionStatus {
        /// Open.
        Open = "OPEN",
        /// A true positive that is benign.
        TruePositiveBenign = "TRUE_POSITIVE_BENIGN",
        /// A true positive that is malicious.
        TruePositiveMalicious = "TRUE_POSITIVE_MALICIOUS",
        /// A false positive.
        FalsePositive = "FALSE_POSITIVE",
        /// Not actionable.
        NotActionable = "NOT_ACTIONABLE",
        /// Another resolution.
        Other = "OTHER",
        /// Suppressed by a rule.
        Suppressed = "SUPPRESSED",
        /// Closed by automation.
        AutoClose = "AUTO_CLOSE",
        /// Dismissed.
        Dismissed = "DISMISSED",
    }
}

open_enum! {
    /// The origin of a detection.
    pub enum DetectionOrigin {
        /// The service.
        Internal = "INTERNAL",
        /// The customer.
        Customer = "CUSTOMER",
        /// A third party.
        External = "EXTERNAL",
        /// The partner.
        Partner = "PARTNER",
    }
}

open_enum! {
    /// The side of an entity.
    pub enum Perspective {
        /// Unknown.
        Unknown = "UNKNOWN",
        /// The source.
        Source = "SOURCE",
        /// The target.
        Target = "TARGET",
        /// The boundary.
        Boundary = "BOUNDARY",
        /// Both.
        Both = "BOTH",
    }
}
