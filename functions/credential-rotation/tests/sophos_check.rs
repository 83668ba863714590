//! The test of a credential at the simulator.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use credential_rotation::{CredentialCheck, CredentialCheckError, SophosCredentialCheck};
use sophos_api::{Hosts, RateLimit, ReqwestTransport, Transport, TransportError};
use sophos_secrets::{Purpose, SecretString, StoredCredential};
use sophos_simulator::{
    Config, CredentialConfig, CredentialInfo, CredentialKind, FaultAction, FaultPlan, FaultRule, Owner, Role,
    Simulator, TenantGroup, TenantState,
};

const EXPORT: &[Purpose] = &[Purpose::Export];
const ISOLATION: &[Purpose] = &[Purpose::Isolation];

/// The deadline, which is later than all waits.
const DAY: Duration = Duration::from_secs(86_400);

/// A transport whose clock advances with each wait.
#[derive(Clone)]
struct ManualClockTransport {
    transport: ReqwestTransport,
    waited: Arc<Mutex<Duration>>,
}

impl Transport for ManualClockTransport {
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

struct TestEnv {
    simulator: Simulator,
    check: SophosCredentialCheck<ManualClockTransport>,
}

impl TestEnv {
    /// Three credentials of the partner, one of an organization, one of a tenant.
    async fn start(tenants: usize) -> Self {
        let of = CredentialConfig::new;
        let groups = [
            TenantGroup::new(Owner::Partner, tenants),
            TenantGroup::new(Owner::Organization, 1),
            TenantGroup { id: Some(TENANT.into()), ..TenantGroup::new(Owner::Standalone, 1) },
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
        let mut hosts = Hosts::new(url(simulator.identity_url()), url(simulator.global_url()));
        for (region, address) in simulator.addresses().regions {
            hosts = hosts.with_region(&region, url(address));
        }
        let transport = ReqwestTransport::new().expect("TLS");
        let transport = ManualClockTransport { transport, waited: Arc::default() };
        let stop_at = transport.now() + DAY;
        let trial = SophosCredentialCheck::new(transport, hosts, RateLimit::unlimited(), stop_at);
        Self { simulator, check: trial }
    }

    fn info(&self, at: usize) -> CredentialInfo {
        self.simulator.credentials().swap_remove(at)
    }

    async fn run(
        &self,
        candidate: &StoredCredential,
        current: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> Result<(), CredentialCheckError> {
        let outcome = self.check.check(candidate, current, purposes).await;
        if let Err(error) = &outcome {
            let said = error.to_string();
            for info in self.simulator.credentials() {
                assert!(!said.contains(&info.client_secret), "{said}");
            }
            assert!(!said.contains("eyJhbGci"), "{said}");
        }
        outcome
    }

    fn request_count(&self, operation: &str) -> u64 {
        self.simulator.calls().operation(operation)
    }
}

const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

/// A stored credential with more members.
fn stored(info: &CredentialInfo, more: &str) -> StoredCredential {
    let CredentialInfo { client_id, client_secret, .. } = info;
    let json = format!(r#"{{"client_id":"{client_id}","client_secret":"{client_secret}"{more}}}"#);
    StoredCredential::from_json(&SecretString::from(json)).expect("a credential")
}

fn rejection(outcome: Result<(), CredentialCheckError>) -> String {
    match outcome {
        Err(CredentialCheckError::Rejected(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn check_reads_for_each_purpose_and_changes_nothing() {
    let env = TestEnv::start(2).await;
    let (current, next) = (stored(&env.info(0), ""), stored(&env.info(1), ""));
    for (purposes, alerts, endpoints) in
        [(EXPORT, 1, 0), (ISOLATION, 0, 1), (&[Purpose::Export, Purpose::Isolation], 1, 1)]
    {
        env.simulator.reset_calls();
        env.run(&next, Some(&current), purposes).await.expect("it can take over");
        let calls = ["token", "whoami", "partner.tenants", "alerts.list", "endpoints.list"];
        assert_eq!(calls.map(|call| env.request_count(call)), [2, 2, 1, alerts, endpoints], "{purposes:?}");
    }
    assert!(env.simulator.isolation_changes().is_empty());
    let own = stored(&env.info(3), "");
    env.run(&own, Some(&own), ISOLATION).await.expect("a tenant's own");
    let organization = stored(&env.info(2), "");
    env.run(&organization, Some(&organization), EXPORT).await.expect("an organization's");
}

#[tokio::test]
async fn check_error_redacts_echoed_secrets() {
    let env = TestEnv::start(1).await;
    let (current, next) = (stored(&env.info(0), ""), stored(&env.info(1), ""));
    for status in [401, 403, 500] {
        for operation in ["token", "whoami", "partner.tenants", "alerts.list"] {
            let echo = FaultRule::new(operation, FaultAction::Echo { status });
            env.simulator.set_faults(FaultPlan::new([echo]));
            let error = env.run(&next, Some(&current), EXPORT).await.expect_err("a refusal");
            assert!(error.to_string().contains("[redacted]"), "{status} {operation}: {error}");
        }
    }
}

#[tokio::test]
async fn check_rejects_a_credential_of_another_owner() {
    let env = TestEnv::start(1).await;
    let current = stored(&env.info(0), "");
    for at in [2, 3] {
        let (other, expected) = (env.info(at), env.info(0));
        let reason = rejection(env.run(&stored(&other, ""), Some(&current), EXPORT).await).to_lowercase();
        for part in [&other.id_type, &other.principal_id, &expected.principal_id] {
            assert!(reason.contains(part.as_str()), "{part}: {reason}");
        }
    }
    let claims = stored(&env.info(1), &format!(r#","tenant_id":"{TENANT}""#));
    let reason = rejection(env.run(&claims, Some(&current), EXPORT).await);
    assert!(reason.contains("belongs to partner"), "{reason}");
}

#[tokio::test]
async fn check_uses_the_declared_owner_when_current_is_refused() {
    let env = TestEnv::start(1).await;
    let (old, new) = (env.info(0), env.info(1));
    assert!(env.simulator.expire_credential(&old.client_id));
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
        let outcome = env.run(&stored(&new, next), current.as_ref(), EXPORT).await;
        match good {
            true => outcome.expect("it can take over"),
            false => assert!(rejection(outcome).contains(TENANT)),
        }
    }
    for current in [Some(stored(&old, "")), None] {
        let outcome = env.run(&stored(&new, ""), current.as_ref(), EXPORT).await;
        let Err(CredentialCheckError::OwnerUnknown(owner)) = outcome else { panic!("{outcome:?}") };
        assert!(owner.id.eq_ignore_ascii_case(&new.principal_id), "{owner}");
    }
}

#[tokio::test]
async fn check_rejects_a_refused_credential() {
    let env = TestEnv::start(1).await;
    let (current, info) = (stored(&env.info(0), ""), env.info(1));
    let mut wrong = info.clone();
    wrong.client_secret = "hush-hush".into();
    let reason = rejection(env.run(&stored(&wrong, ""), Some(&current), EXPORT).await);
    assert!(reason.contains("rejected") && !reason.contains("hush"), "{reason}");
    env.simulator.expire_credential(&info.client_id);
    rejection(env.run(&stored(&info, ""), Some(&current), EXPORT).await);
}

#[tokio::test]
async fn check_passes_when_one_tenant_responds() {
    let env = TestEnv::start(4).await;
    let (current, next) = (stored(&env.info(0), ""), stored(&env.info(1), ""));
    let partners: Vec<_> =
        env.simulator.tenants().into_iter().filter(|t| t.owner == Owner::Partner).collect();
    for tenant in &partners[..3] {
        env.simulator.set_tenant_state(&tenant.id, TenantState::Forbidden);
    }
    env.run(&next, Some(&current), EXPORT).await.expect("the fourth");
    env.simulator.set_tenant_state(&partners[3].id, TenantState::AlertsDenied);
    env.run(&next, Some(&current), ISOLATION).await.expect("its endpoints");
    let reason = rejection(env.run(&next, Some(&current), EXPORT).await);
    assert!(reason.contains("/common/v1/alerts") && reason.contains("403"), "{reason}");
}

#[tokio::test]
async fn check_passes_for_an_account_without_tenants() {
    let env = TestEnv::start(0).await;
    let (current, next) = (stored(&env.info(0), ""), stored(&env.info(1), ""));
    env.run(&next, Some(&current), EXPORT).await.expect("there is nothing to read from");
    assert_eq!(env.request_count("alerts.list"), 0);
}

#[tokio::test]
async fn check_error_is_transient_when_the_service_fails() {
    let env = TestEnv::start(2).await;
    let (current, next) = (stored(&env.info(0), ""), stored(&env.info(1), ""));
    for operation in ["token", "whoami", "partner.tenants", "alerts.list"] {
        for action in [
            FaultAction::status(503),
            FaultAction::throttle(None),
            FaultAction::Malformed,
            FaultAction::Disconnect,
        ] {
            let rule = FaultRule::new(operation, action.clone());
            env.simulator.set_faults(FaultPlan::new([rule]));
            let outcome = env.run(&next, Some(&current), EXPORT).await;
            assert!(
                matches!(outcome, Err(CredentialCheckError::Transient(_))),
                "{operation} {action:?}: {outcome:?}"
            );
        }
    }
    // The owner of the current credential is unknown; that does not make metadata trustworthy.
    let rule = FaultRule::new("token", FaultAction::status(503)).skip(1);
    env.simulator.set_faults(FaultPlan::new([rule]));
    let named = stored(&env.info(0), &format!(r#","partner_id":"{}""#, env.info(0).principal_id));
    let outcome = env.run(&next, Some(&named), EXPORT).await;
    assert!(matches!(outcome, Err(CredentialCheckError::Transient(_))), "{outcome:?}");
}
