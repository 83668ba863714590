//! Properties of resolution and isolation, for any estate and any order of events.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};
use sophos_isolation::{
    ApprovalAnswer, Decision, DecisionId, DecisionState, EndpointCandidate, EndpointDirectory, HostIdentity,
    IdentifierKind, Liveness, ResolutionTimes, Transition, resolve,
};
use sophos_simulator::{FaultAction, FaultRule, MachineConfig};

use crate::support::{ACME, HOUR, TestEnv, TestPolicy, change_text, id, machine, machines};

const NAMES: [&str; 6] = ["web", "web.a.example", "WEB.b.example", "db", "db.a.example", "dc01"];
const MACS: [&str; 4] = ["02:00:00:00:00:01", "02-00-00-00-00-02", "020000000003", "02:00:00:00:00:04"];
const ADDRESSES: [&str; 3] = ["10.0.0.1", "10.0.0.2", "192.168.1.1"];
const INSTANCES: [&str; 2] = ["i-0123456789abcdef0", "i-0fedcba9876543210"];

/// A machine of an estate with few unique identifiers.
#[derive(Debug, Clone)]
struct Machine {
    name: &'static str,
    macs: Vec<&'static str>,
    addresses: Vec<&'static str>,
    instance: Option<&'static str>,
    cloned: bool,
    online: bool,
    seen_seconds_ago: u32,
}

fn some_machine() -> impl Strategy<Value = Machine> {
    let seen = select(vec![30_u32, 3_600, 40 * 86_400]);
    let facts = (
        select(&NAMES[..]),
        vec(select(&MACS[..]), 0..2),
        vec(select(&ADDRESSES[..]), 0..2),
        option::weighted(0.3, select(&INSTANCES[..])),
    );
    let state = (prop::bool::weighted(0.1), prop::bool::weighted(0.8), seen);
    (facts, state).prop_map(|((name, macs, addresses, instance), (cloned, online, seen_seconds_ago))| {
        Machine { name, macs, addresses, instance, cloned, online, seen_seconds_ago }
    })
}

fn some_facts(machines: u32) -> impl Strategy<Value = Value> {
    let facts = (
        option::weighted(0.1, 1..=machines),
        option::weighted(0.2, select(&INSTANCES[..])),
        vec(select(&MACS[..]), 0..2),
        vec(select(&NAMES[..]), 0..2),
        vec(select(&ADDRESSES[..]), 0..2),
    );
    facts.prop_map(|(number, instance, macs, names, addresses)| {
        json!({
            "endpoint_id": number.map(id), "ec2_instance_id": instance, "mac_addresses": macs,
            "hostnames": names, "ip_addresses": addresses,
        })
    })
}

fn list(facts: &Value, name: &str) -> Vec<String> {
    let texts = facts[name].as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap().to_ascii_lowercase()).collect()
}

fn digits(mac: &str) -> String {
    mac.chars().filter(char::is_ascii_hexdigit).collect()
}

fn same_name(a: &str, b: &str) -> bool {
    let label = |name: &str| name.split('.').next().unwrap().to_owned();
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    a == b || (a.contains('.') != b.contains('.') && label(&a) == label(&b))
}

/// Whether an identifier is the machine's; `None` if the alert or the machine does
/// not have it.
fn fits(number: u32, machine: &Machine, facts: &Value, kind: IdentifierKind) -> Option<bool> {
    match kind {
        IdentifierKind::EndpointId => facts["endpoint_id"].as_str().map(|wanted| wanted == id(number)),
        IdentifierKind::Ec2InstanceId => Some(facts["ec2_instance_id"].as_str()? == machine.instance?),
        IdentifierKind::MacAddress => {
            let wanted: Vec<_> = list(facts, "mac_addresses").iter().map(|mac| digits(mac)).collect();
            let said = !wanted.is_empty() && !machine.macs.is_empty();
            said.then(|| machine.macs.iter().any(|mac| wanted.contains(&digits(mac))))
        }
        IdentifierKind::Hostname => {
            let wanted = list(facts, "hostnames");
            (!wanted.is_empty()).then(|| wanted.iter().any(|name| same_name(name, machine.name)))
        }
        IdentifierKind::IpAddress => {
            let wanted = list(facts, "ip_addresses");
            let is_wanted = |own: &str| wanted.iter().any(|wanted| wanted == own);
            (!wanted.is_empty()).then(|| machine.addresses.iter().any(|own| is_wanted(own)))
        }
    }
}

