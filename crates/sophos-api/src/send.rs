//! Sending of requests with an authorization: hosts, rate limit, retries, deadline and
//! counters. This layer knows no session.

mod exchange;
mod rate_limit;
mod retry_policy;
mod sender;
mod shared_rate_limiter;
mod stats;
mod with_retry;

pub(crate) use exchange::{Exchange, TypedExchange, exchange_of};
pub use rate_limit::{RateLimit, RateWindow};
pub use retry_policy::RetryPolicy;
pub(crate) use sender::{SendContext, Sender};
pub use shared_rate_limiter::SharedRateLimiter;
pub(crate) use stats::RequestCounters;
pub use stats::RequestStats;
pub(crate) use with_retry::{Authorizer, FixedHeader, SecretInBody};
