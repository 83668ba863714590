use serde::Deserialize;
use sophos_export::{Dataset, Scope};

/// What an invocation is about. Members that it does not know, such as those
/// of EventBridge's scheduled event, are left alone.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    /// One tenant; all if not given.
    tenant_id: Option<String>,
    /// The datasets; those of the configuration if not given.
    datasets: Option<Vec<Dataset>>,
}

impl Event {
    pub(crate) fn scope(self, datasets: &[Dataset]) -> Result<Scope, &'static str> {
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
        Ok(Scope { tenant, datasets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(event: &str) -> Result<Scope, String> {
        let event: Event = serde_json::from_str(event).map_err(|error| error.to_string())?;
        event.scope(&[Dataset::Events]).map_err(str::to_owned)
    }

    #[test]
    fn a_schedule_is_about_all_tenants() {
        let scheduled = r#"{"version":"0","id":"1f","detail-type":"Scheduled Event","source":"aws.events",
            "account":"123456789012","time":"2026-11-23T10:00:00Z","region":"eu-west-1","resources":[],"detail":{}}"#;
        for event in [scheduled, "{}"] {
            assert_eq!(scope(event), Ok(Scope { tenant: None, datasets: vec![Dataset::Events] }));
        }
    }

    #[test]
    fn a_message_is_about_its_tenant() {
        let scope = scope(r#"{"tenant_id":"0AFEF0E6-5df7-4cc0-b8d4-068cfd6820d1","datasets":["alerts"]}"#);
        let tenant = Some("0afef0e6-5df7-4cc0-b8d4-068cfd6820d1".into());
        assert_eq!(scope, Ok(Scope { tenant, datasets: vec![Dataset::Alerts] }));
    }

    #[test]
    fn a_wrong_message_is_refused() {
        for event in
            [r#"{"tenant_id":" "}"#, r#"{"tenant_id":7}"#, r#"{"datasets":["logs"]}"#, r#"{"datasets":[]}"#]
        {
            assert!(scope(event).is_err(), "{event}");
        }
    }
}
