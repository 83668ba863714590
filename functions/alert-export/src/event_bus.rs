//! Notices of committed objects: one event for each object on an EventBridge bus.
//!
//! An event has the source `sophos-central.export` and the detail type `Object Committed`.
//! Its detail describes the object. Within the detail, `s3_notification` is what Amazon S3
//! itself would send to a queue, so that a rule can pass it on to collectors that read
//! S3 event notifications.

use std::time::Duration;

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use lambda_support::aws::{self, RequestError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sophos_api::BoxFuture;
use sophos_export::{AnnounceError, Announcer, DataObject, LogRecord};

const EVENT_SOURCE: &str = "sophos-central.export";
const DETAIL_TYPE: &str = "Object Committed";

/// The maximum number of entries in a request.
const MAX_ENTRIES: usize = 10;

/// The maximum time of a request. The export waits for it, and the next run repeats it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The characters that S3 encodes in the keys of its notifications.
const KEY_ENCODING: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// The bus on which committed objects are announced.
pub(crate) struct EventBus {
    client: Client,
    name: String,
    bucket: ExportBucket,
}

impl EventBus {
    /// Connects to the bus of this name or ARN, for an export to `s3://bucket/prefix`.
    pub(crate) async fn connect(name: &str, location: &str) -> Self {
        let config = aws::sdk_config().await;
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Self {
            client: Client::new(&config),
            name: name.to_owned(),
            bucket: ExportBucket::new(location, region),
        }
    }

    async fn put_events(&self, events: Vec<PutEventsRequestEntry>) -> Result<(), RequestError> {
        let put = self.client.put_events().set_entries(Some(events)).send();
        let put = tokio::time::timeout(REQUEST_TIMEOUT, put);
        let timed_out =
            |_| RequestError::rejected("PutEvents", format!("no response in {REQUEST_TIMEOUT:?}"));
        let response = put.await.map_err(timed_out)?.map_err(RequestError::failed("PutEvents"))?;
        // A successful response may contain rejected events.
        match response.entries().iter().find(|entry| entry.error_code().is_some()) {
            None => Ok(()),
            Some(entry) => {
                let (code, message) = (entry.error_code(), entry.error_message());
                let reason = format!("{} {}", code.unwrap_or_default(), message.unwrap_or_default());
                Err(RequestError::rejected("PutEvents", reason))
            }
        }
    }
}

impl Announcer for EventBus {
    fn announce<'a>(&'a self, record: &'a LogRecord) -> BoxFuture<'a, Result<(), AnnounceError>> {
        Box::pin(async move {
            for objects in record.objects.chunks(MAX_ENTRIES) {
                let event = |object| {
                    PutEventsRequestEntry::builder()
                        .event_bus_name(&self.name)
                        .source(EVENT_SOURCE)
                        .detail_type(DETAIL_TYPE)
                        .detail(self.bucket.detail(record, object).to_string())
                        .build()
                };
                self.put_events(objects.iter().map(event).collect()).await?;
            }
            Ok(())
        })
    }
}

/// The bucket and the folder of the export.
struct ExportBucket {
    name: String,
    prefix: String,
    region: String,
}

impl ExportBucket {
    fn new(location: &str, region: String) -> Self {
        let path = location.strip_prefix("s3://").unwrap_or(location);
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        Self { name: name.to_owned(), prefix: prefix.trim_matches('/').to_owned(), region }
    }

    fn key(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    /// The detail of an event.
    fn detail(&self, record: &LogRecord, object: &DataObject) -> Value {
        json!({
            "dataset": record.dataset,
            "tenant": record.tenant,
            "sequence": record.sequence,
            "run_id": record.run_id,
            "committed_at": record.committed_at,
            "bucket": self.name,
            "key": self.key(&object.path),
            "size": object.bytes,
            "sha256": object.sha256,
            "rows": object.rows,
            "first_event": object.first_event,
            "last_event": object.last_event,
            "s3_notification": self.s3_notification(record, object),
        })
    }

    /// The object as in an event notification of S3.
    fn s3_notification(&self, record: &LogRecord, object: &DataObject) -> Value {
        let key = self.key(&object.path);
        let mut described = json!({
            "key": utf8_percent_encode(&key, KEY_ENCODING).to_string(),
            "size": object.bytes,
        });
        // S3 always has one, but its response may have been lost.
        if let Some(e_tag) = &object.e_tag {
            described["eTag"] = json!(e_tag);
        }
        json!({
            "Records": [{
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": self.region,
                "eventTime": record.committed_at,
                "eventName": "ObjectCreated:Put",
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": EVENT_SOURCE,
                    "bucket": {
                        "name": self.name,
                        "arn": format!("arn:{}:s3:::{}", partition(&self.region), self.name),
                    },
                    "object": described,
                },
            }],
        })
    }
}

/// The partition of a region in ARNs.
fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
    ];
    PARTITIONS.into_iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> LogRecord {
        let record = json!({
            "version": 1, "dataset": "events", "tenant": "97d69ec5-d0b3-425a-8d0d-cf4ac6521463", "sequence": 7,
            "run_id": "019abc-0000", "committed_at": "2026-11-23T10:00:00.000Z", "checkpoint_before": null,
            "checkpoint_after": { "cursor": "a-cursor", "high_watermark_ms": 7, "low_watermark_ms": 7 },
            "rows": 3, "duplicates": 0, "first_event": null, "last_event": null, "gaps": [],
            "pending_backfills": [], "recent_ids": "",
            "objects": [{
                "path": "events/tenant_id=97d6/day=2026-11-23/000000000007-019abc-0000-0000.ndjson.gz",
                "bytes": 1234, "sha256": "5e884898", "e_tag": "d41d8cd9", "rows": 3,
                "first_event": "2026-11-23T09:00:00.000Z", "last_event": "2026-11-23T09:59:00.000Z",
            }],
        });
        serde_json::from_value(record).expect("a record")
    }

    #[test]
    fn event_describes_the_committed_object() {
        let bucket = ExportBucket::new("s3://acme-siem/sophos/prod/", "eu-west-1".into());
        let (record, mut expected) = (record(), json!({}));
        let detail = bucket.detail(&record, &record.objects[0]);
        let key = "sophos/prod/events/tenant_id=97d6/day=2026-11-23/000000000007-019abc-0000-0000.ndjson.gz";
        for (name, value) in [
            ("dataset", json!("events")),
            ("tenant", json!("97d69ec5-d0b3-425a-8d0d-cf4ac6521463")),
            ("sequence", json!(7)),
            ("run_id", json!("019abc-0000")),
            ("committed_at", json!("2026-11-23T10:00:00.000Z")),
            ("bucket", json!("acme-siem")),
            ("key", json!(key)),
            ("size", json!(1234)),
            ("sha256", json!("5e884898")),
            ("rows", json!(3)),
            ("first_event", json!("2026-11-23T09:00:00.000Z")),
            ("last_event", json!("2026-11-23T09:59:00.000Z")),
        ] {
            expected[name] = value;
        }
        expected["s3_notification"] = detail["s3_notification"].clone();
        assert_eq!(detail, expected, "and nothing else, such as a cursor");
    }

    #[test]
    fn event_holds_an_s3_notification_with_encoded_key() {
        let bucket = ExportBucket::new("s3://acme-siem/so phos", "us-gov-west-1".into());
        let mut record = record();
        let detail = bucket.detail(&record, &record.objects[0]);
        let expected = json!({ "Records": [{
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-gov-west-1",
            "eventTime": "2026-11-23T10:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "sophos-central.export",
                "bucket": { "name": "acme-siem", "arn": "arn:aws-us-gov:s3:::acme-siem" },
                "object": {
                    "key": "so%20phos/events/tenant_id%3D97d6/day%3D2026-11-23/000000000007-019abc-0000-0000.ndjson.gz",
                    "size": 1234,
                    "eTag": "d41d8cd9",
                },
            },
        }] });
        assert_eq!(detail["s3_notification"], expected);
        record.objects[0].e_tag = None;
        let detail = bucket.detail(&record, &record.objects[0]);
        let object = &detail["s3_notification"]["Records"][0]["s3"]["object"];
        assert_eq!(object.as_object().map(|object| object.contains_key("eTag")), Some(false), "{object}");
    }

    #[test]
    fn bucket_without_a_prefix_has_keys_without_one() {
        for location in ["s3://acme-siem", "s3://acme-siem/"] {
            let bucket = ExportBucket::new(location, String::new());
            assert_eq!((bucket.name.as_str(), bucket.key("a/b").as_str()), ("acme-siem", "a/b"));
        }
    }
}
