//! Account health and licences.

use crate::verb::{Noun, Param, Verb, op};

pub(crate) const HEALTH: Noun = Noun {
    name: "health",
    about: "The account health check",
    object: "result",
    columns: &[
        "computers=/endpoint/protection/computer/total",
        "not protected=/endpoint/protection/computer/notFullyProtected",
        "servers=/endpoint/protection/server/total",
        "not protected=/endpoint/protection/server/notFullyProtected",
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
        Verb::get(
            "scores",
            "Shows the history of the score",
            &[op!(account_health::scores::GetHistoricalScores)],
        )
        .params(&[Param::text("start-date", "The first day"), Param::text("end-date", "The last day")]),
        Verb::get(
            "regional",
            "Shows the scores of the region",
            &[op!(account_health::scores::GetRegionalScores)],
        ),
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
        Verb::get("list", "Shows the licences", &[op!(licenses::product_licenses::ListLicenses)]).examples(
            &["licenses list -o json", "licenses list --jq '.licenses[] | [.product.name, .endDate] | @csv'"],
        ),
        Verb::list(
            "firewalls",
            "Lists the licences of firewalls",
            &[op!(licenses::product_licenses::ListFirewallLicenses)],
        )
        .fixed(&[("pageTotal", "true")])
        .columns(&[
            "serial number=/serialNumber",
            "model",
            "owner=/owner/type",
            "last seen=/lastSeenAt",
        ]),
    ],
};
