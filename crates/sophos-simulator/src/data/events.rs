//! Events in the format of the SIEM feed.

use std::sync::LazyLock;

use crate::data::catalogue::{APPS, EVENTS, EventKind, PATHS, SITES, THREATS, USERS};
use crate::data::endpoint::EndpointIdentity;
use crate::data::json::{Object, write_text};
use crate::data::tenant::Tenant;
use crate::hash::{HEX, Rng};
use crate::served::Dataset;

/// The kinds, repeated by their weights.
static WEIGHTED_KINDS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let each = EVENTS.iter().enumerate();
    each.flat_map(|(at, kind)| (0..kind.weight).map(move |_| at as u8)).collect()
});

pub(crate) fn pick_kind(rng: &mut Rng) -> &'static EventKind {
    &EVENTS[usize::from(rng.pick(&WEIGHTED_KINDS))]
}

/// The type of an event, without its other members.
pub(crate) fn event_type(tenant: &Tenant, index: u64) -> &'static str {
    pick_kind(&mut tenant.record_rng(Dataset::Events, index)).event_type
}

/// The values of a name's placeholders in one record.
#[derive(Debug)]
pub(crate) struct Placeholders<'a> {
    pub(crate) host: &'a EndpointIdentity,
    pub(crate) threat: &'static str,
    pub(crate) path: &'static str,
    pub(crate) user: &'static str,
    pub(crate) site: &'static str,
    pub(crate) app: &'static str,
}

impl<'a> Placeholders<'a> {
    pub(crate) fn generate(rng: &mut Rng, host: &'a EndpointIdentity) -> Self {
        Self {
            host,
            threat: rng.pick(THREATS),
            path: rng.pick(PATHS),
            user: rng.pick(USERS),
            site: rng.pick(SITES),
            app: rng.pick(APPS),
        }
    }

    pub(crate) fn fill(&self, pattern: &str) -> String {
        let mut text = String::with_capacity(pattern.len() + 64);
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            text.push_str(match name {
                "host" => &self.host.hostname,
                "threat" => self.threat,
                "path" => self.path,
                "user" => self.user,
                "site" => self.site,
                "app" => self.app,
                "kind" => self.host.endpoint_type(),
                _ => "",
            });
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

/// Writes a 24-digit identifier, the format of users and threats.
pub(crate) fn write_object_id(out: &mut Vec<u8>, number: u64, more: u64) {
    out.push(b'"');
    let wide = (u128::from(number) << 32) | u128::from(more as u32);
    for digit in (0..24).rev() {
        out.push(HEX[(wide >> (4 * digit)) as usize & 15]);
    }
    out.push(b'"');
}

/// The time of an event by the host's clock: shortly before its creation, and possibly wrong.
pub(crate) fn host_time(rng: &mut Rng, created_at: i64, skew_ms: i64) -> i64 {
    let late = match rng.below(10) {
        0 => rng.below(600_000),
        _ => rng.below(3_000),
    } as i64;
    let when = created_at - late + skew_ms;
    // Some hosts report whole seconds.
    if rng.chance(0.5) { when - when.rem_euclid(1_000) } else { when }
}

/// Writes event `index` of a tenant.
pub(crate) fn write(tenant: &Tenant, index: u64, out: &mut Vec<u8>) {
    let mut rng = tenant.record_rng(Dataset::Events, index);
    let kind = pick_kind(&mut rng);
    let host = EndpointIdentity::pick(tenant, rng.next());
    let words = Placeholders::generate(&mut rng, &host);
    let created_at = tenant.events.position(index);
    let when = host_time(&mut rng, created_at, host.skew_ms);
    let user = if rng.chance(0.35) { "n/a" } else { words.user };
    let mut object = Object::open(out);
    object
        .time("when", when)
        .uuid("id", tenant.ids(Dataset::Events).id(index))
        .unescaped("customer_id", &tenant.id_text)
        .unescaped("severity", kind.severity)
        .time("created_at", created_at)
        .with("source_info", |out| {
            Object::open(out).unescaped("ip", &host.ip).close();
        })
        .unescaped("endpoint_type", host.endpoint_type())
        .uuid("endpoint_id", host.id)
        .raw("origin", "null")
        .with("user_id", |out| write_object_id(out, host.key, 0xda))
        .unescaped("type", kind.event_type)
        .text("location", &host.hostname)
        .text("source", user)
        .unescaped("group", kind.group)
        .text("name", &words.fill(kind.name));
    if kind.threat {
        object.text("threat", words.threat);
    }
    if kind.remedy {
        let items = rng.below(4);
        if items == 0 {
            object.raw("core_remedy_items", "null");
        } else {
            object.with("core_remedy_items", |out| write_remedy(out, &words, items));
        }
    }
    object.close();
}

fn write_remedy(out: &mut Vec<u8>, words: &Placeholders<'_>, items: u64) {
    Object::open(out)
        .with("items", |out| {
            out.push(b'[');
            for item in 0..items {
                if item > 0 {
                    out.push(b',');
                }
                Object::open(out)
                    .unescaped("type", if item == 0 { "file" } else { "registry" })
                    .unescaped("result", if item < 2 { "SUCCESS" } else { "NOT_FOUND" })
                    .with("descriptor", |out| write_text(out, words.path))
                    .close();
            }
            out.push(b']');
        })
        .number("processed", items as i64)
        .number("totalItems", items as i64)
        .close();
}
