//! Sending of single requests: hosts, rate limit, deadline and counters. This layer knows
//! no session.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use crate::{
    error::{Error, ErrorKind},
    hosts::Hosts,
    scrub::Scrubber,
    send::{
        RateLimit, RequestCounters, RetryPolicy, SharedRateLimiter,
        rate_limit::RateLimiter,
        retry_policy::{Jitter, parse_date},
    },
    sync::lock,
    transport::Transport,
};

/// The parts that all requests of a client share.
pub(crate) struct Sender<T> {
    pub(crate) transport: T,
    pub(crate) hosts: Hosts,
    pub(crate) rate_limiter: RateLimiter,
    shared_rate_limiter: Option<Arc<dyn SharedRateLimiter>>,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) jitter: Jitter,
    pub(crate) counters: RequestCounters,
    /// The credentials and tokens in use.
    pub(crate) scrubber: Scrubber,
    /// The service's time of its last response, and the local time of that.
    service_clock: Mutex<Option<(Duration, Duration)>>,
}

impl<T: Transport> Sender<T> {
    pub(crate) fn new(
        transport: T,
        hosts: Hosts,
        rate_limit: RateLimit,
        shared_rate_limiter: Option<Arc<dyn SharedRateLimiter>>,
        retry_policy: RetryPolicy,
    ) -> Self {
        Self {
            transport,
            hosts,
            rate_limiter: RateLimiter::new(rate_limit),
            shared_rate_limiter,
            retry_policy,
            jitter: Jitter::default(),
            counters: RequestCounters::default(),
            scrubber: Scrubber::default(),
            service_clock: Mutex::new(None),
        }
    }

    pub(crate) fn service_time(&self) -> Option<Duration> {
        let (service, local) = (*lock(&self.service_clock))?;
        Some(service + self.transport.now().saturating_sub(local))
    }

    fn record_service_time(&self, response: &http::Response<Bytes>) {
        if let Some(service) = parse_date(response.headers()) {
            let now = self.transport.now();
            *lock(&self.service_clock) = Some((service, now));
        }
    }
}

/// The sender, with the deadline and the counters of one caller.
pub(crate) struct SendContext<'a, T> {
    pub(crate) sender: &'a Sender<T>,
    deadline: Option<Duration>,
    pub(crate) tenant_counters: Option<&'a RequestCounters>,
}

impl<'a, T: Transport> SendContext<'a, T> {
    pub(crate) fn new(
        sender: &'a Sender<T>,
        deadline: Option<Duration>,
        tenant_counters: Option<&'a RequestCounters>,
    ) -> Self {
        Self { sender, deadline, tenant_counters }
    }

    pub(crate) fn now(&self) -> Duration {
        self.sender.transport.now()
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.sender.hosts
    }

    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.sender.scrubber
    }

    /// Sends a request, without a retry.
    pub(crate) async fn send_once(
        &self,
        request: http::Request<Vec<u8>>,
        counter: fn(&RequestCounters) -> &AtomicU64,
    ) -> Result<http::Response<Bytes>, Error> {
        let mut timeout = self.sender.retry_policy.attempt_timeout;
        if let Some(deadline) = self.deadline {
            timeout = timeout.min(deadline.saturating_sub(self.now()));
            if timeout.is_zero() {
                return Err(Error::new(ErrorKind::DeadlineExceeded));
            }
        }
        self.count(counter, 1);
        let sent = self.sender.transport.send(request, timeout).await;
        let response = sent.map_err(|error| Error::from_transport(&error))?;
        self.sender.record_service_time(&response);
        Ok(response)
    }

    /// Waits for a permit of the client's rate limiter, then of the shared one, whose
    /// permits are valid for a few seconds.
    pub(crate) async fn acquire_permit(&self) -> Result<(), Error> {
        let rate_limiter = &self.sender.rate_limiter;
        let wait = rate_limiter.reserve_permit(self.now(), self.deadline).map_err(rate_limit_error)?;
        self.wait_for_permit(wait).await.inspect_err(|_| rate_limiter.return_permit())
    }

    async fn wait_for_permit(&self, mut wait: Duration) -> Result<(), Error> {
        loop {
            while !wait.is_zero() {
                self.wait(wait).await.map_err(|_| rate_limit_error(wait))?;
                // The service may have throttled another caller meanwhile.
                wait = self.sender.rate_limiter.remaining_pause(self.now());
            }
            let Some(shared) = &self.sender.shared_rate_limiter else { return Ok(()) };
            let waited = shared.acquire_permit(self.deadline).await.map_err(rate_limit_error)?;
            self.count(|counters| &counters.wait_time_ms, waited.as_millis() as u64);
            // Likewise here. After such a pause the shared permit may be invalid.
            wait = self.sender.rate_limiter.remaining_pause(self.now());
            if wait.is_zero() {
                return Ok(());
            }
        }
    }

    /// Completes at the deadline, or never without one.
    pub(crate) async fn deadline_reached(&self) {
        match self.deadline {
            Some(deadline) => self.sender.transport.sleep(deadline.saturating_sub(self.now())).await,
            None => std::future::pending().await,
        }
    }

    /// Waits, unless the deadline is earlier.
    pub(crate) async fn wait(&self, wait: Duration) -> Result<(), Error> {
        if wait.is_zero() {
            return Ok(());
        }
        if self.deadline.is_some_and(|deadline| self.now() + wait >= deadline) {
            return Err(Error::new(ErrorKind::DeadlineExceeded));
        }
        self.count(|counters| &counters.wait_time_ms, wait.as_millis() as u64);
        self.sender.transport.sleep(wait).await;
        Ok(())
    }

    pub(crate) fn count(&self, counter: fn(&RequestCounters) -> &AtomicU64, increment: u64) {
        counter(&self.sender.counters).fetch_add(increment, Ordering::Relaxed);
        if let Some(tenant) = self.tenant_counters {
            counter(tenant).fetch_add(increment, Ordering::Relaxed);
        }
    }
}

fn rate_limit_error(wait: Duration) -> Error {
    Error::new(ErrorKind::DeadlineExceeded)
        .with_retry_after(Some(wait))
        .with_message("the rate limit of the credential is exhausted until then")
}
