//! Exclusions, allowed and blocked items, and web control.

use crate::verb::{Noun, Param, Verb, op};

const SCAN_TYPES: &[&str] = &[
    "path",
    "posixPath",
    "virtualPath",
    "process",
    "web",
    "pua",
    "exploitMitigation",
    "detectedExploit",
    "amsi",
    "behavioral",
];
const SCAN_MODES: &[&str] = &["onDemand", "onAccess", "onDemandAndOnAccess"];
const DIRECTIONS: &[&str] = &["inbound", "outbound", "both"];

const TRAFFIC: &[Param] = &[
    Param::choice("direction", "The direction", DIRECTIONS).required(),
    Param::list("remote-addresses", "The remote addresses"),
    Param::numbers("local-ports", "The local ports"),
    Param::numbers("remote-ports", "The remote ports"),
    Param::text("comment", "The reason"),
];

pub(crate) const EXCLUSIONS: Noun = Noun {
    name: "exclusions",
    about: "Exclusions from scans, isolation and intrusion prevention",
    object: "exclusion",
    columns: &["value", "type", "mode=/scanMode", "comment", "id"],
    verbs: &[
        Verb::list(
            "list",
            "Lists scanning exclusions",
            &[op!(endpoint::scanning_exclusions::ListScanningExclusions)],
        )
        .fixed(&[("pageTotal", "true")])
        .params(&[Param::text("type", "The type, such as path")]),
        Verb::get(
            "get",
            "Shows a scanning exclusion",
            &[op!(endpoint::scanning_exclusions::GetScanningExclusion)],
        ),
        Verb::change(
            "create",
            "Creates a scanning exclusion",
            "create",
            &[op!(endpoint::scanning_exclusions::CreateScanningExclusion)],
        )
        .params(&[
            Param::text("value", "The path, process or site").required(),
            Param::choice("type", "The type", SCAN_TYPES).required(),
            Param::choice("scan-mode", "The scans", SCAN_MODES),
            Param::text("comment", "The reason"),
        ])
        .examples(&["exclusions create --type path --value 'C:\\build\\' --comment 'Build server'"]),
        Verb::change(
            "update",
            "Changes a scanning exclusion",
            "update",
            &[op!(endpoint::scanning_exclusions::UpdateScanningExclusion)],
        )
        .params(&[
            Param::text("value", "The path, process or site"),
            Param::choice("scan-mode", "The scans", SCAN_MODES),
            Param::text("comment", "The reason"),
        ]),
        Verb::change(
            "delete",
            "Deletes scanning exclusions",
            "delete",
            &[op!(endpoint::scanning_exclusions::DeleteScanningExclusion)],
        ),
        Verb::list(
            "isolation",
            "Lists exclusions from isolation",
            &[op!(endpoint::isolation_exclusions::ListIsolationExclusions)],
        )
        .object("isolation exclusion")
        .fixed(&[("pageTotal", "true")])
        .columns(&[
            "direction",
            "addresses=/remoteAddresses",
            "local=/localPorts",
            "remote=/remotePorts",
            "comment",
            "id",
        ]),
        Verb::change(
            "create-isolation",
            "Creates an exclusion from isolation",
            "create",
            &[op!(endpoint::isolation_exclusions::CreateIsolationExclusion)],
        )
        .object("isolation exclusion")
        .params(TRAFFIC),
        Verb::change(
            "delete-isolation",
            "Deletes exclusions from isolation",
            "delete",
            &[op!(endpoint::isolation_exclusions::DeleteIsolationExclusion)],
        )
        .object("isolation exclusion"),
        Verb::list(
            "intrusion-prevention",
            "Lists exclusions from intrusion prevention",
            &[op!(endpoint::intrusion_prevention_exclusions::ListIntrusionPreventionExclusions)],
        )
        .object("intrusion prevention exclusion")
        .fixed(&[("pageTotal", "true")])
        .columns(&[
            "direction",
            "addresses=/remoteAddresses",
            "local=/localPorts",
            "remote=/remotePorts",
            "comment",
            "id",
        ]),
        Verb::change(
            "create-intrusion-prevention",
            "Creates an exclusion from intrusion prevention",
            "create",
            &[op!(endpoint::intrusion_prevention_exclusions::CreateIntrusionPreventionExclusion)],
        )
        .object("intrusion prevention exclusion")
        .params(TRAFFIC),
        Verb::change(
            "delete-intrusion-prevention",
            "Deletes exclusions from intrusion prevention",
            "delete",
            &[op!(endpoint::intrusion_prevention_exclusions::DeleteIntrusionPreventionExclusion)],
        )
        .object("intrusion prevention exclusion"),
    ],
};

const ITEM_COLUMNS: &[&str] = &[
    "type",
    "file=/properties/fileName",
    "path=/properties/path",
    "sha256=/properties/sha256",
    "comment",
    "id",
];

