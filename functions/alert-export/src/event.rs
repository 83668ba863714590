use serde::Deserialize;
use serde_json::Value;
use sophos_export::{Dataset, ExportScope};

use crate::message::SqsMessage;

/// What an invocation is about.
#[derive(Debug, PartialEq)]
pub(crate) enum ExportTask {
    /// Everything, or the part of it that is named.
    Export {
        scope: ExportScope,
        /// Names the occasion: the same if Lambda tries again.
        id: Option<String>,
    },
    /// Messages of the queue.
    Messages(Vec<SqsMessage>),
}

impl ExportTask {
    /// Reads an invocation's event. Members that it does not know, such as those
    /// of EventBridge's scheduled event, are left alone.
    pub(crate) fn parse(event: &Value, datasets: &[Dataset]) -> Result<Self, String> {
        if let Some(records) = SqsMessage::parse_event(event) {
            return Ok(Self::Messages(records));
        }
        // Of any length and form; an empty one names nothing.
        let id = event["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        let event: ExportEvent = serde_json::from_value(event.clone()).map_err(|error| {
            format!("the event is neither a schedule's nor one of tenant_id and datasets: {error}")
        })?;
        Ok(Self::Export { scope: event.into_scope(datasets)?, id })
    }
}

#[derive(Debug, Deserialize)]
struct ExportEvent {
    /// One tenant; all if not given.
    tenant_id: Option<String>,
    /// The datasets; those of the configuration if not given.
    datasets: Option<Vec<Dataset>>,
}

impl ExportEvent {
    fn into_scope(self, datasets: &[Dataset]) -> Result<ExportScope, &'static str> {
        let tenant = match self.tenant_id.map(|id| id.trim().to_owned()) {
            Some(id) if id.is_empty() => {
                return Err("the event's tenant_id is empty; leave it out for all tenants");
            }
            other => other.map(Into::into),
        };
        let mut datasets = self.datasets.unwrap_or_else(|| datasets.to_vec());
        datasets.sort_unstable();
        datasets.dedup();
        if datasets.is_empty() {
            return Err("the event names no dataset; leave datasets out for those of the configuration");
        }
        Ok(ExportScope { tenant, datasets, ..ExportScope::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(event: &str) -> Result<ExportScope, String> {
        let event = serde_json::from_str(event).expect("JSON");
        match ExportTask::parse(&event, &[Dataset::Events])? {
            ExportTask::Export { scope, .. } => Ok(scope),
            ExportTask::Messages(_) => Err("messages".into()),
        }
    }

    #[test]
    fn scheduled_event_exports_all_tenants() {
        let scheduled = r#"{"version":"0","id":"1f","detail-type":"Scheduled Event","source":"aws.events",
            "account":"123456789012","time":"2026-11-23T10:00:00Z","region":"eu-west-1","resources":[],"detail":{}}"#;
        for event in [scheduled, "{}"] {
            assert_eq!(
                scope(event),
                Ok(ExportScope { datasets: vec![Dataset::Events], ..ExportScope::default() })
            );
        }
    }

    #[test]
    fn event_with_a_tenant_id_exports_that_tenant() {
        let scope = scope(r#"{"tenant_id":"0AFEF0E6-5df7-4cc0-b8d4-068cfd6820d1","datasets":["alerts"]}"#);
        let tenant = Some("0afef0e6-5df7-4cc0-b8d4-068cfd6820d1".into());
        assert_eq!(
            scope,
            Ok(ExportScope { tenant, datasets: vec![Dataset::Alerts], ..ExportScope::default() })
        );
    }

    #[test]
    fn invalid_event_is_rejected() {
        for event in [
            "7",
            r#"{"Records":[]}"#,
            r#"{"tenant_id":" "}"#,
            r#"{"tenant_id":7}"#,
            r#"{"datasets":["logs"]}"#,
            r#"{"datasets":[]}"#,
        ] {
            assert!(scope(event).is_err(), "{event}");
        }
    }
}
