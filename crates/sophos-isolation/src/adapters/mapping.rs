//! What the policy names in place of what an adapter found.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
};

use serde_json::Value;

use super::{
    Adapter, MOST_READINGS, Message, Pointers, Tool, Unreadable,
    condition::compared,
    draft::{Draft, Host, Identity, account, action, digest, hold, text_of},
    host_names::{each_host, is_name},
    place::Place,
    pointer::Located,
};
use crate::{
    identity::mac_address,
    signal::{HostFacts, Severity, Signal},
};

/// What tells events and alerts of a document apart.
#[derive(Debug)]
pub(super) struct Ids {
    pub(super) event: Identity,
    pub(super) alert: Identity,
}

impl Adapter {
    /// The identities that the policy names, or else the adapter's. Where the
    /// document is one of several, its own part is kept beside a configured one
    /// that another document may have as well.
    pub(super) fn ids_of(
        &self,
        draft: &Draft<'_>,
        at: Located<'_>,
        base: &str,
        message: &Message<'_>,
        number: Option<usize>,
    ) -> Result<Ids, Unreadable> {
        let fields = &self.fields;
        let own = &draft.identity;
        let (event, alert) = if fields.event_id.is_given() || !fields.event_id_parts.is_empty() {
            let (mut event, is_own) = self.configured_id(at, base, message)?;
            let alert = event.clone();
            if fields.iterate.is_some() {
                event.extend((!is_own).then(|| Value::from(digest(draft.document))));
            } else if let Some(number) = number {
                event.push(own.as_ref().map_or_else(|_| Value::from(number), |own| Value::from(own.clone())));
            }
            (event, alert)
        } else {
            let missing = |member: &&str| Unreadable(format!("it does not say which event it is: {member}"));
            let event = own.as_ref().map_err(missing)?.clone();
            let alert = event.iter().take(1).cloned().collect();
            (event, alert)
        };
        let named = fields.alert_id.text(at).map(|id| vec![Value::from(id)]);
        Ok(Ids { event, alert: named.or_else(|| draft.alert.clone()).unwrap_or(alert) })
    }

    /// The event's identity at the configured place, and whether it is the
    /// document's own and not one of the whole delivery.
    fn configured_id(
        &self,
        at: Located<'_>,
        base: &str,
        message: &Message<'_>,
    ) -> Result<(Identity, bool), Unreadable> {
        let fields = &self.fields;
        let key = message.idempotency_key.filter(|key| self.tool == Tool::Generic && !key.trim().is_empty());
        let (mut identity, mut is_own) = (Vec::new(), false);
        let mut missing = None;
        for part in &fields.event_id_parts {
            let found = part.at.text(at).map(Value::from);
            if found.is_none() && !part.is_optional {
                missing.get_or_insert_with(|| (format!("\"{}\"", part.at.shown(base)), "event_id_parts"));
            }
            is_own |= found.is_some() && !part.at.is_from_root();
            identity.push(found.unwrap_or_default());
        }
        if fields.event_id.is_given() {
            let pointers = fields.event_id.0.iter();
            let found =
                pointers.filter_map(|pointer| Some((pointer.text(at)?, !pointer.is_from_root()))).next();
            match found {
                Some((id, own)) => (identity, is_own) = (vec![Value::from(id)], own),
                None => missing = Some((fields.event_id.shown(base), "event_id")),
            }
        }
        match (missing, key) {
            (None, _) => Ok((identity, is_own)),
            (Some(_), Some(key)) => Ok((vec![Value::from(key)], false)),
            (Some((place, name)), None) => {
                let or_key = if self.tool == Tool::Generic { ", or send an Idempotency-Key" } else { "" };
                Err(Unreadable(format!(
                    "missing event id: nothing at {place}; set fields.{name} to where it is{or_key}"
                )))
            }
        }
    }

    /// The condition of the policy that a document does not meet, in words.
    pub(super) fn unmet(&self, at: Located<'_>, base: &str) -> Option<String> {
        let number = self.when.iter().position(|condition| !condition.holds(at))?;
        let place = self.when[number].at.shown(base);
        Some(format!("{place} is not what when[{number}] of the source requires"))
    }

    /// The signal of a draft, without a host.
    pub(super) fn signal_of(
        &self,
        draft: &Draft<'_>,
        at: Located<'_>,
        base: &str,
    ) -> Result<Signal, Unreadable> {
        let mut signal = draft.signal.clone();
        let fields = &self.fields;
        if fields.tenant.is_given() {
            signal.tenant = fields.tenant.fact(at);
        }
        if fields.account.is_given() {
            signal.account = fields.account.first(at, account);
        }
        signal.severity = self.severity_of(signal.severity, at);
        if fields.title.is_given() {
            signal.title = fields.title.words(at).unwrap_or_default();
        }
        if fields.reason.is_given() {
            signal.reason = fields.reason.words(at);
        }
        if fields.observed_at.is_given() {
            signal.observed_at = fields.observed_at.words(at);
        }
        let is_own_form = self.tool == Tool::Generic && !fields.names_host();
        let own = |name| if is_own_form { Place::from(draft.document).at(name) } else { Place::NOWHERE };
        if fields.action.is_given() {
            let place = fields.action.shown(base);
            let read = fields.action.first(at, |place| place.value().map(|_| action(place)));
            signal.action = read
                .ok_or_else(|| {
                    Unreadable(format!(
                        "missing action: nothing at {place}; set fields.action to where it is"
                    ))
                })?
                .map_err(|error| named(error, "action", &place))?;
        } else if is_own_form {
            signal.action = action(own("action")).map_err(|error| named(error, "action", "\"/action\""))?;
        }
        if fields.ttl.is_given() {
            let read = fields.ttl.first(at, |place| hold(place).transpose()).transpose();
            signal.hold_seconds = read.map_err(|error| named(error, "ttl", &fields.ttl.shown(base)))?;
        } else if is_own_form {
            signal.hold_seconds = hold(own("ttl")).map_err(|error| named(error, "ttl", "\"/ttl\""))?;
        }
        Ok(signal)
    }

