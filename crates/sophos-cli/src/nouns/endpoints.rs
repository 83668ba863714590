//! Endpoints and their groups.

use crate::verb::{Noun, Param, TimeForm, Verb, op};

const TYPES: &[&str] = &["computer", "server", "securityVm"];

pub(crate) const ENDPOINTS: Noun = Noun {
    name: "endpoints",
    about: "Endpoints: computers and servers with an agent",
    object: "endpoint",
    columns: &[
        "hostname",
        "id",
        "type",
        "os=/os/name",
        "health=/health/overall",
        "isolation=/isolation/status",
        "person=/associatedPerson/name",
        "last seen=/lastSeenAt",
    ],
    verbs: &[
        Verb::list(
            "list",
            "Lists endpoints, by any filter of the service",
            &[op!(endpoint::endpoints::ListEndpoints)],
        )
        .page_size(500)
        .params(FILTERS)
        .examples(&[
            "endpoints list --health-status bad,suspicious --all-tenants",
            "endpoints list --last-seen-before 30d --type server -o csv",
            "endpoints list --search LAPTOP --columns hostname,ipv4Addresses,/os/name",
            "endpoints list --jq 'select(.tamperProtectionEnabled | not) | .hostname'",
        ]),
        Verb::get("get", "Shows an endpoint", &[op!(endpoint::endpoints::GetEndpoint)])
            .endpoints()
            .params(&[Param::choice("view", "The amount of detail", &["basic", "summary", "full"])])
            .examples(&["endpoints get LAPTOP-4711", "endpoints get LAPTOP-4711 --view full -o json"]),
        Verb::change("scan", "Starts a scan", "scan", &[op!(endpoint::scans::ScanEndpoint)])
            .endpoints()
            .examples(&[
                "endpoints scan LAPTOP-4711",
                "endpoints list --health-status bad --jq .id | sophos endpoints scan - --yes",
            ]),
        Verb::change(
            "isolate",
            "Isolates endpoints from the network",
            "isolate",
            &[op!(endpoint::isolation::UpdateIsolation)],
        )
        .endpoints()
        .fixed(&[("enabled", "true")])
        .params(&[Param::text("comment", "The reason, for the audit log")])
        .examples(&["endpoints isolate LAPTOP-4711 --comment 'Incident 42'"]),
        Verb::change(
            "release",
            "Ends the isolation of endpoints",
            "release",
            &[op!(endpoint::isolation::UpdateIsolation)],
        )
        .endpoints()
        .fixed(&[("enabled", "false")])
        .params(&[Param::text("comment", "The reason, for the audit log")])
        .examples(&["endpoints release LAPTOP-4711"]),
        Verb::get(
            "isolation",
            "Shows the isolation of an endpoint",
            &[op!(endpoint::isolation::GetIsolation)],
        )
        .endpoints(),
        Verb::get(
            "tamper-protection",
            "Shows tamper protection, with its passwords",
            &[op!(endpoint::tamper_protection::GetTamperProtection)],
        )
        .endpoints()
        .examples(&["endpoints tamper-protection LAPTOP-4711 --jq .password"]),
        Verb::change(
            "set-tamper-protection",
            "Changes tamper protection",
            "change tamper protection of",
            &[op!(endpoint::tamper_protection::UpdateTamperProtection)],
        )
        .endpoints()
        .params(&[
            Param::bool("enabled", "Whether it is on"),
            Param::bool("regenerate-password", "Whether to make a new password"),
        ])
        .examples(&["endpoints set-tamper-protection LAPTOP-4711 --enabled=false"]),
        Verb::change(
            "check-updates",
            "Starts a check for updates",
            "check for updates of",
            &[op!(endpoint::update_checks::CheckForUpdates)],
        )
        .endpoints(),
        Verb::change(
            "adaptive-attack-protection",
            "Turns adaptive attack protection on or off",
            "change adaptive attack protection of",
            &[op!(endpoint::adaptive_attack_protection::UpdateAdaptiveAttackProtection)],
        )
        .endpoints()
        .params(&[
            Param::bool("enabled", "Whether it is on"),
            Param::text("expires-after", "The duration, such as PT4H"),
        ]),
        Verb::change(
            "delete",
            "Deletes endpoints from Sophos Central",
            "delete",
            &[op!(endpoint::endpoints::DeleteEndpoint)],
        )
        .endpoints()
        .examples(&[
            "endpoints delete OLD-PC",
            "endpoints list --last-seen-before=-P180D --jq .id | sophos endpoints delete - --yes",
        ]),
        Verb::list(
            "installers",
            "Lists the installers of the agent",
            &[op!(endpoint::downloads::ListInstallers)],
        )
        .object("installer")
        .items("installers")
        .columns(&["product=/productName", "platform", "type", "url=/downloadUrl"]),
        Verb::list(
            "migrations",
            "Lists migrations between tenants",
            &[op!(endpoint::migrations::ListMigrations)],
        )
        .object("migration")
        .columns(&["mode", "created=/createdAt", "expires=/expiresAt", "by=/createdBy/name", "id"]),
    ],
};

