//! The test of a credential, at a Sophos Central on this machine.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use credential_rotation::{SophosTrial, Trial, TrialError};
use sophos_api::{Hosts, RateBudget, ReqwestTransport, Transport, TransportError};
use sophos_secrets::{Purpose, SecretString, StoredCredential};
use sophos_simulator::{
    Config, CredentialConfig, CredentialInfo, CredentialKind, FaultAction, FaultPlan, FaultRule, Owner, Role,
    Simulator, TenantGroup, TenantState,
};

const EXPORT: &[Purpose] = &[Purpose::Export];
const ISOLATION: &[Purpose] = &[Purpose::Isolation];

/// Where the deadline is. Nothing else is waited for as long.
const DAY: Duration = Duration::from_secs(86_400);

/// A transport whose clock is turned by what it is to wait.
#[derive(Clone)]
struct Clocked {
    transport: ReqwestTransport,
    waited: Arc<Mutex<Duration>>,
}

impl Transport for Clocked {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> impl Future<Output = Result<http::Response<bytes::Bytes>, TransportError>> + Send {
        self.transport.send(request, timeout)
    }

    fn now(&self) -> Duration {
        self.transport.now() + *self.waited.lock().expect("no panic")
    }

    async fn sleep(&self, duration: Duration) {
        if duration > DAY / 2 {
            std::future::pending::<()>().await;
        }
        *self.waited.lock().expect("no panic") += duration;
    }
}

struct World {
    simulator: Simulator,
    trial: SophosTrial<Clocked>,
}

impl World {
    /// Three credentials of the partner, one of an organization, one of a tenant.
    async fn start(tenants: usize) -> Self {
        let of = CredentialConfig::new;
        let groups = [
            TenantGroup::of(Owner::Partner, tenants),
            TenantGroup::of(Owner::Organization, 1),
            TenantGroup { id: Some(TENANT.into()), ..TenantGroup::of(Owner::Alone, 1) },
        ];
        let config = Config {
            tenants: groups.into_iter().filter(|group| group.count > 0).collect(),
            credentials: vec![
                of(CredentialKind::Partner, Role::ReadOnly),
                of(CredentialKind::Partner, Role::ReadOnly),
                of(CredentialKind::Organization, Role::ReadOnly),
                CredentialConfig::for_tenant(TENANT, Role::ReadOnly),
            ],
            ..Config::default()
        };
        let simulator = Simulator::start(config).await.expect("a simulator");
        let url = |url: String| url.parse().expect("a url");
        let mut hosts = Hosts::at(url(simulator.identity_url()), url(simulator.global_url()));
        for (region, address) in simulator.addresses().regions {
            hosts = hosts.with_region(&region, url(address));
        }
        let transport = ReqwestTransport::new().expect("TLS");
        let transport = Clocked { transport, waited: Arc::default() };
        let stop_at = transport.now() + DAY;
        let trial = SophosTrial::new(transport, hosts, RateBudget::unlimited(), stop_at);
        Self { simulator, trial }
    }

    fn info(&self, at: usize) -> CredentialInfo {
        self.simulator.credentials().swap_remove(at)
    }