/// The identifiers that must match for a machine found by `by`: addresses change,
/// and a cloud has its own name for an instance.
fn required_identifiers(by: IdentifierKind) -> impl Iterator<Item = IdentifierKind> {
    let kinds = [
        IdentifierKind::EndpointId,
        IdentifierKind::Ec2InstanceId,
        IdentifierKind::MacAddress,
        IdentifierKind::Hostname,
    ];
    kinds
        .into_iter()
        .filter(move |kind| *kind != IdentifierKind::Hostname || by != IdentifierKind::Ec2InstanceId)
}

/// Checks the machine that was chosen among all.
fn check(all: &[Machine], number: u32, facts: &Value) -> Result<(), TestCaseError> {
    let machine = &all[number as usize - 1];
    let by = IdentifierKind::ALL.into_iter().find(|kind| fits(number, machine, facts, *kind) == Some(true));
    let by = by.ok_or_else(|| TestCaseError::fail("nothing that is said is its own"))?;
    for kind in required_identifiers(by) {
        prop_assert_ne!(fits(number, machine, facts, kind), Some(false), "{}", kind);
    }
    prop_assert!(!machine.cloned);
    prop_assert!(machine.online || machine.seen_seconds_ago < 30 * 86_400);
    let recent = |machine: &Machine| machine.seen_seconds_ago < 900;
    prop_assert!(by != IdentifierKind::IpAddress || recent(machine));
    for (other, twin) in (1..).zip(all).filter(|(other, _)| *other != number) {
        let also = |kind: IdentifierKind| {
            fits(other, twin, facts, kind) == Some(true) || fits(number, machine, facts, kind) != Some(true)
        };
        let kinds =
            IdentifierKind::ALL.into_iter().filter(|kind| *kind != IdentifierKind::IpAddress || by == *kind);
        let is_full = |machine: &Machine| {
            machine.name.contains('.')
                && list(facts, "hostnames").contains(&machine.name.to_ascii_lowercase())
        };
        let is_live = |machine: &Machine| machine.online || machine.seen_seconds_ago < 30 * 86_400;
        let has_all_addresses = |machine: &Machine| {
            let wanted = list(facts, "ip_addresses");
            let has = |wanted: &String| machine.addresses.iter().any(|own| own == wanted);
            recent(machine) && !wanted.is_empty() && wanted.iter().all(has)
        };
        let is_left_by_narrowing = (is_full(twin) || !is_full(machine))
            && (has_all_addresses(twin) || !has_all_addresses(machine))
            && (is_live(twin)
                || !twin.name.eq_ignore_ascii_case(machine.name) && by == IdentifierKind::Hostname);
        let as_good = kinds.into_iter().all(also)
            && is_left_by_narrowing
            && required_identifiers(by).all(|kind| fits(other, twin, facts, kind) != Some(false))
            && (by != IdentifierKind::IpAddress || recent(twin));
        prop_assert!(!as_good, "machine {other} could be meant as well");
    }
    Ok(())
}

fn candidate(number: u32, machine: &Machine, now: i64) -> EndpointCandidate {
    let seen = jiff::Timestamp::from_second(now - i64::from(machine.seen_seconds_ago)).unwrap();
    let endpoint = json!({
        "id": id(number), "tenant": { "id": ACME }, "hostname": machine.name, "macAddresses": machine.macs,
        "ipv4Addresses": machine.addresses, "cloned": machine.cloned, "online": machine.online,
        "lastSeenAt": seen.to_string(),
        "cloud": machine.instance.map(|instance| json!({ "provider": "aws", "instanceId": instance })),
    });
    EndpointCandidate { tenant: ACME.into(), endpoint: serde_json::from_value(endpoint).unwrap() }
}

