//! The transport of a test, and its publisher.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use sophos_api::{ReqwestTransport, Transport, TransportError};
use sophos_isolation::{BackendError, DecisionId, DecisionOutcome, OutcomePublisher};
use sophos_simulator::Clock;
use tokio::sync::Notify;

/// The transport of a test: real HTTP, the simulator's time, and sleeps that
/// advance its clock.
#[derive(Clone)]
pub(crate) struct ClockedTransport {
    pub(super) http: ReqwestTransport,
    pub(super) clock: Clock,
    pub(super) clock_lock: Arc<Mutex<()>>,
    pub(super) gate: Arc<CallGate>,
}

/// The gate of requests that isolate or release.
#[derive(Default)]
pub(super) struct CallGate {
    pub(super) block_before: AtomicBool,
    pub(super) block_after: AtomicBool,
    pub(super) reached: Notify,
    pub(super) resume: Notify,
}

impl Transport for ClockedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let changes = request.method() == http::Method::POST && request.uri().path().ends_with("/isolation");
        if changes && self.gate.block_before.load(Ordering::SeqCst) {
            self.gate.reached.notify_one();
            self.gate.resume.notified().await;
        }
        let response = self.http.send(request, timeout).await;
        if changes && self.gate.block_after.load(Ordering::SeqCst) {
            self.gate.reached.notify_one();
            std::future::pending::<()>().await;
        }
        response
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.clock.now_ms() as u64)
    }

    /// Concurrent sleeps share the time. The resolution of the clock is a
    /// millisecond.
    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration + Duration::from_micros(999);
        {
            let _turning = self.clock_lock.lock().unwrap();
            self.clock.advance(until.saturating_sub(self.now()));
        }
        tokio::task::yield_now().await;
    }
}

/// Records outcomes, unless it is made to fail.
#[derive(Default)]
pub(crate) struct RecordingPublisher {
    outcomes: Mutex<Vec<DecisionOutcome>>,
    failures: AtomicUsize,
}

impl RecordingPublisher {
    pub(crate) fn fail(&self, times: usize) {
        self.failures.store(times, Ordering::SeqCst);
    }

    /// The statuses of a decision's published outcomes.
    pub(crate) fn outcomes_of(&self, id: &DecisionId) -> Vec<String> {
        let outcomes = self.outcomes.lock().unwrap();
        outcomes
            .iter()
            .filter(|outcome| outcome.decision == *id)
            .map(|outcome| outcome.status.clone())
            .collect()
    }

    pub(crate) fn last_outcome(&self, id: &DecisionId) -> DecisionOutcome {
        let outcomes = self.outcomes.lock().unwrap();
        outcomes.iter().rev().find(|outcome| outcome.decision == *id).unwrap().clone()
    }
}

impl OutcomePublisher for RecordingPublisher {
    fn is_enabled(&self) -> bool {
        true
    }

    async fn publish(&self, outcome: &DecisionOutcome) -> Result<(), BackendError> {
        let fails = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if fails {
            return Err(BackendError::new("the bus is down"));
        }
        self.outcomes.lock().unwrap().push(outcome.clone());
        Ok(())
    }
}
