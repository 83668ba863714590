//! The types of events: their class, activity and disposition.

use self::EventRule::{CleanUp as Clean, Finding as Find, Isolation, Telemetry};

/// The rule of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventRule {
    /// A detection: class 2004.
    Finding(FindingRule),
    /// A clean-up: classes 7001 to 7003, one row for each item.
    CleanUp(CleanUpRule),
    /// The isolation of a device, or its end: class 7001.
    Isolation(RemedyActivity),
    /// Neither: the event stays in the export alone.
    Telemetry,
}

/// A detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FindingRule {
    /// The activity.
    pub activity: FindingActivity,
    /// The action and the disposition.
    pub disposition: Disposition,
    /// Whether nothing is left to do.
    pub is_resolved: bool,
}

impl FindingRule {
    pub(crate) const fn new(activity: FindingActivity, disposition: Disposition) -> Self {
        Self { activity, disposition, is_resolved: false }
    }

    pub(crate) const fn resolved(self) -> Self {
        Self { is_resolved: true, ..self }
    }
}

/// The `activity_id` of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum FindingActivity {
    /// A new finding.
    Create = 1,
    /// A change of one.
    Update = 2,
    /// The end of one.
    Close = 3,
}

/// The action and the disposition of a finding, with their captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disposition {
    /// The `action_id`.
    pub action_id: u32,
    /// Its caption.
    pub action: &'static str,
    /// The `disposition_id`.
    pub disposition_id: u32,
    /// Its caption.
    pub disposition: &'static str,
}

impl Disposition {
    const fn new(action_id: u32, disposition_id: u32, disposition: &'static str) -> Self {
        let action = match action_id {
            1 => "Allowed",
            2 => "Denied",
            _ => "Unknown",
        };
        Self { action_id, action, disposition_id, disposition }
    }

    pub(crate) const UNKNOWN: Self = Self::new(0, 0, "Unknown");
    pub(crate) const ALLOWED: Self = Self::new(1, 1, "Allowed");
    pub(crate) const RESTRICTED: Self = Self::new(1, 7, "Custom Action");
    pub(crate) const BLOCKED: Self = Self::new(2, 2, "Blocked");
    pub(crate) const DETECTED: Self = Self::new(0, 15, "Detected");
    pub(crate) const CORRECTED: Self = Self::new(2, 11, "Corrected");
    pub(crate) const PARTIALLY_CORRECTED: Self = Self::new(2, 12, "Partially Corrected");
    pub(crate) const UNCORRECTED: Self = Self::new(0, 13, "Uncorrected");
    pub(crate) const RESTORED: Self = Self::new(1, 9, "Restored");
    pub(crate) const NO_ACTION: Self = Self::new(0, 16, "No Action");
    pub(crate) const ALERT: Self = Self::new(0, 19, "Alert");
}

/// The `activity_id` of a remediation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum RemedyActivity {
    /// Isolation.
    Isolate = 1,
    /// Removal.
    Evict = 2,
    /// Restoration, or the end of an isolation.
    Restore = 3,
}

/// The `status_id` of a remediation and its caption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemedyStatus {
    /// The `status_id`.
    pub id: u32,
    /// Its caption.
    pub name: &'static str,
}

impl RemedyStatus {
    pub(crate) const SUCCESS: Self = Self { id: 1, name: "Success" };
    pub(crate) const FAILURE: Self = Self { id: 2, name: "Failure" };
    pub(crate) const DOES_NOT_EXIST: Self = Self { id: 3, name: "Does Not Exist" };
    pub(crate) const PARTIAL: Self = Self { id: 4, name: "Partial" };
    pub(crate) const OTHER: Self = Self { id: 99, name: "Other" };

    /// The status of an item by its result.
    pub(crate) fn of_item(result: &str) -> Self {
        match result.to_ascii_uppercase().as_str() {
            "SUCCESS" | "SUCCEEDED" => Self::SUCCESS,
            "FAILED" | "FAILURE" | "ERROR" => Self::FAILURE,
            "NOT_FOUND" | "NOTHING_FOUND" => Self::DOES_NOT_EXIST,
            "PARTIAL" | "REBOOT_REQUIRED" => Self::PARTIAL,
            _ => Self::OTHER,
        }
    }
}

