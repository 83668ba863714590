//! Events at a constant rate, independent of the responses.

use std::time::Duration;

use end_to_end::{
    isolation::{Delivery, parse_decision_id},
    queue::{EventSource, Queue},
};
use local_lambda::FunctionUrl;
use sophos_isolation::DecisionId;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    fixture::{self, IsolationFixture, LedgerStore},
    verification::{self, Verification},
};
use crate::{
    BenchResult,
    measure::{Percentiles, cpu_time_ms, ms, unix_ms},
};

/// The batch size of the worker.
const BATCH_SIZE: usize = 10;

/// The maximum time to drain the queue.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(300);

/// The result of one load.
pub(crate) struct LoadResult {
    pub(crate) store: LedgerStore,
    /// The rates of requested, sent and accepted events, per second.
    pub(crate) requested_rate: u64,
    pub(crate) sent_rate: f64,
    pub(crate) response_rate: f64,
    /// The times from the planned start of a request to its response.
    pub(crate) response_times: Percentiles,
    pub(crate) verification: Verification,
    pub(crate) webhook: ResourceUsage,
    pub(crate) worker: ResourceUsage,
}

/// The resources of all sandboxes of a function.
pub(crate) struct ResourceUsage {
    /// Processor time per event, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// The peak memory of any one sandbox, in bytes.
    pub(crate) peak_rss_bytes: u64,
}

/// An event with a 202 response.
pub(crate) struct AcceptedEvent {
    pub(crate) number: u64,
    pub(crate) decision: DecisionId,
    /// The time of the response, in milliseconds since the Unix epoch.
    pub(crate) at_ms: f64,
    /// The time since the planned start, in milliseconds.
    latency_ms: f64,
}

pub(crate) async fn run(
    place: LedgerStore,
    rate: u64,
    seconds: u64,
    sandboxes: usize,
) -> BenchResult<LoadResult> {
    let events = rate * seconds;
    let fixture = IsolationFixture::start(place, events).await?;
    let queue = Queue::start().await?;
    let webhook = queue.configure(fixture.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
    let webhook = FunctionUrl::start(webhook, sandboxes).await?;
    let mut worker = EventSource::new(&queue, fixture.worker(), sandboxes, BATCH_SIZE).await?;
    worker.run();

    // Signed in advance, so that the sender computes little.
    let deliveries = (0..events).map(fixture::event).collect();
    let http = reqwest::Client::new();
    let sending = Instant::now();
    let (answered, sent_for) = send(deliveries, rate, &http, &webhook.url()).await?;
    let answered_for = sending.elapsed();
    let last_ms = unix_ms() - ms(answered_for.saturating_sub(sent_for));

    let waiting = Instant::now();
    while !(queue.messages().is_empty() && queue.in_flight().is_empty()) {
        if waiting.elapsed() > DRAIN_TIMEOUT {
            return Err(format!("{} messages remain in the queue", queue.messages().len()).into());
        }
        sleep(Duration::from_millis(200)).await;
    }
    let using = |pids: &[u32], peak: Option<u64>| -> BenchResult<ResourceUsage> {
        Ok(ResourceUsage { cpu_ms: cpu_time_ms(pids)? / events as f64, peak_rss_bytes: peak.unwrap_or(0) })
    };
    Ok(LoadResult {
        store: place,
        requested_rate: rate,
        sent_rate: per_second(events, sent_for),
        response_rate: per_second(events, answered_for),
        response_times: Percentiles::new(answered.iter().map(|event| event.latency_ms).collect()),
        verification: verification::verify(&fixture, &answered, last_ms).await?,
        webhook: using(&webhook.pids(), webhook.peak_rss_bytes())?,
        worker: using(&worker.pool().pids(), worker.pool().peak_rss_bytes())?,
    })
}

/// The rate of events over a time that starts with the first.
fn per_second(events: u64, time: Duration) -> f64 {
    events.saturating_sub(1) as f64 / time.as_secs_f64().max(1e-3)
}

/// Sends each delivery at its time, and waits for all responses. Also returns the duration of
/// sending.
///
/// # Errors
///
/// When a response is not 202.
async fn send(
    deliveries: Vec<Delivery>,
    rate: u64,
    http: &reqwest::Client,
    url: &str,
) -> BenchResult<(Vec<AcceptedEvent>, Duration)> {
    let interval = Duration::from_secs(1) / rate as u32;
    let begin = Instant::now();
    let mut due = begin;
    let mut sending = JoinSet::new();
    for (number, delivery) in (0..).zip(deliveries) {
        sleep_until(due).await;
        let (http, url) = (http.clone(), url.to_owned());
        sending.spawn(async move {
            let answer = delivery.send(&http, &url).await;
            (number, ms(due.elapsed()), unix_ms(), answer)
        });
        due += interval;
    }
    let sent_for = begin.elapsed();
    let mut all = Vec::new();
    while let Some(sent) = sending.join_next().await {
        let (number, after_ms, at_ms, answer) = sent?;
        let (status, answer) = answer?;
        if status != 202 {
            return Err(format!("the response to event {number} is {status}: {answer}").into());
        }
        all.push(AcceptedEvent {
            number,
            decision: parse_decision_id(&answer)?,
            at_ms,
            latency_ms: after_ms,
        });
    }
    Ok((all, sent_for))
}
