//! Parsing of a source's field pointers and conditions.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{
    PolicyError,
    issues::ConfigIssues,
    section::{Item, Section},
};
use crate::{
    adapters::{
        Adapter, Condition, ConditionTest, FieldMapping, IdPart, Pointer, Pointers, Tool, normalize, presets,
    },
    signal::Severity,
};

/// The maximum number of pointers of one field.
const MAX_POINTERS: usize = 10;

/// The maximum number of parts of an event id.
const MAX_ID_PARTS: usize = 8;

/// The maximum number of conditions of a source.
const MAX_CONDITIONS: usize = 20;

/// The maximum number of texts of one condition.
const MAX_TEXTS: usize = 50;

/// The maximum length of a compared text, in characters.
const MAX_TEXT_LEN: usize = 200;

impl Adapter {
    /// Parses an adapter from `preset`, `fields` and `when`, written as in the table of a source.
    ///
    /// # Errors
    /// All issues of the text, each with its line.
    pub fn parse(tool: Tool, text: &str) -> Result<Self, PolicyError> {
        let issues = ConfigIssues::new(text);
        let adapter = match DeTable::parse(text) {
            Ok(table) => {
                let mut table = Section::root(&issues, table.get_ref());
                let adapter = parse_adapter(&mut table, Some(tool));
                table.finish();
                Some(adapter)
            }
            Err(error) => {
                issues.add(error.span().map_or(0, |span| span.start), "", error.message());
                None
            }
        };
        issues.into_result(adapter)
    }
}

/// Parses the keys of a source's table that configure its adapter.
pub(super) fn parse_adapter(table: &mut Section<'_, '_>, tool: Option<Tool>) -> Adapter {
    let preset = table.optional("preset").and_then(|item| parse_preset(&item, tool));
    let fields_item = table.optional("fields");
    let has_preset = preset.is_some();
    let Adapter { mut fields, when, .. } = preset.unwrap_or(Adapter::new(Tool::Generic));
    if let Some(mut table) = fields_item.as_ref().and_then(|item| item.section()) {
        parse_field_overrides(&mut table, &mut fields, tool, has_preset);
        if has_preset && !fields.maps_host() {
            table.error("missing host: point at a host, because the preset's pointers were removed");
        }
        table.finish();
    }
    let own = table.optional("when").map(|item| item.list_of(MAX_CONDITIONS, parse_condition));
    Adapter { tool: tool.unwrap_or(Tool::Generic), fields, when: own.unwrap_or(when) }
}

fn parse_preset(item: &Item<'_, '_>, tool: Option<Tool>) -> Option<Adapter> {
    let text = item.keyword(&presets::ALL)?;
    if tool.is_some_and(|tool| tool != Tool::Generic) {
        item.error("unexpected key: only the tool generic has presets; remove it, or change the tool");
    }
    match Adapter::parse(Tool::Generic, text) {
        Ok(adapter) => Some(adapter),
        Err(error) => {
            item.error(format!("invalid preset: {error}"));
            None
        }
    }
}

/// Overrides the fields of the preset, if there is one, with those of the table.
fn parse_field_overrides(
    table: &mut Section<'_, '_>,
    fields: &mut FieldMapping,
    tool: Option<Tool>,
    has_preset: bool,
) {
    if let Some(item) = table.optional("iterate") {
        if tool.is_some_and(|tool| !matches!(tool, Tool::Generic | Tool::Splunk)) {
            item.error(
                "unexpected key: only the tools generic and splunk have it; other adapters know their lists",
            );
        }
        fields.iterate = parse_pointer(&item);
    }
    parse_event_id(table, fields);
    let FieldMapping {
        alert_id,
        tenant,
        account,
        endpoint_id,
        ec2_instance_id,
        hostname,
        netbios,
        mac,
        ip,
        title,
        reason,
        observed_at,
        action,
        ttl,
        ..
    } = fields;
    for (key, field) in [
        ("alert_id", alert_id),
        ("tenant", tenant),
        ("account", account),
        ("endpoint_id", endpoint_id),
        ("ec2_instance_id", ec2_instance_id),
        ("hostname", hostname),
        ("netbios", netbios),
        ("mac", mac),
        ("ip", ip),
        ("title", title),
        ("reason", reason),
        ("observed_at", observed_at),
        ("action", action),
        ("ttl", ttl),
    ] {
        let item = table.optional(key);
        if key == "account"
            && let Some(item) = &item
            && tool.is_some_and(Tool::is_eventbridge)
        {
            item.error("unexpected key: AWS authenticates only the finding's own account; remove it");
        }
        match item {
            // An empty list removes the preset's pointers.
            Some(item) if has_preset && item.is_empty_list() => *field = Pointers::default(),
            Some(item) => *field = parse_pointers(&item),
            None => {}
        }
    }
    parse_trimming(table, fields);
    parse_severity_fields(table, fields);
}