/// A clean-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CleanUpRule {
    /// The activity.
    pub activity: RemedyActivity,
    /// The status, unless the event has items with results.
    pub status: RemedyStatus,
}

impl CleanUpRule {
    /// The clean-up as an update of its finding.
    pub(crate) fn finding(self) -> FindingRule {
        let disposition = match (self.activity, self.status) {
            (_, RemedyStatus::FAILURE) => Disposition::UNCORRECTED,
            (_, RemedyStatus::DOES_NOT_EXIST) => Disposition::NO_ACTION,
            (_, RemedyStatus::PARTIAL) => Disposition::PARTIALLY_CORRECTED,
            (RemedyActivity::Restore, _) => Disposition::RESTORED,
            _ => Disposition::CORRECTED,
        };
        FindingRule::new(FindingActivity::Update, disposition)
    }
}

const fn create(disposition: Disposition) -> EventRule {
    Find(FindingRule::new(FindingActivity::Create, disposition))
}

const fn close(disposition: Disposition) -> EventRule {
    Find(FindingRule::new(FindingActivity::Close, disposition).resolved())
}

const fn clean_up(activity: RemedyActivity, status: RemedyStatus) -> EventRule {
    Clean(CleanUpRule { activity, status })
}

const DETECTED: EventRule = create(Disposition::DETECTED);
const BLOCKED: EventRule = create(Disposition::BLOCKED);
const ALLOWED: EventRule = create(Disposition::ALLOWED);
const EVICTED: EventRule = clean_up(RemedyActivity::Evict, RemedyStatus::SUCCESS);
const NOT_EVICTED: EventRule = clean_up(RemedyActivity::Evict, RemedyStatus::FAILURE);
const NOTHING_TO_EVICT: EventRule = clean_up(RemedyActivity::Evict, RemedyStatus::DOES_NOT_EXIST);
const REBOOT_TO_EVICT: EventRule = clean_up(RemedyActivity::Evict, RemedyStatus::PARTIAL);
const RESTORED: EventRule = clean_up(RemedyActivity::Restore, RemedyStatus::SUCCESS);
const NOT_RESTORED: EventRule = clean_up(RemedyActivity::Restore, RemedyStatus::FAILURE);

