//! Endpoint policies.

use crate::verb::{ALL_MEMBERS, Noun, Param, Verb, op};

const TYPES: &[&str] = &[
    "threat-protection",
    "peripheral-control",
    "application-control",
    "web-control",
    "device-encryption",
    "windows-firewall",
    "server-threat-protection",
    "server-peripheral-control",
    "server-application-control",
    "server-web-control",
    "server-windows-firewall",
    "server-lockdown",
    "server-data-loss-prevention",
    "server-agent-updating",
];

pub(crate) const POLICIES: Noun = Noun {
    name: "policies",
    about: "Endpoint policies and their settings",
    object: "policy",
    columns: &["name", "type", "enabled", "priority", "id"],
    verbs: &[
        Verb::list("list", "Lists the policies", &[op!(endpoint::policies::ListPolicies)])
            .fixed(&[("pageTotal", "true")])
            .params(&[Param::choice("policy-type", "The type", TYPES)])
            .examples(&["policies list --policy-type threat-protection"]),
        Verb::get("get", "Shows a policy", &[op!(endpoint::policies::GetPolicy)]),
        Verb::change("create", "Creates a policy", "create", &[op!(endpoint::policies::CreatePolicy)])
            .params(&[
                Param::text("name", "The name").required(),
                Param::choice("type", "The type", TYPES).required(),
                Param::bool("enabled", "Whether it is in force"),
                Param::number("priority", "The priority"),
                Param::json("applies-to", "The endpoints, users and groups"),
                Param::json("settings", "The settings"),
            ]),
        Verb::change("update", "Changes a policy", "update", &[op!(endpoint::policies::UpdatePolicy)])
            .params(&[
                Param::text("name", "The name"),
                Param::bool("enabled", "Whether it is in force"),
                Param::number("priority", "The priority"),
                Param::json("applies-to", "The endpoints, users and groups"),
                Param::json("settings", "The settings"),
            ]),
        Verb::change("clone", "Copies a policy", "copy", &[op!(endpoint::policies::ClonePolicy)])
            .params(&[Param::text("name", "The name of the copy").required()]),
        Verb::change("delete", "Deletes policies", "delete", &[op!(endpoint::policies::DeletePolicy)]),
        Verb::get(
            "settings",
            "Shows the settings of a policy",
            &[op!(endpoint::policies::GetPolicySettings)],
        )
        .examples(&["policies settings 8f30… -o yaml"]),
        Verb::change(
            "set",
            "Changes settings of a policy",
            "change settings of",
            &[op!(endpoint::policies::UpdatePolicySettings)],
        )
        .params(&[Param::json("settings", "The settings, by key").field(ALL_MEMBERS).required()])
        .examples(&["policies set 8f30… --settings @settings.json"]),
        Verb::change(
            "reset",
            "Resets all settings of a policy",
            "reset",
            &[op!(endpoint::policies::ResetPolicySettings)],
        ),
        Verb::get("base", "Shows the base policy of a type", &[op!(endpoint::base_policies::GetBasePolicy)])
            .examples(&["policies base threat-protection -o yaml"]),
        Verb::change(
            "set-base",
            "Changes settings of the base policy of a type",
            "change settings of",
            &[op!(endpoint::base_policies::UpdateBasePolicySettings)],
        )
        .object("base policy")
        .params(&[Param::json("settings", "The settings, by key").field(ALL_MEMBERS).required()]),
        Verb::get(
            "describe",
            "Describes the settings of a type",
            &[op!(endpoint::policies::ListPolicySettingMetadata)],
        )
        .params(&[Param::choice("policy-type", "The type", TYPES)]),
    ],
};
