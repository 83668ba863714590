//! Class 5001: a snapshot of an endpoint.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    OcsfRow,
    base::{Attributes, Source},
    device::{device_type, os_type},
    record::{ip, is_hostname, json_text, text},
};
use crate::class::Class;

/// The `activity_id` of a snapshot: Collect.
const COLLECT: u32 = 2;

/// Maps an endpoint of a snapshot. The row's time is that of the snapshot: an endpoint
/// may have been last seen months ago.
pub(crate) fn map_endpoint(source: &Source<'_>) -> OcsfRow {
    let endpoint = source.record;
    let health = endpoint.get("health").unwrap_or(&Value::Null);
    let user = person(endpoint).map(|user| Attributes::new().object("user", user));
    let attributes = Attributes::new()
        .object("device", device(source))
        .object("actor", user.unwrap_or_default())
        .text("status_detail", text(health, "overall").map(|overall| format!("health: {overall}")))
        .object("unmapped", unmapped(endpoint));
    source.row(Class::DeviceInventory, COLLECT, &source.row.id, attributes)
}

fn device(source: &Source<'_>) -> Attributes {
    let endpoint = source.record;
    let member = |object: &str, name: &str| text(endpoint.get(object)?, name);
    let hostname = text(endpoint, "hostname");
    let kind = text(endpoint, "type");
    let (type_id, type_name) = device_type(kind.as_deref());
    let time = |name| text(endpoint, name)?.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    let compliant = member("health", "overall").map(|overall| overall == "good");
    let group = Attributes::new().text("uid", member("group", "id")).text("name", member("group", "name"));
    let hardware = Attributes::new().text("serial_number", text(endpoint, "serialNumber"));
    Attributes::new()
        // A snapshot's row has the endpoint's id.
        .text("uid", Some(text(endpoint, "id").unwrap_or(source.row.id.as_ref().into())))
        .text("hostname", hostname.as_deref().filter(|name| is_hostname(name)))
        .text("name", hostname.as_deref())
        .with("type_id", Some(type_id))
        .text("type", Some(type_name))
        .text("ip", address(endpoint))
        .list("network_interfaces", interfaces(endpoint))
        .with("os", operating_system(endpoint))
        .object("hw_info", hardware)
        .text("instance_uid", member("cloud", "instanceId"))
        .text(
            "domain",
            member("associatedPerson", "viaLogin").and_then(|login| Some(split(&login).0?.to_owned())),
        )
        .list("groups", group.non_empty())
        .with("first_seen_time", time("registeredAt"))
        .with("last_seen_time", time("lastSeenAt"))
        .with("is_managed", Some(true))
        .with("is_compliant", compliant)
}

fn texts<'v>(endpoint: &'v Value, name: &str) -> impl Iterator<Item = &'v str> {
    endpoint.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn addresses(endpoint: &Value) -> impl Iterator<Item = &str> {
    texts(endpoint, "ipv4Addresses").chain(texts(endpoint, "ipv6Addresses")).filter_map(ip)
}

/// The first IPv4 address that others can reach, else the first address.
fn address(endpoint: &Value) -> Option<&str> {
    let reachable = |address: &Ipv4Addr| {
        !(address.is_loopback()
            || address.is_link_local()
            || address.is_unspecified()
            || address.is_multicast())
    };
    let is_reachable = |text: &&str| matches!(text.parse(), Ok(IpAddr::V4(address)) if reachable(&address));
    addresses(endpoint).find(is_reachable).or_else(|| addresses(endpoint).next())
}

/// One interface for each address: Sophos does not say which belong together.
fn interfaces(endpoint: &Value) -> Vec<Value> {
    let unknown = |member: &str, value: &str| json!({ member: value, "type_id": 0, "type": "Unknown" });
    let of_addresses = addresses(endpoint).map(|address| unknown("ip", address));
    let is_mac = |mac: &&str| {
        let parts: Vec<_> = mac.split([':', '-']).collect();
        parts.len() == 6
            && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let of_macs = texts(endpoint, "macAddresses").filter(is_mac).map(|mac| unknown("mac", mac));
    of_addresses.chain(of_macs).collect()
}

fn operating_system(endpoint: &Value) -> Option<Value> {
    let os = endpoint.get("os")?;
    let (name, platform) = (text(os, "name"), text(os, "platform"));
    let (type_id, type_name) = os_type(platform.as_deref()?);
    let number = |name| text(os, name);
    let build = number("build");
    let version = [number("majorVersion"), number("minorVersion"), build.clone()];
    let version: Vec<_> = version.into_iter().map_while(|part| part).collect();
    let os = Attributes::new()
        .text("name", name.as_ref().or(platform.as_ref()))
        .with("type_id", Some(type_id))
        .text("type", Some(type_name))
        .text("version", Some(version.join(".")))
        .text("build", build);
    Some(os.into())
}

/// The domain and the name of a login.
fn split(login: &str) -> (Option<&str>, &str) {
    match login.split_once('\\') {
        Some((domain, name)) => (Some(domain).filter(|domain| !domain.is_empty()), name),
        None => (None, login),
    }
}

fn person(endpoint: &Value) -> Option<Attributes> {
    let person = endpoint.get("associatedPerson")?;
    let (id, name, login) = (text(person, "id"), text(person, "name"), text(person, "viaLogin"));
    let (domain, account) = login.as_deref().map_or((None, None), |login| {
        let (domain, account) = split(login);
        (domain, Some(account))
    });
    let name_or_account = account.filter(|account| !account.is_empty()).or(name.as_deref());
    if id.is_none() && name_or_account.is_none() {
        return None;
    }
    let user = Attributes::new()
        .text("uid", id)
        .text("name", name_or_account)
        .text("full_name", name.as_deref())
        .text("domain", domain);
    Some(user)
}

fn unmapped(endpoint: &Value) -> Attributes {
    let member = |object: &str, name: &str| text(endpoint.get(object)?, name);
    let products = endpoint.get("assignedProducts").and_then(Value::as_array).into_iter().flatten();
    let products: Vec<_> = products
        .filter_map(|product| {
            let part = |name| text(product, name).unwrap_or_default();
            let code = text(product, "code")?;
            Some(format!("{code}={}/{}", part("version"), part("status")))
        })
        .collect();
    let tags = endpoint.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags: Vec<_> = tags.filter_map(|tag| text(tag, "displayString")).collect();
    Attributes::new()
        .text("health", json_text(endpoint, "health"))
        .text("assigned_products", Some(products.join(", ")))
        .text("tamper_protection_enabled", text(endpoint, "tamperProtectionEnabled"))
        .text("isolation_status", member("isolation", "status"))
        .text("lockdown_status", member("lockdown", "status"))
        .text("encryption_status", member("encryption", "overallStatus"))
        .text("online", text(endpoint, "online"))
        .text("tags", Some(tags.join(", ")))
}
