use super::{
    section::{Item, Section},
    subject::{Seen, Subject},
};
use crate::{
    hostname::{HostName, HostPattern, folded, is_usable, lower, name_issue, same_host},
    identity::is_uuid,
};

/// The longest text of a selector, in characters.
const LONGEST: usize = 200;

/// The most selectors of a file.
pub(super) const MOST: usize = 5_000;

/// What an endpoint's `type` is, as the service documents it.
const TYPES: [(&str, &str); 3] =
    [("computer", "computer"), ("server", "server"), ("securityVm", "securityVm")];

/// Which endpoints a table is about, as the operator wrote it.
#[derive(Debug, Clone, Default)]
pub(super) struct Selectors {
    names: Vec<(String, HostName)>,
    patterns: Vec<HostPattern>,
    groups: Vec<String>,
    types: Vec<&'static str>,
    tags: Vec<String>,
    ids: Vec<String>,
}

impl Selectors {
    /// Reads the selectors of a table, of which the file may have `left` more.
    pub(super) fn read(table: &mut Section<'_, '_>, left: &mut usize) -> Self {
        let mut items = |key| {
            let Some(item) = table.take(key) else { return Vec::new() };
            let list = item.list();
            if list.len() > *left {
                item.mistake(format!("goes beyond the {MOST} selectors that a policy may have in all"));
            }
            *left = left.saturating_sub(list.len());
            list
        };
        Self {
            names: items("names").iter().filter_map(name).collect(),
            patterns: items("patterns").iter().filter_map(pattern).collect(),
            groups: items("groups").iter().filter_map(group).collect(),
            types: items("types").iter().filter_map(|item| item.word(&TYPES)).collect(),
            tags: items("tags").iter().filter_map(tag).collect(),
            ids: items("ids").iter().filter_map(uuid).collect(),
        }
    }

    /// Why an endpoint is selected, if it is.
    ///
    /// What a selector has to look at and cannot be read selects as well: it
    /// might be what the selector is there for.
    pub(super) fn select(&self, subject: &Subject) -> Option<String> {
        self.by_id(subject)
            .or_else(|| self.by_name(subject))
            .or_else(|| self.by_type(subject))
            .or_else(|| self.by_group(subject))
            .or_else(|| self.by_tag(subject))
    }

    fn by_id(&self, subject: &Subject) -> Option<String> {
        let id = self.ids.iter().find(|id| id.eq_ignore_ascii_case(subject.id.trim()))?;
        Some(format!("the policy lists its id {id}"))
    }

    fn by_name(&self, subject: &Subject) -> Option<String> {
        if self.names.is_empty() && self.patterns.is_empty() {
            return None;
        }
        let Some(hostname) = subject.hostname.read().filter(|name| is_usable(name)) else {
            return Some("the policy goes by host names, and its name cannot be read".into());
        };
        let own = HostName::new(hostname);
        if let Some((name, _)) = self.names.iter().find(|(_, name)| name.may_be(&own)) {
            return Some(match same_host(name, hostname) {
                true => format!("the policy lists its name as {name}"),
                false => format!("the policy lists the name {name}, which may be its own"),
            });
        }
        if let Some(pattern) = self.patterns.iter().find(|pattern| pattern.may_fit(&own)) {
            return Some(format!("the policy's pattern {} fits its name", pattern.text()));
        }
        let unreadable = "the policy goes by host names, and its name has a character that no host name has";
        (!own.is_readable()).then(|| unreadable.to_owned())
    }

    fn by_type(&self, subject: &Subject) -> Option<String> {
        if self.types.is_empty() {
            return None;
        }
        match subject.kind.read() {
            Some(kind) if self.types.contains(&kind.as_str()) => {
                Some(format!("the policy lists its type {kind}"))
            }
            Some(kind) if TYPES.iter().any(|(known, _)| known == kind) => None,
            _ => Some("the policy goes by types, and its type cannot be read".into()),
        }
    }

