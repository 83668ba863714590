//! The session that an instance is.

use std::{cell::RefCell, ops::AsyncFnOnce, time::Duration};

use sophos_api::{Client, Error, RetryPolicy, Transport};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::session::{Guest, Identity, Limits, Usage},
        sophos::central::types::Failure,
    },
    grant::HostGrant,
    run::run,
    transport::Outbound,
};

thread_local! {
    static STATE: RefCell<State> = const {
        RefCell::new(State {
            limits: Limits { call_ms: 60_000, request_ms: 30_000, attempts: 4 },
            client: None,
        })
    };
}

struct State {
    limits: Limits,
    client: Option<Client<Outbound>>,
}

/// Carries out one call, within the time that it may take.
pub(crate) fn call<V>(what: impl AsyncFnOnce(&Client<Outbound>) -> Result<V, Error>) -> Result<V, Failure> {
    let client = client()?;
    run(what(&client)).map_err(Failure::from)
}

/// The session's client, whose deadline is that of a call which begins now.
fn client() -> Result<Client<Outbound>, Failure> {
    let begun = STATE.with_borrow(|state| Some((state.client.clone()?, state.limits)));
    let (client, limits) = match begun {
        Some(begun) => begun,
        None => begin()?,
    };
    let call = Duration::from_millis(limits.call_ms.into());
    Ok(client.with_deadline(client.transport().now() + call))
}

fn begin() -> Result<(Client<Outbound>, Limits), Failure> {
    // The host is asked while nothing is borrowed.
    let (grant, hosts) = HostGrant::first()?;
    Ok(STATE.with_borrow_mut(|state| {
        let retry = RetryPolicy {
            attempts: state.limits.attempts,
            attempt_timeout: Duration::from_millis(state.limits.request_ms.into()),
            ..RetryPolicy::default()
        };
        let client = Client::builder(Outbound, grant).hosts(hosts).retry(retry).build();
        (state.client.insert(client).clone(), state.limits)
    }))
}

impl Guest for Component {
    fn whoami() -> Result<Identity, Failure> {
        let identity = call(async |client| client.identity().await)?;
        Ok(Identity { id: identity.id, kind: identity.id_type.as_str().to_owned() })
    }

    fn limit(limits: Limits) -> Result<(), Failure> {
        if [limits.call_ms, limits.request_ms, limits.attempts].contains(&0) {
            return Err(Error::invalid("a limit of zero lets nothing through").into());
        }
        STATE.with_borrow_mut(|state| {
            if state.client.is_some() {
                return Err(Error::invalid("the session has begun; set limits before the first call").into());
            }
            state.limits = limits;
            Ok(())
        })
    }

    fn usage_so_far() -> Usage {
        let stats = STATE.with_borrow(|state| state.client.as_ref().map(Client::stats)).unwrap_or_default();
        Usage {
            calls: stats.calls,
            token_requests: stats.token_requests,
            retries: stats.retries,
            throttled: stats.throttled,
            waited_ms: u64::try_from(stats.waited.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