/// The filter of a time, or of a duration before now by the service's clock.
const fn time_filter(name: &'static str, help: &'static str) -> Param {
    Param::time_as(name, help, TimeForm::UtcOrDuration)
}

/// Every filter of the listing.
const FILTERS: &[Param] = &[
    Param::choices("health-status", "The health", &["good", "suspicious", "bad", "unknown"]),
    Param::choices("type", "The type", TYPES),
    Param::text("search", "A part of one of the search fields"),
    Param::choices(
        "search-fields",
        "The fields to search",
        &["hostname", "associatedPersonName", "ipAddresses", "osName"],
    ),
    Param::text("hostname-contains", "A part of the host name; the service compares 10 characters"),
    Param::text("serial-number-contains", "A part of the serial number"),
    Param::text("associated-person-contains", "A part of the person's name"),
    Param::text("group-name-contains", "A part of the group's name"),
    time_filter(
        "last-seen-before",
        "The end of lastSeenAt: a time, a date, or a duration before now such as 90d",
    ),
    time_filter("last-seen-after", "The start of lastSeenAt"),
    time_filter("last-os-update-before", "The end of the last update of the operating system"),
    time_filter("last-os-update-after", "The start of the last update of the operating system"),
    time_filter("last-agent-update-before", "The end of the last update of the agent"),
    time_filter("last-agent-update-after", "The start of the last update of the agent"),
    Param::choice("isolation-status", "The reported isolation", &["isolated", "notIsolated"]),
    Param::choices(
        "lockdown-status",
        "The server lockdown",
        &["locked", "unlocked", "notInstalled", "unavailable", "locking"],
    ),
    Param::list("overall-encryption-status", "The encryption, such as notEncrypted"),
    Param::bool("tamper-protection-enabled", "Whether tamper protection is on"),
    Param::bool("tamper-protection-supported", "Whether the agent supports tamper protection"),
    Param::bool("online", "Whether the endpoint is connected"),
    Param::list("ids", "The ids"),
    Param::list("ip-addresses", "The IP addresses"),
    Param::list("mac-addresses", "The MAC addresses"),
    Param::list("cloud", "The cloud or its instance: aws, or aws:i-0123…"),
    Param::list("group-ids", "The ids of groups"),
    Param::bool("assigned-to-group", "Whether the endpoint is in a group"),
    Param::choice("view", "The amount of detail", &["basic", "summary", "full"]),
    Param::list("sort", "The order, such as lastSeenAt:desc"),
];

pub(crate) const GROUPS: Noun = Noun {
    name: "groups",
    about: "Groups of endpoints",
    object: "group",
    columns: &["name", "type", "endpoints=/endpoints/total", "id", "description"],
    verbs: &[
        Verb::list("list", "Lists the groups", &[op!(endpoint::endpoint_groups::ListEndpointGroups)])
            .fixed(&[("pageTotal", "true")])
            .params(&[
                Param::choice("group-type", "The type of the endpoints", TYPES),
                Param::text("search", "The text to search for"),
            ]),
        Verb::get("get", "Shows a group", &[op!(endpoint::endpoint_groups::GetEndpointGroup)]),
        Verb::change(
            "create",
            "Creates a group",
            "create",
            &[op!(endpoint::endpoint_groups::CreateEndpointGroup)],
        )
        .params(&[
            Param::text("name", "The name").required(),
            Param::choice("type", "The type of the endpoints", TYPES).required(),
            Param::text("description", "The description"),
            Param::list("endpoint-ids", "The ids of the endpoints"),
        ])
        .examples(&["groups create --name Kiosks --type computer"]),
        Verb::change(
            "update",
            "Changes a group",
            "update",
            &[op!(endpoint::endpoint_groups::UpdateEndpointGroup)],
        )
        .params(&[Param::text("name", "The name"), Param::text("description", "The description")]),
        Verb::change(
            "delete",
            "Deletes groups",
            "delete",
            &[op!(endpoint::endpoint_groups::DeleteEndpointGroup)],
        ),
        Verb::list(
            "endpoints",
            "Lists the endpoints of a group",
            &[op!(endpoint::endpoint_groups::ListEndpointsOfGroup)],
        )
        .object("endpoint")
        .columns(&["hostname", "id", "type", "os=/os/name"]),
        Verb::change(
            "add",
            "Adds endpoints to a group",
            "add endpoints to",
            &[op!(endpoint::endpoint_groups::AddEndpointsToGroup)],
        )
        .params(&[Param::list("ids", "The ids of the endpoints").required()])
        .examples(&["groups add 5d1c… --ids 7c4b…,9e02…"]),
        Verb::change(
            "remove",
            "Removes endpoints from a group",
            "remove endpoints from",
            &[op!(endpoint::endpoint_groups::RemoveEndpointsFromGroup)],
        )
        .params(&[Param::list("ids", "The ids of the endpoints").required()]),
    ],
};
