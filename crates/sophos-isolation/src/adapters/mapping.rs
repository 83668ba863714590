//! Application of the policy's field pointers to an adapter's result.

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

/// The event key and the alert key of a document.
#[derive(Debug)]
pub(super) struct MessageKeys {
    pub(super) event: KeyParts,
    pub(super) alert: KeyParts,
}

impl Adapter {
    /// The keys from the policy's pointers, or else from the adapter. For one of several documents,
    /// a configured key that another document may share is combined with the document's own key.
    pub(super) fn resolve_keys(
        &self,
        parsed: &ParsedAlert<'_>,
        at: DocumentContext<'_>,
        base: &str,
        message: &Message<'_>,
        number: Option<usize>,
    ) -> Result<MessageKeys, ParseError> {
        let fields = &self.fields;
        let own = &parsed.event_key;
        let (event, alert) = if fields.event_id.is_set() || !fields.event_id_parts.is_empty() {
            let (mut event, is_own) = self.mapped_event_key(at, base, message)?;
            let alert = event.clone();
            if fields.iterate.is_some() {
                event.extend((!is_own).then(|| Value::from(digest(parsed.document))));
            } else if let Some(number) = number {
                event.push(own.as_ref().map_or_else(|_| Value::from(number), |own| Value::from(own.clone())));
            }
            (event, alert)
        } else {
            let missing = |member: &&str| ParseError(format!("missing event id: {member}"));
            let event = own.as_ref().map_err(missing)?.clone();
            let alert = event.iter().take(1).cloned().collect();
            (event, alert)
        };
        let named = fields.alert_id.text(at).map(|id| vec![Value::from(id)]);
        Ok(MessageKeys { event, alert: named.or_else(|| parsed.alert_key.clone()).unwrap_or(alert) })
    }

    /// The event key at the configured pointers, and whether it belongs to the document, not to the
    /// whole message.
    fn mapped_event_key(
        &self,
        at: DocumentContext<'_>,
        base: &str,
        message: &Message<'_>,
    ) -> Result<(KeyParts, bool), ParseError> {
        let fields = &self.fields;
        let key = message.idempotency_key.filter(|key| self.tool == Tool::Generic && !key.trim().is_empty());
        let (mut event_key, mut is_own) = (Vec::new(), false);
        let mut missing = None;
        for part in &fields.event_id_parts {
            let found = part.pointer.text(at).map(Value::from);
            if found.is_none() && !part.is_optional {
                missing.get_or_insert_with(|| {
                    (format!("\"{}\"", part.pointer.display_from(base)), "event_id_parts")
                });
            }
            is_own |= found.is_some() && !part.pointer.is_from_root();
            event_key.push(found.unwrap_or_default());
        }
        if fields.event_id.is_set() {
            let pointers = fields.event_id.0.iter();
            let found =
                pointers.filter_map(|pointer| Some((pointer.text(at)?, !pointer.is_from_root()))).next();
            match found {
                Some((id, own)) => (event_key, is_own) = (vec![Value::from(id)], own),
                None => missing = Some((fields.event_id.display_from(base), "event_id")),
            }
        }
        match (missing, key) {
            (None, _) => Ok((event_key, is_own)),
            (Some(_), Some(key)) => Ok((vec![Value::from(key)], false)),
            (Some((location, name)), None) => {
                let or_key = if self.tool == Tool::Generic { ", or send an Idempotency-Key" } else { "" };
                Err(ParseError(format!(
                    "missing event id: no value at {location}; set fields.{name} to its location{or_key}"
                )))
            }
        }
    }

    /// The first condition of the policy that the document does not meet, as a sentence.
    pub(super) fn unmet_condition(&self, at: DocumentContext<'_>, base: &str) -> Option<String> {
        let number = self.when.iter().position(|condition| !condition.is_met(at))?;
        let location = self.when[number].pointers.display_from(base);
        Some(format!("the value at {location} does not meet when[{number}] of the source"))
    }

