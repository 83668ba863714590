//! What the policy names in place of what an adapter found.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
};

use serde_json::Value;

use super::{
    Adapter, MAX_ALERTS_PER_MESSAGE, Message, ParseError, Pointers, Tool,
    condition::normalize,
    host_splitting::{is_hostname, split_hosts},
    json_cursor::JsonCursor,
    parsed_alert::{
        KeyParts, ParsedAlert, ParsedHost, digest, key_text, parse_account, parse_action, parse_ttl,
    },
    pointer::DocumentContext,
};
use crate::{
    identity::parse_mac_address,
    signal::{HostIdentifiers, Severity, Signal},
};

/// What tells events and alerts of a document apart.
#[derive(Debug)]
pub(super) struct MessageKeys {
    pub(super) event: KeyParts,
    pub(super) alert: KeyParts,
}

impl Adapter {
    /// The identities that the policy names, or else the adapter's. Where the
    /// document is one of several, its own part is kept beside a configured one
    /// that another document may have as well.
    pub(super) fn resolve_keys(
        &self,
        draft: &ParsedAlert<'_>,
        at: DocumentContext<'_>,
        base: &str,
        message: &Message<'_>,
        number: Option<usize>,
    ) -> Result<MessageKeys, ParseError> {
        let fields = &self.fields;
        let own = &draft.event_key;
        let (event, alert) = if fields.event_id.is_set() || !fields.event_id_parts.is_empty() {
            let (mut event, is_own) = self.mapped_event_key(at, base, message)?;
            let alert = event.clone();
            if fields.iterate.is_some() {
                event.extend((!is_own).then(|| Value::from(digest(draft.document))));
            } else if let Some(number) = number {
                event.push(own.as_ref().map_or_else(|_| Value::from(number), |own| Value::from(own.clone())));
            }
            (event, alert)
        } else {
            let missing = |member: &&str| ParseError(format!("it does not say which event it is: {member}"));
            let event = own.as_ref().map_err(missing)?.clone();
            let alert = event.iter().take(1).cloned().collect();
            (event, alert)
        };
        let named = fields.alert_id.text(at).map(|id| vec![Value::from(id)]);
        Ok(MessageKeys { event, alert: named.or_else(|| draft.alert_key.clone()).unwrap_or(alert) })
    }

    /// The event's identity at the configured place, and whether it is the
    /// document's own and not one of the whole delivery.
    fn mapped_event_key(
        &self,
        at: DocumentContext<'_>,
        base: &str,
        message: &Message<'_>,
    ) -> Result<(KeyParts, bool), ParseError> {
        let fields = &self.fields;
        let key = message.idempotency_key.filter(|key| self.tool == Tool::Generic && !key.trim().is_empty());
        let (mut identity, mut is_own) = (Vec::new(), false);
        let mut missing = None;
        for part in &fields.event_id_parts {
            let found = part.pointer.text(at).map(Value::from);
            if found.is_none() && !part.is_optional {
                missing.get_or_insert_with(|| {
                    (format!("\"{}\"", part.pointer.display_from(base)), "event_id_parts")
                });
            }
            is_own |= found.is_some() && !part.pointer.is_from_root();
            identity.push(found.unwrap_or_default());
        }
        if fields.event_id.is_set() {
            let pointers = fields.event_id.0.iter();
            let found =
                pointers.filter_map(|pointer| Some((pointer.text(at)?, !pointer.is_from_root()))).next();
            match found {
                Some((id, own)) => (identity, is_own) = (vec![Value::from(id)], own),
                None => missing = Some((fields.event_id.display_from(base), "event_id")),
            }
        }
        match (missing, key) {
            (None, _) => Ok((identity, is_own)),
            (Some(_), Some(key)) => Ok((vec![Value::from(key)], false)),
            (Some((place, name)), None) => {
                let or_key = if self.tool == Tool::Generic { ", or send an Idempotency-Key" } else { "" };
                Err(ParseError(format!(
                    "missing event id: nothing at {place}; set fields.{name} to where it is{or_key}"
                )))
            }
        }
    }

