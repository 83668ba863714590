//! Alerts and events.

use crate::verb::{Noun, Param, TimeForm, Verb, op};

const ACTIONS: &[&str] = &[
    "acknowledge",
    "cleanPua",
    "cleanVirus",
    "authPua",
    "clearThreat",
    "clearHmpa",
    "sendMsgPua",
    "sendMsgThreat",
];

pub(crate) const ALERTS: Noun = Noun {
    name: "alerts",
    about: "Alerts of the last 90 days",
    object: "alert",
    columns: &[
        "raised=/raisedAt",
        "severity",
        "category",
        "product",
        "description",
        "agent=/managedAgent/name",
        "id",
    ],
    verbs: &[
        Verb::list("list", "Lists alerts", &[op!(common::alerts::ListAlerts)])
            .page_size(100)
            .params(&[
                Param::choices("severity", "The severity", &["low", "medium", "high"]),
                Param::list("category", "The category, such as malware"),
                Param::list("product", "The product, such as endpoint"),
                Param::time("from", "The start: a time, a date, or a duration before now such as 7d"),
                Param::time("to", "The end, exclusive"),
                Param::text("group-key", "The group of the alerts"),
                Param::list("ids", "The ids"),
                Param::list("sort", "The order, such as raisedAt:asc"),
            ])
            .examples(&[
                "alerts list --severity high --from 7d --all-tenants",
                "alerts list --category malware -o jsonl",
            ]),
        Verb::get("get", "Shows an alert", &[op!(common::alerts::GetAlert)]),
        Verb::change("act", "Requests an action on alerts", "act on", &[op!(common::alerts::ActOnAlert)])
            .params(&[
                Param::choice("action", "The action; the alert's allowedActions permit some", ACTIONS)
                    .required(),
                Param::text("message", "The message for the record"),
            ])
            .examples(&["alerts act 12ab… --action acknowledge"]),
        Verb::list(
            "feed",
            "Lists the SIEM feed of alerts of the last 24 hours",
            &[op!(siem::alerts::ListSiemAlerts)],
        )
        .page_size(1000)
        .columns(&["when", "severity", "type", "description", "location", "id"]),
    ],
};

pub(crate) const EVENTS: Noun = Noun {
    name: "events",
    about: "Events of the last 24 hours, from the SIEM feed",
    object: "event",
    columns: &["when", "severity", "type", "name", "location", "id"],
    verbs: &[Verb::list(
        "list",
        "Lists events in the order of ingestion",
        &[op!(siem::events::ListSiemEvents)],
    )
    .page_size(1000)
    .params(&[
        Param::time_as(
            "from-date",
            "The start, at most 24 hours ago: a time, or a duration before now such as 6h",
            TimeForm::EpochSeconds,
        )
        .field("from_date"),
        Param::text("cursor", "The next_cursor of an earlier response"),
        Param::list("exclude-types", "The types to leave out").field("exclude_types"),
    ])
    .examples(&["events list --from-date 1h", "events list --all-tenants -o jsonl"])],
};

pub(crate) const AUDIT: Noun = Noun {
    name: "audit",
    about: "Audit events of the last 90 days, of an account or of a tenant",
    object: "event",
    columns: &["*"],
    verbs: &[Verb::list("list", "Lists audit events", &[op!(audit::audit_events::ListAuditEvents)])
        .page_size(100)
        .params(&[
            Param::time("start-date", "The start: a time, a date, or a duration before now such as 7d")
                .required(),
            Param::time("end-date", "The end"),
            Param::text("modified-by", "The email address of the actor"),
            Param::text("origin-ip-address", "The IP address of the actor"),
            Param::text("modifier-account-id", "The account of the actor"),
            Param::text("resource-owner-id", "The account of the changed object"),
        ])
        .examples(&["audit list --start-date 24h --tenant Acme -o jsonl"])],
};