fn parse_event_id(table: &mut Section<'_, '_>, fields: &mut FieldMapping) {
    let [id, parts] = ["event_id", "event_id_parts"].map(|key| table.optional(key));
    if let (Some(_), Some(parts)) = (&id, &parts) {
        parts.error("conflicting keys: set either event_id or event_id_parts");
    }
    if id.is_some() || parts.is_some() {
        fields.event_id = id.map(|item| parse_pointers(&item)).unwrap_or_default();
        fields.event_id_parts =
            parts.as_ref().map(|item| item.list_of(MAX_ID_PARTS, parse_id_part)).unwrap_or_default();
    }
    if let Some(parts) = parts
        && !fields.event_id_parts.is_empty()
        && fields.event_id_parts.iter().all(|part| part.is_optional)
    {
        parts.error("invalid parts: expected at least one required part, without `?`");
    }
}

fn parse_trimming(table: &mut Section<'_, '_>, fields: &mut FieldMapping) {
    for (key, trim) in
        [("hostname_prefix", &mut fields.hostname_prefix), ("hostname_suffix", &mut fields.hostname_suffix)]
    {
        let Some(item) = table.optional(key) else { continue };
        if !fields.hostname.is_set() {
            item.error("missing hostname: this key applies to the value of `hostname`; set it too");
        }
        *trim = item.text(MAX_TEXT_LEN).map(str::to_owned);
    }
    if let Some(item) = table.optional("strip_port") {
        if !fields.hostname.is_set() && !fields.ip.is_set() {
            item.error("missing hostname or ip: this key applies to their values; set one of them too");
        }
        fields.strip_port = item.boolean().unwrap_or(false);
    }
}

fn parse_severity_fields(table: &mut Section<'_, '_>, fields: &mut FieldMapping) {
    let [at, map, default, fixed] =
        ["severity", "severity_map", "severity_default", "severity_fixed"].map(|key| table.optional(key));
    let words = Severity::ALL.map(|severity| (severity.as_str(), severity));
    if let Some(fixed) = fixed {
        if at.is_some() || map.is_some() || default.is_some() {
            fixed.error("conflicting keys: severity_fixed overrides the other severity keys; remove them");
        }
        fields.severity = Pointers::default();
        fields.severity_map.clear();
        fields.severity_default = None;
        fields.severity_fixed = fixed.keyword(&words);
        return;
    }
    if at.is_some() || map.is_some() || default.is_some() {
        fields.severity_fixed = None;
    }
    if let Some(item) = at {
        fields.severity = parse_pointers(&item);
    }
    if let Some(item) = map {
        if !fields.severity.is_set() {
            item.error("missing severity: this key applies to the value of `severity`; set it too");
        }
        fields.severity_map = parse_severity_map(&item, &words);
    }
    if let Some(item) = default {
        fields.severity_default = item.keyword(&words);
    }
}

fn parse_severity_map(item: &Item<'_, '_>, words: &[(&str, Severity)]) -> BTreeMap<String, Severity> {
    let mut map = BTreeMap::new();
    for (word, item) in item.section().iter().flat_map(|table| table.entries()) {
        if word.trim().is_empty() || word.chars().count() > MAX_TEXT_LEN {
            item.error(format!("invalid word: expected 1 to {MAX_TEXT_LEN} characters"));
        }
        let Some(severity) = item.keyword(words) else { continue };
        if map.insert(normalize(word), severity).is_some() {
            item.error("duplicate word: case is ignored; remove one");
        }
    }
    map
}

fn parse_pointers(item: &Item<'_, '_>) -> Pointers {
    Pointers(item.one_or_list_of(MAX_POINTERS, parse_pointer))
}

fn parse_pointer(item: &Item<'_, '_>) -> Option<Pointer> {
    let pointer = item.text(300)?.parse();
    pointer.map_err(|message| item.error(message)).ok()
}

fn parse_id_part(item: &Item<'_, '_>) -> Option<IdPart> {
    let text = item.text(300)?;
    let (at, is_optional) = match text.strip_suffix('?') {
        Some(at) => (at, true),
        None => (text, false),
    };
    match at.parse() {
        Ok(at) => Some(IdPart { pointer: at, is_optional }),
        Err(message) => {
            item.error(format!("{message}; a trailing `?` marks an optional part"));
            None
        }
    }
}

fn parse_condition(item: &Item<'_, '_>) -> Option<Condition> {
    let mut table = item.section()?;
    let at = table.require("pointer", "set it to the member to test").map(|item| parse_pointers(&item));
    let words = |item: Item<'_, '_>| {
        item.one_or_list_of(MAX_TEXTS, |item| item.scalar(MAX_TEXT_LEN).map(|text| normalize(&text)))
    };
    let tests = [
        table.optional("equals").map(|item| {
            if item.is_list() {
                item.error("invalid value: expected one text; use `in` for several");
            }
            Some(ConditionTest::In(words(item)))
        }),
        table.optional("in").map(|item| Some(ConditionTest::In(words(item)))),
        table.optional("not_in").map(|item| Some(ConditionTest::NotIn(words(item)))),
        table.optional("matches").map(|item| Some(ConditionTest::Matches(words(item)))),
        table.optional("not_matches").map(|item| Some(ConditionTest::NotMatches(words(item)))),
        table.optional("absent").map(|item| item.boolean().map(ConditionTest::Absent)),
    ];
    let mut tests: Vec<_> = tests.into_iter().flatten().collect();
    if tests.len() != 1 {
        table.error(
            "invalid condition: expected exactly one of equals, in, not_in, matches, not_matches and absent",
        );
    }
    table.finish();
    Some(Condition { pointers: at?, test: tests.pop()?? })
}
