//! The device and the user of a SIEM record.

use serde_json::{Value, json};

use super::{
    base::{Attributes, Source},
    record::{ip, is_hostname, text, text_of},
};

/// The `type_id` of a device and its caption.
pub(crate) fn device_type(endpoint_type: Option<&str>) -> (u32, String) {
    match endpoint_type.map(|name| name.to_ascii_lowercase().replace('_', "")).as_deref() {
        None => (0, "Unknown".into()),
        Some("server") => (1, "Server".into()),
        Some("mobile") => (5, "Mobile".into()),
        Some("securityvm") => (6, "Virtual".into()),
        Some("utm" | "xgfirewall") => (9, "Firewall".into()),
        // Sophos does not distinguish laptops from desktops.
        Some(_) => (99, endpoint_type.unwrap_or_default().to_owned()),
    }
}

/// The operating system of a platform.
pub(crate) fn os_type(platform: &str) -> (u32, &'static str) {
    match platform.to_ascii_lowercase().as_str() {
        "windows" => (100, "Windows"),
        "linux" | "posix" | "unix" => (200, "Linux"),
        "mac" | "macos" | "osx" => (300, "macOS"),
        "android" => (201, "Android"),
        "ios" => (301, "iOS"),
        _ => (99, "Other"),
    }
}

/// The device of an event or an alert, if it names one.
pub(crate) fn siem_device(source: &Source<'_>) -> Option<Attributes> {
    let record = source.record;
    let data = record.get("data").unwrap_or(&Value::Null);
    let member = |name| text(record, name).or_else(|| text(data, name));
    let location = source.text("location");
    let address = [record, data].into_iter().find_map(|value| text(value.get("source_info")?, "ip"));
    let address = address.as_deref().and_then(ip);
    let id = member("endpoint_id");
    let (type_id, type_name) = device_type(member("endpoint_type").as_deref());
    // The location of a firewall's events is its serial number.
    let serial = location.as_ref().filter(|_| source.event_type().starts_with("Event::Firewall::"));
    let name = location.as_ref().filter(|_| serial.is_none());
    if id.is_none() && location.is_none() && address.is_none() {
        return None;
    }
    let os = member("endpoint_platform").map(|platform| {
        let (type_id, name) = os_type(&platform);
        json!({ "type_id": type_id, "type": name, "name": platform })
    });
    let hardware = Attributes::new().text("serial_number", serial);
    let device = Attributes::new()
        .text("uid", id.as_ref().or(serial))
        .text("hostname", name.filter(|name| is_hostname(name)))
        .text("name", name)
        .with("ip", address)
        .with("type_id", Some(type_id))
        .text("type", Some(type_name))
        .with("os", os)
        .object("hw_info", hardware);
    Some(device)
}

/// The user of an event or an alert: `DOMAIN\name`, or a name.
pub(crate) fn siem_user(source: &Source<'_>) -> Option<Attributes> {
    let user = source.text("source");
    let (domain, name) = match user.as_deref().map(|user| user.split_once('\\')) {
        Some(Some((domain, name))) => (Some(domain), Some(name)),
        _ => (None, user.as_deref()),
    };
    let name = name.filter(|name| !name.eq_ignore_ascii_case("n/a"));
    let data = source.record.get("data").unwrap_or(&Value::Null);
    let id = source.text("user_id").or_else(|| text_of(data, &["user_match_id", "user_id"]));
    if id.is_none() && name.is_none_or(str::is_empty) {
        return None;
    }
    Some(Attributes::new().text("name", name).text("domain", domain).text("uid", id))
}
