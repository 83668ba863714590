//! The record of an authentic request that could not be parsed.

use std::time::Duration;

use serde_json::json;

use super::{KeySource, Queue, ReceivedMessage, RequestLog, Response, Webhook, hex};
use crate::{
    adapters::ParseError,
    ledger::{LedgerStore, paths},
    outcome::format_rfc3339,
    signal::clean,
};

/// The maximum number of records of a source in an hour.
const MAX_RECORDS: u8 = 32;

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    /// Returns a 422 response and creates a record without the body. A source has at
    /// most [`MAX_RECORDS`] in an hour, the first of each slot. The response does not
    /// depend on the record.
    pub(super) async fn reject_unparsable(
        &self,
        message: &ReceivedMessage<'_>,
        event_id: Option<&str>,
        error: &ParseError,
        now: Duration,
        log: &mut RequestLog,
    ) -> Response {
        let ReceivedMessage { source, body, .. } = message;
        let digest = super::sha256(body);
        let record = json!({
            "version": 1,
            "source": source.name,
            "tool": source.adapter.tool,
            "at": format_rfc3339(now.as_millis() as u64),
            "reason": error.to_string(),
            "event_id": event_id.map(clean),
            "body_sha256": hex(&digest),
            "body_bytes": body.len(),
        });
        let (hour, slot) = (now.as_secs() / 3_600, digest[0] % MAX_RECORDS);
        let path = paths::unreadable(&source.name, hour, slot);
        log.problem = Some(error.to_string());
        log.error_kind = Some("MalformedEvent");
        log.body_sha256 = Some(hex(&digest));
        match self.ledger.store().create(&path, format!("{record:#}").into_bytes()).await {
            Ok(_) => log.record_path = Some(path),
            Err(failure) => {
                log.problem = Some(format!("{error}; creating the record {path} failed: {failure}"));
            }
        }
        Response::error(422, &error.to_string())
    }
}
