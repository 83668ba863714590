//! The filters of the endpoint list.

use crate::call::{Query, invalid_parameter};
use crate::data::endpoint::{Endpoint, Person};
use crate::data::endpoint_json::EndpointSnapshot;
use crate::hash::parse_uuid;
use crate::response::ApiError;
use crate::time;

/// The number of characters that the service compares of a partial name.
const MAX_COMPARED_CHARS: usize = 10;

type Predicate = Box<dyn Fn(&EndpointSnapshot) -> bool>;

/// The filters of one list request.
pub(crate) struct Filter {
    predicates: Vec<Predicate>,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Filter({})", self.predicates.len())
    }
}

impl Filter {
    pub(crate) fn matches(&self, seen: &EndpointSnapshot) -> bool {
        self.predicates.iter().all(|test| test(seen))
    }

    pub(crate) fn parse(query: &Query, now_ms: i64) -> Result<Self, ApiError> {
        let mut filter = Self { predicates: Vec::new() };
        filter.add_enum_filters(query)?;
        filter.add_boolean_filters(query)?;
        filter.add_time_filters(query, now_ms)?;
        filter.add_substring_filters(query)?;
        filter.add_search_filter(query)?;
        filter.add_ip_filter(query);
        filter.add_cloud_filter(query)?;
        Ok(filter)
    }

    fn add(&mut self, test: impl Fn(&EndpointSnapshot) -> bool + 'static) {
        self.predicates.push(Box::new(test));
    }

    /// Adds the filters with a list of known values.
    fn add_enum_filters(&mut self, query: &Query) -> Result<(), ApiError> {
        type Word = fn(&EndpointSnapshot) -> &'static str;
        let tables: [(&str, &[&str], Word); 4] = [
            ("healthStatus", &["good", "suspicious", "bad", "unknown"], |s| s.endpoint.health),
            ("type", &["computer", "server", "securityVm"], |s| s.endpoint.identity.endpoint_type()),
            ("isolationStatus", &["isolated", "notIsolated"], |s| {
                if s.isolation.reported { "isolated" } else { "notIsolated" }
            }),
            (
                "overallEncryptionStatus",
                &["encrypted", "notEncrypted", "partiallyEncrypted", "unknown"],
                |s| s.encryption(),
            ),
        ];
        for (name, known, word) in tables {
            let wanted = owned(query, name);
            if wanted.iter().any(|w| !known.contains(&w.as_str())) {
                return Err(invalid_parameter(name));
            }
            if !wanted.is_empty() {
                self.add(move |s| wanted.iter().any(|w| w == word(s)));
            }
        }
        let wanted: Vec<&'static str> = query
            .list("lockdownStatus")
            .into_iter()
            .map(|w| parse_lockdown(w).ok_or_else(|| invalid_parameter("lockdownStatus")))
            .collect::<Result<_, _>>()?;
        if !wanted.is_empty() {
            self.add(move |s| s.endpoint.lockdown.is_some_and(|l| wanted.contains(&l)));
        }
        let ids = query.list("ids").into_iter().map(parse_uuid);
        let ids: Option<Vec<u128>> = ids.collect();
        let ids = ids.ok_or_else(|| invalid_parameter("ids"))?;
        if !ids.is_empty() {
            self.add(move |s| ids.contains(&s.endpoint.identity.id));
        }
        Ok(())
    }

    fn add_boolean_filters(&mut self, query: &Query) -> Result<(), ApiError> {
        if let Some(wanted) = query.boolean("tamperProtectionEnabled")? {
            self.add(move |s| s.endpoint.tamper_protected == wanted);
        }
        if let Some(wanted) = query.boolean("tamperProtectionSupported")? {
            self.add(move |_| wanted);
        }
        if let Some(wanted) = query.boolean("online")? {
            self.add(move |s| s.online == wanted);
        }
        Ok(())
    }

    /// Adds the time filters: `…Before` is exclusive, `…After` inclusive.
    fn add_time_filters(&mut self, query: &Query, now_ms: i64) -> Result<(), ApiError> {
        type TimeField = fn(&EndpointSnapshot) -> i64;
        let tables: [(&str, TimeField); 3] = [
            ("lastSeen", |s| s.last_seen_ms),
            ("lastAgentUpdate", EndpointSnapshot::agent_updated_ms),
            ("lastOsUpdate", EndpointSnapshot::os_updated_ms),
        ];
        for (name, at) in tables {
            for side in ["Before", "After"] {
                let name = format!("{name}{side}");
                let Some(text) = query.get(&name) else {
                    continue;
                };
                let limit = time::parse_or_duration(text, now_ms).ok_or_else(|| invalid_parameter(&name))?;
                if side == "Before" {
                    self.add(move |s| at(s) < limit);
                } else {
                    self.add(move |s| at(s) >= limit);
                }
            }
        }
        Ok(())
    }

