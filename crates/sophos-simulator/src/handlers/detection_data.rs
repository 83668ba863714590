//! Generated detections of a tenant. A new one appears about every six hours.

use serde_json::{Value, json};

use crate::central::Central;
use crate::data::tenant::Tenant;
use crate::hash::{Rng, mix, mix_text, uuid_text};
use crate::time;

const INTERVAL_MS: i64 = 6 * 3_600_000;
/// 90 days.
pub(crate) const RETENTION_MS: i64 = 90 * 86_400_000;

/// A rule that detects something.
#[derive(Debug)]
struct Rule {
    id: &'static str,
    description: &'static str,
    /// The MITRE tactic and technique, each with its id.
    tactic: (&'static str, &'static str),
    technique: (&'static str, &'static str),
    kind: &'static str,
    sensor: &'static str,
    severity: u64,
}

const RULES: &[Rule] = &[
    Rule {
        id: "WIN-PER-PSH-ADD-SERVICE-REG-1",
        description: "PowerShell added a service to the registry.",
        tactic: ("TA0003", "Persistence"),
        technique: ("T1543.003", "Windows Service"),
        kind: "Threat",
        sensor: "endpoint",
        severity: 5,
    },
    Rule {
        id: "WIN-MITRE-Behavioral-TA0011-T1105",
        description: "A process downloaded an executable file.",
        tactic: ("TA0011", "Command and Control"),
        technique: ("T1105", "Ingress Tool Transfer"),
        kind: "Process",
        sensor: "endpoint",
        severity: 7,
    },
    Rule {
        id: "WIN-EVA-PRC-CLEAR-LOGS-1",
        description: "A process cleared an event log.",
        tactic: ("TA0005", "Defense Evasion"),
        technique: ("T1070.001", "Clear Windows Event Logs"),
        kind: "Threat",
        sensor: "endpoint",
        severity: 9,
    },
    Rule {
        id: "WIN-PROT-SAV-PUA-PSEXEC-1",
        description: "PsExec was found.",
        tactic: ("TA0002", "Execution"),
        technique: ("T1569.002", "Service Execution"),
        kind: "Threat",
        sensor: "endpoint",
        severity: 3,
    },
    Rule {
        id: "MS-SEC-GRAPH-open",
        description: "Microsoft reported an unusual sign-in.",
        tactic: ("TA0001", "Initial Access"),
        technique: ("T1078", "Valid Accounts"),
        kind: "Threat",
        sensor: "cloud",
        severity: 6,
    },
    Rule {
        id: "VULN-CVE-SCAN-1",
        description: "The software has a known vulnerability.",
        tactic: ("TA0004", "Privilege Escalation"),
        technique: ("T1068", "Exploitation for Privilege Escalation"),
        kind: "Vulnerability",
        sensor: "endpoint",
        severity: 0,
    },
];

const PLACES: &[(&str, &str, &str, &str, f64, f64)] = &[
    ("Ottawa", "Ontario", "Canada", "CA", 45.42, -75.69),
    ("Abingdon", "Oxfordshire", "United Kingdom", "GB", 51.67, -1.28),
    ("Munich", "Bavaria", "Germany", "DE", 48.14, 11.58),
];

/// The level of a severity from 0 to 10.
pub(crate) fn level(severity: u64) -> &'static str {
    match severity {
        0 => "info",
        1..=3 => "low",
        4..=6 => "medium",
        7..=8 => "high",
        _ => "critical",
    }
}

fn detection(central: &Central, tenant: &Tenant, number: i64) -> (i64, Value) {
    let mut rng = Rng::new(mix(mix_text(tenant.key, "detections"), number.unsigned_abs()));
    let id = format!("{}_{}", rng.hex(64), rng.hex(40));
    let at = number * INTERVAL_MS + i64::try_from(rng.below(INTERVAL_MS.unsigned_abs())).unwrap_or_default();
    let rule = &RULES[usize::try_from(rng.below(RULES.len() as u64)).unwrap_or_default()];
    let seen = central.endpoint(tenant, rng.below(tenant.initial_endpoint_count()));
    let (os, host) = (seen.os_name(), &seen.endpoint.identity);
    let place = rng.pick(PLACES);
    let address = format!("203.0.113.{}", rng.below(256));
    let user = rng.pick(&["ada.abbott", "grace.fischer", "hiro.costa"]);
    let file = rng.hex(64);
    let record = json!({
        "id": id,
        "time": time::format_millis(at),
        "sensorGeneratedAt": time::format_millis(at - 40_000),
        "type": rule.kind,
        "severity": rule.severity,
        "detectionRule": rule.id,
        "ruleDescription": rule.description,
        "detectionAttack": rule.tactic.1,
        "attackType": rule.description,
        "detectionSigma": {},
        "detectionEql": "",
        "detectionLicenses": "XDR",
        "schema": "1.1.0",
        "sensor": {
            "id": format!("Sophos-{}", rule.sensor), "type": rule.sensor, "source": "Sophos",
            "version": "1.18.1", "name": "Sophos XDR",
        },
        "device": { "id": uuid_text(host.id), "type": host.endpoint_type(), "entity": host.hostname },
        "mitreAttacks": [{ "tactic": {
            "id": rule.tactic.0, "name": rule.tactic.1,
            "techniques": [{ "id": rule.technique.0, "name": rule.technique.1 }],
        } }],
        "geolocation": [{
            "fieldName": "raw.meta_public_ip", "fieldValue": address, "city": place.0, "state": place.1,
            "country": place.2, "countryCode": place.3, "postal": "", "latitude": place.4, "longitude": place.5,
        }],
        "intelixFileReputation": [{
            "fieldName": "raw.sha256", "fieldValue": file, "reputationScore": rng.below(100), "detectionName": "",
        }],
        "rawData": {
            "meta_hostname": host.hostname, "meta_endpoint_id": uuid_text(host.id), "meta_public_ip": address,
            "username": user, "sha256": file, "os_name": os,
        },
        // For filters.
        "_severities": [rule.severity, level(rule.severity)],
        "_mitre": [rule.tactic.1, rule.technique.0, rule.technique.1],
        "_places": [place.0, place.1, place.2],
        "_isSuppressed": rng.chance(0.06),
    });
    (at, record)
}

/// The detections in `from..=to` that exist at `now`, newest first.
pub(crate) fn between(central: &Central, tenant: &Tenant, (from, to): (i64, i64), now: i64) -> Vec<Value> {
    let (from, to) = (from.max(now - RETENTION_MS), to.min(now));
    if tenant.initial_endpoint_count() == 0 || to < from {
        return Vec::new();
    }
    let numbers = from.div_euclid(INTERVAL_MS)..=to.div_euclid(INTERVAL_MS);
    let all = numbers.rev().map(|number| detection(central, tenant, number));
    all.filter(|(at, _)| (from..=to).contains(at)).map(|(_, record)| record).collect()
}

/// The existing detection with this id.
pub(crate) fn find(central: &Central, tenant: &Tenant, id: &str, now: i64) -> Option<Value> {
    between(central, tenant, (0, now), now).into_iter().find(|record| record["id"] == id)
}