    /// The condition of the policy that a document does not meet, in words.
    pub(super) fn unmet_condition(&self, at: DocumentContext<'_>, base: &str) -> Option<String> {
        let number = self.when.iter().position(|condition| !condition.is_met(at))?;
        let place = self.when[number].pointers.display_from(base);
        Some(format!("{place} is not what when[{number}] of the source requires"))
    }

    /// The signal of a draft, without a host.
    pub(super) fn build_signal(
        &self,
        draft: &ParsedAlert<'_>,
        at: DocumentContext<'_>,
        base: &str,
    ) -> Result<Signal, ParseError> {
        let mut signal = draft.signal.clone();
        let fields = &self.fields;
        if fields.tenant.is_set() {
            signal.tenant = fields.tenant.identifier(at);
        }
        if fields.account.is_set() {
            signal.account = fields.account.find_first(at, parse_account);
        }
        signal.severity = self.resolve_severity(signal.severity, at);
        if fields.title.is_set() {
            signal.title = fields.title.display_text(at).unwrap_or_default();
        }
        if fields.reason.is_set() {
            signal.reason = fields.reason.display_text(at);
        }
        if fields.observed_at.is_set() {
            signal.observed_at = fields.observed_at.display_text(at);
        }
        let is_own_form = self.tool == Tool::Generic && !fields.maps_host();
        let own =
            |name| if is_own_form { JsonCursor::from(draft.document).get(name) } else { JsonCursor::MISSING };
        if fields.action.is_set() {
            let place = fields.action.display_from(base);
            let read = fields.action.find_first(at, |place| place.value().map(|_| parse_action(place)));
            signal.action = read
                .ok_or_else(|| {
                    ParseError(format!(
                        "missing action: nothing at {place}; set fields.action to where it is"
                    ))
                })?
                .map_err(|error| with_field_name(error, "action", &place))?;
        } else if is_own_form {
            signal.action = parse_action(own("action"))
                .map_err(|error| with_field_name(error, "action", "\"/action\""))?;
        }
        if fields.ttl.is_set() {
            let read = fields.ttl.find_first(at, |place| parse_ttl(place).transpose()).transpose();
            signal.release_after_seconds =
                read.map_err(|error| with_field_name(error, "ttl", &fields.ttl.display_from(base)))?;
        } else if is_own_form {
            signal.release_after_seconds =
                parse_ttl(own("ttl")).map_err(|error| with_field_name(error, "ttl", "\"/ttl\""))?;
        }
        Ok(signal)
    }

