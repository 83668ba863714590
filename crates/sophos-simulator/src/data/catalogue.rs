//! The kinds of events and alerts, and the words for their placeholders.

/// A kind of event.
#[derive(Debug)]
pub(crate) struct EventKind {
    pub(crate) event_type: &'static str,
    pub(crate) group: &'static str,
    pub(crate) severity: &'static str,
    /// The text, with the placeholders `{threat}`, `{path}`, `{host}`, `{kind}`, `{site}`,
    /// `{user}` and `{app}`.
    pub(crate) name: &'static str,
    pub(crate) threat: bool,
    pub(crate) remedy: bool,
    pub(crate) weight: u64,
}

const fn event(
    weight: u64,
    event_type: &'static str,
    group: &'static str,
    severity: &'static str,
    name: &'static str,
) -> EventKind {
    EventKind { event_type, group, severity, name, threat: false, remedy: false, weight }
}

const fn with_threat(kind: EventKind) -> EventKind {
    EventKind { threat: true, ..kind }
}

const fn with_remedy(kind: EventKind) -> EventKind {
    EventKind { threat: true, remedy: true, ..kind }
}

pub(crate) static EVENTS: &[EventKind] = &[
    event(22, "Event::Endpoint::UpdateSuccess", "UPDATING", "low", "Update succeeded"),
    event(
        14,
        "Event::Endpoint::WebControlViolation",
        "WEB",
        "low",
        "Access was blocked to \"{site}\" because of \"Peer to Peer & torrents\".",
    ),
    event(
        10,
        "Event::Endpoint::SavScanComplete",
        "MALWARE",
        "none",
        "Scan 'Sophos Cloud Scheduled Scan' completed",
    ),
    event(7, "Event::Endpoint::UserAutoCreated", "PROTECTION", "low", "New user added automatically: {user}"),
    event(6, "Event::Endpoint::Registered", "PROTECTION", "low", "New {kind} registered: {host}"),
    event(
        6,
        "Event::Endpoint::Device::AlertedOnly",
        "PERIPHERALS",
        "low",
        "Peripheral allowed: SanDisk Ultra USB Device",
    ),
    event(
        5,
        "Event::Endpoint::Application::Blocked",
        "APPLICATION_CONTROL",
        "medium",
        "Controlled application blocked: {app} (Remote management tool)",
    ),
    event(
        5,
        "Event::Endpoint::NonCompliant",
        "POLICY",
        "medium",
        "Policy non-compliance: Real-time protection",
    ),
    event(5, "Event::Endpoint::Compliant", "POLICY", "low", "Policy in compliance: Real-time protection"),
    event(
        4,
        "Event::Endpoint::UpdateFailure",
        "UPDATING",
        "medium",
        "Failed to update: \"{host}\" could not reach the update location",
    ),
    with_threat(event(
        4,
        "Event::Endpoint::Threat::Detected",
        "MALWARE",
        "medium",
        "Malware detected: '{threat}' at '{path}'",
    )),
    with_remedy(event(
        4,
        "Event::Endpoint::Threat::CleanedUp",
        "MALWARE",
        "low",
        "Malware cleaned up: '{threat}' at '{path}'",
    )),
    with_remedy(event(
        3,
        "Event::Endpoint::CoreCleaned",
        "MALWARE",
        "low",
        "Threat cleaned up: '{threat}' at '{path}'",
    )),
    with_remedy(event(
        2,
        "Event::Endpoint::CoreCleanFailed",
        "MALWARE",
        "high",
        "Manual cleanup required: '{threat}' at '{path}'",
    )),
    with_threat(event(
        2,
        "Event::Endpoint::Threat::PuaDetected",
        "PUA",
        "medium",
        "PUA detected: '{threat}' at '{path}'",
    )),
    with_threat(event(
        1,
        "Event::Endpoint::Threat::PuaCleanupFailed",
        "PUA",
        "medium",
        "Manual PUA cleanup required: '{threat}' at '{path}'",
    )),
    with_threat(event(
        1,
        "Event::Endpoint::HmpaExploitPrevented",
        "RUNTIME_DETECTIONS",
        "high",
        "'{threat}' exploit prevented in {app}",
    )),
    with_threat(event(
        1,
        "Event::Endpoint::HmpaCryptoGuard",
        "RUNTIME_DETECTIONS",
        "critical",
        "CryptoGuard detected a ransomware attack from '{path}'",
    )),
];