    /// Builds the signal of a document, without a host.
    pub(super) fn build_signal(
        &self,
        parsed: &ParsedAlert<'_>,
        at: DocumentContext<'_>,
        base: &str,
    ) -> Result<Signal, ParseError> {
        let mut signal = parsed.signal.clone();
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
        let own = |name| {
            if is_own_form { JsonCursor::from(parsed.document).get(name) } else { JsonCursor::MISSING }
        };
        if fields.action.is_set() {
            let location = fields.action.display_from(base);
            let read = fields.action.find_first(at, |cursor| cursor.value().map(|_| parse_action(cursor)));
            signal.action = read
                .ok_or_else(|| {
                    ParseError(format!(
                        "missing action: no value at {location}; set fields.action to its location"
                    ))
                })?
                .map_err(|expected| invalid("action", &location, expected))?;
        } else if is_own_form {
            signal.action =
                parse_action(own("action")).map_err(|expected| invalid("action", "\"/action\"", expected))?;
        }
        if fields.ttl.is_set() {
            let read = fields.ttl.find_first(at, |cursor| parse_ttl(cursor).transpose()).transpose();
            signal.release_after_seconds =
                read.map_err(|expected| invalid("ttl", &fields.ttl.display_from(base), expected))?;
        } else if is_own_form {
            signal.release_after_seconds =
                parse_ttl(own("ttl")).map_err(|expected| invalid("ttl", "\"/ttl\"", expected))?;
        }
        Ok(signal)
    }

    fn resolve_severity(&self, found: Option<Severity>, at: DocumentContext<'_>) -> Option<Severity> {
        let fields = &self.fields;
        if fields.severity_fixed.is_some() {
            return fields.severity_fixed;
        }
        let read = |cursor: JsonCursor<'_>| {
            let text = cursor.text();
            // A placeholder text passes on to the next pointer.
            let is_said = text.is_some() || cursor.value().is_some_and(|value| !value.is_string());
            let known = text.and_then(|text| fields.severity_map.get(&normalize(&text)).copied());
            is_said.then(|| known.or_else(|| self.tool.parse_severity(cursor)))
        };
        let named = match fields.severity.is_set() {
            true => fields.severity.find_first(at, read).flatten(),
            false => found,
        };
        named.or(fields.severity_default)
    }

    /// The distinct hosts of a document. A host without a refusal precedes the same host with one.
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
                Entry::Occupied(entry) => kept[*entry.get()].accounts.extend(host.accounts),
                Entry::Vacant(entry) => {
                    entry.insert(kept.len());
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

    /// The texts at the first pointer with a text that `read` accepts.
    fn texts(
        &self,
        at: &Pointers,
        document: DocumentContext<'_>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Vec<String> {
        let texts = |cursor: JsonCursor<'_>| {
            let mut texts: Vec<String> = Vec::new();
            for text in cursor.all_identifiers().iter().filter_map(|text| read(text)) {
                // One text beyond the limit is enough to reject the message.
                if !texts.contains(&text) && texts.len() <= MAX_ALERTS_PER_MESSAGE {
                    texts.push(text);
                }
            }
            (!texts.is_empty()).then_some(texts)
        };
        at.find_first(document, texts).unwrap_or_default()
    }

    /// The host name in a text; `None` for an address or a URL.
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

    /// The IP address in a text.
    fn extract_ip_address(&self, text: &str) -> Option<String> {
        let text = if self.fields.strip_port { without_port(text) } else { text };
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        bare.parse::<IpAddr>().is_ok().then(|| bare.to_owned())
    }
}

fn invalid(key: &str, location: &str, expected: &str) -> ParseError {
    ParseError(format!(
        "invalid {key} at {location}: expected {expected}; set fields.{key} if it is elsewhere"
    ))
}

/// The text after a prefix, ignoring case.
fn strip_prefix_ignore_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The text before a suffix, ignoring case.
fn strip_suffix_ignore_case<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// The host without `:port`. An IPv6 address with a port is in brackets.
fn without_port(text: &str) -> &str {
    let Some((host, port)) = text.rsplit_once(':') else { return text };
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|digit| digit.is_ascii_digit());
    let is_host = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    if is_port && is_host { host } else { text }
}
