//! The component in its hosts: the same scenarios as the native client, and the limits of
//! a component.

mod scenarios;

use end_to_end::hosts::{
    CallOutcome, Host, Language, SessionPlan, TENANT,
    confined::{OfferResult, run_confined},
    gateway::Gateway,
    player::Player,
    scenario::{Scenario, StepRecord},
};
use futures_util::future::join_all;
use scenarios::ACME;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

/// The results of one player; `None` for a scenario that it skips.
#[derive(Default)]
struct PlayedScenarios {
    player: String,
    scenarios: Vec<Option<Vec<StepRecord>>>,
    defects: Vec<String>,
}

/// Runs the scenarios in one host process.
async fn run_scenarios(mut player: Player, scenarios: &[Scenario]) -> PlayedScenarios {
    let mut results = PlayedScenarios { player: player.name(), ..PlayedScenarios::default() };
    for scenario in scenarios {
        if !scenario.applies_to(&player) {
            results.scenarios.push(None);
            continue;
        }
        match scenario.run(&mut player).await {
            Ok(Some(taken)) => results.scenarios.push(Some(taken)),
            Ok(None) => break,
            Err(error) => {
                results.defects.push(format!("{}, {}: {error}", results.player, scenario.name));
                break;
            }
        }
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn every_host_matches_the_native_client() {
    let scenarios = scenarios::all();
    let hosts = Language::ALL.map(|language| run_scenarios(Player::Component(language, None), &scenarios));
    let (native, hosts) = tokio::join!(run_scenarios(Player::Native(None), &scenarios), join_all(hosts));
    let mut defects = native.defects;
    assert_eq!(native.scenarios.len(), scenarios.len(), "{defects:?}");
    let mut note = |who: &str, scenario: &Scenario, found: Vec<String>| {
        defects.extend(found.iter().map(|defect| format!("{who}, {}: {defect}", scenario.name)));
    };
    for (scenario, taken) in scenarios.iter().zip(&native.scenarios) {
        // Functions that only components have are checked below.
        let steps = taken.iter().flatten().filter(|step| !step.is_absent());
        note(&native.player, scenario, steps.flat_map(StepRecord::mismatches).collect());
    }
    for host in &hosts {
        for ((scenario, taken), native) in scenarios.iter().zip(&host.scenarios).zip(&native.scenarios) {
            let Some(taken) = taken else { continue };
            let mut found: Vec<_> = taken.iter().flat_map(StepRecord::mismatches).collect();
            if let Some(native) = native {
                found.extend(taken.iter().zip(native).flat_map(|(step, native)| step.differences(native)));
                if taken.len() != native.len() {
                    found.push(format!("{} steps, and natively {}", taken.len(), native.len()));
                }
            }
            note(&host.player, scenario, found);
        }
    }
    defects.extend(hosts.into_iter().flat_map(|host| host.defects));
    assert!(defects.is_empty(), "{} defects\n{}", defects.len(), defects.join("\n"));
}

async fn call_ok(player: &mut Player, function: &str, arguments: Value) -> Value {
    match player.call(function, arguments).await.expect("a response") {
        CallOutcome::Ok(value) => value,
        other => panic!("{function}, {player:?}: {other:?}"),
    }
}

/// Returns the available hosts, each with a session.
async fn hosts(plan: &SessionPlan) -> Vec<Player> {
    let mut hosts = Vec::new();
    for language in Language::ALL {
        let mut player = Player::Component(language, None);
        if player.open(plan).await.expect("the host starts") {
            hosts.push(player);
        }
    }
    hosts
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn cursor_is_portable_across_instances_and_languages() {
    let simulator = Simulator::start(scenarios::config()).await.expect("a simulator");
    let plan = SessionPlan::new(&simulator);
    let mut hosts = hosts(&plan).await;
    let mut native = Player::Native(None);
    native.open(&plan).await.expect("a session");
    call_ok(&mut native, "tenants.open", json!([ACME])).await;

    type Arguments = fn(&Value) -> Value;
    let listings: [(&str, &str, Arguments); 4] = [
        ("tenants.list", "tenants", |after| json!([after])),
        ("endpoints.search", "endpoints", |after| json!([TENANT, [], {"after": after, "size": 3}])),
        ("alerts.search", "alerts", |after| json!([TENANT, [], {"after": after, "size": 4}])),
        ("events.list", "events", |after| {
            let begin = scenarios::an_hour_ago();
            let place = if after.is_null() { begin } else { json!({"tag": "after", "val": after}) };
            json!([TENANT, place, {"size": 200}])
        }),
    ];
    for (function, items, arguments) in listings {
        let (mut ours, mut theirs) = (Value::Null, Value::Null);
        for turn in 0.. {
            let page = call_ok(&mut native, function, arguments(&ours)).await;
            let next = if hosts.is_empty() { 0 } else { turn % hosts.len() };
            let host = hosts.get_mut(next).expect("a host at least");
            host.open(&plan).await.expect("another session");
            call_ok(host, "tenants.open", json!([ACME])).await;
            let same = call_ok(host, function, arguments(&theirs)).await;
            assert_eq!(same[items], page[items], "{function}, page {turn}: {host:?}");
            (ours, theirs) = (page["next"].clone(), same["next"].clone());
            assert_eq!(ours.is_null(), theirs.is_null(), "{function}, page {turn}: {host:?}");
            if ours.is_null() || page["has-more"] == false {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn host_managed_component_sends_no_token() {
    let simulator = Simulator::start(scenarios::config()).await.expect("a simulator");
    let gateway = Gateway::start(&simulator, &simulator.credentials()[0], &[]).await.expect("a gateway");
    let plan = plan_through_gateway(&gateway, &simulator);
    let mut players = hosts(&plan).await;
    players.push(Player::Native(None));
    for player in &mut players {
        player.open(&plan).await.expect("a session");
        let who = call_ok(player, "session.whoami", json!([])).await;
        assert_eq!(who["kind"], "partner", "{player:?}");
        call_ok(player, "tenants.open", json!([ACME])).await;
        let page = call_ok(player, "endpoints.search", json!([TENANT, [], {}])).await;
        assert_eq!(page["endpoints"].as_array().map(Vec::len), Some(25), "{player:?}");
        let alerts = call_ok(player, "alerts.search", json!([TENANT, [], {"size": 100}])).await;
        assert_eq!(alerts["alerts"].as_array().map(Vec::len), Some(30), "{player:?}");
        assert_eq!(gateway.take_counts(), (4, 0), "{player:?}");
    }
}

/// Returns a plan with a host-managed grant, through a gateway.
fn plan_through_gateway(gateway: &Gateway, simulator: &Simulator) -> SessionPlan {
    let service = [gateway.url(), gateway.url()];
    SessionPlan { initial_grant: json!({"tag": "host-managed"}), service, ..SessionPlan::new(simulator) }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn undocumented_items_are_reported_as_malformed() {
    let simulator = Simulator::start(scenarios::config()).await.expect("a simulator");
    let changes = [
        // An invalid id makes a record malformed.
        (r#""id":"7a1f6f0e-27a4-4b58-9f0e-3b1f9d2c1a01""#, r#""id":[7]"#),
        (r#"{"id":"7"#, r#"{"id":{},"was":"7"#),
        // A numeric id is valid and keeps every digit.
        (r#"{"id":"8"#, r#"{"id":-18446744073709551617.10,"was":"8"#),
        (r#"{"id":"f"#, r#"{"id":18446744073709551617,"was":"f"#),
        // Another type, null, an unknown value, or a missing member.
        (r#""online":false"#, r#""online":"no""#),
        (r#""hostname":"ACME-DB-1""#, r#""hostname":["ACME-DB-1"]"#),
        (r#""overall":"good""#, r#""overall":null"#),
        (r#""type":"server""#, r#""type":"toaster","news":{"a":[1.50]}"#),
        (r#""group":{"#, r#""gruppe":{"#),
        (r#""macAddresses":["#, r#""macAddresses":null,"addresses":["#),
        (r#""managedAgent":{"#, r#""managedAgent":7,"agent":{"#),
    ];
    let credential = &simulator.credentials()[0];
    let gateway = Gateway::start(&simulator, credential, &changes).await.expect("a gateway");
    let plan = plan_through_gateway(&gateway, &simulator);
    let mut native = Player::Native(None);
    let mut hosts = hosts(&plan).await;
    for (function, items) in [("endpoints.search", "endpoints"), ("alerts.search", "alerts")] {
        let search = async |player: &mut Player| {
            player.open(&plan).await.expect("a session");
            call_ok(player, "tenants.open", json!([ACME])).await;
            let page = call_ok(player, function, json!([TENANT, [], {"size": 100}])).await;
            let malformed = page["malformed-items"].as_array().into_iter().flatten();
            let malformed: Vec<_> = malformed.map(|item| item["raw"].clone()).collect();
            (page[items].clone(), malformed)
        };
        let expected = search(&mut native).await;
        assert!(!expected.1.is_empty() && expected.0[0].is_object(), "{function}: {expected:?}");
        for host in &mut hosts {
            assert_eq!(search(host).await, expected, "{function}: {}", host.name());
        }
    }
}

const WASI_IMPORTS: [&str; 7] = [
    "sophos:central/credentials",
    "wasi:clocks/monotonic-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];
const EMBEDDED_IMPORTS: [&str; 2] = ["sophos:central/credentials", "sophos:central/transport"];

const WEBHOOK_IMPORTS: [&str; 15] = [
    "sophos:central/audit-log",
    "sophos:central/credentials",
    "sophos:central/ledger-store",
    "sophos:central/outcomes",
    "sophos:central/policy",
    "sophos:central/queue",
    "sophos:central/webhook-secrets",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
];

/// The required and allowed imports of each world.
const WORLDS: [(&str, &[&str]); 5] = [
    ("reader", &WASI_IMPORTS),
    ("operator", &WASI_IMPORTS),
    ("embedded-reader", &EMBEDDED_IMPORTS),
    ("embedded", &EMBEDDED_IMPORTS),
    ("webhook", &WEBHOOK_IMPORTS),
];

/// Returns the interfaces with functions, sorted.
fn interface_names(imports: &[String]) -> Vec<&str> {
    let names = imports.iter().map(|import| import.split('@').next().unwrap_or(import));
    let mut names: Vec<_> = names.filter(|name| *name != "sophos:central/types").collect();
    names.sort_unstable();
    names
}

#[tokio::test]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn world_needs_exactly_its_allowed_imports() {
    for (world, list) in WORLDS {
        let without = |left_out: &str| list.iter().copied().filter(|name| *name != left_out).collect();
        let offers: Vec<_> = [""].iter().chain(list).map(|left_out| without(left_out)).collect();
        let result = run_confined(world, &offers).await.expect(world);
        assert_eq!(interface_names(&result.imports), list, "{world}");
        let mut offers = result.offers.iter();
        match offers.next() {
            Some(OfferResult::Instantiated { reason, message, called }) if world == "webhook" => {
                assert_eq!(reason, "check-policy", "{message}");
                assert!(message.contains("line 1"), "{message}");
                assert_eq!(called, &[""; 0], "check-policy calls no import");
            }
            Some(OfferResult::Instantiated { reason, message, called }) => {
                assert_eq!(reason, "no-credential", "{world}");
                assert!(message.ends_with(": there is no grant"), "{world}: {message}");
                assert_eq!(called, &["sophos:central/credentials.obtain"], "{world}");
            }
            other => panic!("{world}: {other:?}"),
        }
        for (left_out, offered) in list.iter().zip(offers) {
            assert!(
                matches!(offered, OfferResult::Missing { .. }),
                "{world} without {left_out}: {offered:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node and Python with a host of the component: `cargo xtask test` runs it"]
async fn component_cannot_reach_files_env_or_sockets() {
    let simulator = Simulator::start(scenarios::config()).await.expect("a simulator");
    // The host's environment has a valid credential.
    let plan = SessionPlan { world: "reader", ..SessionPlan::new(&simulator) };
    let secret = simulator.credentials()[0].client_secret.clone();
    for language in Language::ALL {
        let Some(mut host) = Host::start(language, &plan).await.expect("the host starts") else { continue };
        let list = if language.is_embedded() { &EMBEDDED_IMPORTS[..] } else { &WASI_IMPORTS };
        assert_eq!(interface_names(host.imports()), list, "{language:?}");

        // A reader lacks the functions that change a tenant.
        for (function, arguments) in [
            ("tenants.open", json!([ACME])),
            ("isolation-actions.isolate", json!([TENANT, ["x"], "why"])),
            ("isolation-actions.release", json!([TENANT, ["x"], "why"])),
            ("alert-actions.perform", json!([TENANT, "x", "acknowledge", null])),
        ] {
            let outcome = host.call(function, arguments).await.expect("a response");
            assert_eq!(
                outcome == CallOutcome::Absent,
                function != "tenants.open",
                "{language:?}: {outcome:?}"
            );
        }

        host.open(&SessionPlan { initial_grant: Value::Null, ..plan.clone() })
            .await
            .expect("another session");
        for (function, arguments) in [
            ("session.whoami", json!([])),
            ("tenants.list", json!([null])),
            ("tenants.open", json!([ACME])),
            ("tenants.own", json!([])),
        ] {
            let outcome = host.call(function, arguments).await.expect("a response");
            let CallOutcome::Failure(failure) = outcome else {
                panic!("{language:?}, {function}: {outcome:?}")
            };
            assert_eq!(failure["reason"]["tag"], "no-credential", "{language:?}, {function}");
            assert!(!failure.to_string().contains(&secret), "{language:?}, {function}: {failure}");
        }
    }
}
