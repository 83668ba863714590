//! Cases: `/cases/v1/cases` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, Timestamp, models::{Actor, Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A case.
    pub struct Case {
        /// The id.
        id!: String,
        /// The type.
        r#type: CaseType,
        /// The name.
        name: String,
        /// The tenant.
        tenant: Reference,
        /// The time of creation.
        created_at: Timestamp,
        /// The status.
        status: CaseStatus,
        /// The managed by.
        managed_by: String,
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The severity.
        severity: CaseSeverity,
        /// The initial detection.
        initial_detection: CaseInitialDetection,
        /// The assignee.
        assignee: Actor,
        /// The time: assigned.
        assigned_at: Timestamp,
        /// The overview.
        overview: String,
        /// The detection count.
        detection_count: i64,
        /// The verdict.
        verdict: CaseVerdict,
        /// Whether `escalated` is set.
        escalated: bool,
        /// The time: resolved.
        resolved_at: Timestamp,
    }
}

model! {
    /// A case initial detection.
    pub struct CaseInitialDetection {
        /// The id.
        id as id: String,
        /// The severity.
        severity: i64,
        /// The type.
        r#type: String,
        /// The detection rule.
        detection_rule: String,
        /// The mitre attacks.
        mitre_attacks: Vec<CaseInitialDetectionMitreAttack>,
        /// The time.
        time: String,
        /// The sensor.
        sensor: CaseInitialDetectionSensor,
    }
}

model! {
    /// A case initial detection mitre attack.
    pub struct CaseInitialDetectionMitreAttack {
        /// The tactic.
        tactic: CaseInitialDetectionMitreAttackTactic,
    }
}

model! {
    /// A case initial detection mitre attack tactic.
    pub struct CaseInitialDetectionMitreAttackTactic {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The techniques.
        techniques: Vec<Reference>,
    }
}

