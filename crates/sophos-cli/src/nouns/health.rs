//! Account health and licences.

use crate::verb::{Noun, Param, Verb, op};

pub(crate) const HEALTH: Noun = Noun {
    name: "health",
    about: "The account health check",
    object: "result",
    columns: &[
        "computers=/endpoint/protection/computer/total",
        "computers at risk=/endpoint/protection/computer/notFullyProtected",
        "servers=/endpoint/protection/server/total",
        "servers at risk=/endpoint/protection/server/notFullyProtected",
    ],
    verbs: &[
        Verb::get(
            "get",
            "Checks the configuration of a tenant",
            &[op!(account_health::checks::CheckAccountHealth)],
        )
        .params(&[
            Param::list("checks", "The checks, such as protection,exclusions"),
            Param::list("products", "The products: endpoint, networkDevice"),
        ])
        .examples(&["health get -o json", "health get --checks protection"]),
        Verb::list(
            "list",
            "Checks the configuration of each tenant",
            &[op!(account_health::checks::CheckAccountHealth)],
        )
        .examples(&["health list --all-tenants"]),
        Verb::list(
            "scores",
            "Shows the history of the score",
            &[op!(account_health::scores::GetHistoricalScores)],
        )
        .object("day")
        .items("datapoints")
        .columns(&["date", "score"])
        .params(&[Param::text("start-date", "The first day"), Param::text("end-date", "The last day")]),
        Verb::list(
            "regional",
            "Shows the scores of the region",
            &[op!(account_health::scores::GetRegionalScores)],
        )
        .object("band")
        .items("bands")
        .columns(&["from", "to", "percentage"]),
    ],
};

pub(crate) const LICENSES: Noun = Noun {
    name: "licenses",
    about: "Licences of a tenant and its firewalls",
    object: "license",
    columns: &[
        "product=/product/name",
        "type",
        "from=/startDate",
        "to=/endDate",
        "quantity",
        "used=/usage/current/count",
    ],
    verbs: &[
        Verb::list("list", "Lists the licences", &[op!(licenses::product_licenses::ListLicenses)])
            .items("licenses")
            .examples(&[
                "licenses list --all-tenants",
                "licenses list --jq '[.product.name, .endDate] | @csv'",
            ]),
        Verb::list(
            "firewalls",
            "Lists the licences of firewalls",
            &[op!(licenses::product_licenses::ListFirewallLicenses)],
        )
        .object("firewall")
        .fixed(&[("pageTotal", "true")])
        .columns(&[
            "serial number=/serialNumber",
            "model",
            "owner=/owner/type",
            "last seen=/lastSeenAt",
        ]),
    ],
};
