//! A protected machine whose name is written in many ways: in the policy, at the
//! service and in the alert. No alert isolates it.

#[path = "../fuzz/src/spellings.rs"]
#[allow(dead_code, unreachable_pub)]
mod spellings;

use std::{cell::Cell, convert::Infallible, time::Duration};

use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestRunner};
use serde_json::json;
use sophos_isolation::{
    Candidate, Directory, FactKind, Identity, Liveness, Times,
    policy::{Policy, Refusal, Subject, Verdict},
    resolve,
    signal::{HostFacts, Severity, Signal},
};
use spellings::{Change, DOMAINS, ORDINARY, PROTECTED, pattern, spelled};

const NOW: Duration = Duration::from_secs(1_700_000_000);
const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const MAC: &str = "02:00:00:00:00:01";
const OTHER_MAC: &str = "02:00:00:00:00:02";

/// A name in one of its forms.
#[derive(Debug, Clone)]
struct Form {
    domain: Option<&'static str>,
    encoded: bool,
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
struct Case {
    machine: usize,
    /// How the policy selects the machine.
    listed: Form,
    pattern: Option<(u8, u8)>,
    /// The endpoint's name at the service.
    own: Form,
    /// The alert's name of the machine, and what else it says.
    said: Form,
    is_netbios: bool,
    has_mac: bool,
    has_address: bool,
    has_id: bool,
    /// Another machine, which is not protected.
    other: &'static str,
}

fn form() -> impl Strategy<Value = Form> {
    let domain = prop_oneof![Just(None), select(&DOMAINS[..]).prop_map(Some)];
    let change = (any::<u8>(), any::<u8>()).prop_map(|(kind, at)| Change::of(kind, at));
    (domain, prop::bool::weighted(0.1), vec(change, 0..4))
        .prop_map(|(domain, encoded, changes)| Form { domain, encoded, changes })
}

fn case() -> impl Strategy<Value = Case> {
    let names = (0..PROTECTED.len(), form(), proptest::option::of(any::<(u8, u8)>()), form(), form());
    let rest = (any::<(bool, bool, bool)>(), prop::bool::weighted(0.2), select(&ORDINARY[..]));
    (names, rest).prop_map(|((machine, listed, pattern, own, said), (flags, has_id, other))| Case {
        machine,
        listed,
        pattern,
        own,
        said,
        is_netbios: flags.0,
        has_mac: flags.1,
        has_address: flags.2,
        has_id,
        other,
    })
}

impl Form {
    fn of(&self, machine: usize) -> String {
        let (name, encoded) = PROTECTED[machine];
        // What is encoded has no other form, but for its case.
        let changes: &[Change] = if self.encoded && name != encoded { &[Change::Upper] } else { &self.changes };
        spelled(&with_domain(if self.encoded { encoded } else { name }, self.domain), changes)
    }
}

fn with_domain(label: &str, domain: Option<&str>) -> String {
    domain.map_or(label.to_owned(), |domain| format!("{label}.{domain}"))
}

impl Case {
    fn policy(&self) -> Policy {
        let (key, text) = match self.pattern {
            Some((kind, at)) => {
                let changes = self.listed.changes.iter().copied().filter(|it| it.is_for_patterns());
                let text = with_domain(&pattern(PROTECTED[self.machine].0, kind, at), self.listed.domain);
                ("patterns", spelled(&text, &changes.collect::<Vec<_>>()))
            }
            None => ("names", self.listed.of(self.machine)),
        };
        policy(&format!("{key} = {}", toml::Value::from(vec![text])))
    }

