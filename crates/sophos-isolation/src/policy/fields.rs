//! Where a source's messages say what, and which of them act.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{
    PolicyError,
    mistakes::Mistakes,
    section::{Item, Section},
};
use crate::{
    adapters::{Adapter, Condition, Fields, IdPart, Pointer, Pointers, Test, Tool, compared, presets},
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
        let mistakes = Mistakes::new(text);
        let adapter = match DeTable::parse(text) {
            Ok(table) => {
                let mut table = Section::root(&mistakes, table.get_ref());
                let adapter = read(&mut table, Some(tool));
                table.finish();
                Some(adapter)
            }
            Err(error) => {
                mistakes.add(error.span().map_or(0, |span| span.start), "", error.message());
                None
            }
        };
        mistakes.unless_any(adapter)
    }
}

/// Reads the keys of a source's table that say how its messages are read.
pub(super) fn read(table: &mut Section<'_, '_>, tool: Option<Tool>) -> Adapter {
    let preset = table.take("preset").and_then(|item| preset(&item, tool));
    let fields_item = table.take("fields");
    let has_preset = preset.is_some();
    let Adapter { mut fields, when, .. } = preset.unwrap_or(Adapter::new(Tool::Generic));
    if let Some(mut table) = fields_item.as_ref().and_then(|item| item.section()) {
        override_fields(&mut table, &mut fields, tool, has_preset);
        if has_preset && !fields.names_host() {
            table.mistake("must name a host where the preset's own are taken away");
        }
        table.finish();
    }
    let own = table.take("when").map(|item| item.some(MAX_CONDITIONS, condition));
    Adapter { tool: tool.unwrap_or(Tool::Generic), fields, when: own.unwrap_or(when) }
}

fn preset(item: &Item<'_, '_>, tool: Option<Tool>) -> Option<Adapter> {
    let text = item.word(&presets::ALL)?;
    if tool.is_some_and(|tool| tool != Tool::Generic) {
        item.mistake("is only for the tool generic: leave it out, or change the tool");
    }
    match Adapter::parse(Tool::Generic, text) {
        Ok(adapter) => Some(adapter),
        Err(error) => {
            item.mistake(format!("names a preset that cannot be used: {error}"));
            None
        }
    }
}

/// Puts what the table says in place of what the preset says, if there is one.
fn override_fields(table: &mut Section<'_, '_>, fields: &mut Fields, tool: Option<Tool>, has_preset: bool) {
    if let Some(item) = table.take("iterate") {
        if tool.is_some_and(|tool| !matches!(tool, Tool::Generic | Tool::Splunk)) {
            item.mistake(
                "is only for the tools generic and splunk: others say themselves where their lists are",
            );
        }
        fields.iterate = pointer(&item);
    }
    event_id(table, fields);
    let Fields {
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
        let item = table.take(key);
        if key == "account"
            && let Some(item) = &item
            && tool.is_some_and(Tool::is_eventbridge)
        {
            item.mistake("cannot be set for this tool: AWS vouches for the finding's own account alone");
        }
        match item {
            // An empty list takes away what a preset has.
            Some(item) if has_preset && item.is_empty_list() => *field = Pointers::default(),
            Some(item) => *field = pointers(&item),
            None => {}
        }
    }
    trims(table, fields);
    severity(table, fields);
}

fn event_id(table: &mut Section<'_, '_>, fields: &mut Fields) {
    let [id, parts] = ["event_id", "event_id_parts"].map(|key| table.take(key));
    if let (Some(_), Some(parts)) = (&id, &parts) {
        parts.mistake("is the event's identity, and so is event_id: give one of them");
    }
    if id.is_some() || parts.is_some() {
        fields.event_id = id.map(|item| pointers(&item)).unwrap_or_default();
        fields.event_id_parts =
            parts.as_ref().map(|item| item.some(MAX_ID_PARTS, id_part)).unwrap_or_default();
    }
    if let Some(parts) = parts
        && !fields.event_id_parts.is_empty()
        && fields.event_id_parts.iter().all(|part| part.is_optional)
    {
        parts.mistake("must have a part without `?`, which is always there");
    }
}

