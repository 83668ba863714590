//! Faults for tests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::hash::{Rng, mix, parse_uuid};

const BULK_ISOLATION: &str = "isolation.bulk";

/// An ordered list of rules. The first that matches a call applies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// The rules.
    pub rules: Vec<FaultRule>,
}

impl FaultPlan {
    /// Creates a plan with these rules.
    pub fn new(rules: impl IntoIterator<Item = FaultRule>) -> Self {
        Self { rules: rules.into_iter().collect() }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        for rule in &self.rules {
            if let FaultAction::Status { status, .. }
            | FaultAction::Html { status }
            | FaultAction::Echo { status } = rule.action
                && !(400..=599).contains(&status)
            {
                return Err(format!("invalid status {status} of a fault: expected 400 to 599"));
            }
            if rule.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
                return Err("invalid probability of a fault: expected 0 to 1".to_owned());
            }
            if rule.every == Some(0) {
                return Err("invalid `every` of a fault: expected 1 or more".to_owned());
            }
            if rule.for_seconds.is_some_and(|seconds| !(seconds.is_finite() && seconds >= 0.0)) {
                return Err("invalid `for_seconds` of a fault: expected 0 or more".to_owned());
            }
            if let FaultAction::OmitEndpoint { endpoint } | FaultAction::ExtraEndpoint { endpoint } =
                &rule.action
            {
                if rule.operation != BULK_ISOLATION {
                    return Err(format!(
                        "invalid operation of omit_endpoint or extra_endpoint: expected {BULK_ISOLATION:?}"
                    ));
                }
                if let Some(id) = endpoint
                    && parse_uuid(id).is_none()
                {
                    return Err(format!("invalid endpoint {id:?} of a fault: not a UUID"));
                }
            }
        }
        Ok(())
    }
}

/// A fault and the calls that it applies to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The operation, such as `siem.events`, or `*` for all.
    #[serde(default = "any_operation")]
    pub operation: String,
    /// Limits the rule to calls for this tenant.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The number of calls to skip first.
    #[serde(default)]
    pub skip: u64,
    /// The number of calls to apply to; unlimited by default.
    #[serde(default)]
    pub times: Option<u64>,
    /// Applies to every n-th call only, from the first after `skip`.
    #[serde(default)]
    pub every: Option<u64>,
    /// Applies with this probability, which follows from the seed.
    #[serde(default)]
    pub probability: Option<f64>,
    /// Applies for this number of seconds after the plan was set, by the simulator's clock:
    /// real time if the clock runs, otherwise until a test advances it.
    #[serde(default)]
    pub for_seconds: Option<f64>,
    /// The fault.
    pub action: FaultAction,
}

fn any_operation() -> String {
    "*".to_owned()
}

impl FaultRule {
    /// A rule that always applies to an operation (`*` for all).
    pub fn new(operation: impl Into<String>, action: FaultAction) -> Self {
        Self {
            operation: operation.into(),
            tenant: None,
            skip: 0,
            times: None,
            every: None,
            probability: None,
            for_seconds: None,
            action,
        }
    }

    /// Limits the rule to this tenant.
    pub fn tenant(mut self, id: impl Into<String>) -> Self {
        self.tenant = Some(id.into());
        self
    }

    /// Skips this number of calls first.
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Applies to this number of calls.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Applies to every n-th call.
    pub fn every(mut self, n: u64) -> Self {
        self.every = Some(n);
        self
    }

    /// Applies with a probability.
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Applies for this time after the plan was set, by the simulator's clock.
    pub fn for_duration(mut self, time: Duration) -> Self {
        self.for_seconds = Some(time.as_secs_f64());
        self
    }
}

/// The effect of a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FaultAction {
    /// Responds with this status (400 to 599) and the usual error body, without effect.
    Status {
        /// The status.
        status: u16,
        /// The `Retry-After` header, if any.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// Responds with an HTML page, as a gateway in front of the service does.
    Html {
        /// The status.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// Responds with an error that repeats the request: its token or secret in each member,
    /// and all of it in `message`.
    Echo {
        /// The status.
        status: u16,
    },
    /// Waits in real time, then responds as usual.
    Delay {
        /// The delay, in milliseconds.
        milliseconds: u64,
    },
    /// Performs the operation and closes the connection instead of responding.
    Disconnect,
    /// Announces the whole body and closes the connection in the middle.
    Truncate,
    /// Revokes every token first, so that this call has an invalid one.
    RevokeTokens,
    /// Responds with the usual status and a body that is not JSON.
    Malformed,
    /// Names the page of the call as the next page, by the key or the cursor of the call. A call
    /// without either gets the usual response.
    RepeatPage,
    /// Omits one endpoint of a bulk isolation: it does not change, and the response omits
    /// it.
    OmitEndpoint {
        /// The endpoint; by default, the last of the call.
        #[serde(default)]
        endpoint: Option<String>,
    },
    /// Adds to the response of a bulk isolation an endpoint that the request does not name.
    ExtraEndpoint {
        /// The endpoint; by default, a generated one.
        #[serde(default)]
        endpoint: Option<String>,
    },
}

fn bad_gateway() -> u16 {
    502
}

impl FaultAction {
    /// An error response with this status.
    pub fn status(status: u16) -> Self {
        Self::Status { status, retry_after: None }
    }

    /// A 429 response with or without `Retry-After`.
    pub fn throttle(retry_after: Option<RetryAfter>) -> Self {
        Self::Status { status: 429, retry_after }
    }
}

/// A `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// A date this number of seconds after the simulator's time.
    HttpDate(u64),
}

