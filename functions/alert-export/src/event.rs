use serde::Deserialize;
use serde_json::Value;
use sophos_export::{Dataset, Scope};

use crate::message::Record;

/// What an invocation is about.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    /// Everything, or the part of it that is named.
    Export {
        scope: Scope,
        /// Names the occasion: the same if Lambda tries again.
        id: Option<String>,
    },
    /// Messages of the queue.
    Messages(Vec<Record>),
}

impl Task {
    /// Reads an invocation's event. Members that it does not know, such as those
    /// of EventBridge's scheduled event, are left alone.
    pub(crate) fn read(event: &Value, datasets: &[Dataset]) -> Result<Self, String> {
        if let Some(records) = Record::all(event) {
            return Ok(Self::Messages(records));
        }
        // Of any length and form; an empty one names nothing.
        let id = event["id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        let event: Event = serde_json::from_value(event.clone()).map_err(|error| {
            format!("the event is neither a schedule's nor one of tenant_id and datasets: {error}")
        })?;
        Ok(Self::Export { scope: event.scope(datasets)?, id })
    }
}

#[derive(Debug, Deserialize)]
struct Event {
    /// One tenant; all if not given.
    tenant_id: Option<String>,
    /// The datasets; those of the configuration if not given.
    datasets: Option<Vec<Dataset>>,
}

impl Event {
    fn scope(self, datasets: &[Dataset]) -> Result<Scope, &'static str> {
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
        Ok(Scope { tenant, datasets, ..Scope::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(event: &str) -> Result<Scope, String> {
        let event = serde_json::from_str(event).expect("JSON");
        match Task::read(&event, &[Dataset::Events])? {
            Task::Export { scope, .. } => Ok(scope),
            Task::Messages(_) => Err("messages".into()),
        }
    }

    #[test]
    fn a_schedule_is_about_all_tenants() {
        let scheduled = r#"{"version":"0","id":"1f","detail-type":"Scheduled Event","source":"aws.events",
            "account":"123456789012","time":"2026-11-23T10:00:00Z","region":"eu-west-1","resources":[],"detail":{}}"#;
        for event in [scheduled, "{}"] {
            assert_eq!(scope(event), Ok(Scope { datasets: vec![Dataset::Events], ..Scope::default() }));
        }
    }

    #[test]
    fn a_message_is_about_its_tenant() {
        let scope = scope(r#"{"tenant_id":"0AFEF0E6-5df7-4cc0-b8d4-068cfd6820d1","datasets":["alerts"]}"#);
        let tenant = Some("0afef0e6-5df7-4cc0-b8d4-068cfd6820d1".into());
        assert_eq!(scope, Ok(Scope { tenant, datasets: vec![Dataset::Alerts], ..Scope::default() }));
    }

    #[test]
    fn a_wrong_message_is_refused() {
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