model! {
    /// A case initial detection sensor.
    pub struct CaseInitialDetectionSensor {
        /// The id.
        id as id: String,
        /// The type.
        r#type: CaseInitialDetectionSensorType,
        /// The source.
        source: String,
        /// The version.
        version: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A case detection.
    pub struct CaseDetection {
        /// The id.
        id as id: String,
        /// The sensor.
        sensor: CaseDetectionSensor,
        /// The detection rule.
        detection_rule: String,
        /// The detection attack.
        detection_attack: String,
        /// The device.
        device: CaseDetectionDevice,
        /// The mitre attacks.
        mitre_attacks: Vec<CaseDetectionMitreAttack>,
        /// The raw data.
        raw_data: Value,
        /// The severity.
        severity: i64,
        /// The time: time.
        time: Timestamp,
        /// The type.
        r#type: CaseDetectionType,
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
        geolocation: Vec<CaseDetectionGeolocation>,
        /// The intelix file reputation.
        intelix_file_reputation: Vec<CaseDetectionIntelixFileReputation>,
        /// The rule description.
        rule_description: String,
        /// The schema.
        schema: String,
    }
}

model! {
    /// A case detection sensor.
    pub struct CaseDetectionSensor {
        /// The id.
        id as id: String,
        /// The type.
        r#type: CaseDetectionSensorType,
        /// The source.
        source: String,
        /// The version.
        version: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A case detection device.
    pub struct CaseDetectionDevice {
        /// The id.
        id as id: String,
        /// The type.
        r#type: CaseDetectionDeviceType,
        /// The entity.
        entity: String,
    }
}

model! {
    /// A case detection mitre attack.
    pub struct CaseDetectionMitreAttack {
        /// The tactic.
        tactic: CaseDetectionMitreAttackTactic,
    }
}

model! {
    /// A case detection mitre attack tactic.
    pub struct CaseDetectionMitreAttackTactic {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The techniques.
        techniques: Vec<Reference>,
    }
}

model! {
    /// A case detection geolocation.
    pub struct CaseDetectionGeolocation {
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
    /// A case detection intelix file reputation.
    pub struct CaseDetectionIntelixFileReputation {
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
    /// An impacted entitie.
    pub struct ImpactedEntitie {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The type.
        r#type: ImpactedEntitieType,
        /// The detections.
        detections: Vec<ImpactedEntitieDetection>,
        /// The entity attributes.
        entity_attributes: Value,
    }
}

model! {
    /// An impacted entitie detection.
    pub struct ImpactedEntitieDetection {
        /// The id.
        id as id: String,
        /// The detection rule.
        detection_rule: String,
    }
}

model! {
    /// A mitre attack summary.
    pub struct MitreAttackSummary {
        /// The tactics.
        tactics: Vec<Value>,
    }
}

open_enum! {
    /// The case managed by.
    pub enum CaseManagedBy {
        /// `self`.
        Itself = "self",
        /// `sophos`.
        Sophos = "sophos",
    }
}

open_enum! {
    /// The case type.
    pub enum CaseType {
        /// `Threat`.
        Threat = "Threat",
        /// `activeThreat`.
        ActiveThreat = "activeThreat",
        /// `customerRequest`.
        CustomerRequest = "customerRequest",
        /// `device`.
        Device = "device",
        /// `exposure`.
        Exposure = "exposure",
        /// `file`.
        File = "file",
        /// `generalRequest`.
        GeneralRequest = "generalRequest",
        /// `hunt`.
        Hunt = "hunt",
        /// `incident`.
        Incident = "incident",
        /// `investigation`.
        Investigation = "investigation",
        /// `ipAddress`.
        IpAddress = "ipAddress",
        /// `networkFlow`.
        NetworkFlow = "networkFlow",
        /// `process`.
        Process = "process",
        /// `user`.
        User = "user",
        /// `duplicate`.
        Duplicate = "duplicate",
        /// `managedRisk`.
        ManagedRisk = "managedRisk",
    }
}

open_enum! {
    /// The case severity.
    pub enum CaseSeverity {
        /// `critical`.
        Critical = "critical",
        /// `high`.
        High = "high",
        /// `informational`.
        Informational = "informational",
        /// `low`.
        Low = "low",
        /// `medium`.
        Medium = "medium",
        /// `notSet`.
        NotSet = "notSet",
    }
}

open_enum! {
    /// The case status.
    pub enum CaseStatus {
        /// `actionRequired`.
        ActionRequired = "actionRequired",
        /// `investigating`.
        Investigating = "investigating",
        /// `onHold`.
        OnHold = "onHold",
        /// `resolved`.
        Resolved = "resolved",
        /// `inProgress`.
        InProgress = "inProgress",
        /// `new`.
        New = "new",
    }
}

open_enum! {
    /// The case verdict.
    pub enum CaseVerdict {
        /// `falsePositive`.
        FalsePositive = "falsePositive",
        /// `truePositive`.
        TruePositive = "truePositive",
    }
}

open_enum! {
    /// The case initial detection sensor type.
    pub enum CaseInitialDetectionSensorType {
        /// `backupAndRecovery`.
        BackupAndRecovery = "backupAndRecovery",
        /// `cloud`.
        Cloud = "cloud",
        /// `compound`.
        Compound = "compound",
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

open_enum! {
    /// The case detection sensor type.
    pub enum CaseDetectionSensorType {
        /// `backupAndRecovery`.
        BackupAndRecovery = "backupAndRecovery",
        /// `cloud`.
        Cloud = "cloud",
        /// `compound`.
        Compound = "compound",
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

open_enum! {
    /// The case detection device type.
    pub enum CaseDetectionDeviceType {
        /// `computer`.
        Computer = "computer",
        /// `sensor`.
        Sensor = "sensor",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The case detection type.
    pub enum CaseDetectionType {
        /// `Threat`.
        Threat = "Threat",
        /// `activeThreat`.
        ActiveThreat = "activeThreat",
        /// `customerRequest`.
        CustomerRequest = "customerRequest",
        /// `device`.
        Device = "device",
        /// `exposure`.
        Exposure = "exposure",
        /// `file`.
        File = "file",
        /// `generalRequest`.
        GeneralRequest = "generalRequest",
        /// `hunt`.
        Hunt = "hunt",
        /// `incident`.
        Incident = "incident",
        /// `investigation`.
        Investigation = "investigation",
        /// `ipAddress`.
        IpAddress = "ipAddress",
        /// `networkFlow`.
        NetworkFlow = "networkFlow",
        /// `process`.
        Process = "process",
        /// `user`.
        User = "user",
    }
}

open_enum! {
    /// The impacted entitie type.
    pub enum ImpactedEntitieType {
        /// `Threat`.
        Threat = "Threat",
        /// `activeThreat`.
        ActiveThreat = "activeThreat",
        /// `customerRequest`.
        CustomerRequest = "customerRequest",
        /// `device`.
        Device = "device",
        /// `exposure`.
        Exposure = "exposure",
        /// `file`.
        File = "file",
        /// `generalRequest`.
        GeneralRequest = "generalRequest",
        /// `hunt`.
        Hunt = "hunt",
        /// `incident`.
        Incident = "incident",
        /// `investigation`.
        Investigation = "investigation",
        /// `ipAddress`.
        IpAddress = "ipAddress",
        /// `networkFlow`.
        NetworkFlow = "networkFlow",
        /// `process`.
        Process = "process",
        /// `user`.
        User = "user",
        /// `duplicate`.
        Duplicate = "duplicate",
        /// `managedRisk`.
        ManagedRisk = "managedRisk",
    }
}

operation! {
    /// Searches a specific customer's cases.
    pub struct ListCases = GET "/cases/v1/cases" (tenant)
        -> NumberedPage<Case> {
        /// The managed by.
        managed_by: CaseManagedBy,
        /// The type.
        r#type: CaseType,
        /// The severity.
        severity: CaseSeverity,
        /// The status.
        status: [CaseStatus],
        /// The assignee.
        assignee: String,
        /// The name.
        name: String,
        /// The overview contains.
        overview_contains: String,
        /// The created after.
        created_after: String,
        /// The created before.
        created_before: String,
        /// The escalated.
        escalated: String,
        /// The verdict.
        verdict: CaseVerdict,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
    }
}

operation! {
    /// Creates a new case.
    pub struct CreateCase = POST "/cases/v1/cases" (tenant)
        -> Case {
        /// The name.
        name: String,
        /// The type.
        r#type: CaseType,
        /// The managed by.
        managed_by: String,
        /// The severity.
        severity: CaseSeverity,
        /// The status.
        status: CaseStatus,
        /// The assignee.
        assignee: String,
        /// The initial detection id.
        initial_detection_id: String,
        /// The other detection ids.
        other_detection_ids: [String],
        /// The overview.
        overview: String,
    }
}

operation! {
    /// Deletes a self-managed case.
    pub struct DeleteCase = DELETE "/cases/v1/cases/:caseId" (tenant)
        -> Deleted {
        /// The case id.
        case_id!: String,
    }
}

operation! {
    /// Gets a case by ID.
    pub struct GetCase = GET "/cases/v1/cases/:caseId" (tenant)
        -> Case {
        /// The case id.
        case_id!: String,
    }
}

operation! {
    /// Updates a case.
    pub struct UpdateCase = PATCH "/cases/v1/cases/:caseId" (tenant)
        -> Case {
        /// The case id.
        case_id!: String,
        /// The name.
        name: String,
        /// The type.
        r#type: CaseType,
        /// The severity.
        severity: CaseSeverity,
        /// The status.
        status: CaseStatus,
        /// The assignee.
        assignee: String,
        /// The overview.
        overview: String,
    }
}

operation! {
    /// Gets all case detections.
    pub struct ListCaseDetections = GET "/cases/v1/cases/:caseId/detections" (tenant)
        -> NumberedPage<CaseDetection> {
        /// The case id.
        case_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The id contains.
        id_contains: String,
        /// The rule contains.
        rule_contains: String,
    }
}

operation! {
    /// Gets a detection associated with case.
    pub struct GetCaseDetection = GET "/cases/v1/cases/:caseId/detections/:detectionId" (tenant)
        -> CaseDetection {
        /// The case id.
        case_id!: String,
        /// The detection id.
        detection_id!: String,
    }
}

operation! {
    /// Gets impacted entities for an XDR case.
    pub struct GetImpactedEntities = GET "/cases/v1/cases/:caseId/impacted-entities" (tenant)
        -> NumberedPage<ImpactedEntitie> {
        /// The case id.
        case_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The id.
        id: String,
        /// The name.
        name: String,
        /// The type.
        r#type: ImpactedEntitieType,
        /// The detection id contains.
        detection_id_contains: String,
        /// The detection id.
        detection_id: String,
        /// The detection rule contains.
        detection_rule_contains: String,
        /// The detection rule.
        detection_rule: String,
        /// The id contains.
        id_contains: String,
        /// The name contains.
        name_contains: String,
        /// The type contains.
        type_contains: String,
    }
}

operation! {
    /// Gets summary of MITRE ATT&CK Tactics and Techniques.
    pub struct GetMitreAttackSummary = GET "/cases/v1/cases/:caseId/mitre-attack-summary" (tenant)
        -> MitreAttackSummary {
        /// The case id.
        case_id!: String,
    }
}

tested! {
    ListCases
    CreateCase
    DeleteCase
    GetCase
    UpdateCase
    ListCaseDetections
    GetCaseDetection
    GetImpactedEntities
    GetMitreAttackSummary
}