    fn resolve_severity(&self, found: Option<Severity>, at: DocumentContext<'_>) -> Option<Severity> {
        let fields = &self.fields;
        if fields.severity_fixed.is_some() {
            return fields.severity_fixed;
        }
        let read = |place: JsonCursor<'_>| {
            let text = place.text();
            // A text that stands for nothing lets the next pointer speak.
            let is_said = text.is_some() || place.value().is_some_and(|value| !value.is_string());
            let known = text.and_then(|text| fields.severity_map.get(&normalize(&text)).copied());
            is_said.then(|| known.or_else(|| self.parse_severity(place)))
        };
        let named = match fields.severity.is_set() {
            true => fields.severity.find_first(at, read).flatten(),
            false => found,
        };
        named.or(fields.severity_default)
    }

    fn parse_severity(&self, place: JsonCursor<'_>) -> Option<Severity> {
        match self.tool {
            Tool::GuardDuty => super::guardduty::parse_severity(place),
            Tool::CrowdStrike => super::crowdstrike::parse_severity(place),
            Tool::PagerDuty => super::pagerduty::parse_severity(place),
            Tool::Wazuh => super::wazuh::parse_severity(place),
            Tool::Okta => super::okta::parse_severity(place),
            Tool::SentinelOne => super::sentinelone::parse_severity(place),
            Tool::Elastic => super::elastic::parse_severity(place),
            Tool::SecurityHub => super::security_hub::parse_severity(place),
            Tool::MicrosoftDefender | Tool::MicrosoftSentinel | Tool::Splunk | Tool::Generic => {
                place.severity()
            }
        }
    }

    /// The hosts of a document, each once, and the one without a refusal before
    /// the same with one.
    pub(super) fn resolve_hosts(&self, at: DocumentContext<'_>, hosts: Vec<ParsedHost>) -> Vec<ParsedHost> {
        let fields = &self.fields;
        let mut hosts = if hosts.is_empty() { vec![ParsedHost::default()] } else { hosts };
        for ParsedHost { identifiers: host, .. } in &mut hosts {
            self.map_host(at, host);
        }
        if self.tool == Tool::Generic || fields.hostname.is_set() || fields.netbios.is_set() {
            hosts = hosts.into_iter().flat_map(split_hosts).collect();
        }
        hosts.sort_by_key(|host| host.refusal.is_some());
        let mut each: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<ParsedHost> = Vec::new();
        for host in hosts {
            match each.entry(key_text(&Vec::new(), Some(&host.identifiers))) {
                Entry::Occupied(first) => kept[*first.get()].accounts.extend(host.accounts),
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(host);
                }
            }
        }
        kept
    }

    fn map_host(&self, at: DocumentContext<'_>, host: &mut HostIdentifiers) {
        let fields = &self.fields;
        if fields.endpoint_id.is_set() {
            host.endpoint_id = fields.endpoint_id.identifier(at);
        }
        if fields.ec2_instance_id.is_set() {
            host.ec2_instance_id = fields.ec2_instance_id.identifier(at);
        }
        if fields.hostname.is_set() {
            host.hostnames = self.texts(&fields.hostname, at, |text| self.extract_hostname(text));
        }
        if fields.netbios.is_set() {
            let name = |text: &str| is_hostname(text).then(|| text.to_owned());
            host.netbios_names = self.texts(&fields.netbios, at, name);
        }
        if fields.mac.is_set() {
            let usable =
                self.texts(&fields.mac, at, |text| parse_mac_address(text).is_ok().then(|| text.to_owned()));
            host.mac_addresses = usable.into_iter().take(super::json_cursor::MAX_IDENTIFIERS).collect();
        }
        if fields.ip.is_set() {
            let usable = self.texts(&fields.ip, at, |text| self.extract_ip_address(text));
            host.ip_addresses = usable.into_iter().take(super::json_cursor::MAX_IDENTIFIERS).collect();
        }
    }

    /// The texts at the first pointer that leads to any that `read` can use.
    fn texts(
        &self,
        at: &Pointers,
        document: DocumentContext<'_>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Vec<String> {
        let texts = |place: JsonCursor<'_>| {
            let mut texts: Vec<String> = Vec::new();
            for text in place.all_identifiers().iter().filter_map(|text| read(text)) {
                // One more than may be read is enough to refuse them all.
                if !texts.contains(&text) && texts.len() <= MAX_ALERTS_PER_MESSAGE {
                    texts.push(text);
                }
            }
            (!texts.is_empty()).then_some(texts)
        };
        at.find_first(document, texts).unwrap_or_default()
    }

    /// The host name in a text: never an address, and never a URL.
    fn extract_hostname(&self, text: &str) -> Option<String> {
        let text = match &self.fields.hostname_prefix {
            Some(prefix) => strip_prefix_ignore_case(text, prefix)?,
            None => text,
        };
        let text = if self.fields.strip_port { without_port(text) } else { text };
        let suffix = self.fields.hostname_suffix.as_deref().unwrap_or_default();
        let text = strip_suffix_ignore_case(text, suffix).unwrap_or(text).trim();
        is_hostname(text).then(|| text.to_owned())
    }

    /// The address in a text.
    fn extract_ip_address(&self, text: &str) -> Option<String> {
        let text = if self.fields.strip_port { without_port(text) } else { text };
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        bare.parse::<IpAddr>().is_ok().then(|| bare.to_owned())
    }
}

fn with_field_name(error: ParseError, key: &str, place: &str) -> ParseError {
    ParseError(format!("{} at {place}; set fields.{key} if it is elsewhere", error.0))
}

/// What follows a prefix, whatever its case.
fn strip_prefix_ignore_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// What precedes a suffix, whatever its case.
fn strip_suffix_ignore_case<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// A host without `:port`. An address of IPv6 has its port after a bracket.
fn without_port(text: &str) -> &str {
    let Some((host, port)) = text.rsplit_once(':') else { return text };
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|digit| digit.is_ascii_digit());
    let is_host = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    if is_port && is_host { host } else { text }
}