/// A kind of alert.
#[derive(Debug)]
pub(crate) struct AlertKind {
    pub(crate) event_type: &'static str,
    pub(crate) category: &'static str,
    pub(crate) severity: &'static str,
    /// The text, with the placeholders of an event's name.
    pub(crate) description: &'static str,
    pub(crate) actions: &'static [&'static str],
    pub(crate) threat: bool,
    pub(crate) cleanable: bool,
    /// The product, if it differs from the endpoint's kind.
    pub(crate) product: Option<&'static str>,
    pub(crate) number: u32,
    pub(crate) weight: u64,
}

const fn alert(
    weight: u64,
    number: u32,
    event_type: &'static str,
    category: &'static str,
    severity: &'static str,
    description: &'static str,
    actions: &'static [&'static str],
) -> AlertKind {
    AlertKind {
        event_type,
        category,
        severity,
        description,
        actions,
        threat: false,
        cleanable: false,
        product: None,
        number,
        weight,
    }
}

const fn malicious(kind: AlertKind) -> AlertKind {
    AlertKind { threat: true, ..kind }
}

const fn with_product(product: &'static str, kind: AlertKind) -> AlertKind {
    AlertKind { product: Some(product), ..kind }
}

pub(crate) static ALERTS: &[AlertKind] = &[
    alert(
        8,
        513,
        "Event::Endpoint::OutOfDate",
        "updating",
        "medium",
        "{host} is out of date.",
        &["acknowledge"],
    ),
    malicious(alert(
        6,
        16,
        "Event::Endpoint::Threat::CleanupFailed",
        "malware",
        "high",
        "Manual cleanup required: '{threat}' at '{path}'",
        &["clearThreat"],
    )),
    AlertKind {
        cleanable: true,
        ..malicious(alert(
            4,
            14,
            "Event::Endpoint::Threat::Detected",
            "malware",
            "high",
            "Malware not cleaned up: '{threat}' at '{path}'",
            &["cleanVirus", "clearThreat"],
        ))
    },
    malicious(alert(
        4,
        38,
        "Event::Endpoint::Threat::PuaCleanupFailed",
        "pua",
        "medium",
        "Manual PUA cleanup required: '{threat}' at '{path}'",
        &["acknowledge", "cleanPua", "authPua"],
    )),
    malicious(alert(
        2,
        171,
        "Event::Endpoint::HmpaExploitPrevented",
        "runtimeDetections",
        "high",
        "'{threat}' exploit prevented in {app}",
        &["clearHmpa"],
    )),
    alert(
        4,
        520,
        "Event::Endpoint::NotProtected",
        "protection",
        "high",
        "\"{host}\" is not protected: one or more services are stopped",
        &["acknowledge"],
    ),
    alert(
        3,
        62,
        "Event::Endpoint::NonCompliant",
        "policy",
        "low",
        "Policy non-compliance: Device control",
        &["acknowledge"],
    ),
    with_product(
        "firewall",
        alert(
            2,
            701,
            "Event::Firewall::LostConnectionToSophosCentral",
            "connectivity",
            "high",
            "Firewall at {site} has lost its connection to Sophos Central",
            &["acknowledge"],
        ),
    ),
    with_product(
        "other",
        alert(
            1,
            401,
            "Event::ADSync::Failure",
            "adSync",
            "medium",
            "Directory synchronisation failed for {user}",
            &["acknowledge"],
        ),
    ),
];

pub(crate) const THREATS: &[&str] = &[
    "EICAR-AV-Test",
    "Mal/Generic-S",
    "Troj/Emotet-CJS",
    "ML/PE-A",
    "PsExec",
    "Mal/Ryuk-A",
    "Généric PUA",
    "CXmail/OleDl-AG",
    "Troj/\"Loader\"-B",
];
pub(crate) const PATHS: &[&str] = &[
    "C:\\Program Files (x86)\\Trojan Horse\\bin\\eicar.com",
    "C:\\Users\\Lior\\Downloads\\eicarcom2 (7).zip",
    "C:\\Users\\jürgen\\AppData\\Local\\Temp\\~DF\"1.tmp",
    "D:\\データ\\請求書.docm",
    "/home/ana/тест/run me.sh",
    "C:\\Windows\\Temp\\svc$.exe",
];
pub(crate) const USERS: &[&str] =
    &["NORTH\\ana.silva", "THUNDERBOX\\Lior", "Domain\\Łukasz", "j.o'brien", "CORP\\renée", "root"];
pub(crate) const SITES: &[&str] =
    &["files.example.net", "tracker.example.org", "täuschung.example", "x.example/?q=\"a\\b\""];
pub(crate) const APPS: &[&str] = &["TeamViewer", "AnyDesk", "Firefox", "WINWORD.EXE", "Notepad++"];
