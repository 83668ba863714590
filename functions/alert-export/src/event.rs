use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use sophos_export::{Dataset, ExportScope};

use crate::message::SqsMessage;

/// The task of an invocation.
#[derive(Debug, PartialEq)]
pub(crate) enum ExportTask {
    /// An export of all tenants, or of one.
    Export {
        scope: ExportScope,
        /// The id of the event, which is the same for a retry by Lambda.
        id: Option<String>,
    },
    /// Messages from the queue.
    Messages(Vec<SqsMessage>),
}

impl ExportTask {
    /// Parses an invocation's event. Ignores unknown members, such as those of a scheduled
    /// event of EventBridge.
    ///
    /// # Errors
    /// When a member is invalid.
    pub(crate) fn parse(event: &Value, datasets: &[Dataset]) -> Result<Self, InvalidEvent> {
        if let Some(records) = SqsMessage::parse_event(event) {
            return Ok(Self::Messages(records));
        }
        // The id has any length and form; an empty one counts as none.
        let id = event["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        let event: ExportEvent = serde_json::from_value(event.clone()).map_err(|error| {
            InvalidEvent(format!("{error}: expected tenant_id and datasets, or a schedule"))
        })?;
        Ok(Self::Export { scope: event.into_scope(datasets)?, id })
    }

    /// Whether it names the dataset of the ledger.
    pub(crate) fn needs_ledger(&self) -> bool {
        match self {
            Self::Export { scope, .. } => scope.datasets.iter().any(|dataset| !dataset.is_per_tenant()),
            Self::Messages(_) => false,
        }
    }
}

/// An invalid event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidEvent(String);

impl fmt::Display for InvalidEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid event: {}", self.0)
    }
}

#[derive(Debug, Deserialize)]
struct ExportEvent {
    /// One tenant; all by default.
    tenant_id: Option<String>,
    /// The datasets; those of the configuration by default.
    datasets: Option<Vec<Dataset>>,
}

impl ExportEvent {
    fn into_scope(self, datasets: &[Dataset]) -> Result<ExportScope, InvalidEvent> {
        let tenant = match self.tenant_id.map(|id| id.trim().to_owned()) {
            Some(id) if id.is_empty() => {
                return Err(InvalidEvent("tenant_id is empty; omit it for all tenants".into()));
            }
            other => other.map(Into::into),
        };
        let mut datasets = self.datasets.unwrap_or_else(|| datasets.to_vec());
        datasets.sort_unstable();
        datasets.dedup();
        if datasets.is_empty() {
            return Err(InvalidEvent("datasets is empty; omit it for those of the configuration".into()));
        }
        Ok(ExportScope { tenant, datasets, ..ExportScope::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(event: &str) -> Result<ExportScope, InvalidEvent> {
        let event = serde_json::from_str(event).expect("JSON");
        match ExportTask::parse(&event, &[Dataset::Events])? {
            ExportTask::Export { scope, .. } => Ok(scope),
            ExportTask::Messages(_) => Err(InvalidEvent("messages".into())),
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