/// The current plan and its progress.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    state: Mutex<FaultState>,
}

#[derive(Debug, Default)]
struct FaultState {
    plan: FaultPlan,
    progress: Vec<RuleProgress>,
    since_ms: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct RuleProgress {
    matched: u64,
    fired: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64, plan: FaultPlan, now_ms: i64) -> Self {
        let faults = Self { seed: mix(seed, 0x0066_6175_6c74), state: Mutex::default() };
        faults.set(plan, now_ms);
        faults
    }

    pub(crate) fn set(&self, plan: FaultPlan, now_ms: i64) {
        let progress = vec![RuleProgress::default(); plan.rules.len()];
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) =
            FaultState { plan, progress, since_ms: now_ms };
    }

    pub(crate) fn plan(&self) -> FaultPlan {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.plan.clone()
    }

    /// Counts a call and returns the fault to apply to it.
    pub(crate) fn next_fault(
        &self,
        operation: &str,
        tenant: Option<&str>,
        now_ms: i64,
    ) -> Option<FaultAction> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let FaultState { plan, progress, since_ms } = &mut *state;
        let age_seconds = now_ms.saturating_sub(*since_ms) as f64 / 1e3;
        for (at, (rule, progress)) in plan.rules.iter().zip(progress).enumerate() {
            if rule.operation != "*" && rule.operation != operation {
                continue;
            }
            if let Some(wanted) = &rule.tenant
                && !tenant.is_some_and(|t| t.eq_ignore_ascii_case(wanted))
            {
                continue;
            }
            if rule.for_seconds.is_some_and(|seconds| age_seconds >= seconds) {
                continue;
            }
            let call = progress.matched;
            progress.matched += 1;
            if call < rule.skip || rule.times.is_some_and(|times| progress.fired >= times) {
                continue;
            }
            if rule.every.is_some_and(|n| (call - rule.skip) % n != 0) {
                continue;
            }
            if let Some(probability) = rule.probability {
                let draw = mix(mix(self.seed, at as u64), call);
                if !Rng::new(draw).chance(probability) {
                    continue;
                }
            }
            progress.fired += 1;
            return Some(rule.action.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(rule: FaultRule, calls: usize) -> String {
        let faults = Faults::new(1, FaultPlan::new([rule]), 0);
        (0..calls)
            .map(|call| match faults.next_fault("token", Some("T"), call as i64 * 1_000) {
                Some(_) => 'x',
                None => '.',
            })
            .collect()
    }

    #[test]
    fn fault_rule_honors_skip_times_and_every() {
        let rule = || FaultRule::new("token", FaultAction::Disconnect);
        assert_eq!(pattern(rule().skip(2).times(3), 8), "..xxx...");
        assert_eq!(pattern(rule().skip(1).every(3), 8), ".x..x..x");
        assert_eq!(pattern(rule().times(2).every(2), 6), "x.x...");
        assert_eq!(pattern(rule().tenant("t"), 2), "xx");
        assert_eq!(pattern(rule().tenant("u"), 2), "..");
        assert_eq!(pattern(rule().for_duration(Duration::from_secs(3)), 5), "xxx..", "a call each second");
        assert_eq!(pattern(rule().for_duration(Duration::from_millis(2_500)).skip(1).every(2), 6), ".x....");
        assert_eq!(pattern(FaultRule::new("whoami", FaultAction::Disconnect), 2), "..");
    }

    #[test]
    fn fault_probability_is_deterministic_for_a_seed() {
        let rule = FaultRule::new("*", FaultAction::Disconnect).probability(0.5);
        let first = pattern(rule.clone(), 200);
        assert_eq!(first, pattern(rule, 200));
        let fired = first.matches('x').count();
        assert!((60..140).contains(&fired), "{fired}");
    }
}