/// The number of the endpoint that a host is among these.
fn resolve_number(candidates: &[EndpointCandidate], facts: &Value, now: i64) -> Option<u32> {
    let liveness = Liveness {
        seen_within: Duration::from_secs(30 * 86_400),
        address_seen_within: Duration::from_secs(900),
    };
    let identity = HostIdentity::from_identifiers(&serde_json::from_value(facts.clone()).unwrap()).ok()?;
    let now = Duration::from_secs(now as u64);
    let times = ResolutionTimes { liveness, now, observed_at: Some(now), evaluated_at: now };
    let all = UnfilteredDirectory(candidates);
    let resolution = block_on(resolve(&all, &identity, &times)).unwrap_or_else(|never| match never {});
    let found = resolution.outcome.ok()?;
    found.endpoint.id.rsplit('-').next().unwrap().parse().ok()
}

/// A directory that returns all endpoints for each query.
struct UnfilteredDirectory<'c>(&'c [EndpointCandidate]);

impl EndpointDirectory for UnfilteredDirectory<'_> {
    type Error = std::convert::Infallible;

    async fn candidates(
        &self,
        _: &HostIdentity,
        _: IdentifierKind,
    ) -> Result<Vec<EndpointCandidate>, Self::Error> {
        Ok(self.0.to_vec())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn resolve_chooses_one_that_fits_every_identifier(
        all in vec(some_machine(), 1..8),
        facts in some_facts(8),
        turn in 0_usize..8,
    ) {
        let now = 1_768_478_400;
        let mut candidates: Vec<_> =
            (1..).zip(&all).map(|(number, machine)| candidate(number, machine, now)).collect();
        let found = resolve_number(&candidates, &facts, now);
        let turn = turn % candidates.len();
        candidates.rotate_left(turn);
        candidates.reverse();
        prop_assert_eq!(resolve_number(&candidates, &facts, now), found, "the order makes no difference");
        if let Some(number) = found {
            check(&all, number, &facts)?;
        }
    }
}

fn machine_config(number: u32, said: &Machine) -> MachineConfig {
    MachineConfig {
        hostname: Some(said.name.into()),
        macs: Some(said.macs.iter().map(|mac| (*mac).to_owned()).collect()),
        ipv4: Some(said.addresses.iter().map(|address| address.parse().unwrap()).collect()),
        cloud_instance: said.instance.map(str::to_owned),
        cloned: Some(said.cloned),
        online: Some(said.online),
        last_seen_seconds_ago: Some(said.seen_seconds_ago),
        ..machine(number)
    }
}

pub(crate) fn block_on<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn engine_isolates_one_unprotected_endpoint(
        all in vec(some_machine(), 1..8),
        facts in vec(some_facts(8), 6),
    ) {
        block_on(async {
            let machines = (1..).zip(&all).map(|(number, machine)| machine_config(number, machine)).collect();
            let env = TestEnv::new(machines).await;
            let protected = format!("[protect]\nnames = [\"dc01\"]\nids = [\"{}\"]", id(2));
            let policy = TestPolicy { extra: &protected, ..TestPolicy::default() }.policy();
            let mut ids = Vec::new();
            for (at, facts) in facts.iter().enumerate() {
                ids.push(env.begin(&format!("event {at}"), facts.clone()).await);
            }
            env.engine().process(&policy, &ids, None).await;
            env.follow_up_for(&policy, 600).await;
            let mut targets = Vec::new();
            for (decision, facts) in ids.iter().zip(&facts) {
                let whole = env.decision(decision).await;
                prop_assert!(!matches!(whole.state(), DecisionState::Received | DecisionState::Claimed | DecisionState::Deferred));
                let Some(claim) = whole.claim() else { continue };
                let number: u32 = claim.target.endpoint.rsplit('-').next().unwrap().parse().unwrap();
                check(&all, number, facts)?;
                targets.push(number);
            }
            for change in env.changes() {
                let number: u32 = change.strip_prefix("on ").unwrap().parse().unwrap();
                prop_assert!(number != 2 && all[number as usize - 1].name != "dc01");
                prop_assert!(targets.contains(&number), "{number} is no decision's");
            }
            Ok(())
        })?;
    }
}

