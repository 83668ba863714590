use super::{
    endpoint::{Field, PolicyEndpoint},
    section::{Item, Section},
};
use crate::{
    hostname::{HostName, HostPattern, fold_name, is_same_host, is_usable, name_issue, to_lowercase},
    identity::is_uuid,
};

/// The maximum length of a selector, in characters.
const MAX_SELECTOR_LEN: usize = 200;

/// The maximum number of selectors in a policy.
pub(super) const MAX_SELECTORS: usize = 5_000;

/// The documented values of an endpoint's `type`.
const ENDPOINT_TYPES: [(&str, &str); 3] =
    [("computer", "computer"), ("server", "server"), ("securityVm", "securityVm")];

/// The endpoints that a table selects.
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
    /// Parses the selectors of a table; the policy may have `remaining` more.
    pub(super) fn parse(table: &mut Section<'_, '_>, remaining: &mut usize) -> Self {
        let mut items = |key| {
            let Some(item) = table.optional(key) else { return Vec::new() };
            let list = item.list();
            if list.len() > *remaining {
                item.error(format!("too many selectors: expected at most {MAX_SELECTORS} in the policy"));
            }
            *remaining = remaining.saturating_sub(list.len());
            list
        };
        Self {
            names: items("names").iter().filter_map(parse_name).collect(),
            patterns: items("patterns").iter().filter_map(parse_pattern).collect(),
            groups: items("groups").iter().filter_map(parse_group).collect(),
            types: items("types").iter().filter_map(|item| item.keyword(&ENDPOINT_TYPES)).collect(),
            tags: items("tags").iter().filter_map(parse_tag).collect(),
            ids: items("ids").iter().filter_map(parse_uuid).collect(),
        }
    }

    /// The reason why an endpoint is selected, if it is.
    ///
    /// An endpoint is also selected if a member that a selector needs cannot be read, because it
    /// might match.
    pub(super) fn matching_selector(&self, endpoint: &PolicyEndpoint) -> Option<String> {
        self.by_id(endpoint)
            .or_else(|| self.by_name(endpoint))
            .or_else(|| self.by_type(endpoint))
            .or_else(|| self.by_group(endpoint))
            .or_else(|| self.by_tag(endpoint))
    }

    fn by_id(&self, endpoint: &PolicyEndpoint) -> Option<String> {
        let id = self.ids.iter().find(|id| id.eq_ignore_ascii_case(endpoint.id.trim()))?;
        Some(format!("the policy lists the endpoint's id {id}"))
    }

    fn by_name(&self, endpoint: &PolicyEndpoint) -> Option<String> {
        if self.names.is_empty() && self.patterns.is_empty() {
            return None;
        }
        let Some(hostname) = endpoint.hostname.value().filter(|name| is_usable(name)) else {
            return Some("the policy selects by host name, and the endpoint's name cannot be read".into());
        };
        let own = HostName::new(hostname);
        if let Some((name, _)) = self.names.iter().find(|(_, name)| name.may_be_same_host(&own)) {
            return Some(match is_same_host(name, hostname) {
                true => format!("the policy lists the endpoint's name as {name}"),
                false => format!("the policy lists the name {name}, which may be the endpoint's"),
            });
        }
        if let Some(pattern) = self.patterns.iter().find(|pattern| pattern.may_match(&own)) {
            return Some(format!("the policy's pattern {} matches the endpoint's name", pattern.text()));
        }
        let unreadable = "the policy selects by host name, and the endpoint's name has a character that host names cannot have";
        (!own.is_readable()).then(|| unreadable.to_owned())
    }

    fn by_type(&self, endpoint: &PolicyEndpoint) -> Option<String> {
        if self.types.is_empty() {
            return None;
        }
        match endpoint.endpoint_type.value() {
            Some(kind) if self.types.contains(&kind.as_str()) => {
                Some(format!("the policy lists the endpoint's type {kind}"))
            }
            Some(kind) if ENDPOINT_TYPES.iter().any(|(known, _)| known == kind) => None,
            _ => Some("the policy selects by type, and the endpoint's type cannot be read".into()),
        }
    }

    fn by_group(&self, endpoint: &PolicyEndpoint) -> Option<String> {
        let unreadable =
            || Some("the policy selects by group, and the endpoint's group cannot be read".into());
        if self.groups.is_empty() {
            return None;
        }
        let group = match &endpoint.group {
            Field::Missing => None,
            Field::Invalid => return unreadable(),
            Field::Present(group) => Some(group),
        };
        let within = |selector: &&String| {
            let named = |text: &String| equals_ignore_case(selector, text);
            group.is_some_and(|group| group.id.is_some_and(named) || group.name.is_some_and(named))
                || endpoint.group_hierarchy.iter().any(named)
        };
        if let Some(selector) = self.groups.iter().find(within) {
            return Some(format!("the policy lists the endpoint's group {selector}"));
        }
        let undecided = |selector: &String| {
            group.is_some_and(|group| match is_uuid(selector) {
                true => group.id.value().is_none(),
                false => group.name.value().is_none(),
            })
        };
        if self.groups.iter().any(undecided) { unreadable() } else { None }
    }

    fn by_tag(&self, endpoint: &PolicyEndpoint) -> Option<String> {
        let unreadable = || Some("the policy selects by tag, and the endpoint's tags cannot be read".into());
        if self.tags.is_empty() {
            return None;
        }
        let tags = match &endpoint.tags {
            Field::Missing => return None,
            Field::Invalid => return unreadable(),
            Field::Present(tags) => tags,
        };
        let mut undecided = false;
        for selector in &self.tags {
            for tag in tags {
                let Some(key) = tag.key.value() else {
                    undecided = true;
                    continue;
                };
                let whole = equals_ignore_case(selector, key)
                    || tag.display_string.is_some_and(|shown| equals_ignore_case(selector, shown));
                let pair = selector.split_once('=').filter(|(name, _)| equals_ignore_case(name, key));
                if whole
                    || pair.is_some_and(|(_, value)| {
                        tag.value.is_some_and(|text| equals_ignore_case(value, text))
                    })
                {
                    return Some(format!("the policy lists the endpoint's tag {selector}"));
                }
                undecided |= pair.is_some() && matches!(tag.value, Field::Invalid);
            }
        }
        if undecided { unreadable() } else { None }
    }
}

