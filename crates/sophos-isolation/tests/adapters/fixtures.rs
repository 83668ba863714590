//! Every recorded payload, with its expected result.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sophos_isolation::adapters::Tool;

use super::{parse_bytes, summaries};

/// The file, its tool, the event id, and severity, host and refusal.
type Row = (&'static str, Tool, &'static str, &'static str);

/// The instance of GuardDuty's samples.
const INSTANCE: &str = "ec2:i-99999999";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("crowdstrike/eventstream_info_alert.json", Tool::CrowdStrike, r#"["DETECTION ID",null]"#,
        "informational mac:AA-BB-CC-DD-71-7F ip:2.2.2.2 act"),
    ("crowdstrike/eventstream_low_alert.json", Tool::CrowdStrike, r#"["DETECTION ID",null]"#,
        "low mac:AA-BB-CC-DD-71-7F ip:2.2.2.2 act"),
    ("crowdstrike/passthrough_low_severity_finding.json", Tool::CrowdStrike,
        r#"["00000000000000000000000000000000:ind:00000000006e49842267fc5837c4e2fc:222222222222222222-33333-444444",null]"#,
        "low mac:aa-bb-cc-dd-5a-d2 name:macbook ip:1.1.1.1 act"),
    ("crowdstrike/passthrough_low_severity_finding_fdrevent.json", Tool::CrowdStrike,
        r#"["00000000000000000000000000000000:ind:00000000006e49842267fc5837c4e2fc:222222222222222222-33333-444444",null]"#,
        "low mac:aa-bb-cc-dd-78-81 name:hostname.lan ip:1.2.3.4 Sample"),
    ("guardduty/eventbridge_iam_root_no_host.json", Tool::GuardDuty,
        r#"["6acdc15e4418414a868e8bbdf45b456b","2025-10-09T12:42:50.817Z",null]"#, "high NoHost"),
    ("guardduty/finding_camel_critical_sev_finding.json", Tool::GuardDuty,
        r#"["8c258d654378414b9bc26f61a93eb816","2025-02-25 20:40:06.721","1"]"#, "critical NoHost"),
    ("guardduty/finding_camel_critical_sev_finding_as_sample_data.json", Tool::GuardDuty,
        r#"["b174b38d16e34da0a4c66012083bd8f7","2025-02-25 20:40:06.765","1"]"#, "critical Sample"),
    ("guardduty/finding_camel_high_sev_finding.json", Tool::GuardDuty,
        r#"["eeb88ab56556eb7771b266670dddee5a","2020-02-14T18:12:22.316Z","1"]"#, "high NoHost"),
    ("guardduty/getfindings_Credential-Access-IAM-Anomalous-Behavior.json", Tool::GuardDuty,
        r#"["6acdc15e4418414a868e8bbdf45b456b","2025-10-09T12:42:50.817Z","2"]"#, "medium Sample"),
    ("guardduty/getfindings_Recon-EC2-PortProbeEMRUnprotectedPort.json", Tool::GuardDuty,
        r#"["66dbf3e4e4aa4d4388cd6feed863bc8b","2025-10-01T18:19:28.470Z","2"]"#, "high {instance} Sample"),
    ("guardduty/getfindings_Recon-EC2-PortProbeUnprotectedPort.json", Tool::GuardDuty,
        r#"["6e4632e9929d47c393f3622da097fe9a","2025-10-01T18:19:15.333Z","2"]"#, "low {instance} Sample"),
    ("guardduty/getfindings_Recon-EC2-Portscan.json", Tool::GuardDuty,
        r#"["73440980f304493792150b279b08693c","2025-10-01T18:19:02.940Z","2"]"#, "medium {instance} Sample"),
    ("guardduty/getfindings_Trojan-EC2-BlackholeTraffic.json", Tool::GuardDuty,
        r#"["51d54042fc0a4b0bac64edb01849c01a","2025-10-01T18:15:57.850Z","2"]"#, "medium {instance} Sample"),
    ("guardduty/getfindings_Trojan-EC2-DGADomainRequest-B.json", Tool::GuardDuty,
        r#"["25608f290d06467fbd23041b2c9f6e88","2025-10-01T18:15:41.571Z","2"]"#, "high {instance} Sample"),
    ("guardduty/getfindings_Trojan-EC2-DNSDataExfiltration.json", Tool::GuardDuty,
        r#"["859a6c2165c14a8e92d12050fe60e052","2025-10-01T18:15:20.512Z","2"]"#, "high {instance} Sample"),
    ("guardduty/getfindings_Trojan-EC2-DropPoint.json", Tool::GuardDuty,
        r#"["761daa759a2247c1826031fe5639bad6","2025-10-01T18:13:52.421Z","2"]"#, "medium {instance} Sample"),
    ("guardduty/getfindings_UnauthorizedAccess-EC2-MaliciousIPCaller.json", Tool::GuardDuty,
        r#"["756c8af6b6e44b03bb3a885eaa50b757","2025-10-01T18:08:26.426Z","2"]"#, "medium {instance} Sample"),
    ("guardduty/getfindings_UnauthorizedAccess-EC2-MetadataDNSRebind.json", Tool::GuardDuty,
        r#"["aecab3c8ed1349419763b813b482ca8f","2025-10-01T18:08:16.757Z","2"]"#, "high {instance} Sample"),
    ("guardduty/getfindings_UnauthorizedAccess-EC2-SSHBruteForce.json", Tool::GuardDuty,
        r#"["49514155ed6b4536b05649a87fc3c05a","2025-10-01T18:05:37.470Z","2"]"#, "low {instance} Sample"),
    ("guardduty/getfindings_UnauthorizedAccess-EC2-TorClient.json", Tool::GuardDuty,
        r#"["cdf9ae8187744b15aeaf17c7ef2f8a52","2025-10-01T14:38:47.919Z","2"]"#, "high {instance} Sample"),
    ("guardduty/getfindings_UnauthorizedAccess-EC2-TorRelay.json", Tool::GuardDuty,
        r#"["db173fdf1bcc4139a615eb2c9511458b","2025-10-01T18:02:06.636Z","2"]"#, "high {instance} Sample"),
    ("guardduty/getfindings_alertchain_ec2_dns_trojan.json", Tool::GuardDuty,
        r#"["034f3664616c49cb85349d0511ecd306","2023-04-16T06:11:53.438Z","1"]"#,
        "high {instance} Sample"),
    ("microsoft_defender/advanced_hunting_alert_evidence_event.json", Tool::MicrosoftDefender,
        r#"["sn34c87846-505a-4c84-b125-44bce1202df4","2025-04-11 20:51:04.058183200","Machine","0123456789abcdef0123456789abcdef","Impacted"]"#,
        "high name:testdevice.testdomain.com act"),
    ("microsoft_defender/advanced_hunting_high_severity_finding.json", Tool::MicrosoftDefender,
        r#"["0000000000-1111-2222-3333-444444444444","2025-04-21 20:51:04.058183200",null,null,null]"#, "high NoHost"),
    ("microsoft_defender/graph_alert_v1_host_states.json", Tool::MicrosoftDefender,
        r#"["da637225970530734950_-1768941086","2020-04-19T10:18:39.35Z"]"#,
        "medium name:desktop-s2455r8 ip:127.0.0.1 act"),
    ("microsoft_defender/graph_alert_v2_anonymous_login_event_v2.json", Tool::MicrosoftDefender,
        r#"["abcd12345efghijk6789","2026-04-01T14:34:56.229Z"]"#, "medium NoHost"),
    ("microsoft_defender/graph_alert_v2_informational_severity_event_v2.json", Tool::MicrosoftDefender,
        r#"["info-event-1","2026-04-04T10:00:00.000Z"]"#, "informational NoHost"),
    ("microsoft_defender/graph_alert_v2_password_spray_event_v2.json", Tool::MicrosoftDefender,
        r#"["abcdefg-123456-hijklmno","2026-04-02T14:30:21.979Z"]"#, "high NoHost"),
    ("microsoft_sentinel/incident.json", Tool::MicrosoftSentinel,
        r#"["1020","2022-06-02T09:52:00.5643443Z"]"#, "low NoHost"),
    ("okta/event_hook_user_session_start.json", Tool::Okta,
        r#"["85b60edb-4263-4e13-993b-818e26201052","f1d0b993-cc19-11ed-a688-db22c99ef6c4"]"#, "informational NoHost"),
    ("pagerduty/incident_priority_updated_body.json", Tool::PagerDuty, r#"["01BWDWL3NYY7LUFPZCC28QUCMK"]"#,
        "critical NoHost"),
    ("pagerduty/signature_test_vector.json", Tool::PagerDuty, "no message", ""),
    ("security_hub/eventbridge_findings_imported_asff.json", Tool::SecurityHub,
        r#"["arn:aws:securityhub:us-east-1:123456789012:finding/abc12345","2025-07-04T12:35:00Z"]"#, "high NotAThreat"),
    ("sentinelone/alert_critical.json", Tool::SentinelOne, r#"["f123-345-1234"]"#, "critical ip:1.2.3.4 act"),
    ("sentinelone/alert_medium.json", Tool::SentinelOne, r#"["f123-345-1234"]"#, "medium ip:1.2.3.4 act"),
    ("sentinelone/alert_non_alert.json", Tool::SentinelOne, r#"["123-456-789"]"#, "- name:BobsPC NotAThreat"),
    ("sentinelone/threat_non_threat_event.json", Tool::SentinelOne, r#"["123-456-789"]"#, "- name:BobsPC NotAThreat"),
    ("sentinelone/threat_suspicious_event.json", Tool::SentinelOne, r#"["123-456-678-89"]"#, "medium name:BobsPC act"),
    ("splunk/alert_webhook_one_result.json", Tool::Splunk,
        r#"["rt_scheduler__admin__search__sudo_at_1483557185_2.2","ca847c56c0532fe12677c5666931aeee77247eafc607de45bdba14aa8fd70830"]"#,
        "- NoHost"),
    ("wazuh/keep_normalized_alert.json", Tool::Wazuh, r#"["076f1e10a8fd133a590c00d02a9492595f502b7d1de844160965a42db4e27922"]"#,
        "informational name:test act"),
];

/// A file that is not a message.
const VECTOR: &str = "pagerduty/signature_test_vector.json";

/// The folder of recorded webhooks: beside the checkout, or given by the variable.
fn fixtures() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("RECORDED_MATERIAL").map_or_else(beside, PathBuf::from).join("fixtures/webhooks")
}

fn recorded(path: &str) -> Vec<u8> {
    let file = fixtures().join(path);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// All recorded messages with their tools, for property tests.
pub(super) fn messages() -> Vec<(Tool, Vec<u8>)> {
    ROWS.iter().map(|(file, tool, ..)| (*tool, recorded(file))).collect()
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn adapters_parse_each_fixture_as_expected() {
    for (file, tool, event_id, expected) in ROWS {
        if *file == VECTOR {
            continue;
        }
        let body = recorded(file);
        let alerts = parse_bytes(*tool, &body).expect(file);
        assert_eq!(summaries(&alerts), [expected.replace("{instance}", INSTANCE)], "{file}");
        assert_eq!(alerts[0].event_id, *event_id, "{file}");
    }
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn adapters_name_what_is_missing_in_other_documents() {
    let error = parse_bytes(Tool::PagerDuty, &recorded(VECTOR)).expect_err("unreadable");
    assert_eq!(error.to_string(), "missing event id: the message has no event.id");
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn fixtures_are_all_covered() {
    let path = fixtures();
    let mut files = Vec::new();
    for folder in fs::read_dir(&path).expect("folders").map(|entry| entry.expect("a folder").path()) {
        if folder.is_dir() {
            files.extend(fs::read_dir(folder).expect("files").map(|entry| entry.expect("a file").path()));
        }
    }
    let mut files: Vec<_> =
        files.iter().map(|file| file.strip_prefix(&path).expect("inside").display().to_string()).collect();
    files.sort();
    let mut rows: Vec<_> = ROWS.iter().map(|(file, ..)| (*file).to_owned()).collect();
    rows.sort();
    assert_eq!(files, rows);
}
