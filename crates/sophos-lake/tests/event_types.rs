//! Tests of the classes of event types: each type that Sophos documents.

use jiff::Timestamp;
use serde_json::{Value, json};
use sophos_lake::{Class, Mapped, MappingSettings, OcsfRow, StoredRow, map_row};

/// The rows of an event of this type.
fn map_type(event_type: &str, settings: &MappingSettings) -> Mapped {
    let record = json!({
        "id": "e-1", "type": event_type, "severity": "medium", "location": "WS-0001",
        "name": "Something happened: 'EICAR' at 'C:\\eicar.com'",
    });
    let line = json!({
        "id": "e-1", "tenant": "t", "dataset": "events", "source": "siem/v1/events",
        "time": "2026-11-23T10:00:00.000Z", "created_at": "2026-11-23T10:00:01.000Z",
        "revision": 0, "record": record.to_string(),
    });
    let line = line.to_string();
    let row = StoredRow::parse(line.as_bytes()).expect("a row");
    map_row(&row, Timestamp::UNIX_EPOCH, settings)
}

fn single_row(event_type: &str) -> OcsfRow {
    let settings = MappingSettings { classes: Class::ALL.to_vec(), ..MappingSettings::default() };
    match map_type(event_type, &settings) {
        Mapped::Rows(rows) => match <[OcsfRow; 1]>::try_from(rows) {
            Ok([row]) => row,
            Err(rows) => panic!("{event_type}: {rows:?}"),
        },
        other => panic!("{event_type}: {other:?}"),
    }
}

