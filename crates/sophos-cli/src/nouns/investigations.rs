//! Detections and cases.

use crate::verb::{Noun, Param, Verb, op};

const SEVERITIES: &[&str] = &["informational", "low", "medium", "high", "critical"];

const PERIOD: &[Param] = &[
    Param::time("from", "The start: a time, a date, or a duration before now such as 7d"),
    Param::time("to", "The end"),
    Param::numbers("severity", "The severities, from 0 to 10"),
    Param::text("detection-rule", "The rule"),
];

pub(crate) const DETECTIONS: Noun = Noun {
    name: "detections",
    about: "Detections, by queries that run at the service",
    object: "detection",
    columns: &["time", "severity", "rule=/detectionRule", "type", "device=/device/entity", "id"],
    verbs: &[
        Verb::query(
            "list",
            "Starts a query for detections, waits, and shows the results",
            &[op!(detections::queries::StartDetectionsQuery)],
            op!(detections::queries::GetDetectionsQuery),
            op!(detections::queries::ListDetections),
        )
        .params(PERIOD)
        .columns(&["time", "severity", "rule=/detectionRule", "type", "device=/device/entity", "id"])
        .examples(&["detections list --from 24h --severity 8,9,10"]),
        Verb::query(
            "groups",
            "Starts a query for detection groups, waits, and shows the results",
            &[op!(detections::detection_groups::StartDetectionGroupsQuery)],
            op!(detections::detection_groups::GetDetectionGroupsQuery),
            op!(detections::detection_groups::ListDetectionGroups),
        )
        .params(PERIOD)
        .columns(&[
            "time",
            "severity",
            "rule=/detectionRule",
            "count",
            "device=/device/entity",
            "id",
        ]),
        Verb::list("counts", "Counts detections over time", &[op!(detections::queries::GetDetectionCounts)])
            .object("interval")
            .items("resolutionDetectionCounts")
            .columns(&[
                "from=/startsAt",
                "to=/endsAt",
                "total=/totalCount",
                "critical=/countBySeverity/critical",
                "high=/countBySeverity/high",
                "medium=/countBySeverity/medium",
                "low=/countBySeverity/low",
                "info=/countBySeverity/info",
            ])
            .params(&[
                Param::time("from", "The start").required(),
                Param::time("to", "The end").required(),
                Param::choice("resolution", "The interval", &["minute", "hour", "day"]),
            ])
            .examples(&["detections counts --from 2026-11-23 --to 2026-11-24 --resolution hour"]),
        Verb::list(
            "results",
            "Lists the results of an earlier query",
            &[op!(detections::queries::ListDetections)],
        ),
    ],
};

pub(crate) const CASES: Noun = Noun {
    name: "cases",
    about: "Cases of investigations",
    object: "case",
    columns: &[
        "name",
        "severity",
        "status",
        "type",
        "assignee=/assignee/name",
        "detections=/detectionCount",
        "created=/createdAt",
        "id",
    ],
    verbs: &[
        Verb::list("list", "Lists cases", &[op!(cases::case::ListCases)]).params(&[
            Param::choice("severity", "The severity", SEVERITIES),
            Param::list("status", "The status, such as new or investigating"),
            Param::text("type", "The type"),
            Param::text("assignee", "The email address of the assignee, Unassigned, or MDR Ops"),
            Param::text("name", "The name"),
            Param::text("overview-contains", "A part of the overview"),
            Param::time("created-after", "The earliest creation: a time, a date, or a duration before now"),
            Param::time("created-before", "The latest creation"),
            Param::text("managed-by", "The manager: self or sophos"),
            Param::text("verdict", "The verdict"),
            Param::bool("escalated", "Whether it is escalated"),
            Param::list("sort", "The order"),
        ]),
        Verb::get("get", "Shows a case", &[op!(cases::case::GetCase)]),
        Verb::change("create", "Creates a case", "create", &[op!(cases::case::CreateCase)]).params(&[
            Param::text("name", "The name").required(),
            Param::text("type", "The type, such as investigation").required(),
            Param::choice("severity", "The severity", SEVERITIES).required(),
            Param::text("assignee", "The email address of the assignee, or Unassigned").required(),
            Param::text("initial-detection-id", "The id of the first detection").required(),
            Param::list("other-detection-ids", "The ids of other detections"),
            Param::text("overview", "The overview"),
        ]),
        Verb::change("update", "Changes a case", "update", &[op!(cases::case::UpdateCase)]).params(&[
            Param::text("name", "The name"),
            Param::text("type", "The type"),
            Param::choice("severity", "The severity", SEVERITIES),
            Param::text("status", "The status"),
            Param::text("assignee", "The email address of the assignee, or Unassigned"),
            Param::text("overview", "The overview"),
        ]),
        Verb::change("delete", "Deletes cases", "delete", &[op!(cases::case::DeleteCase)]),
        Verb::list(
            "detections",
            "Lists the detections of a case",
            &[op!(cases::case_detections::ListCaseDetections)],
        )
        .object("detection")
        .columns(&["time", "severity", "rule=/detectionRule", "device=/device/entity", "id"]),
        Verb::list(
            "entities",
            "Lists the impacted entities of a case",
            &[op!(cases::impacted_entities::ListImpactedEntities)],
        )
        .object("entity")
        .columns(&["name", "type", "id"]),
        Verb::get(
            "mitre",
            "Shows the MITRE ATT&CK summary of a case",
            &[op!(cases::impacted_entities::GetMitreAttackSummary)],
        ),
    ],
};
