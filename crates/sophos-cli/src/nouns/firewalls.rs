//! Firewalls.

use crate::verb::{Noun, Param, Verb, op};

pub(crate) const FIREWALLS: Noun = Noun {
    name: "firewalls",
    about: "Firewalls and their groups",
    object: "firewall",
    columns: &[
        "name",
        "hostname",
        "serial number=/serialNumber",
        "model",
        "firmware=/firmwareVersion",
        "connected=/status/connected",
        "group=/group/name",
        "id",
    ],
    verbs: &[
        Verb::list("list", "Lists the firewalls", &[op!(firewall::firewalls::ListFirewalls)])
            .fixed(&[("pageTotal", "true")])
            .params(&[
                Param::text("search", "The text to search for"),
                Param::text("group-id", "The id of a group"),
            ]),
        Verb::change(
            "update",
            "Changes the name of a firewall",
            "update",
            &[op!(firewall::firewalls::UpdateFirewall)],
        )
        .params(&[Param::text("name", "The name")]),
        Verb::change(
            "delete",
            "Removes firewalls from Sophos Central",
            "delete",
            &[op!(firewall::firewalls::DeleteFirewall)],
        ),
        Verb::change(
            "act",
            "Runs an action on firewalls",
            "act on",
            &[op!(firewall::firewalls::RunFirewallAction)],
        )
        .params(&[Param::text("action", "The action, such as approveManagement").required()]),
        Verb::change(
            "check-upgrade",
            "Checks for firmware upgrades",
            "check upgrades of",
            &[op!(firewall::firewalls::CheckFirmwareUpgrade)],
        )
        .params(&[Param::list("firewalls", "The ids").required()]),
        Verb::change(
            "upgrade",
            "Upgrades the firmware",
            "upgrade",
            &[op!(firewall::firewalls::UpgradeFirmware)],
        )
        .params(&[Param::json(
            "firewalls",
            "The firewalls, such as [{\"id\":\"…\",\"upgradeToVersion\":\"…\"}]",
        )
        .required()]),
        Verb::change(
            "cancel-upgrade",
            "Cancels scheduled upgrades",
            "cancel the upgrade of",
            &[op!(firewall::firewalls::CancelFirmwareUpgrade)],
        )
        .params(&[Param::list("ids", "The ids").required()]),
        Verb::list(
            "groups",
            "Lists the groups of firewalls",
            &[op!(firewall::firewall_groups::ListFirewallGroups)],
        )
        .object("firewall group")
        .fixed(&[("pageTotal", "true")])
        .columns(&["name", "parent=/parentGroup/name", "firewalls=/firewalls/total", "id"]),
        Verb::change(
            "create-group",
            "Creates a group of firewalls",
            "create",
            &[op!(firewall::firewall_groups::CreateFirewallGroup)],
        )
        .object("firewall group")
        .params(&[
            Param::text("name", "The name").required(),
            Param::list("assign-firewalls", "The ids of the firewalls"),
            Param::text("parent-group-id", "The id of the parent"),
        ]),
        Verb::change(
            "delete-group",
            "Deletes groups of firewalls",
            "delete",
            &[op!(firewall::firewall_groups::DeleteFirewallGroup)],
        )
        .object("firewall group"),
    ],
};
