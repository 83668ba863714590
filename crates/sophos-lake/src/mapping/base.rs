//! The attributes of all classes.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{MappingSettings, OcsfRow, record};
use crate::{class::Class, stored_row::StoredRow};

/// The maximum distance between the time of a record by the endpoint's clock and its
/// creation time. Beyond it, the creation time counts, as for the days of the export.
const MAX_EVENT_SKEW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Attributes of an object. Absent and empty ones are left out.
#[derive(Debug, Default)]
pub(crate) struct Attributes(Map<String, Value>);

impl Attributes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    pub(crate) fn text(self, name: &str, text: Option<impl AsRef<str>>) -> Self {
        let text = text.filter(|text| !text.as_ref().is_empty());
        self.with(name, text.map(|text| text.as_ref().to_owned()))
    }

    pub(crate) fn object(self, name: &str, object: Self) -> Self {
        if object.0.is_empty() { self } else { self.with(name, Some(Value::Object(object.0))) }
    }

    pub(crate) fn list<V: Into<Value>>(self, name: &str, items: impl IntoIterator<Item = V>) -> Self {
        let items: Vec<Value> = items.into_iter().map(Into::into).collect();
        if items.is_empty() { self } else { self.with(name, Some(items)) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object, unless it is empty.
    pub(crate) fn non_empty(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }
}

impl From<Attributes> for Value {
    fn from(attributes: Attributes) -> Self {
        Self::Object(attributes.0)
    }
}

/// A stored row with its record.
#[derive(Debug)]
pub(crate) struct Source<'r> {
    pub(crate) row: &'r StoredRow<'r>,
    pub(crate) record: &'r Value,
    pub(crate) committed_at: Timestamp,
    pub(crate) settings: &'r MappingSettings,
}

impl<'r> Source<'r> {
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'r, str>> {
        record::text(self.record, name)
    }

    /// The event type; empty if it is absent.
    pub(crate) fn event_type(&self) -> Cow<'r, str> {
        self.text("type").unwrap_or_default()
    }

    /// The `time` of its rows in milliseconds since the Unix epoch.
    pub(crate) fn time_ms(&self) -> i64 {
        let time = match (self.row.time, self.row.created_at) {
            (Some(time), Some(created)) if time.duration_since(created).abs() > MAX_EVENT_SKEW => created,
            (Some(time), _) | (None, Some(time)) => time,
            (None, None) => self.committed_at,
        };
        time.as_millisecond()
    }

    /// The creation time in milliseconds since the Unix epoch.
    pub(crate) fn created_ms(&self) -> Option<i64> {
        self.row.created_at.map(Timestamp::as_millisecond)
    }

    /// A row with the attributes of all classes. `uid` is the row's own id.
    pub(crate) fn row(&self, class: Class, activity: u32, uid: &str, attributes: Attributes) -> OcsfRow {
        let uid_of_type = class.uid() * 100 + activity;
        let (severity_id, severity) = self.severity(class);
        let mut all = attributes
            .object("metadata", self.metadata(class, uid))
            .with("time", Some(self.time_ms()))
            .with("class_uid", Some(class.uid()))
            .with("category_uid", Some(class.uid() / 1_000))
            .with("activity_id", Some(activity))
            .with("type_uid", Some(uid_of_type))
            .with("severity_id", Some(severity_id))
            .text("severity", Some(severity))
            .text("class_name", Some(class.name()))
            .text("category_name", Some(class.category_name()))
            .text("activity_name", Some(class.activity_name(activity)))
            .text("raw_data", Some(&self.row.record));
        all = all.text("type_name", Some(format!("{}: {}", class.name(), class.activity_name(activity))));
        OcsfRow { class, time_ms: self.time_ms(), value: all.into() }
    }

    fn metadata(&self, class: Class, uid: &str) -> Attributes {
        let log_name = match self.row.dataset.as_ref() {
            "events" => "siem/events",
            "alerts" => "siem/alerts",
            "endpoints" => "endpoint/endpoints",
            "isolations" => "isolation/ledger",
            other => other,
        };
        let product = Attributes::new()
            .text("name", Some(&self.settings.product_name))
            .text("vendor_name", Some("Sophos"));
        let is_transition = self.row.dataset == "isolations";
        let (event_code, original_time, tenant) = match is_transition {
            // The row of a decision without an endpoint has no tenant.
            true => (self.text("transition"), self.text("at"), self.text("tenant_id")),
            false => (self.text("type"), self.text("when"), Some(Cow::Borrowed(&*self.row.tenant))),
        };
        // An endpoint's type is the type of a device.
        let is_event = class != Class::DeviceInventory;
        Attributes::new()
            .text("version", Some("1.3.0"))
            .object("product", product)
            .list("profiles", class.profiles().iter().copied())
            .text("tenant_uid", tenant)
            .text("uid", Some(uid))
            .text("event_code", event_code.filter(|_| is_event))
            .text("log_name", Some(log_name))
            .text("original_time", original_time)
            .with("logged_time", self.created_ms())
    }

    fn severity(&self, class: Class) -> (u32, String) {
        let word = match class {
            Class::DeviceInventory => None,
            _ => self.text("severity"),
        };
        let (id, caption) = match word.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("none" | "informational" | "info") => (1, "Informational"),
            Some("low") => (2, "Low"),
            Some("medium") => (3, "Medium"),
            Some("high") => (4, "High"),
            Some("critical") => (5, "Critical"),
            Some(_) => (99, ""),
        };
        let other = || word.map(Cow::into_owned).unwrap_or_default();
        (id, if caption.is_empty() { other() } else { caption.to_owned() })
    }

    /// The attributes of the record that have no place in OCSF, as text.
    pub(crate) fn unmapped(&self, names: &[&str]) -> Attributes {
        let kept = Attributes::new().text("type", self.text("type")).text("group", self.text("group"));
        names.iter().fold(kept, |kept, name| kept.text(name, record::json_text(self.record, name)))
    }
}

/// A file with its name and path.
pub(crate) fn file(path: &str) -> Attributes {
    let name = match record::file_name(path) {
        "" => path,
        name => name,
    };
    Attributes::new()
        .text("name", Some(name))
        .text("path", Some(path))
        .with("type_id", Some(0))
        .text("type", Some("Unknown"))
}

/// A hash: SHA-256.
pub(crate) fn sha256(value: &str) -> Value {
    json!({ "algorithm_id": 3, "algorithm": "SHA-256", "value": value })
}
