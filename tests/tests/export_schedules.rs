//! Property tests of schedules and faults: each record once, none missing.

use std::{sync::Arc, time::Duration};

use end_to_end::{CommittedExport, TestEnv};
use local_lambda::InvocationOutcome;
use proptest::prelude::*;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, FaultAction, FaultPlan, FaultRule,
    Owner, Role, TenantGroup,
};
use tokio::runtime::Runtime;

/// A run, and the events before it.
#[derive(Debug, Clone)]
struct ScheduledRun {
    pause: Duration,
    fault: Option<FaultWindow>,
    /// Whether it runs in a new process.
    cold_start: bool,
}

#[derive(Debug, Clone)]
struct FaultWindow {
    action: FaultAction,
    skip: u64,
    times: u64,
}

fn any_run() -> impl Strategy<Value = ScheduledRun> {
    let pause = prop_oneof![
        4 => 0_u64..900,
        2 => 900_u64..20_000,
        1 => 80_000_u64..90_000,
        1 => 90_000_u64..300_000,
    ];
    let action = prop_oneof![
        Just(FaultAction::status(503)),
        Just(FaultAction::status(403)),
        Just(FaultAction::Disconnect),
        Just(FaultAction::Truncate),
        Just(FaultAction::Malformed),
        Just(FaultAction::RevokeTokens),
    ];
    let trouble =
        (action, 0_u64..6, 1_u64..9).prop_map(|(action, skip, times)| FaultWindow { action, skip, times });
    (pause, prop::option::weighted(0.4, trouble), any::<bool>()).prop_map(|(pause, trouble, cold)| {
        ScheduledRun { pause: Duration::from_secs(pause), fault: trouble, cold_start: cold }
    })
}

fn config(seed: u64, pace: f64) -> Config {
    Config {
        seed,
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![TenantGroup { name: Some("Acme".into()), ..TenantGroup::new(Owner::Standalone, 1) }],
        credentials: vec![CredentialConfig::for_tenant("Acme", Role::ReadOnly)],
        data: DataConfig {
            events_per_hour: pace,
            alerts_per_hour: pace / 5.0,
            late_share: 0.1,
            repeat_share: 0.1,
            ..DataConfig::default()
        },
        ..Config::default()
    }
}

/// Runs a schedule. All records up to the end of the last run without faults must be committed.
async fn run_schedule(seed: u64, pace: f64, steps: Vec<ScheduledRun>) -> Result<(), TestCaseError> {
    let fail = |error: std::io::Error| TestCaseError::fail(error.to_string());
    let env = TestEnv::start(config(seed, pace), CredentialKind::Tenant).await.map_err(fail)?;
    let folder = tempfile::tempdir().map_err(fail)?;
    let location = folder.path().to_string_lossy().into_owned();
    let start =
        async || env.export_function(&location).start().await.map_err(|e| TestCaseError::fail(e.to_string()));
    let mut sandbox = start().await?;
    env.run_export(&mut sandbox).await.map_err(fail)?;
    let mut refused = false;
    for step in steps {
        env.simulator.clock().advance(step.pause);
        refused |= step.fault.as_ref().is_some_and(|trouble| trouble.action == FaultAction::status(403));
        let rules = step
            .fault
            .into_iter()
            .map(|trouble| FaultRule::new("*", trouble.action).skip(trouble.skip).times(trouble.times));
        env.simulator.set_faults(FaultPlan::new(rules));
        if step.cold_start {
            sandbox = start().await?;
        }
        let outcome = sandbox.invoke_with_deadline(&TestEnv::schedule_event(), Duration::from_secs(3)).await;
        if !matches!(outcome, InvocationOutcome::Ok(_) | InvocationOutcome::FunctionError { .. }) {
            // A busy machine may exceed the timeout: Lambda starts a new process.
            sandbox = start().await?;
        }
    }
    env.simulator.set_faults(FaultPlan::default());
    if refused {
        // A credential may be paused for a minute, which a new process does not know.
        sandbox = start().await?;
    }
    env.run_export(&mut sandbox).await.map_err(fail)?;

    let committed = CommittedExport::load(folder.path()).map_err(fail)?;
    if let Some(defect) = env.defects(&committed).first() {
        return Err(TestCaseError::fail(defect.to_string()));
    }
    // Within the last day, without a possible gap before it and late records.
    let now = env.simulator.clock().now_ms();
    if let Some(defect) = env.missing(&committed, now - 86_300_000, now - 121_000).first() {
        return Err(TestCaseError::fail(defect.to_string()));
    }
    Ok(())
}

#[test]
fn each_record_is_exported_once_under_any_schedule() {
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let settings =
        ProptestConfig { cases: 16, max_shrink_iters: 12, failure_persistence: None, ..Default::default() };
    let schedules = (any::<u64>(), 1.0_f64..400.0, prop::collection::vec(any_run(), 1..10));
    proptest!(settings, |((seed, pace, steps) in schedules)| {
        runtime.block_on(run_schedule(seed, pace, steps))?;
    });
}
