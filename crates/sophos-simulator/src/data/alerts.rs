//! Alerts in the formats of the SIEM feed and of the Common API.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data::catalogue::{ALERTS, AlertKind};
use crate::data::endpoint::EndpointIdentity;
use crate::data::events::{Placeholders, host_time, write_object_id};
use crate::data::json::Object;
use crate::data::tenant::Tenant;
use crate::hash::{IdSpace, Rng, mix};
use crate::served::Dataset;

static WEIGHTED_KINDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let each = ALERTS.iter().enumerate();
    each.flat_map(|(at, kind)| (0..kind.weight).map(move |_| at as u8)).collect()
});

/// The attributes by which lists filter alerts.
#[derive(Debug)]
pub(crate) struct AlertAttributes {
    pub(crate) kind: &'static AlertKind,
    pub(crate) product: &'static str,
    pub(crate) group_key: String,
}

fn generate(tenant: &Tenant, index: u64) -> (&'static AlertKind, EndpointIdentity, Rng) {
    let mut rng = tenant.record_rng(Dataset::Alerts, index);
    let kind = &ALERTS[usize::from(rng.pick(&WEIGHTED_KINDS))];
    let host = EndpointIdentity::pick(tenant, rng.next());
    (kind, host, rng)
}

fn product(kind: &AlertKind, host: &EndpointIdentity) -> &'static str {
    kind.product.unwrap_or(if host.server { "server" } else { "endpoint" })
}

fn group_key(kind: &AlertKind, words: &Placeholders<'_>) -> String {
    let threat = if kind.threat { words.threat } else { "" };
    STANDARD.encode(format!("1,{},{},{threat}", kind.event_type, kind.number))
}

/// The attributes of an alert, without its JSON.
pub(crate) fn attributes(tenant: &Tenant, index: u64) -> AlertAttributes {
    let (kind, host, mut rng) = generate(tenant, index);
    let words = Placeholders::generate(&mut rng, &host);
    AlertAttributes { kind, product: product(kind, &host), group_key: group_key(kind, &words) }
}

/// Writes alert `index` in the format of the SIEM feed.
pub(crate) fn write_siem(tenant: &Tenant, index: u64, out: &mut Vec<u8>) {
    let (kind, host, mut rng) = generate(tenant, index);
    let words = Placeholders::generate(&mut rng, &host);
    let created_at = tenant.alerts.position(index);
    let when = host_time(&mut rng, created_at, host.skew_ms);
    let id = tenant.ids(Dataset::Alerts).id(index);
    let inserted = created_at - rng.below(40) as i64;
    let mut object = Object::open(out);
    object
        .uuid("id", id)
        .time("when", when)
        .time("created_at", created_at)
        .unescaped("customer_id", &tenant.id_text)
        .unescaped("severity", kind.severity)
        .unescaped("type", kind.event_type)
        .text("description", &words.fill(kind.description))
        .text("location", &host.hostname)
        .text("source", if rng.chance(0.3) { "n/a" } else { words.user })
        .uuid("event_service_event_id", id)
        .with("data", |out| {
            write_data(out, kind, &host, &words, id, inserted, created_at);
        });
    if kind.threat {
        object.text("threat", words.threat);
        object.raw("threat_cleanable", if kind.cleanable { "true" } else { "false" });
    } else {
        object.raw("threat", "null");
        object.raw("threat_cleanable", "null");
    }
    object.close();
}

fn write_data(
    out: &mut Vec<u8>,
    kind: &AlertKind,
    host: &EndpointIdentity,
    words: &Placeholders<'_>,
    id: u128,
    inserted: i64,
    created_at: i64,
) {
    let mut object = Object::open(out);
    object
        .with("source_info", |out| {
            Object::open(out).unescaped("ip", &host.ip).close();
        })
        .uuid("endpoint_id", host.id)
        .number("inserted_at", inserted)
        .number("created_at", created_at)
        .unescaped("endpoint_type", host.endpoint_type())
        .with("user_match_id", |out| write_object_id(out, host.key, 0xda))
        .uuid("endpoint_java_id", host.id)
        .unescaped("endpoint_platform", host.platform)
        .uuid("event_service_id", id);
    if kind.threat {
        object
            .with("threat_id", |out| write_object_id(out, id as u64, 0xdb))
            .text("detection_identity_name", words.threat);
    }
    object.close();
}

/// Writes alert `index` in the format of the Common API; if `fields` is not empty, only those.
pub(crate) fn write_common(tenant: &Tenant, index: u64, fields: &[&str], out: &mut Vec<u8>) {
    let (kind, host, mut rng) = generate(tenant, index);
    let words = Placeholders::generate(&mut rng, &host);
    let has = |name: &str| fields.is_empty() || fields.contains(&name);
    let mut object = Object::open(out);
    object.uuid("id", tenant.ids(Dataset::Alerts).id(index));
    if has("allowedActions") {
        object.with("allowedActions", |out| {
            out.push(b'[');
            for (at, action) in kind.actions.iter().enumerate() {
                out.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
                out.extend_from_slice(action.as_bytes());
                out.push(b'"');
            }
            out.push(b']');
        });
    }
    if has("category") {
        object.unescaped("category", kind.category);
    }
    if has("description") {
        object.text("description", &words.fill(kind.description));
    }
    if has("groupKey") {
        object.unescaped("groupKey", &group_key(kind, &words));
    }
    if has("managedAgent") && kind.product != Some("other") {
        object.with("managedAgent", |out| {
            let agent = if kind.product == Some("firewall") { "xgFirewall" } else { host.endpoint_type() };
            let mut object = Object::open(out);
            object.uuid("id", host.id).unescaped("type", agent).close();
        });
    }
    if has("person") && kind.product.is_none() && host.key % 8 != 0 {
        object.with("person", |out| {
            let id = person_id(&host);
            Object::open(out).uuid("id", id).close();
        });
    }
    if has("product") {
        object.unescaped("product", product(kind, &host));
    }
    if has("raisedAt") {
        object.time("raisedAt", tenant.alerts.position(index));
    }
    if has("severity") {
        object.unescaped("severity", kind.severity);
    }
    if has("tenant") {
        object.with("tenant", |out| {
            let mut object = Object::open(out);
            object.unescaped("id", &tenant.id_text);
            object.text("name", &tenant.name).close();
        });
    }
    if has("type") {
        object.unescaped("type", kind.event_type);
    }
    object.close();
}

/// The directory id of the endpoint's user.
pub(crate) fn person_id(host: &EndpointIdentity) -> u128 {
    IdSpace::new(mix(host.key, 0x7065)).id(1)
}