/// Types after `Event::Endpoint::`, with the class, the activity, and the disposition of a
/// finding or the status of a remediation.
const ENDPOINT_TYPES: &[(&str, u32, u32, u32)] = &[
    ("Threat::Detected", 2004, 1, 15),
    ("Threat::PuaDetected", 2004, 1, 15),
    ("Threat::HIPSDetected", 2004, 1, 15),
    ("Threat::LowRepAppDetected", 2004, 1, 15),
    ("Threat::CommandAndControlDetected", 2004, 1, 15),
    ("Threat::IpsInboundDetection", 2004, 1, 2),
    ("Threat::IpsOutboundDetection", 2004, 1, 2),
    ("Threat::CleanedUp", 7002, 2, 1),
    ("Threat::PuaCleanedUp", 7002, 2, 1),
    ("Threat::HIPSCleanedUp", 7002, 2, 1),
    ("Threat::LowRepAppCleanedUp", 7002, 2, 1),
    ("Threat::CleanupFailed", 7002, 2, 2),
    ("Threat::CleanupFailed::REBOOT_REQUIRED", 7002, 2, 2),
    ("Threat::PuaCleanupFailed", 7002, 2, 2),
    ("Threat::HIPSCleanupFailed", 7002, 2, 2),
    ("Threat::Dismissed", 2004, 3, 0),
    ("Threat::PuaDismissed", 2004, 3, 0),
    ("Threat::HIPSDismissed", 2004, 3, 0),
    ("Threat::CommandAndControlDismissed", 2004, 3, 0),
    ("CoreDetection", 2004, 1, 15),
    ("CoreRemoteDetection", 2004, 1, 15),
    ("CorePuaDetection", 2004, 1, 15),
    ("CorePuaRemoteDetection", 2004, 1, 15),
    ("CoreBehavioralDetection", 2004, 1, 15),
    ("CoreAmsiBlocked", 2004, 1, 2),
    ("CoreBlocklistDetection", 2004, 1, 15),
    ("CoreOutbreak", 2004, 1, 15),
    ("CoreClean", 7002, 2, 1),
    ("CoreCleaned", 7002, 2, 1),
    ("CorePuaClean", 7002, 2, 1),
    ("CoreBlocklistClean", 7002, 2, 1),
    ("CoreHmpaClean", 7002, 2, 1),
    ("CoreIpsClean", 7002, 2, 1),
    ("CoreAmsiClean", 7002, 2, 1),
    ("CoreSystemClean", 7002, 2, 1),
    ("CoreCleanFailed", 7002, 2, 2),
    ("CorePuaCleanFailed", 7002, 2, 2),
    ("CoreHmpaCleanFailed", 7002, 2, 2),
    ("CoreCleanNothingFound", 7002, 2, 3),
    ("CorePuaCleanNothingFound", 7002, 2, 3),
    ("CoreReboot", 7002, 2, 4),
    ("CorePuaReboot", 7002, 2, 4),
    ("CoreHmpaReboot", 7002, 2, 4),
    ("CoreRestore", 7002, 3, 1),
    ("CorePuaRestore", 7002, 3, 1),
    ("CoreRestoreFailed", 7002, 3, 2),
    ("CorePuaRestoreFailed", 7002, 3, 2),
    ("CoreDismissed", 2004, 3, 0),
    ("CoreOutbreakDismissed", 2004, 3, 0),
    ("HmpaExploitPrevented", 2004, 1, 2),
    ("HmpaApplicationHijacking", 2004, 1, 15),
    ("HmpaBehaviourPrevented", 2004, 1, 2),
    ("HmpaCredGuard", 2004, 1, 2),
    ("HmpaCryptoGuard", 2004, 1, 2),
    ("HmpaCryptoGuardSMB", 2004, 1, 2),
    ("HmpaCryptoGuardSMBOrigin", 2004, 1, 2),
    ("HmpaPrivGuard", 2004, 1, 2),
    ("HmpaMalwareDetected", 2004, 1, 15),
    ("HmpaPuaDetected", 2004, 1, 15),
    ("HmpaSafeBrowsing", 2004, 1, 15),
    ("HmpaThreat", 2004, 1, 15),
    ("HmpaCameraMic", 2004, 1, 15),
    ("HmpaCredGuardResolved", 2004, 3, 11),
    ("HmpaCryptoGuardResolved", 2004, 3, 11),
    ("HmpaCryptoGuardSMBResolved", 2004, 3, 11),
    ("HmpaPrivGuardResolved", 2004, 3, 11),
    ("HmpaMalwareCleanup", 7002, 2, 1),
    ("HmpaPuaCleanup", 7002, 2, 1),
    ("Application::Blocked", 2004, 1, 2),
    ("Application::Detected", 2004, 1, 15),
    ("Application::Allowed", 2004, 1, 1),
    ("WebFilteringBlocked", 2004, 1, 2),
    ("WebControlViolation", 2004, 1, 15),
    ("WebControlViolation::BLOCKED", 2004, 1, 15),
    ("Smc::WebFiltering", 2004, 1, 15),
    ("DownloadReputationAutoAuthorised", 2004, 1, 1),
    ("DownloadReputationAutoBlocked", 2004, 1, 2),
    ("DownloadReputationUserAuthorised", 2004, 1, 1),
    ("DownloadReputationUserBlocked", 2004, 1, 2),
    ("Device::AlertedOnly", 2004, 1, 1),
    ("Device::Blocked", 2004, 1, 2),
    ("Device::ReadOnly", 2004, 1, 7),
    ("DataLossPreventionAutomaticallyAllowed", 2004, 1, 1),
    ("DataLossPreventionAutomaticallyBlocked", 2004, 1, 2),
    ("DataLossPreventionUserAllowed", 2004, 1, 1),
    ("DataLossPreventionUserBlocked", 2004, 1, 2),
    ("WindowsFirewall::Blocked", 2004, 1, 2),
    ("Isolation::Isolated", 7001, 1, 1),
    ("Isolation::Isolated::ADMIN", 7001, 1, 1),
    ("Isolation::UnIsolated", 7001, 3, 1),
    ("Mobile::MitmAttackEvent", 2004, 1, 15),
    ("Smc::MitmAttackEvent", 2004, 1, 15),
];

const OTHER_TYPES: &[(&str, u32, u32, u32)] = &[
    ("Event::Firewall::FirewallAdvancedThreatProtection", 2004, 1, 15),
    ("Event::Mobile::MitmAttackEvent", 2004, 1, 15),
    ("Event::Xgemail::DlpViolationEvent", 2004, 1, 15),
    ("Event::SpamOrVirus::Alert", 2004, 1, 15),
    ("Event::RateLimitAlert::BlockedSender", 2004, 1, 15),
    ("Event::OutboundMalwareProtection::EndpointScan", 2004, 1, 15),
    ("Event::UAV::PotentiallyCompromisedDevice", 2004, 1, 15),
];