    async fn run(
        &self,
        candidate: &StoredCredential,
        current: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> Result<(), TrialError> {
        let outcome = self.trial.run(candidate, current, purposes).await;
        if let Err(error) = &outcome {
            let said = error.to_string();
            for info in self.simulator.credentials() {
                assert!(!said.contains(&info.client_secret), "{said}");
            }
            assert!(!said.contains("eyJhbGci"), "{said}");
        }
        outcome
    }

    fn calls(&self, operation: &str) -> u64 {
        self.simulator.calls().operation(operation)
    }
}

const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

/// A credential as it is stored, with more members.
fn stored(info: &CredentialInfo, more: &str) -> StoredCredential {
    let CredentialInfo { client_id, client_secret, .. } = info;
    let json = format!(r#"{{"client_id":"{client_id}","client_secret":"{client_secret}"{more}}}"#);
    StoredCredential::from_json(&SecretString::from(json)).expect("a credential")
}

fn unfit(outcome: Result<(), TrialError>) -> String {
    match outcome {
        Err(TrialError::Unfit(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_reads_what_it_will_be_used_for_and_changes_nothing() {
    let world = World::start(2).await;
    let (current, next) = (stored(&world.info(0), ""), stored(&world.info(1), ""));
    for (purposes, alerts, endpoints) in
        [(EXPORT, 1, 0), (ISOLATION, 0, 1), (&[Purpose::Export, Purpose::Isolation], 1, 1)]
    {
        world.simulator.reset_calls();
        world.run(&next, Some(&current), purposes).await.expect("it can take over");
        let calls = ["token", "whoami", "partner.tenants", "alerts.list", "endpoints.list"];
        assert_eq!(calls.map(|call| world.calls(call)), [2, 2, 1, alerts, endpoints], "{purposes:?}");
    }
    assert!(world.simulator.isolation_changes().is_empty());
    let own = stored(&world.info(3), "");
    world.run(&own, Some(&own), ISOLATION).await.expect("a tenant's own");
    let organization = stored(&world.info(2), "");
    world.run(&organization, Some(&organization), EXPORT).await.expect("an organization's");
}

#[tokio::test]
async fn no_error_repeats_a_secret_that_the_service_repeats() {
    let world = World::start(1).await;
    let (current, next) = (stored(&world.info(0), ""), stored(&world.info(1), ""));
    for status in [401, 403, 500] {
        for operation in ["token", "whoami", "partner.tenants", "alerts.list"] {
            let echo = FaultRule::new(operation, FaultAction::Echo { status });
            world.simulator.set_faults(FaultPlan::new([echo]));
            let error = world.run(&next, Some(&current), EXPORT).await.expect_err("a refusal");
            assert!(error.to_string().contains("[redacted]"), "{status} {operation}: {error}");
        }
    }
}

#[tokio::test]
async fn it_must_belong_to_the_same_account() {
    let world = World::start(1).await;
    let current = stored(&world.info(0), "");
    for at in [2, 3] {
        let (other, expected) = (world.info(at), world.info(0));
        let reason = unfit(world.run(&stored(&other, ""), Some(&current), EXPORT).await).to_lowercase();
        for told in [&other.id_type, &other.principal_id, &expected.principal_id] {
            assert!(reason.contains(told.as_str()), "{told}: {reason}");
        }
    }
    let claims = stored(&world.info(1), &format!(r#","tenant_id":"{TENANT}""#));
    let reason = unfit(world.run(&claims, Some(&current), EXPORT).await);
    assert!(reason.contains("belongs to partner"), "{reason}");
}

#[tokio::test]
async fn when_the_current_one_is_refused_what_is_written_counts() {
    let world = World::start(1).await;
    let (old, new) = (world.info(0), world.info(1));
    assert!(world.simulator.expire_credential(&old.client_id));
    let right = format!(r#","partner_id":"{}""#, old.principal_id.to_uppercase());
    let wrong = format!(r#","tenant_id":"{TENANT}""#);
    for (current, next, good) in [
        (Some(right.as_str()), "", true),
        (Some(""), right.as_str(), true),
        (None, &right, true),
        (Some(&wrong), "", false),
        (Some(&wrong), &right, false),
    ] {
        let current = current.map(|more| stored(&old, more));
        let outcome = world.run(&stored(&new, next), current.as_ref(), EXPORT).await;
        match good {
            true => outcome.expect("it can take over"),
            false => assert!(unfit(outcome).contains(TENANT)),
        }
    }
    for current in [Some(stored(&old, "")), None] {
        let outcome = world.run(&stored(&new, ""), current.as_ref(), EXPORT).await;
        let Err(TrialError::OwnerUnknown(owner)) = outcome else { panic!("{outcome:?}") };
        assert!(owner.id.eq_ignore_ascii_case(&new.principal_id), "{owner}");
    }
}

#[tokio::test]
async fn a_refused_credential_is_unfit() {
    let world = World::start(1).await;
    let (current, info) = (stored(&world.info(0), ""), world.info(1));
    let mut wrong = info.clone();
    wrong.client_secret = "hush-hush".into();
    let reason = unfit(world.run(&stored(&wrong, ""), Some(&current), EXPORT).await);
    assert!(reason.contains("refused") && !reason.contains("hush"), "{reason}");
    world.simulator.expire_credential(&info.client_id);
    unfit(world.run(&stored(&info, ""), Some(&current), EXPORT).await);
}

#[tokio::test]
async fn one_tenant_that_answers_is_enough() {
    let world = World::start(4).await;
    let (current, next) = (stored(&world.info(0), ""), stored(&world.info(1), ""));
    let partners: Vec<_> =
        world.simulator.tenants().into_iter().filter(|t| t.owner == Owner::Partner).collect();
    for tenant in &partners[..3] {
        world.simulator.set_tenant_state(&tenant.id, TenantState::Forbidden);
    }
    world.run(&next, Some(&current), EXPORT).await.expect("the fourth");
    world.simulator.set_tenant_state(&partners[3].id, TenantState::AlertsDenied);
    world.run(&next, Some(&current), ISOLATION).await.expect("its endpoints");
    let reason = unfit(world.run(&next, Some(&current), EXPORT).await);
    assert!(reason.contains("/common/v1/alerts") && reason.contains("403"), "{reason}");
}

#[tokio::test]
async fn an_account_without_tenants_can_rotate() {
    let world = World::start(0).await;
    let (current, next) = (stored(&world.info(0), ""), stored(&world.info(1), ""));
    world.run(&next, Some(&current), EXPORT).await.expect("there is nothing to read from");
    assert_eq!(world.calls("alerts.list"), 0);
}

#[tokio::test]
async fn what_the_service_suffers_from_is_not_held_against_the_credential() {
    let world = World::start(2).await;
    let (current, next) = (stored(&world.info(0), ""), stored(&world.info(1), ""));
    for operation in ["token", "whoami", "partner.tenants", "alerts.list"] {
        for action in
            [FaultAction::status(503), FaultAction::throttle(None), FaultAction::Malformed, FaultAction::Cut]
        {
            let rule = FaultRule::new(operation, action.clone());
            world.simulator.set_faults(FaultPlan::new([rule]));
            let outcome = world.run(&next, Some(&current), EXPORT).await;
            assert!(matches!(outcome, Err(TrialError::Passing(_))), "{operation} {action:?}: {outcome:?}");
        }
    }
    // The current one alone cannot be asked: that is no reason to trust what is written.
    let rule = FaultRule::new("token", FaultAction::status(503)).skip(1);
    world.simulator.set_faults(FaultPlan::new([rule]));
    let named = stored(&world.info(0), &format!(r#","partner_id":"{}""#, world.info(0).principal_id));
    let outcome = world.run(&next, Some(&named), EXPORT).await;
    assert!(matches!(outcome, Err(TrialError::Passing(_))), "{outcome:?}");
}