/// An event of the test.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Work(Vec<usize>),
    Race(Vec<usize>),
    Crash(Vec<usize>, bool),
    FollowUp,
    FollowUpTwice,
    Wait(u64),
    Answer(usize, bool),
    Release(usize),
    ReleaseMachine(u32),
    ReleaseOne(usize),
    Console(u32, bool),
    Online(u32, bool),
    Fault(u8),
}

const DECISIONS: usize = 6;

pub(crate) fn some_event() -> impl Strategy<Value = Event> {
    let some = || vec(0..DECISIONS, 1..4);
    prop_oneof![
        4 => some().prop_map(Event::Work),
        2 => some().prop_map(Event::Race),
        2 => (some(), any::<bool>()).prop_map(|(some, carried_out)| Event::Crash(some, carried_out)),
        4 => Just(Event::FollowUp),
        2 => Just(Event::FollowUpTwice),
        6 => select(vec![20_u64, 60, 120, 600, 1_800]).prop_map(Event::Wait),
        2 => (0..DECISIONS, prop::bool::weighted(0.8)).prop_map(|(at, yes)| Event::Answer(at, yes)),
        1 => (0..DECISIONS).prop_map(Event::Release),
        1 => (1_u32..4).prop_map(Event::ReleaseMachine),
        1 => (0..DECISIONS).prop_map(Event::ReleaseOne),
        2 => (1_u32..4, any::<bool>()).prop_map(|(number, on)| Event::Console(number, on)),
        1 => (1_u32..4, any::<bool>()).prop_map(|(number, online)| Event::Online(number, online)),
        2 => (0_u8..5).prop_map(Event::Fault),
    ]
}

fn fault(kind: u8) -> FaultRule {
    match kind {
        0 => FaultRule::new("isolation.bulk", FaultAction::Disconnect).times(1),
        1 => FaultRule::new("isolation.bulk", FaultAction::status(503)).times(1),
        2 => FaultRule::new("isolation.get", FaultAction::status(500)).times(6),
        3 => FaultRule::new("*", FaultAction::throttle(None)).times(3),
        _ => FaultRule::new("isolation.bulk", FaultAction::OmitEndpoint { endpoint: None }).times(2),
    }
}

pub(crate) async fn apply_event(env: &TestEnv, rules: &TestPolicy<'_>, ids: &[DecisionId], event: &Event) {
    let policy = rules.policy();
    let some = |some: &[usize]| some.iter().map(|at| ids[*at].clone()).collect::<Vec<_>>();
    match event {
        Event::Work(numbers) => drop(env.engine().process(&policy, &some(numbers), None).await),
        Event::Race(numbers) => {
            let some = some(numbers);
            let (one, other) = (env.engine(), env.engine());
            tokio::join!(one.process(&policy, &some, None), other.process(&policy, &some, None));
        }
        Event::Crash(numbers, carried_out) => {
            env.try_crash_run(&policy, &some(numbers), *carried_out).await;
        }
        Event::FollowUp => drop(env.follow_up(&policy).await),
        Event::FollowUpTwice => drop(tokio::join!(env.follow_up(&policy), env.follow_up(&policy))),
        Event::Wait(seconds) => env.advance_clock(*seconds),
        Event::Answer(at, yes) => {
            let answer = if *yes { ApprovalAnswer::Approve } else { ApprovalAnswer::Decline };
            drop(env.ledger().answer_approval(&ids[*at], answer, "ana", env.now()).await);
        }
        Event::Release(at) => drop(env.ledger().release_decision(&ids[*at], "ana", env.now()).await),
        Event::ReleaseMachine(number) => {
            drop(env.ledger().release_endpoint(ACME, &id(*number), "ana", env.now()).await);
        }
        // As a source releases its own isolation.
        Event::ReleaseOne(at) => drop(env.ledger().request_release(&ids[*at], "ana", env.now()).await),
        Event::Console(number, on) => drop(env.try_isolate_in_console(*number, *on, "by hand").await),
        Event::Online(number, online) => env.set_online(*number, *online),
        Event::Fault(kind) => env.fault(fault(*kind)),
    }
}

