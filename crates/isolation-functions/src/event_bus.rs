use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use lambda_support::aws::{self, RequestError};
use sophos_isolation::{BackendError, DecisionOutcome, OutcomePublisher};

/// The source of the events.
const EVENT_SOURCE: &str = "sophos.isolation";

/// An EventBridge bus for outcomes, or none.
///
/// An event has the source `sophos.isolation`, the detail type
/// `Isolation <status>`, and the outcome as its detail.
#[derive(Debug)]
pub struct EventBus(Option<(Client, String)>);

impl EventBus {
    /// Connects to the bus of this name or ARN; `None` for no bus.
    pub async fn connect(name: Option<String>) -> Self {
        let Some(name) = name else { return Self(None) };
        Self(Some((Client::new(&aws::sdk_config().await), name)))
    }
}

impl OutcomePublisher for EventBus {
    fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    async fn publish(&self, outcome: &DecisionOutcome) -> Result<(), BackendError> {
        let Some((client, bus)) = &self.0 else { return Ok(()) };
        let detail = serde_json::to_string(outcome).map_err(BackendError::new)?;
        let resources = outcome.target.iter().map(|target| target.endpoint.clone());
        let event = PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(EVENT_SOURCE)
            .detail_type(format!("Isolation {}", outcome.status))
            .detail(detail)
            .set_resources(Some(resources.collect()))
            .build();
        let response = client.put_events().entries(event).send().await;
        let failed = RequestError::failed("PutEvents");
        let response = response.map_err(|error| BackendError::new(failed(error)))?;
        // A successful response may contain rejected events.
        match response.entries().iter().find(|entry| entry.error_code().is_some()) {
            None => Ok(()),
            Some(entry) => {
                let (code, message) = (entry.error_code(), entry.error_message());
                let reason = format!("{} {}", code.unwrap_or_default(), message.unwrap_or_default());
                Err(BackendError::new(RequestError::rejected("PutEvents", reason)))
            }
        }
    }
}
