use crate::{
    model::{model, open_enum},
    models::Reference,
    timestamp::Timestamp,
};

model! {
    /// An alert of the Common API. Sent by `GET /common/v1/alerts` and its
    /// siblings, and kept for 90 days.
    pub struct Alert {
        /// The alert's id.
        id!: String,
        /// What may be done about it; anything else is refused.
        allowed_actions: Vec<AlertActionKind>,
        /// The kind of alert.
        category: AlertCategory,
        /// What happened, in words.
        description: String,
        /// Alerts of one key are shown as one. Base64.
        group_key: String,
        /// What it is about.
        managed_agent: ManagedAgent,
        /// The user.
        person: Reference,
        /// The product that raised it.
        product: Product,
        /// When it was raised.
        raised_at: Timestamp,
        /// The same, as some tenants' alerts name it.
        created_at: Timestamp,
        /// How serious it is.
        severity: AlertSeverity,
        /// The tenant.
        tenant: Reference,
        /// What happened, such as `Event::Endpoint::Threat::CleanupFailed`.
        r#type: String,
    }
}

model! {
    /// What an alert is about.
    pub struct ManagedAgent {
        /// Its id; an endpoint's id for a computer or a server.
        id as id: String,
        /// What it is.
        r#type: ManagedAgentType,
        /// Its name.
        name: String,
    }
}

model! {
    /// An action that was asked for. Sent by
    /// `POST /common/v1/alerts/{alertId}/actions`; its later state cannot be
    /// asked for.
    pub struct AlertAction {
        /// The action's id.
        id!: String,
        /// The alert.
        alert_id as id: String,
        /// What was asked for.
        action: AlertActionKind,
        /// How far it is: `requested`, `started` or `completed`.
        status: String,
        /// How it went, such as `success`. May be empty.
        result: String,
        /// When it was asked for.
        requested_at: Timestamp,
        /// When it began.
        started_at: Timestamp,
        /// When it ended.
        completed_at: Timestamp,
    }
}

open_enum! {
    /// How serious an alert is.
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
    /// What can be done about an alert. Case matters.
    pub enum AlertActionKind {
        /// Mark it as seen.
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
        /// Another one.
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
    /// The kind of an alert. The service has some thirty; those that endpoint
    /// security meets are named here.
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
        /// None of the others.
        Uncategorized = "uncategorized",
        /// Updating.
        Updating = "updating",
    }
}

open_enum! {
    /// What an alert can be about.
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