/// The time of a decision's first transition of this kind.
pub(crate) fn first_step_at(decision: &Decision, is: impl Fn(&Transition) -> bool) -> Option<u64> {
    decision.entries().iter().find(|entry| is(&entry.transition)).map(|entry| entry.at_ms)
}

pub(crate) async fn check_history(env: &TestEnv, ids: &[DecisionId]) -> Result<(), TestCaseError> {
    let mut decisions = Vec::new();
    for id in ids {
        let decision = env.decision(id).await;
        prop_assert!(decision.state().is_final(), "{} is {}", id, decision.state());
        decisions.push(decision);
    }
    let changes = env.sim.isolation_changes();
    let ours = |by: &str| by == env.client_id();
    for number in 1..4 {
        let of_it: Vec<_> = changes.iter().filter(|change| change.endpoint == id(number)).collect();
        for (before, change) in of_it.iter().zip(of_it.iter().skip(1)) {
            let twice =
                ours(&before.requested_by) && ours(&change.requested_by) && before.enabled && change.enabled;
            prop_assert!(!twice, "isolated twice: {:#?}", of_it);
        }
        if let Some(last) = of_it.last() {
            prop_assert!(!last.enabled || !ours(&last.requested_by), "{} for ever", change_text(last));
        }
        for off in of_it.iter().filter(|change| !change.enabled && ours(&change.requested_by)) {
            for decision in decisions.iter().filter(|decision| {
                decision.claim().is_some_and(|claim| claim.target.endpoint == off.endpoint)
            }) {
                let requested_at =
                    first_step_at(decision, |step| matches!(step, Transition::Requested { .. }));
                let ended = first_step_at(decision, |step| {
                    matches!(
                        step,
                        Transition::ReleasePending { .. }
                            | Transition::Transferred { .. }
                            | Transition::Superseded { .. }
                    )
                });
                let when = off.at_ms as u64;
                // An isolation that was ended externally is over, seen or not.
                let lost = of_it.iter().any(|change| {
                    let at = change.at_ms as u64;
                    !change.enabled
                        && !ours(&change.requested_by)
                        && requested_at.is_some_and(|requested_at| requested_at <= at)
                        && at <= when
                });
                let was_isolated = requested_at.is_some_and(|requested_at| requested_at < when)
                    && ended.is_none_or(|ended| ended > when);
                let holds = was_isolated && !lost;
                prop_assert!(!holds, "released too early for {:#?}", decision);
            }
        }
    }
    prop_assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
    for number in 1..4 {
        prop_assert_eq!(env.object_names(&format!("claims/{}/{}", ACME, id(number))).await, [""; 0]);
    }
    let slots = env.object_names(&format!("permits/estate/{ACME}")).await;
    prop_assert!(slots.iter().all(|slot| is_free(slot)), "{:?}", slots);
    Ok(())
}

fn is_free(slot: &str) -> bool {
    let (_, generation) = slot.split_once('.').unwrap();
    generation.parse::<u32>().unwrap() % 2 == 0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn isolation_is_single_and_ends_in_any_event_order(events in vec(some_event(), 5..40)) {
        block_on(async {
            let env = TestEnv::new(machines(6)).await;
            let more = "[approve]\nnames = [\"pc-3\"]\ntimeout = \"1h\"";
            let rules = TestPolicy { release: "1h", extra: more, ..TestPolicy::default() };
            let mut ids = Vec::new();
            for (at, seconds) in (0..DECISIONS as u32).zip([600, HOUR, 1_800, 1_800, 600, HOUR]) {
                let host = crate::support::host(1 + at / 2);
                let signal = json!({ "host": host, "release_after_seconds": seconds });
                ids.push(env.begin_with(&format!("event {at}"), signal).await);
            }
            for event in &events {
                apply_event(&env, &rules, &ids, event).await;
            }
            env.clear_faults();
            (1..4).for_each(|number| env.set_online(number, true));
            let engine = env.engine();
            for _ in 0..80 {
                env.advance_clock(300);
                engine.follow_up(&rules.policy(), None).await.unwrap();
            }
            check_history(&env, &ids).await
        })?;
    }
}