const TELEMETRY: &[&str] = &[
    "Event::Endpoint::CoreGenerateForensicSnapshot",
    "Event::Endpoint::CoreUploadForensicSnapshotFailed",
    "Event::Endpoint::HmpaScanStarted",
    "Event::Endpoint::HmpaScanClean",
    "Event::Endpoint::SavScanComplete",
    "Event::Endpoint::SavSmartScanAborted",
    "Event::Endpoint::HomeStartFinished",
    "Event::Endpoint::IntensiveScanPartComplete",
    "Event::Endpoint::HeartbeatMissing",
    "Event::Endpoint::ServiceNotRunning",
    "Event::Endpoint::SavDisabled",
    "Event::Endpoint::NotProtected",
    "Event::Endpoint::OutOfDate",
    "Event::Endpoint::Registered",
    "Event::Endpoint::Deduplicated::SERVER",
    "Event::Endpoint::Management::Suspended",
    "Event::Endpoint::UpdateSuccess",
    "Event::Endpoint::UpdateFailure::NO_SPACE",
    "Event::Endpoint::UpdateRebootRequired",
    "Event::Endpoint::Compliant",
    "Event::Endpoint::NonCompliant",
    "Event::Endpoint::UserAutoCreated",
    "Event::Endpoint::Enc::DiskEncryptionFailed",
    "Event::Endpoint::Denc::Recovery::KeyReceived",
    "Event::Endpoint::FileIntegrityMonitoring::Suspend",
    "Event::Endpoint::Mobile::Enrolled",
    "Event::Smc::Action::Failed",
    "Event::Firewall::LostConnectionToSophosCentral",
    "Event::Other::FirewallFirmwareUpdateSuccessfullyFinished",
    "Event::ADSync::Success",
    "Event::Iaas::Log::AWS_ACCOUNT_ADDED",
    "Event::IaasAzure::AzureLog::Added",
    "Event::Wireless::AccessPoint::Offline",
    "Event::CSWITCH::CSwitchDisconnected",
    "Event::UAV::TimedOut",
    "Event::ZTNA::ZTNAGatewayUnreachable",
    "Event::Task::RenewApiToken",
    "Event::EDR.DarkBytes::CaseCreated",
    "Event::CWG::Registered",
];

#[test]
fn event_types_have_their_class_and_activity() {
    let endpoint =
        ENDPOINT_TYPES.iter().map(|(name, a, b, c)| (format!("Event::Endpoint::{name}"), *a, *b, *c));
    let others = OTHER_TYPES.iter().map(|(name, a, b, c)| ((*name).to_owned(), *a, *b, *c));
    for (name, class, activity, result) in endpoint.chain(others) {
        let OcsfRow { class: found, value, .. } = single_row(&name);
        let number = |member: &str| value[member].as_u64().map(|number| number as u32);
        let result_name = if class == 2004 { "disposition_id" } else { "status_id" };
        assert_eq!(
            (found.uid(), number("class_uid"), number("activity_id"), number(result_name)),
            (class, Some(class), Some(activity), Some(result)),
            "{name}"
        );
        assert_eq!(value["type_uid"], class * 100 + activity, "{name}");
        assert_eq!(value["metadata"]["event_code"], name);
    }
}

#[test]
fn telemetry_types_stay_in_the_export() {
    for name in TELEMETRY {
        assert_eq!(map_type(name, &MappingSettings::default()), Mapped::Telemetry, "{name}");
    }
}

#[test]
fn unknown_types_are_reported_by_name() {
    for name in [
        "Event::Endpoint::Brand::New",
        "Event::Endpoint::Threat::DetectedX",
        "Event::Endpoint::CoreX",
        "New",
        "",
    ] {
        assert_eq!(map_type(name, &MappingSettings::default()), Mapped::UnknownType(name.into()));
    }
}

/// Without the class of a clean-up, it is an update of its finding.
#[test]
fn clean_up_updates_the_finding_without_its_class() {
    let settings = MappingSettings { classes: vec![Class::DetectionFinding], ..MappingSettings::default() };
    for (name, disposition) in [
        ("Event::Endpoint::Threat::CleanedUp", 11),
        ("Event::Endpoint::Threat::CleanupFailed", 13),
        ("Event::Endpoint::CoreCleanNothingFound", 16),
        ("Event::Endpoint::CoreReboot", 12),
        ("Event::Endpoint::CoreRestore", 9),
    ] {
        let Mapped::Rows(rows) = map_type(name, &settings) else { panic!("{name}") };
        let found: Vec<_> = rows
            .iter()
            .map(|row| [&row.value["class_uid"], &row.value["activity_id"], &row.value["disposition_id"]])
            .collect();
        assert_eq!(found, [[&Value::from(2004), &Value::from(2), &Value::from(disposition)]], "{name}");
    }
    assert_eq!(map_type("Event::Endpoint::Isolation::Isolated", &settings), Mapped::Telemetry);
}