    fn severity_of(&self, found: Option<Severity>, at: Located<'_>) -> Option<Severity> {
        let fields = &self.fields;
        if fields.severity_fixed.is_some() {
            return fields.severity_fixed;
        }
        let read = |place: Place<'_>| {
            let text = place.text();
            // A text that stands for nothing lets the next pointer speak.
            let is_said = text.is_some() || place.value().is_some_and(|value| !value.is_string());
            let known = text.and_then(|text| fields.severity_map.get(&compared(&text)).copied());
            is_said.then(|| known.or_else(|| self.severity(place)))
        };
        let named = match fields.severity.is_given() {
            true => fields.severity.first(at, read).flatten(),
            false => found,
        };
        named.or(fields.severity_default)
    }

    fn severity(&self, place: Place<'_>) -> Option<Severity> {
        match self.tool {
            Tool::GuardDuty => super::guardduty::severity(place),
            Tool::CrowdStrike => super::crowdstrike::severity(place),
            Tool::PagerDuty => super::pagerduty::severity(place),
            Tool::Wazuh => super::wazuh::severity(place),
            Tool::Okta => super::okta::severity(place),
            Tool::SentinelOne => super::sentinelone::severity(place),
            Tool::Elastic => super::elastic::severity(place),
            Tool::SecurityHub => super::security_hub::severity(place),
            Tool::MicrosoftDefender | Tool::MicrosoftSentinel | Tool::Splunk | Tool::Generic => {
                place.severity()
            }
        }
    }

    /// The hosts of a document, each once, and the one without a refusal before
    /// the same with one.
    pub(super) fn hosts_of(&self, at: Located<'_>, hosts: Vec<Host>) -> Vec<Host> {
        let fields = &self.fields;
        let mut hosts = if hosts.is_empty() { vec![Host::default()] } else { hosts };
        for Host { facts: host, .. } in &mut hosts {
            self.map_host(at, host);
        }
        if self.tool == Tool::Generic || fields.hostname.is_given() || fields.netbios.is_given() {
            hosts = hosts.into_iter().flat_map(each_host).collect();
        }
        hosts.sort_by_key(|host| host.refusal.is_some());
        let mut each: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<Host> = Vec::new();
        for host in hosts {
            match each.entry(text_of(&Vec::new(), Some(&host.facts))) {
                Entry::Occupied(first) => kept[*first.get()].accounts.extend(host.accounts),
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(host);
                }
            }
        }
        kept
    }

    fn map_host(&self, at: Located<'_>, host: &mut HostFacts) {
        let fields = &self.fields;
        if fields.endpoint_id.is_given() {
            host.endpoint_id = fields.endpoint_id.fact(at);
        }
        if fields.ec2_instance_id.is_given() {
            host.ec2_instance_id = fields.ec2_instance_id.fact(at);
        }
        if fields.hostname.is_given() {
            host.hostnames = self.texts(&fields.hostname, at, |text| self.name_in(text));
        }
        if fields.netbios.is_given() {
            let name = |text: &str| is_name(text).then(|| text.to_owned());
            host.netbios_names = self.texts(&fields.netbios, at, name);
        }
        if fields.mac.is_given() {
            let usable =
                self.texts(&fields.mac, at, |text| mac_address(text).is_ok().then(|| text.to_owned()));
            host.mac_addresses = usable.into_iter().take(super::place::MOST_FACTS).collect();
        }
        if fields.ip.is_given() {
            let usable = self.texts(&fields.ip, at, |text| self.address_in(text));
            host.ip_addresses = usable.into_iter().take(super::place::MOST_FACTS).collect();
        }
    }

    /// The texts at the first pointer that leads to any that `read` can use.
    fn texts(
        &self,
        at: &Pointers,
        document: Located<'_>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Vec<String> {
        let texts = |place: Place<'_>| {
            let mut texts: Vec<String> = Vec::new();
            for text in place.all_facts().iter().filter_map(|text| read(text)) {
                // One more than may be read is enough to refuse them all.
                if !texts.contains(&text) && texts.len() <= MOST_READINGS {
                    texts.push(text);
                }
            }
            (!texts.is_empty()).then_some(texts)
        };
        at.first(document, texts).unwrap_or_default()
    }

    /// The host name in a text: never an address, and never a URL.
    fn name_in(&self, text: &str) -> Option<String> {
        let text = match &self.fields.hostname_prefix {
            Some(prefix) => after(text, prefix)?,
            None => text,
        };
        let text = if self.fields.strip_port { without_port(text) } else { text };
        let suffix = self.fields.hostname_suffix.as_deref().unwrap_or_default();
        let text = before(text, suffix).unwrap_or(text).trim();
        is_name(text).then(|| text.to_owned())
    }

    /// The address in a text.
    fn address_in(&self, text: &str) -> Option<String> {
        let text = if self.fields.strip_port { without_port(text) } else { text };
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        bare.parse::<IpAddr>().is_ok().then(|| bare.to_owned())
    }
}

fn named(error: Unreadable, key: &str, place: &str) -> Unreadable {
    Unreadable(format!("{} at {place}; set fields.{key} if it is elsewhere", error.0))
}

/// What follows a prefix, whatever its case.
fn after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// What precedes a suffix, whatever its case.
fn before<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
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