fn trims(table: &mut Section<'_, '_>, fields: &mut Fields) {
    for (key, trim) in
        [("hostname_prefix", &mut fields.hostname_prefix), ("hostname_suffix", &mut fields.hostname_suffix)]
    {
        let Some(item) = table.take(key) else { continue };
        if !fields.hostname.is_given() {
            item.mistake("is taken off what `hostname` points at: give that as well");
        }
        *trim = item.text(MAX_TEXT_LEN).map(str::to_owned);
    }
    if let Some(item) = table.take("strip_port") {
        if !fields.hostname.is_given() && !fields.ip.is_given() {
            item.mistake("is about what `hostname` and `ip` point at: give one of them as well");
        }
        fields.strip_port = item.flag().unwrap_or(false);
    }
}

fn severity(table: &mut Section<'_, '_>, fields: &mut Fields) {
    let [at, map, default, fixed] =
        ["severity", "severity_map", "severity_default", "severity_fixed"].map(|key| table.take(key));
    let words = Severity::ALL.map(|severity| (severity.as_str(), severity));
    if let Some(fixed) = fixed {
        if at.is_some() || map.is_some() || default.is_some() {
            fixed.mistake("is the severity whatever is said: leave the other keys of the severity out");
        }
        fields.severity = Pointers::default();
        fields.severity_map.clear();
        fields.severity_default = None;
        fields.severity_fixed = fixed.word(&words);
        return;
    }
    if at.is_some() || map.is_some() || default.is_some() {
        fields.severity_fixed = None;
    }
    if let Some(item) = at {
        fields.severity = pointers(&item);
    }
    if let Some(item) = map {
        if !fields.severity.is_given() {
            item.mistake("is about what `severity` points at: give that as well");
        }
        fields.severity_map = severity_map(&item, &words);
    }
    if let Some(item) = default {
        fields.severity_default = item.word(&words);
    }
}

fn severity_map(item: &Item<'_, '_>, words: &[(&str, Severity)]) -> BTreeMap<String, Severity> {
    let mut map = BTreeMap::new();
    for (word, item) in item.section().iter().flat_map(|table| table.entries()) {
        if word.trim().is_empty() || word.chars().count() > MAX_TEXT_LEN {
            item.mistake(format!("must be a word of the sender, of 1 to {MAX_TEXT_LEN} characters"));
        }
        let Some(severity) = item.word(words) else { continue };
        if map.insert(compared(word), severity).is_some() {
            item.mistake("is given twice: case makes no difference");
        }
    }
    map
}

fn pointers(item: &Item<'_, '_>) -> Pointers {
    Pointers(item.one_or_some(MAX_POINTERS, pointer))
}

fn pointer(item: &Item<'_, '_>) -> Option<Pointer> {
    let pointer = item.text(300)?.parse();
    pointer.map_err(|problem| item.mistake(problem)).ok()
}

fn id_part(item: &Item<'_, '_>) -> Option<IdPart> {
    let text = item.text(300)?;
    let (at, is_optional) = match text.strip_suffix('?') {
        Some(at) => (at, true),
        None => (text, false),
    };
    match at.parse() {
        Ok(at) => Some(IdPart { at, is_optional }),
        Err(problem) => {
            item.mistake(format!("{problem}; a `?` at its end says that it may be missing"));
            None
        }
    }
}

fn condition(item: &Item<'_, '_>) -> Option<Condition> {
    let mut table = item.section()?;
    let at = table.require("at", "point at the member that decides").map(|item| pointers(&item));
    let words = |item: Item<'_, '_>| {
        item.one_or_some(MAX_TEXTS, |item| item.scalar(MAX_TEXT_LEN).map(|text| compared(&text)))
    };
    let tests = [
        table.take("equals").map(|item| {
            if item.is_list() {
                item.mistake("must be one text: write `in` for several");
            }
            Some(Test::In(words(item)))
        }),
        table.take("in").map(|item| Some(Test::In(words(item)))),
        table.take("not_in").map(|item| Some(Test::NotIn(words(item)))),
        table.take("matches").map(|item| Some(Test::Matches(words(item)))),
        table.take("not_matches").map(|item| Some(Test::NotMatches(words(item)))),
        table.take("absent").map(|item| item.flag().map(Test::Absent)),
    ];
    let mut tests: Vec<_> = tests.into_iter().flatten().collect();
    if tests.len() != 1 {
        table.mistake("must have one of equals, in, not_in, matches, not_matches and absent");
    }
    table.finish();
    Some(Condition { at: at?, test: tests.pop()?? })
}
