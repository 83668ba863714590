//! Polling of the jobs that the service runs: queries, collections, transactions.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;

use crate::{
    BoxFuture,
    client::ApiClient,
    error::{Error, ErrorKind},
    models::timestamp::Timestamp,
    operation::Operation,
    setters::with_setters,
    transport::Transport,
};

/// An operation that returns the state of a job.
///
/// ```
/// use sophos_api::{
///     ApiClient, Error, PollOptions, TenantClient, Transport, poll_until_done,
///     operations::xdr_query::query_runs::{GetQueryRun, QueryRun, StartQueryRun},
/// };
///
/// async fn run<T: Transport>(tenant: TenantClient<T>, query: StartQueryRun) -> Result<QueryRun, Error> {
///     let started = tenant.send(&query).await?;
///     poll_until_done(&tenant, GetQueryRun::new(started.id), PollOptions::new()).await
/// }
/// ```
pub trait Job: Operation + Clone + 'static {
    /// The progress of the job in this response.
    fn progress(response: &Self::Response) -> JobProgress;
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobState {
    /// The job is pending or in progress.
    Running,
    /// The job is finished, and its results can be read.
    Finished,
    /// The job failed, was canceled or ran out of time.
    Failed,
    /// The job expired before it was finished.
    Expired,
}

/// The progress of a job.
///
/// ```
/// use sophos_api::{Job, JobState, operations::xdr_query::query_runs::{GetQueryRun, QueryRun}};
///
/// let run: QueryRun = serde_json::from_str(r#"{"id":"1","status":"finished","result":"failed"}"#)?;
/// let progress = GetQueryRun::progress(&run);
/// assert_eq!((progress.state, progress.reason.as_deref()), (JobState::Failed, Some("failed")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobProgress {
    /// The state.
    pub state: JobState,
    /// The finished part, in percent, if the service tells it.
    pub percent: Option<u8>,
    /// The service's word for a failure.
    pub reason: Option<String>,
    /// The time after which a running job has expired, in milliseconds since the Unix
    /// epoch.
    pub expires_at: Option<i64>,
}

impl JobProgress {
    /// A job in this state.
    pub fn new(state: JobState) -> Self {
        Self { state, percent: None, reason: None, expires_at: None }
    }

    /// A failed job, with the service's reason.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(JobState::Failed) }
    }
}

// Only some families have jobs.
#[cfg_attr(not(feature = "all"), allow(dead_code))]
impl JobProgress {
    /// The progress in the service's words for the status and the result of a job. An
    /// unknown status is in progress, an unknown result of a finished job is a success.
    pub(crate) fn from_words(status: Option<&str>, result: Option<&str>) -> Self {
        match (status.unwrap_or_default(), result.unwrap_or_default()) {
            ("expired", _) => Self::new(JobState::Expired),
            ("failed" | "error" | "canceled" | "timedOut", reason) => {
                let reason = if reason.is_empty() { status.unwrap_or_default() } else { reason };
                Self::failed(reason)
            }
            ("finished" | "completed", reason @ ("failed" | "error" | "canceled" | "timedOut")) => {
                Self::failed(reason)
            }
            ("finished" | "completed", _) => Self::new(JobState::Finished),
            _ => Self::new(JobState::Running),
        }
    }

    /// Sets the time after which a running job has expired.
    pub(crate) fn until(mut self, expires_at: Option<&Timestamp>) -> Self {
        self.expires_at = expires_at.and_then(Timestamp::unix_millis);
        self
    }

    /// Sets the finished part as a share of `total`.
    #[cfg(feature = "live-discover")]
    pub(crate) fn with_share(mut self, done: i64, total: i64) -> Self {
        let percent = (total > 0).then(|| done.clamp(0, total).saturating_mul(100) / total);
        self.percent = percent.and_then(|percent| u8::try_from(percent).ok());
        self
    }
}

/// The progress of a job, and the response that holds it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobUpdate<R> {
    /// The progress.
    pub progress: JobProgress,
    /// The response.
    pub response: R,
}

with_setters! {
    /// The timing of polls.
    ///
    /// The first poll is immediate. The wait before each other one is random between
    /// half of an interval and all of it. The interval starts at `initial_interval`,
    /// and doubles with each poll up to `max_interval`.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sophos_api::PollOptions;
    ///
    /// let options = PollOptions::new().timeout(Duration::from_secs(60));
    /// assert_eq!(options.max_interval, Duration::from_secs(30));
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct PollOptions {
        /// The longest wait before the second poll.
        pub initial_interval: Duration,
        /// The longest wait before any poll.
        pub max_interval: Duration,
        /// The time after which polling ends with [`ErrorKind::DeadlineExceeded`]. An
        /// earlier deadline of the client applies as well.
        pub timeout: Duration,
    }
}

impl Default for PollOptions {
    /// Intervals of 2 s to 30 s, for 20 minutes: a query may take 15.
    fn default() -> Self {
        Self {
            initial_interval: Duration::from_secs(2),
            max_interval: Duration::from_secs(30),
            timeout: Duration::from_secs(20 * 60),
        }
    }
}

impl PollOptions {
    /// The default timing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The interval before the poll after this many.
    fn interval(&self, polls: u32) -> Duration {
        let factor = 1_u32.checked_shl(polls.saturating_sub(1)).unwrap_or(u32::MAX);
        self.initial_interval.saturating_mul(factor).min(self.max_interval)
    }
}

