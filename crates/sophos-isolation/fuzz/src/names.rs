//! A protected machine whose name has several spellings in the policy, in Sophos Central and in the
//! alert. No alert isolates it.

use std::{convert::Infallible, time::Duration};

use serde_json::json;
use sophos_isolation::{
    EndpointCandidate, EndpointDirectory, HostIdentity, IdentifierKind, Liveness, ResolutionTimes,
    policy::{Policy, PolicyEndpoint, Refusal, Verdict},
    resolve,
    signal::{HostIdentifiers, Severity, Signal},
};

use crate::spellings::{Change, DOMAINS, ORDINARY, PROTECTED, apply_changes, pattern};

/// 2023-11-14T22:13:20Z.
const NOW: Duration = Duration::from_secs(1_700_000_000);
const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const PROTECTED_NUMBER: u8 = 1;
const OTHER_NUMBER: u8 = 2;

/// The maximum number of changes of one name.
const MAX_CHANGES: usize = 4;

/// The numbers of a [`Spelling`]: domain, Punycode, changes.
pub type RawSpelling = (u8, bool, Vec<(u8, u8)>);

/// The numbers of a [`Case`]: the machine, the other machine, the pattern that lists it if any, its
/// spellings in the policy, in Sophos Central and in the alert, and further data of the alert.
pub type RawCase = ((u8, u8), Option<(u8, u8)>, RawSpelling, RawSpelling, RawSpelling, u8);

/// A name in one of its spellings.
#[derive(Debug, Clone)]
pub struct Spelling {
    domain: Option<&'static str>,
    is_encoded: bool,
    changes: Vec<Change>,
}

/// A policy, a protected endpoint, another endpoint, and an alert.
#[derive(Debug, Clone)]
pub struct Case {
    machine: (&'static str, &'static str),
    other: &'static str,
    pattern: Option<(u8, u8)>,
    policy_name: Spelling,
    endpoint_name: Spelling,
    alert_name: Spelling,
    flags: u8,
}

impl From<RawSpelling> for Spelling {
    fn from((domain, is_encoded, changes): RawSpelling) -> Self {
        let changes =
            changes.into_iter().take(MAX_CHANGES).map(|(kind, at)| Change::from_number(kind, at)).collect();
        Self { domain: DOMAINS.get(usize::from(domain) % (2 * DOMAINS.len())).copied(), is_encoded, changes }
    }
}

impl From<RawCase> for Case {
    fn from(((machine, other), pattern, listed, own, said, flags): RawCase) -> Self {
        Self {
            machine: PROTECTED[usize::from(machine) % PROTECTED.len()],
            other: ORDINARY[usize::from(other) % ORDINARY.len()],
            pattern,
            policy_name: listed.into(),
            endpoint_name: own.into(),
            alert_name: said.into(),
            flags,
        }
    }
}

impl Spelling {
    /// The spelling of a machine's name.
    pub fn spell(&self, (name, encoded): (&str, &str)) -> String {
        match self.is_encoded && name != encoded {
            // An encoded name only varies in case.
            true => self.with_domain(encoded).to_uppercase(),
            false => apply_changes(&self.with_domain(name), &self.changes),
        }
    }

    fn with_domain(&self, label: &str) -> String {
        self.domain.map_or(label.to_owned(), |domain| format!("{label}.{domain}"))
    }
}

impl Case {
    fn policy(&self) -> Policy {
        let Some((kind, at)) = self.pattern else {
            return policy("names", &[self.policy_name.spell(self.machine)]);
        };
        let changes: Vec<_> =
            self.policy_name.changes.iter().copied().filter(|it| it.is_for_patterns()).collect();
        let text = self.policy_name.with_domain(&pattern(self.machine.0, kind, at));
        policy("patterns", &[apply_changes(&text, &changes)])
    }

    fn identifiers(&self) -> HostIdentifiers {
        let is = |flag: u8| self.flags & 1 << flag != 0;
        let mut facts = HostIdentifiers::default();
        let said = self.alert_name.spell(self.machine);
        if is(0) {
            facts.netbios_names.push(said)
        } else {
            facts.hostnames.push(said)
        }
        facts.mac_addresses.extend(is(1).then(|| mac(PROTECTED_NUMBER)));
        facts.ip_addresses.extend(is(2).then(|| address(PROTECTED_NUMBER)));
        // An id decides alone, so it is rare.
        facts.endpoint_id = (is(3) && is(4)).then(|| id(PROTECTED_NUMBER));
        facts
    }
}