    fn add_substring_filters(&mut self, query: &Query) -> Result<(), ApiError> {
        if let Some(part) = query.get("hostnameContains").map(compared_prefix) {
            self.add(move |s| s.endpoint.identity.hostname.to_lowercase().contains(&part));
        }
        if let Some(part) = query.get("associatedPersonContains").map(compared_prefix) {
            self.add(move |s| person_text(&s.endpoint).contains(&part));
        }
        if let Some(part) = query.get("serialNumberContains").map(str::to_lowercase) {
            self.add(move |s| {
                let serial = s.endpoint.serial.as_deref().unwrap_or_default();
                serial.to_lowercase().contains(&part)
            });
        }
        // Documented as unsupported.
        for name in ["groupNameContains", "assignedToGroup", "groupIds"] {
            if query.get(name).is_some() {
                return Err(ApiError::bad_request(&format!("'{name}' is not supported")));
            }
        }
        Ok(())
    }

    fn add_search_filter(&mut self, query: &Query) -> Result<(), ApiError> {
        let Some(text) = query.get("search").map(str::to_lowercase) else {
            return Ok(());
        };
        let known = ["hostname", "groupName", "associatedPersonName", "ipAddresses", "osName"];
        let mut fields = owned(query, "searchFields");
        if fields.iter().any(|f| !known.contains(&f.as_str())) {
            return Err(invalid_parameter("searchFields"));
        }
        if fields.is_empty() {
            fields = known.into_iter().map(str::to_owned).collect();
        }
        self.add(move |s| {
            fields.iter().any(|field| match field.as_str() {
                "hostname" => s.endpoint.identity.hostname.to_lowercase().contains(&text),
                "associatedPersonName" => person_text(&s.endpoint).contains(&text),
                "ipAddresses" => addresses(&s.endpoint).any(|a| a.contains(&text)),
                "osName" => s.os_name().to_lowercase().contains(&text),
                _ => false,
            })
        });
        Ok(())
    }

    fn add_ip_filter(&mut self, query: &Query) {
        let wanted = owned(query, "ipAddresses");
        if !wanted.is_empty() {
            self.add(move |s| addresses(&s.endpoint).any(|a| wanted.iter().any(|w| w == a)));
        }
        let bare = |mac: &str| -> String {
            let digits = mac.chars().filter(char::is_ascii_hexdigit);
            digits.map(|c| c.to_ascii_lowercase()).collect()
        };
        let macs: Vec<String> = query.list("macAddresses").into_iter().map(bare).collect();
        if !macs.is_empty() {
            self.add(move |s| s.endpoint.macs.iter().any(|m| macs.contains(&bare(m))));
        }
    }

    fn add_cloud_filter(&mut self, query: &Query) -> Result<(), ApiError> {
        let wanted = owned(query, "cloud");
        for value in &wanted {
            let provider = value.split(':').next().unwrap_or_default();
            if !matches!(provider, "aws" | "azure" | "gcp") {
                return Err(invalid_parameter("cloud"));
            }
        }
        if !wanted.is_empty() {
            self.add(move |s| {
                s.endpoint.cloud.as_ref().is_some_and(|(provider, instance)| {
                    wanted.iter().any(|w| match w.split_once(':') {
                        None => w == provider,
                        Some((p, i)) => p == *provider && i.eq_ignore_ascii_case(instance),
                    })
                })
            });
        }
        Ok(())
    }
}

fn owned(query: &Query, name: &str) -> Vec<String> {
    query.list(name).into_iter().map(str::to_owned).collect()
}

fn compared_prefix(value: &str) -> String {
    value.chars().take(MAX_COMPARED_CHARS).collect::<String>().to_lowercase()
}

fn person_text(endpoint: &Endpoint) -> String {
    match &endpoint.person {
        Person::NameAndLogin { name, login } => format!("{name} {login}").to_lowercase(),
        Person::NameOnly { name } => name.to_lowercase(),
        Person::LoginOnly { login } => login.to_lowercase(),
        Person::Unknown => String::new(),
    }
}

fn addresses(endpoint: &Endpoint) -> impl Iterator<Item = &String> {
    endpoint.ipv4.iter().chain(&endpoint.ipv6)
}

/// The current value of a retired one.
fn parse_lockdown(word: &str) -> Option<&'static str> {
    Some(match word {
        "locked" | "stopping" => "locked",
        "unlocked" | "uninstalled" => "unlocked",
        "notInstalled" => "notInstalled",
        "unavailable" => "unavailable",
        "locking" | "creatingWhitelist" | "installing" | "registering" | "starting" => "locking",
        _ => return None,
    })
}