pub(crate) const ALLOWED: Noun = Noun {
    name: "allowed",
    about: "Allowed applications",
    object: "allowed item",
    columns: ITEM_COLUMNS,
    verbs: &[
        Verb::list("list", "Lists the allowed items", &[op!(endpoint::allowed_items::ListAllowedItems)])
            .fixed(&[("pageTotal", "true")]),
        Verb::get("get", "Shows an allowed item", &[op!(endpoint::allowed_items::GetAllowedItem)]),
        Verb::change(
            "create",
            "Allows an application",
            "create",
            &[op!(endpoint::allowed_items::CreateAllowedItem)],
        )
        .params(&[
            Param::choice("type", "The kind", &["sha256", "path", "posixPath", "certificateSigner"])
                .required(),
            Param::text("sha256", "The hash").field("properties/sha256"),
            Param::text("path", "The path").field("properties/path"),
            Param::text("file-name", "The name of the file").field("properties/fileName"),
            Param::text("certificate-signer", "The signer").field("properties/certificateSigner"),
            Param::text("comment", "The reason").required(),
        ])
        .examples(&["allowed create --type sha256 --sha256 9f86… --file-name tool.exe --comment 'In-house'"]),
        Verb::change(
            "update",
            "Changes the reason of an allowed item",
            "update",
            &[op!(endpoint::allowed_items::UpdateAllowedItem)],
        )
        .params(&[Param::text("comment", "The reason").required()]),
        Verb::change(
            "delete",
            "Deletes allowed items",
            "delete",
            &[op!(endpoint::allowed_items::DeleteAllowedItem)],
        ),
    ],
};

pub(crate) const BLOCKED: Noun = Noun {
    name: "blocked",
    about: "Blocked applications and addresses",
    object: "blocked item",
    columns: ITEM_COLUMNS,
    verbs: &[
        Verb::list("list", "Lists the blocked items", &[op!(endpoint::blocked_items::ListBlockedItems)])
            .fixed(&[("pageTotal", "true")]),
        Verb::get("get", "Shows a blocked item", &[op!(endpoint::blocked_items::GetBlockedItem)]),
        Verb::change(
            "create",
            "Blocks an application by its hash",
            "create",
            &[op!(endpoint::blocked_items::CreateBlockedItem)],
        )
        .fixed(&[("type", "\"sha256\"")])
        .params(&[
            Param::text("sha256", "The hash").field("properties/sha256").required(),
            Param::text("file-name", "The name of the file").field("properties/fileName"),
            Param::text("comment", "The reason").required(),
        ])
        .examples(&["blocked create --sha256 9f86… --comment 'Incident 42'"]),
        Verb::change(
            "delete",
            "Deletes blocked items",
            "delete",
            &[op!(endpoint::blocked_items::DeleteBlockedItem)],
        ),
        Verb::list(
            "addresses",
            "Lists the blocked addresses",
            &[op!(endpoint::blocked_addresses::ListBlockedAddresses)],
        )
        .object("address")
        .columns(&["*"]),
        Verb::change(
            "block-addresses",
            "Blocks addresses",
            "block",
            &[op!(endpoint::blocked_addresses::BlockAddresses)],
        )
        .object("address")
        .params(&[Param::json("items", "The addresses as a JSON list").required()]),
        Verb::change(
            "unblock-addresses",
            "Unblocks addresses",
            "unblock",
            &[op!(endpoint::blocked_addresses::UnblockAddresses)],
        )
        .object("address")
        .params(&[Param::list("ids", "The ids").required()]),
    ],
};

pub(crate) const WEB_CONTROL: Noun = Noun {
    name: "web-control",
    about: "Sites and categories of web control",
    object: "site",
    columns: &["url", "category=/categoryId", "tags", "comment", "id"],
    verbs: &[
        Verb::list("list", "Lists the local sites", &[op!(endpoint::web_control::ListLocalSites)])
            .fixed(&[("pageTotal", "true")]),
        Verb::get("get", "Shows a local site", &[op!(endpoint::web_control::GetLocalSite)]),
        Verb::change(
            "create",
            "Creates a local site",
            "create",
            &[op!(endpoint::web_control::CreateLocalSite)],
        )
        .params(&[
            Param::text("url", "The address").required(),
            Param::number("category-id", "The category"),
            Param::list("tags", "The tags"),
            Param::text("comment", "The reason"),
        ])
        .examples(&["web-control create --url games.example --category-id 27"]),
        Verb::change(
            "update",
            "Changes a local site",
            "update",
            &[op!(endpoint::web_control::UpdateLocalSite)],
        )
        .params(&[
            Param::text("url", "The address"),
            Param::number("category-id", "The category"),
            Param::list("tags", "The tags"),
            Param::text("comment", "The reason"),
        ]),
        Verb::change(
            "delete",
            "Deletes local sites",
            "delete",
            &[op!(endpoint::web_control::DeleteLocalSite)],
        ),
        Verb::list("categories", "Lists the categories", &[op!(endpoint::web_control::ListWebCategories)])
            .object("category")
            .columns(&["id", "name", "label"]),
        Verb::get(
            "tls-decryption",
            "Shows the decryption of TLS",
            &[op!(endpoint::web_control::GetTlsDecryption)],
        ),
    ],
};