/// The members of a family: the beginning of their types after `Event::`, the rest, and
/// the rule. `*` stands for any rest that no other row names.
const FAMILIES: &[(&str, &[&str], EventRule)] = &[
    (
        "Endpoint::Threat::",
        &["Detected", "PuaDetected", "HIPSDetected", "LowRepAppDetected", "CommandAndControlDetected"],
        DETECTED,
    ),
    ("Endpoint::Threat::", &["IpsInboundDetection", "IpsOutboundDetection"], BLOCKED),
    ("Endpoint::Threat::", &["CleanedUp", "PuaCleanedUp", "HIPSCleanedUp", "LowRepAppCleanedUp"], EVICTED),
    ("Endpoint::Threat::", &["CleanupFailed", "PuaCleanupFailed", "HIPSCleanupFailed"], NOT_EVICTED),
    (
        "Endpoint::Threat::",
        &["Dismissed", "PuaDismissed", "HIPSDismissed", "CommandAndControlDismissed"],
        close(Disposition::UNKNOWN),
    ),
    (
        "Endpoint::Core",
        &[
            "Detection",
            "RemoteDetection",
            "PuaDetection",
            "PuaRemoteDetection",
            "BehavioralDetection",
            "BlocklistDetection",
            "Outbreak",
        ],
        DETECTED,
    ),
    ("Endpoint::Core", &["AmsiBlocked"], BLOCKED),
    (
        "Endpoint::Core",
        &[
            "Clean",
            "Cleaned",
            "PuaClean",
            "PuaCleaned",
            "BlocklistClean",
            "HmpaClean",
            "IpsClean",
            "AmsiClean",
            "SystemClean",
        ],
        EVICTED,
    ),
    (
        "Endpoint::Core",
        &[
            "CleanFailed",
            "PuaCleanFailed",
            "BlocklistCleanFailed",
            "HmpaCleanFailed",
            "IpsCleanFailed",
            "AmsiCleanFailed",
            "SystemCleanFailed",
        ],
        NOT_EVICTED,
    ),
    (
        "Endpoint::Core",
        &[
            "CleanNothingFound",
            "PuaCleanNothingFound",
            "BlocklistCleanNothingFound",
            "HmpaCleanNothingFound",
            "IpsCleanNothingFound",
            "AmsiCleanNothingFound",
            "SystemCleanNothingFound",
        ],
        NOTHING_TO_EVICT,
    ),
    ("Endpoint::Core", &["Reboot", "PuaReboot", "HmpaReboot"], REBOOT_TO_EVICT),
    ("Endpoint::Core", &["Restore", "PuaRestore"], RESTORED),
    ("Endpoint::Core", &["RestoreFailed", "PuaRestoreFailed"], NOT_RESTORED),
    ("Endpoint::Core", &["Dismissed", "OutbreakDismissed"], close(Disposition::UNKNOWN)),
    (
        "Endpoint::Core",
        &[
            "GenerateForensicSnapshot",
            "UploadForensicSnapshot",
            "GenerateForensicSnapshotFailed",
            "UploadForensicSnapshotFailed",
        ],
        Telemetry,
    ),
    (
        "Endpoint::Hmpa",
        &[
            "ExploitPrevented",
            "BehaviourPrevented",
            "CredGuard",
            "CryptoGuard",
            "CryptoGuardSMB",
            "CryptoGuardSMBOrigin",
            "PrivGuard",
        ],
        BLOCKED,
    ),
    (
        "Endpoint::Hmpa",
        &["ApplicationHijacking", "MalwareDetected", "PuaDetected", "SafeBrowsing", "Threat", "CameraMic"],
        DETECTED,
    ),
    (
        "Endpoint::Hmpa",
        &["CredGuardResolved", "CryptoGuardResolved", "CryptoGuardSMBResolved", "PrivGuardResolved"],
        close(Disposition::CORRECTED),
    ),
    ("Endpoint::Hmpa", &["MalwareCleanup", "PuaCleanup"], EVICTED),
    ("Endpoint::Hmpa", &["ScanStarted", "ScanCompleted", "ScanClean", "ScanReboot"], Telemetry),
    (
        "Endpoint::Sav",
        &[
            "ScanComplete",
            "FastScanComplete",
            "SmartScanStarted",
            "SmartScanComplete",
            "SmartScanAborted",
            "Disabled",
            "Enabled",
            "Error",
        ],
        Telemetry,
    ),
    (
        "Endpoint::Home",
        &["StartStarted", "StartFinished", "StartCancelled", "EndpointUninstalled"],
        Telemetry,
    ),
    ("Endpoint::IntensiveScan", &["Started", "PartComplete"], Telemetry),
    ("Endpoint::Application::", &["Blocked"], BLOCKED),
    ("Endpoint::Application::", &["Detected"], DETECTED),
    ("Endpoint::Application::", &["Allowed"], ALLOWED),
    ("Endpoint::", &["WebFilteringBlocked"], BLOCKED),
    ("Endpoint::", &["WebControlViolation"], DETECTED),
    ("Endpoint::Smc::", &["WebFiltering"], DETECTED),
    ("Endpoint::DownloadReputation", &["AutoAuthorised", "UserAuthorised"], ALLOWED),
    ("Endpoint::DownloadReputation", &["AutoBlocked", "UserBlocked"], BLOCKED),
    ("Endpoint::Device::", &["AlertedOnly"], ALLOWED),
    ("Endpoint::Device::", &["Blocked"], BLOCKED),
    ("Endpoint::Device::", &["ReadOnly"], create(Disposition::RESTRICTED)),
    ("Endpoint::DataLossPrevention", &["AutomaticallyAllowed", "UserAllowed"], ALLOWED),
    ("Endpoint::DataLossPrevention", &["AutomaticallyBlocked", "UserBlocked"], BLOCKED),
    ("Endpoint::WindowsFirewall::", &["Blocked"], BLOCKED),
    ("Endpoint::Isolation::", &["Isolated"], Isolation(RemedyActivity::Isolate)),
    ("Endpoint::Isolation::", &["UnIsolated"], Isolation(RemedyActivity::Restore)),
    (
        "Endpoint::",
        &[
            "HeartbeatMissing",
            "HeartbeatRestored",
            "ServiceNotRunning",
            "ServiceRestored",
            "NotProtected",
            "Protected",
            "OutOfDate",
            "UnsupportedOperatingSystem",
            "Registered",
            "Reprotected",
            "Deduplicated",
            "CloneDetected",
            "Management",
            "UpdateSuccess",
            "UpdateFailure",
            "UpdateRebootRequired",
            "UpdateRebootUrgentlyRequired",
            "VirtualisationCertificateRenewal",
            "AppChange",
            "Compliant",
            "NonCompliant",
            "UserAutoCreated",
            "Enc",
            "Denc",
            "Fenc",
            "FileIntegrityMonitoring",
        ],
        Telemetry,
    ),
    ("Endpoint::Mobile::", &["MitmAttackEvent"], DETECTED),
    ("Endpoint::Mobile::", &["*"], Telemetry),
    ("Endpoint::Smc::", &["MitmAttackEvent"], DETECTED),
    ("Endpoint::Smc::", &["*"], Telemetry),
    ("Mobile::", &["MitmAttackEvent"], DETECTED),
    ("Mobile::", &["*"], Telemetry),
    ("Smc::", &["MitmAttackEvent"], DETECTED),
    ("Smc::", &["*"], Telemetry),
    ("Firewall::", &["FirewallAdvancedThreatProtection"], DETECTED),
    ("Firewall::", &["*"], Telemetry),
    ("Other::", &["*"], Telemetry),
    ("ADSync::", &["*"], Telemetry),
    ("Iaas::", &["*"], Telemetry),
    ("IaasAzure::", &["*"], Telemetry),
    ("Wireless::", &["*"], Telemetry),
    ("CSWITCH::", &["*"], Telemetry),
    ("Xgemail::", &["DlpViolationEvent"], DETECTED),
    ("Xgemail::", &["*"], Telemetry),
    ("SpamOrVirus::", &["*"], DETECTED),
    ("RateLimitAlert::", &["*"], DETECTED),
    ("OutboundMalwareProtection::", &["*"], DETECTED),
    ("UAV::", &["PotentiallyCompromisedDevice"], DETECTED),
    ("UAV::", &["Requested", "Responded", "TimedOut"], Telemetry),
    (
        "ZTNA::",
        &["ZTNAGatewayUnreachable", "ZTNAApplicationUnreachable", "ZTNAAuthenticationFailure"],
        Telemetry,
    ),
    ("Task::", &["*"], Telemetry),
    ("EDR.DarkBytes::", &["CaseCreated"], Telemetry),
    ("CWG::", &["Registered", "Reprotected"], Telemetry),
];

/// Returns the rule of an event type, such as `Event::Endpoint::Threat::Detected`, or
/// `None` for an unknown one. A further part after `::` is a variant of the same type.
pub fn classify(event_type: &str) -> Option<EventRule> {
    let name = event_type.strip_prefix("Event::").unwrap_or(event_type);
    let is_member = |rest: &str, member: &str| {
        rest.strip_prefix(member).is_some_and(|variant| variant.is_empty() || variant.starts_with("::"))
    };
    let find = |matches: &dyn Fn(&str, &str) -> bool| {
        FAMILIES.iter().find_map(|(beginning, members, rule)| {
            let rest = name.strip_prefix(beginning)?;
            members.iter().any(|member| matches(rest, member)).then_some(*rule)
        })
    };
    find(&is_member).or_else(|| find(&|rest, member| member == "*" && !rest.is_empty()))
}
