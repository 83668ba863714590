use crate::models::{
    Reference,
    macros::{model, open_enum},
    timestamp::Timestamp,
};

model! {
    /// An alert of the Common API, which keeps it for 90 days. Returned by the
    /// operations under `/common/v1/alerts`.
    pub struct Alert {
        /// The alert's id.
        id!: String,
        /// The permitted actions; the service rejects any other.
        allowed_actions: Vec<AlertActionKind>,
        /// The category.
        category: AlertCategory,
        /// The description.
        description: String,
        /// The group, in Base64. The console displays alerts of one group as one.
        group_key: String,
        /// The subject of the alert.
        managed_agent: ManagedAgent,
        /// The user.
        person: Reference,
        /// The product that raised it.
        product: Product,
        /// The time of the alert.
        raised_at: Timestamp,
        /// The time of the alert under the name that some tenants' alerts use.
        created_at: Timestamp,
        /// The severity.
        severity: AlertSeverity,
        /// The tenant.
        tenant: Reference,
        /// The event type, such as `Event::Endpoint::Threat::CleanupFailed`.
        r#type: String,
    }
}

model! {
    /// The subject of an alert.
    pub struct ManagedAgent {
        /// The id: an endpoint's id for a computer or a server.
        id as id: String,
        /// The type.
        r#type: ManagedAgentType,
        /// The name.
        name: String,
    }
}

model! {
    /// A requested action. Returned by `POST /common/v1/alerts/{alertId}/actions`. No
    /// operation returns its later state.
    pub struct AlertAction {
        /// The action's id.
        id!: String,
        /// The alert's id.
        alert_id as id: String,
        /// The requested action.
        action: AlertActionKind,
        /// The progress: `requested`, `started` or `completed`.
        status: String,
        /// The result, such as `success`. It may be empty.
        result: String,
        /// The time of the request.
        requested_at: Timestamp,
        /// The time of the start.
        started_at: Timestamp,
        /// The time of the completion.
        completed_at: Timestamp,
    }
}

open_enum! {
    /// The severity of an alert.
    pub enum AlertSeverity {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
    }
}

open_enum! {
    /// An action on an alert. The service compares the case.
    pub enum AlertActionKind {
        /// Acknowledge the alert.
        Acknowledge = "acknowledge",
        /// Clean up a potentially unwanted application.
        CleanPua = "cleanPua",
        /// Clean up a virus.
        CleanVirus = "cleanVirus",
        /// Allow a potentially unwanted application.
        AuthPua = "authPua",
        /// Mark a threat as resolved.
        ClearThreat = "clearThreat",
        /// Mark an exploit detection as resolved.
        ClearHmpa = "clearHmpa",
        /// Send a message about a potentially unwanted application.
        SendMsgPua = "sendMsgPua",
        /// Send a message about a threat.
        SendMsgThreat = "sendMsgThreat",
    }
}

open_enum! {
    /// The product that raised an alert.
    pub enum Product {
        /// Another product.
        Other = "other",
        /// Endpoint protection.
        Endpoint = "endpoint",
        /// Server protection.
        Server = "server",
        /// Mobile.
        Mobile = "mobile",
        /// Device encryption.
        Encryption = "encryption",
        /// Email gateway.
        EmailGateway = "emailGateway",
        /// Web gateway.
        WebGateway = "webGateway",
        /// Phish Threat.
        PhishThreat = "phishThreat",
        /// Wireless.
        Wireless = "wireless",
        /// Cloud infrastructure.
        Iaas = "iaas",
        /// Firewall.
        Firewall = "firewall",
        /// Zero trust network access.
        Ztna = "ztna",
    }
}

open_enum! {
    /// The category of an alert. The service has about thirty; this lists the ones of
    /// endpoint security.
    pub enum AlertCategory {
        /// Application control.
        ApplicationControl = "applicationControl",
        /// Directory synchronisation.
        AdSync = "adSync",
        /// The connection to the service.
        Connectivity = "connectivity",
        /// Device encryption.
        DeviceEncryption = "denc",
        /// General.
        General = "general",
        /// Isolation of an endpoint.
        Isolation = "isolation",
        /// Malware.
        Malware = "malware",
        /// Managed threat response.
        Mtr = "mtr",
        /// Policy compliance.
        Policy = "policy",
        /// Protection of an endpoint.
        Protection = "protection",
        /// A potentially unwanted application.
        Pua = "pua",
        /// Detections at run time.
        RuntimeDetections = "runtimeDetections",
        /// Security.
        Security = "security",
        /// The health of a system.
        SystemHealth = "systemHealth",
        /// No category.
        Uncategorized = "uncategorized",
        /// Updating.
        Updating = "updating",
    }
}

open_enum! {
    /// The type of an alert's subject.
    pub enum ManagedAgentType {
        /// A computer.
        Computer = "computer",
        /// A server.
        Server = "server",
        /// A mobile device.
        Mobile = "mobile",
        /// A security virtual machine.
        SecurityVm = "securityVm",
        /// A UTM appliance.
        Utm = "utm",
        /// An access point.
        AccessPoint = "accessPoint",
        /// A wireless network.
        WirelessNetwork = "wirelessNetwork",
        /// A mailbox.
        Mailbox = "mailbox",
        /// A Linux sensor.
        Slec = "slec",
        /// A firewall.
        XgFirewall = "xgFirewall",
    }
}