    fn facts(&self) -> HostFacts {
        let mut facts = HostFacts::default();
        let said = self.said.of(self.machine);
        if self.is_netbios { facts.netbios_names.push(said) } else { facts.hostnames.push(said) }
        facts.mac_addresses.extend(self.has_mac.then(|| MAC.to_owned()));
        facts.ip_addresses.extend(self.has_address.then(|| "10.0.0.1".to_owned()));
        facts.endpoint_id = self.has_id.then(|| id(1));
        facts
    }
}

fn policy(selectors: &str) -> Policy {
    let text = format!(
        "version = 1\nmode = \"enforce\"\n[protect]\n{selectors}\n[sources.s]\ntool = \"generic\"\n\
         tenants = [\"{TENANT}\"]\nverify = {{ scheme = \"path\", secret = \"n\" }}\n"
    );
    Policy::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02}")
}

fn endpoint(number: u8, hostname: &str, mac: &str) -> Candidate {
    let members = json!({
        "id": id(number), "tenant": {"id": TENANT}, "hostname": hostname, "macAddresses": [mac],
        "ipv4Addresses": [format!("10.0.0.{number}")], "online": true,
        "lastSeenAt": "2023-11-14T22:13:00Z",
    });
    Candidate {
        tenant: TENANT.to_owned(),
        endpoint: serde_json::from_str(&members.to_string()).expect("an endpoint"),
    }
}

fn is_protected(policy: &Policy, candidate: &Candidate) -> bool {
    let mut signal = Signal::default();
    signal.severity = Some(Severity::Critical);
    let source = policy.source("s").expect("the source");
    let verdict = policy.judge(source, &signal, &Subject::of(&candidate.endpoint));
    matches!(verdict, Verdict::Refuse(Refusal::Protected { .. }))
}

struct Everything(Vec<Candidate>);

impl Directory for Everything {
    type Error = Infallible;

    async fn candidates(&self, _: &Identity, _: FactKind) -> Result<Vec<Candidate>, Infallible> {
        Ok(self.0.clone())
    }
}

/// What an alert leads to among these endpoints.
fn chosen(facts: &HostFacts, endpoints: Vec<Candidate>) -> Option<Candidate> {
    let identity = Identity::read(facts).ok()?;
    let within = Duration::from_secs(900);
    let liveness = Liveness { seen_within: within, address_seen_within: within };
    let times = Times { liveness, now: NOW, alert: Some(NOW), judged: NOW };
    let resolution = futures_executor::block_on(resolve(&Everything(endpoints), &identity, &times));
    resolution.unwrap_or_else(|never| match never {}).outcome.ok()
}

fn runner() -> TestRunner {
    let fixed = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if fixed { ProptestConfig::default().cases } else { 5_000 };
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

#[test]
fn alert_never_isolates_protected_machine() {
    let (tried, resolved) = (Cell::new(0_u32), Cell::new(0_u32));
    let outcome = runner().run(&case(), |case| {
        let policy = case.policy();
        let machine = endpoint(1, &case.own.of(case.machine), MAC);
        prop_assert!(is_protected(&policy, &machine), "{:?} {:?}", machine.endpoint.raw(), policy);
        let other = endpoint(2, case.other, OTHER_MAC);
        tried.set(tried.get() + 1);
        if let Some(chosen) = chosen(&case.facts(), vec![machine, other]) {
            resolved.set(resolved.get() + 1);
            prop_assert_eq!(&chosen.endpoint.id, &id(1), "{:?}", case.facts());
            prop_assert!(is_protected(&policy, &chosen));
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let (tried, resolved) = (tried.get(), resolved.get());
    println!("{tried} alerts, {resolved} resolved to the protected machine, 0 isolated");
    assert!(resolved * 10 > tried, "only {resolved} of {tried} alerts are resolved: the test proves little");
}

#[test]
fn names_protect_no_other_machine() {
    let names = vec((0..PROTECTED.len(), form()), 1..4);
    let outcome = runner().run(&(names, select(&ORDINARY[..])), |(names, other)| {
        let names: Vec<_> = names.iter().map(|(machine, form)| form.of(*machine)).collect();
        let policy = policy(&format!("names = {}", toml::Value::from(names)));
        let other = endpoint(2, other, OTHER_MAC);
        prop_assert!(!is_protected(&policy, &other), "{:?} {:?}", other.endpoint.raw(), policy);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