/// Polls a job until it is finished, and returns the last response. To cancel, drop
/// the future: the job itself goes on.
///
/// ```
/// use std::time::Duration;
///
/// use sophos_api::{
///     Error, ErrorKind, PollOptions, TenantClient, Transport, poll_until_done,
///     operations::live_discover::query_runs::{GetQueryRun, QueryRun},
/// };
///
/// /// Waits for a minute, and returns `None` for a run that takes longer.
/// async fn wait<T: Transport>(tenant: &TenantClient<T>, id: &str) -> Result<Option<QueryRun>, Error> {
///     let options = PollOptions::new().timeout(Duration::from_secs(60));
///     match poll_until_done(tenant, GetQueryRun::new(id), options).await {
///         Err(error) if error.kind() == ErrorKind::DeadlineExceeded => Ok(None),
///         result => result.map(Some),
///     }
/// }
/// ```
///
/// # Errors
/// [`ErrorKind::JobFailed`] with the service's reason, [`ErrorKind::JobExpired`],
/// [`ErrorKind::DeadlineExceeded`] for a job that is still running, and the error of a
/// poll that failed after its retries.
pub async fn poll_until_done<C: ApiClient, O: Job>(
    client: &C,
    operation: O,
    options: PollOptions,
) -> Result<O::Response, Error> {
    let mut updates = job_updates(client, operation, options);
    while let Some(update) = updates.next().await {
        let JobUpdate { progress, response } = update?;
        let error = match progress.state {
            JobState::Running => continue,
            JobState::Finished => return Ok(response),
            JobState::Failed => Error::new(ErrorKind::JobFailed),
            JobState::Expired => Error::new(ErrorKind::JobExpired),
        };
        let error = match &progress.reason {
            Some(reason) => error.with_message(reason.as_str()),
            None => error,
        };
        return Err(updates.describe(error));
    }
    Err(updates.describe(Error::malformed("the job has no state")))
}

/// Polls a job, and returns a [`Stream`] of its progress, which ends with its last
/// state or an error.
///
/// ```
/// use sophos_api::{
///     Error, JobState, PollOptions, TenantClient, Transport, job_updates,
///     operations::live_discover::query_runs::GetQueryRun,
/// };
///
/// async fn watch<T: Transport>(tenant: TenantClient<T>, run: &str) -> Result<bool, Error> {
///     let mut updates = job_updates(&tenant, GetQueryRun::new(run), PollOptions::new());
///     let mut finished = false;
///     while let Some(update) = updates.next().await {
///         let progress = update?.progress;
///         println!("{:?} {:?} %", progress.state, progress.percent);
///         finished = progress.state == JobState::Finished;
///     }
///     Ok(finished)
/// }
/// ```
pub fn job_updates<C: ApiClient, O: Job>(client: &C, operation: O, options: PollOptions) -> JobUpdates<C, O> {
    let ends_at = client.as_client().transport().now().saturating_add(options.timeout);
    let client = client.with_earlier_deadline(ends_at);
    JobUpdates { client, operation, options, polls: 0, pending: None, ended: false }
}

type UpdateFuture<O> = BoxFuture<'static, Result<JobUpdate<<O as Operation>::Response>, Error>>;

/// The progress of a job, poll by poll: a [`Stream`] that owns its client.
pub struct JobUpdates<C, O: Job> {
    client: C,
    operation: O,
    options: PollOptions,
    polls: u32,
    pending: Option<UpdateFuture<O>>,
    ended: bool,
}

impl<C: ApiClient, O: Job> JobUpdates<C, O> {
    /// The next progress, or `None` after the last state or an error. If the future is
    /// dropped, the next call continues the poll.
    pub async fn next(&mut self) -> Option<Result<JobUpdate<O::Response>, Error>> {
        poll_fn(|context| self.poll_update(context)).await
    }

    fn poll_update(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<JobUpdate<O::Response>, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.pending.is_none() {
            let interval = (self.polls > 0).then(|| self.options.interval(self.polls));
            self.polls = self.polls.saturating_add(1);
            self.pending = Some(poll_job(self.client.clone(), self.operation.clone(), interval));
        }
        let Some(pending) = &mut self.pending else { return Poll::Ready(None) };
        let update = ready!(pending.as_mut().poll(context));
        self.pending = None;
        self.ended = !matches!(&update, Ok(update) if update.progress.state == JobState::Running);
        Poll::Ready(Some(update.map_err(|error| self.describe(error))))
    }

    fn describe(&self, error: Error) -> Error {
        error.with_operation(O::ROUTE.to_string()).scrubbed(self.client.as_client().scrubber())
    }
}

/// Waits for an interval, then reads the state of the job.
fn poll_job<C: ApiClient, O: Job>(client: C, operation: O, interval: Option<Duration>) -> UpdateFuture<O> {
    Box::pin(async move {
        let handle = client.as_client();
        if let Some(interval) = interval {
            let wait = handle.spread(interval);
            if handle.deadline().is_some_and(|deadline| handle.transport().now() + wait >= deadline) {
                return Err(Error::new(ErrorKind::DeadlineExceeded).with_message("the job is still running"));
            }
            handle.transport().sleep(wait).await;
        }
        let response = client.send(&operation).await?;
        let mut progress = O::progress(&response);
        let now = handle.service_time().unwrap_or_else(|| handle.transport().now());
        let has_expired = progress.expires_at.is_some_and(|at| i128::from(at) <= now.as_millis() as i128);
        if progress.state == JobState::Running && has_expired {
            progress.state = JobState::Expired;
        }
        Ok(JobUpdate { progress, response })
    })
}

impl<C: ApiClient, O: Job> Unpin for JobUpdates<C, O> {}

impl<C: ApiClient, O: Job> Stream for JobUpdates<C, O> {
    type Item = Result<JobUpdate<O::Response>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_update(context)
    }
}

impl<C, O: Job> fmt::Debug for JobUpdates<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobUpdates")
            .field("operation", &self.operation)
            .field("polls", &self.polls)
            .finish_non_exhaustive()
    }
}