    fn by_group(&self, subject: &Subject) -> Option<String> {
        let unreadable = || Some("the policy goes by groups, and its group cannot be read".into());
        if self.groups.is_empty() {
            return None;
        }
        let group = match &subject.group {
            Seen::Missing => None,
            Seen::Unreadable => return unreadable(),
            Seen::Read(group) => Some(group),
        };
        let within = |selector: &&String| {
            let named = |text: &String| same_text(selector, text);
            group.is_some_and(|group| group.id.is_some_and(named) || group.name.is_some_and(named))
                || subject.above.iter().any(named)
        };
        if let Some(selector) = self.groups.iter().find(within) {
            return Some(format!("the policy lists its group {selector}"));
        }
        let undecided = |selector: &String| {
            group.is_some_and(|group| match is_uuid(selector) {
                true => group.id.read().is_none(),
                false => group.name.read().is_none(),
            })
        };
        if self.groups.iter().any(undecided) { unreadable() } else { None }
    }

    fn by_tag(&self, subject: &Subject) -> Option<String> {
        let unreadable = || Some("the policy goes by tags, and its tags cannot be read".into());
        if self.tags.is_empty() {
            return None;
        }
        let tags = match &subject.tags {
            Seen::Missing => return None,
            Seen::Unreadable => return unreadable(),
            Seen::Read(tags) => tags,
        };
        let mut undecided = false;
        for selector in &self.tags {
            for tag in tags {
                let Some(key) = tag.key.read() else {
                    undecided = true;
                    continue;
                };
                let whole =
                    same_text(selector, key) || tag.shown.is_some_and(|shown| same_text(selector, shown));
                let pair = selector.split_once('=').filter(|(name, _)| same_text(name, key));
                if whole
                    || pair.is_some_and(|(_, value)| tag.value.is_some_and(|text| same_text(value, text)))
                {
                    return Some(format!("the policy lists its tag {selector}"));
                }
                undecided |= pair.is_some() && matches!(tag.value, Seen::Unreadable);
            }
        }
        if undecided { unreadable() } else { None }
    }
}

fn name(item: &Item<'_, '_>) -> Option<(String, HostName)> {
    let text = item.text(LONGEST)?;
    let name = HostName::new(text);
    if text.contains(['*', '?']) {
        item.mistake("a name is taken as it is: write one with * or ? under patterns");
    } else if !is_usable(text) {
        item.mistake("must be a host name such as dc01 or dc01.corp.example, not an address");
    } else {
        if let Some(issue) = name_issue(text) {
            item.warn(issue);
        }
        return Some((folded(text), name));
    }
    None
}

fn pattern(item: &Item<'_, '_>) -> Option<HostPattern> {
    let text = item.text(LONGEST)?;
    let pattern = HostPattern::new(text);
    match &pattern {
        None => item.mistake("must be a pattern such as *-dc-* or hv??"),
        Some(_) => {
            if let Some(issue) = HostPattern::issue(text) {
                item.warn(issue);
            }
        }
    }
    pattern
}

fn group(item: &Item<'_, '_>) -> Option<String> {
    let name = item.text(LONGEST)?.trim();
    if name.is_empty() {
        item.mistake("must be the name or the id of a group");
    }
    (!name.is_empty()).then(|| name.to_owned())
}

fn tag(item: &Item<'_, '_>) -> Option<String> {
    let tag = item.text(LONGEST)?.trim();
    let (key, value) = tag.split_once('=').unwrap_or((tag, "-"));
    if key.trim().is_empty() || value.trim().is_empty() {
        item.mistake("must be a tag's key, or key=value");
        return None;
    }
    Some(tag.to_owned())
}

/// Reads an id of Sophos.
pub(super) fn uuid(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(LONGEST)?;
    if !is_uuid(text) {
        item.mistake("must be an id such as 0afef0e6-5df7-4cc0-b8d4-068cfd6820d1");
    }
    is_uuid(text).then(|| text.to_ascii_lowercase())
}

fn same_text(a: &str, b: &str) -> bool {
    lower(a.trim()) == lower(b.trim())
}
