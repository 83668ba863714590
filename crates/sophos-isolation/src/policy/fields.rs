//! Where a source's messages say what, and which of them act.

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

/// The most pointers of one field.
const MAX_POINTERS: usize = 10;

/// The most parts of an event's identity.
const MAX_ID_PARTS: usize = 8;

/// The most conditions of a source.
const MAX_CONDITIONS: usize = 20;

/// The most texts that one condition compares with.
const MAX_TEXTS: usize = 50;

/// The longest text that something is compared with, in characters.
const MAX_TEXT_LEN: usize = 200;

impl Adapter {
    /// An adapter whose `preset`, `fields` and `when` are written as in the table
    /// of a source.
    ///
    /// # Errors
    /// Everything that is wrong with the text, each with its line.
    pub fn parse(tool: Tool, text: &str) -> Result<Self, PolicyError> {
        let mistakes = ConfigIssues::new(text);
        let adapter = match DeTable::parse(text) {
            Ok(table) => {
                let mut table = Section::root(&mistakes, table.get_ref());
                let adapter = parse_adapter(&mut table, Some(tool));
                table.finish();
                Some(adapter)
            }
            Err(error) => {
                mistakes.add(error.span().map_or(0, |span| span.start), "", error.message());
                None
            }
        };
        mistakes.into_result(adapter)
    }
}

/// Reads the keys of a source's table that say how its messages are read.
pub(super) fn parse_adapter(table: &mut Section<'_, '_>, tool: Option<Tool>) -> Adapter {
    let preset = table.optional("preset").and_then(|item| parse_preset(&item, tool));
    let fields_item = table.optional("fields");
    let has_preset = preset.is_some();
    let Adapter { mut fields, when, .. } = preset.unwrap_or(Adapter::new(Tool::Generic));
    if let Some(mut table) = fields_item.as_ref().and_then(|item| item.section()) {
        parse_field_overrides(&mut table, &mut fields, tool, has_preset);
        if has_preset && !fields.maps_host() {
            table.error("must name a host where the preset's own are taken away");
        }
        table.finish();
    }
    let own = table.optional("when").map(|item| item.list_of(MAX_CONDITIONS, parse_condition));
    Adapter { tool: tool.unwrap_or(Tool::Generic), fields, when: own.unwrap_or(when) }
}

fn parse_preset(item: &Item<'_, '_>, tool: Option<Tool>) -> Option<Adapter> {
    let text = item.keyword(&presets::ALL)?;
    if tool.is_some_and(|tool| tool != Tool::Generic) {
        item.error("is only for the tool generic: leave it out, or change the tool");
    }
    match Adapter::parse(Tool::Generic, text) {
        Ok(adapter) => Some(adapter),
        Err(error) => {
            item.error(format!("names a preset that cannot be used: {error}"));
            None
        }
    }
}

/// Puts what the table says in place of what the preset says, if there is one.
fn parse_field_overrides(
    table: &mut Section<'_, '_>,
    fields: &mut FieldMapping,
    tool: Option<Tool>,
    has_preset: bool,
) {
    if let Some(item) = table.optional("iterate") {
        if tool.is_some_and(|tool| !matches!(tool, Tool::Generic | Tool::Splunk)) {
            item.error(
                "is only for the tools generic and splunk: others say themselves where their lists are",
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
            item.error("cannot be set for this tool: AWS vouches for the finding's own account alone");
        }
        match item {
            // An empty list takes away what a preset has.
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
        parts.error("is the event's identity, and so is event_id: give one of them");
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
        parts.error("must have a part without `?`, which is always there");
    }
}

fn parse_trimming(table: &mut Section<'_, '_>, fields: &mut FieldMapping) {
    for (key, trim) in
        [("hostname_prefix", &mut fields.hostname_prefix), ("hostname_suffix", &mut fields.hostname_suffix)]
    {
        let Some(item) = table.optional(key) else { continue };
        if !fields.hostname.is_set() {
            item.error("is taken off what `hostname` points at: give that as well");
        }
        *trim = item.text(MAX_TEXT_LEN).map(str::to_owned);
    }
    if let Some(item) = table.optional("strip_port") {
        if !fields.hostname.is_set() && !fields.ip.is_set() {
            item.error("is about what `hostname` and `ip` point at: give one of them as well");
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
            fixed.error("is the severity whatever is said: leave the other keys of the severity out");
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
            item.error("is about what `severity` points at: give that as well");
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
            item.error(format!("must be a word of the sender, of 1 to {MAX_TEXT_LEN} characters"));
        }
        let Some(severity) = item.keyword(words) else { continue };
        if map.insert(normalize(word), severity).is_some() {
            item.error("is given twice: case makes no difference");
        }
    }
    map
}

fn parse_pointers(item: &Item<'_, '_>) -> Pointers {
    Pointers(item.one_or_list_of(MAX_POINTERS, parse_pointer))
}

fn parse_pointer(item: &Item<'_, '_>) -> Option<Pointer> {
    let pointer = item.text(300)?.parse();
    pointer.map_err(|problem| item.error(problem)).ok()
}

fn parse_id_part(item: &Item<'_, '_>) -> Option<IdPart> {
    let text = item.text(300)?;
    let (at, is_optional) = match text.strip_suffix('?') {
        Some(at) => (at, true),
        None => (text, false),
    };
    match at.parse() {
        Ok(at) => Some(IdPart { pointer: at, is_optional }),
        Err(problem) => {
            item.error(format!("{problem}; a `?` at its end says that it may be missing"));
            None
        }
    }
}

fn parse_condition(item: &Item<'_, '_>) -> Option<Condition> {
    let mut table = item.section()?;
    let at = table.require("pointer", "point at the member that decides").map(|item| parse_pointers(&item));
    let words = |item: Item<'_, '_>| {
        item.one_or_list_of(MAX_TEXTS, |item| item.scalar(MAX_TEXT_LEN).map(|text| normalize(&text)))
    };
    let tests = [
        table.optional("equals").map(|item| {
            if item.is_list() {
                item.error("must be one text: write `in` for several");
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
        table.error("must have one of equals, in, not_in, matches, not_matches and absent");
    }
    table.finish();
    Some(Condition { pointers: at?, test: tests.pop()?? })
}
