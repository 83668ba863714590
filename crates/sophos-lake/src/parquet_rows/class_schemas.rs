//! The attributes of each class that the mapping writes.

use super::schema::{Field, Kind};

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

const fn text(name: &'static str) -> Field {
    field(name, Kind::Text)
}

const fn int(name: &'static str) -> Field {
    field(name, Kind::Int)
}

const fn long(name: &'static str) -> Field {
    field(name, Kind::Long)
}

const fn flag(name: &'static str) -> Field {
    field(name, Kind::Bool)
}

const fn object(name: &'static str, members: &'static [Field]) -> Field {
    field(name, Kind::Struct(members))
}

const fn list(name: &'static str, element: &'static Field) -> Field {
    field(name, Kind::List(element))
}

const TEXT: &Field = &text("element");
const INT: &Field = &int("element");

const METADATA: &[Field] = &[
    text("version"),
    object("product", &[text("name"), text("vendor_name")]),
    list("profiles", TEXT),
    text("tenant_uid"),
    text("uid"),
    text("event_code"),
    text("log_name"),
    text("original_time"),
    long("logged_time"),
];

const HASHES: Field =
    list("hashes", &object("element", &[int("algorithm_id"), text("algorithm"), text("value")]));

const FILE: &[Field] = &[text("name"), text("path"), int("type_id"), text("type"), HASHES];

const USER: &[Field] = &[text("uid"), text("name"), text("full_name"), text("domain")];

const ACTOR: Field = object("actor", &[object("user", USER)]);

const REMEDIATION_ACTOR: Field = object("actor", &[object("user", USER), text("app_name")]);

const OS: Field = object("os", &[text("name"), int("type_id"), text("type"), text("version"), text("build")]);

const NETWORK_INTERFACE: &Field =
    &object("element", &[text("ip"), text("mac"), int("type_id"), text("type")]);

const DEVICE: Field = object(
    "device",
    &[
        text("uid"),
        text("hostname"),
        text("name"),
        text("domain"),
        int("type_id"),
        text("type"),
        text("ip"),
        list("network_interfaces", NETWORK_INTERFACE),
        OS,
        object("hw_info", &[text("serial_number")]),
        text("instance_uid"),
        list("groups", &object("element", &[text("uid"), text("name")])),
        long("first_seen_time"),
        long("last_seen_time"),
        flag("is_managed"),
        flag("is_compliant"),
    ],
);

const PROCESS: Field = object(
    "process",
    &[
        int("pid"),
        text("uid"),
        text("name"),
        text("cmd_line"),
        object("file", FILE),
        object("parent_process", &[int("pid"), text("name"), object("file", FILE)]),
    ],
);

const ENDPOINT: &[Field] = &[text("ip"), text("hostname"), int("port")];

const EVIDENCE: &Field = &object(
    "element",
    &[
        object("file", FILE),
        PROCESS,
        object("src_endpoint", ENDPOINT),
        object("dst_endpoint", ENDPOINT),
        ACTOR,
    ],
);

const MALWARE: &Field = &object(
    "element",
    &[text("name"), list("classification_ids", INT), list("classifications", TEXT), text("provider")],
);

const FINDING_INFO: Field = object(
    "finding_info",
    &[
        text("uid"),
        text("title"),
        text("desc"),
        list("types", TEXT),
        long("created_time"),
        long("first_seen_time"),
        object("analytic", &[text("name"), int("type_id"), text("type")]),
    ],
);

const COUNTERMEASURE: &Field = &object(
    "element",
    &[object("d3f_tactic", &[text("name")]), object("d3f_technique", &[text("uid"), text("name")])],
);

/// The attributes of all classes, and these.
macro_rules! class {
    ($($field:expr),* $(,)?) => {
        &[
            object("metadata", METADATA),
            long("time"),
            int("class_uid"),
            text("class_name"),
            int("category_uid"),
            text("category_name"),
            int("activity_id"),
            text("activity_name"),
            long("type_uid"),
            text("type_name"),
            int("severity_id"),
            text("severity"),
            text("message"),
            int("status_id"),
            text("status"),
            text("status_detail"),
            DEVICE,
            $($field,)*
            field("unmapped", Kind::TextMap),
            text("raw_data"),
        ]
    };
}

pub(crate) const DETECTION_FINDING: &[Field] = class![
    FINDING_INFO,
    int("action_id"),
    text("action"),
    int("disposition_id"),
    text("disposition"),
    list("malware", MALWARE),
    list("evidences", EVIDENCE),
    list("resources", &object("element", &[text("uid"), text("name"), text("type")])),
];

pub(crate) const DEVICE_INVENTORY: &[Field] = class![ACTOR];

pub(crate) const REMEDIATION: &[Field] =
    class![text("command_uid"), REMEDIATION_ACTOR, list("countermeasures", COUNTERMEASURE)];

pub(crate) const FILE_REMEDIATION: &[Field] = class![text("command_uid"), ACTOR, object("file", FILE)];

pub(crate) const PROCESS_REMEDIATION: &[Field] = class![text("command_uid"), ACTOR, PROCESS];
