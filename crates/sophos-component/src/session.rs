//! The exported `session`, which is the state of the instance.

use std::{cell::RefCell, ops::AsyncFnOnce, time::Duration};

use sophos_api::{Client, Error, RetryPolicy, Transport};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::session::{Guest, Identity, Limits, Usage},
        sophos::central::types::Failure,
    },
    executor::block_on,
    grant::HostCredentialSource,
    transport::HostTransport,
};

thread_local! {
    static STATE: RefCell<SessionState> = const {
        RefCell::new(SessionState {
            limits: Limits { call_timeout_ms: 60_000, request_timeout_ms: 30_000, max_attempts: 4 },
            client: None,
        })
    };
}

struct SessionState {
    limits: Limits,
    client: Option<Client<HostTransport>>,
}

/// Runs one call within its time limit.
pub(crate) fn run_call<V>(
    call: impl AsyncFnOnce(&Client<HostTransport>) -> Result<V, Error>,
) -> Result<V, Failure> {
    let client = current_client()?;
    block_on(call(&client)).map_err(Failure::from)
}

/// Returns the session's client with the deadline of a call that starts now.
fn current_client() -> Result<Client<HostTransport>, Failure> {
    let started = STATE.with_borrow(|state| Some((state.client.clone()?, state.limits)));
    let (client, limits) = match started {
        Some(started) => started,
        None => start_session()?,
    };
    let timeout = Duration::from_millis(limits.call_timeout_ms.into());
    Ok(client.with_deadline(client.transport().now() + timeout))
}

fn start_session() -> Result<(Client<HostTransport>, Limits), Failure> {
    // The call to the host comes before the borrow.
    let (grant, hosts) = HostCredentialSource::request_initial()?;
    Ok(STATE.with_borrow_mut(|state| {
        let retry = RetryPolicy::new()
            .max_attempts(state.limits.max_attempts)
            .attempt_timeout(Duration::from_millis(state.limits.request_timeout_ms.into()));
        let client = Client::builder(HostTransport, grant).hosts(hosts).retry_policy(retry).build();
        (state.client.insert(client).clone(), state.limits)
    }))
}

impl Guest for Component {
    fn whoami() -> Result<Identity, Failure> {
        let identity = run_call(async |client| client.identity().await)?;
        Ok(Identity { id: identity.id, kind: identity.id_type.as_str().to_owned() })
    }

    fn set_limits(limits: Limits) -> Result<(), Failure> {
        if [limits.call_timeout_ms, limits.request_timeout_ms, limits.max_attempts].contains(&0) {
            return Err(Error::invalid("invalid limit \"0\": expected a positive number").into());
        }
        STATE.with_borrow_mut(|state| {
            if state.client.is_some() {
                return Err(Error::invalid(
                    "set-limits failed: the session has started; call it before the first operation",
                )
                .into());
            }
            state.limits = limits;
            Ok(())
        })
    }

    fn get_usage() -> Usage {
        let stats = STATE.with_borrow(|state| state.client.as_ref().map(Client::stats)).unwrap_or_default();
        Usage {
            api_requests: stats.api_requests,
            token_requests: stats.token_requests,
            retries: stats.retries,
            throttled: stats.throttled,
            wait_time_ms: u64::try_from(stats.wait_time.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