fn parse_name(item: &Item<'_, '_>) -> Option<(String, HostName)> {
    let text = item.text(MAX_SELECTOR_LEN)?;
    let name = HostName::new(text);
    if text.contains(['*', '?']) {
        item.error("invalid name: expected a name without wildcards; move it to `patterns`");
    } else if !is_usable(text) {
        item.error("invalid name: expected a host name such as dc01 or dc01.corp.example, not an address");
    } else {
        if let Some(issue) = name_issue(text) {
            item.warn(issue);
        }
        return Some((fold_name(text), name));
    }
    None
}

fn parse_pattern(item: &Item<'_, '_>) -> Option<HostPattern> {
    let text = item.text(MAX_SELECTOR_LEN)?;
    let pattern = HostPattern::new(text);
    match &pattern {
        None => item.error("invalid pattern: expected a pattern such as *-dc-* or hv??"),
        Some(_) => {
            if let Some(issue) = HostPattern::issue(text) {
                item.warn(issue);
            }
        }
    }
    pattern
}

fn parse_group(item: &Item<'_, '_>) -> Option<String> {
    let name = item.text(MAX_SELECTOR_LEN)?.trim();
    if name.is_empty() {
        item.error("invalid group: expected the name or the id of a group");
    }
    (!name.is_empty()).then(|| name.to_owned())
}

fn parse_tag(item: &Item<'_, '_>) -> Option<String> {
    let tag = item.text(MAX_SELECTOR_LEN)?.trim();
    let (key, value) = tag.split_once('=').unwrap_or((tag, "-"));
    if key.trim().is_empty() || value.trim().is_empty() {
        item.error("invalid tag: expected key or key=value");
        return None;
    }
    Some(tag.to_owned())
}

/// Parses a Sophos id.
pub(super) fn parse_uuid(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(MAX_SELECTOR_LEN)?;
    if !is_uuid(text) {
        item.error("invalid id: expected an id such as 0afef0e6-5df7-4cc0-b8d4-068cfd6820d1");
    }
    is_uuid(text).then(|| text.to_ascii_lowercase())
}

fn equals_ignore_case(a: &str, b: &str) -> bool {
    to_lowercase(a.trim()) == to_lowercase(b.trim())
}