/// Checks that the machine is protected and that the alert leads to no other. Returns whether the
/// alert finds the machine.
pub fn check(case: &Case) -> bool {
    let policy = case.policy();
    let machine = endpoint(PROTECTED_NUMBER, &case.endpoint_name.spell(case.machine));
    assert!(
        is_protected(&policy, &machine),
        "wrong isolation: {:?} is not protected; {case:?}",
        machine.endpoint.hostname
    );
    let other = endpoint(OTHER_NUMBER, case.other);
    let facts = case.identifiers();
    let Some(chosen) = resolve_endpoint(&facts, vec![machine, other]) else { return false };
    assert!(
        chosen.endpoint.id == id(PROTECTED_NUMBER),
        "wrong isolation: {facts:?} leads to {:?}",
        case.other
    );
    assert!(is_protected(&policy, &chosen), "wrong isolation: {facts:?} isolates what is protected");
    true
}

/// Checks any two texts: a name protects its own spellings, and no call panics.
pub fn check_texts(listed: &str, own: &str) {
    for key in ["names", "patterns"] {
        let Ok(policy) = Policy::parse(&policy_toml(key, &[listed.to_owned()])) else { continue };
        let _ = is_protected(&policy, &endpoint(OTHER_NUMBER, own));
        let changes = [Change::Upper, Change::Lower, Change::Nfd, Change::Nfc, Change::Dot, Change::Space];
        let spellings = changes.map(|change| apply_changes(listed, &[change]));
        for spelling in spellings.iter().map(String::as_str).chain([listed]) {
            // A `?` does not match a character that becomes two.
            if key == "names" || spelling == listed {
                let is_protected = is_protected(&policy, &endpoint(PROTECTED_NUMBER, spelling));
                assert!(is_protected, "wrong isolation: {key} of {listed:?} miss {spelling:?}");
            }
        }
        let mut facts = HostIdentifiers::default();
        facts.hostnames.push(listed.to_owned());
        let _ = resolve_endpoint(&facts, vec![endpoint(OTHER_NUMBER, own)]);
    }
}

/// Checks that names of protected machines do not protect ordinary ones.
pub fn check_ordinary_names(names: &[(u8, Spelling)], other: u8) {
    let names: Vec<_> =
        names.iter().map(|(at, name)| name.spell(PROTECTED[usize::from(*at) % PROTECTED.len()])).collect();
    let other = ORDINARY[usize::from(other) % ORDINARY.len()];
    let policy = policy("names", &names);
    assert!(!is_protected(&policy, &endpoint(OTHER_NUMBER, other)), "{names:?} protect {other}");
}

fn policy(key: &str, selectors: &[String]) -> Policy {
    let text = policy_toml(key, selectors);
    Policy::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn policy_toml(key: &str, selectors: &[String]) -> String {
    format!(
        "version = 1\nmode = \"enforce\"\n[protect]\n{key} = {}\n[sources.s]\ntool = \"generic\"\n\
         tenants = [\"{TENANT}\"]\nverify = {{ scheme = \"path\", secret = \"n\" }}\n",
        toml::Value::from(selectors.to_vec())
    )
}

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02}")
}

fn mac(number: u8) -> String {
    format!("02:00:00:00:00:{number:02}")
}

fn address(number: u8) -> String {
    format!("10.0.0.{number}")
}

fn endpoint(number: u8, hostname: &str) -> EndpointCandidate {
    let members = json!({
        "id": id(number), "tenant": {"id": TENANT}, "hostname": hostname, "macAddresses": [mac(number)],
        "ipv4Addresses": [address(number)], "online": true, "lastSeenAt": "2023-11-14T22:13:00Z",
    });
    EndpointCandidate {
        tenant: TENANT.to_owned(),
        endpoint: serde_json::from_str(&members.to_string()).expect("an endpoint"),
    }
}

fn is_protected(policy: &Policy, candidate: &EndpointCandidate) -> bool {
    let mut signal = Signal::default();
    signal.severity = Some(Severity::Critical);
    let source = policy.source("s").expect("the source");
    let verdict = policy.evaluate(source, &signal, &PolicyEndpoint::from_record(&candidate.endpoint));
    matches!(verdict, Verdict::Refuse(Refusal::Protected { .. }))
}

/// A directory that returns all endpoints for every query.
struct UnfilteredDirectory(Vec<EndpointCandidate>);

impl EndpointDirectory for UnfilteredDirectory {
    type Error = Infallible;

    async fn candidates(
        &self,
        _: &HostIdentity,
        _: IdentifierKind,
    ) -> Result<Vec<EndpointCandidate>, Infallible> {
        Ok(self.0.clone())
    }
}

/// The endpoint that an alert leads to, if any.
fn resolve_endpoint(facts: &HostIdentifiers, endpoints: Vec<EndpointCandidate>) -> Option<EndpointCandidate> {
    let identity = HostIdentity::from_identifiers(facts).ok()?;
    let within = Duration::from_secs(900);
    let liveness = Liveness { seen_within: within, address_seen_within: within };
    let times = ResolutionTimes { liveness, now: NOW, observed_at: Some(NOW), evaluated_at: NOW };
    let resolution = futures_executor::block_on(resolve(&UnfilteredDirectory(endpoints), &identity, &times));
    resolution.unwrap_or_else(|never| match never {}).outcome.ok()
}
