//! What an operator finds of an authentic request that could not be read.

use std::time::Duration;

use serde_json::json;

use super::{KeySource, Queue, RequestLog, Response, Webhook, hex};
use crate::{
    adapters::ParseError,
    ledger::{LedgerStore, paths},
    outcome::format_rfc3339,
    policy::Source,
    signal::clean,
};

/// The most records of one source and hour.
const MAX_RECORDS: u8 = 32;

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    /// Answers 422, and leaves a record of it, which never has the body: at most
    /// [`MAX_RECORDS`] of a source in an hour, the first of each slot. The answer
    /// does not depend on the record.
    pub(super) async fn reject_unparsable(
        &self,
        source: &Source,
        body: &[u8],
        event_id: Option<&str>,
        why: &ParseError,
        now: Duration,
        notice: &mut RequestLog,
    ) -> Response {
        let digest = super::sha256(body);
        let record = json!({
            "version": 1,
            "source": source.name,
            "tool": source.adapter.tool,
            "at": format_rfc3339(now.as_millis() as u64),
            "reason": why.to_string(),
            "event_id": event_id.map(clean),
            "body_sha256": hex(&digest),
            "body_bytes": body.len(),
        });
        let (hour, slot) = (now.as_secs() / 3_600, digest[0] % MAX_RECORDS);
        let path = paths::unreadable(&source.name, hour, slot);
        notice.problem = Some(why.to_string());
        notice.error_kind = Some("MalformedEvent");
        notice.body_sha256 = Some(hex(&digest));
        match self.ledger.store().create(&path, format!("{record:#}").into_bytes()).await {
            Ok(_) => notice.record_path = Some(path),
            Err(failure) => {
                notice.problem = Some(format!("{why}; creating the record {path} failed: {failure}"));
            }
        }
        Response::error(422, &why.to_string())
    }
}
