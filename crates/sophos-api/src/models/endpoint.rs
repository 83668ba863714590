use crate::{
    model::{model, open_enum},
    models::Reference,
    timestamp::Timestamp,
};

model! {
    /// An endpoint: a computer or server with the agent. Sent by
    /// `GET /endpoint/v1/endpoints` and `GET /endpoint/v1/endpoints/{endpointId}`.
    pub struct Endpoint {
        /// The endpoint's id.
        id!: String,
        /// Computer or server.
        r#type: EndpointType,
        /// The tenant.
        tenant: Reference,
        /// The host name.
        hostname: String,
        /// Its health.
        health: Health,
        /// Its operating system.
        os: OperatingSystem,
        /// Every IPv4 address that the agent reported, private ones included.
        ipv4_addresses: Vec<String>,
        /// Every IPv6 address that the agent reported.
        ipv6_addresses: Vec<String>,
        /// MAC addresses, with colons, in mixed case.
        mac_addresses: Vec<String>,
        /// The group it is in.
        group: EndpointGroup,
        /// The person it belongs to; may be empty.
        associated_person: AssociatedPerson,
        /// Whether tamper protection is on.
        tamper_protection_enabled: bool,
        /// Whether the agent supports tamper protection.
        tamper_protection_supported: bool,
        /// What is installed.
        assigned_products: Vec<AssignedProduct>,
        /// The parts of the agent.
        modules: Vec<Module>,
        /// When it last reported.
        last_seen_at: Timestamp,
        /// When the agent last updated itself.
        last_agent_update_at: Timestamp,
        /// When the operating system last updated itself.
        last_os_update_at: Timestamp,
        /// Volume encryption.
        encryption: Encryption,
        /// Server lockdown.
        lockdown: Lockdown,
        /// Whether it is connected now.
        online: bool,
        /// The isolation that the endpoint reported.
        isolation: EndpointIsolation,
        /// The cloud instance it runs on.
        cloud: CloudInstance,
        /// Whether Sophos watches over it.
        mdr_managed: bool,
        /// The serial number of the machine.
        serial_number: String,
        /// Whether it shares its identity with a copy of it.
        cloned: bool,
        /// What it was tagged with: at most 15.
        tags: Vec<EndpointTag>,
    }
}

model! {
    /// The health of an endpoint.
    pub struct Health {
        /// The worst of the others.
        overall: HealthStatus,
        /// Threats.
        threats: ThreatHealth,
        /// The agent's services.
        services: ServiceHealth,
    }
}

model! {
    /// Whether an endpoint has threats.
    pub struct ThreatHealth {
        /// The status.
        status: HealthStatus,
    }
}

model! {
    /// Whether the agent's services run.
    pub struct ServiceHealth {
        /// The worst of them.
        status: HealthStatus,
        /// Each service.
        service_details: Vec<ServiceDetail>,
    }
}

model! {
    /// One service of the agent. Names change from version to version.
    pub struct ServiceDetail {
        /// The name.
        name: String,
        /// Whether it runs.
        status: ServiceStatus,
    }
}

model! {
    /// An operating system. Linux has a name and no version numbers.
    pub struct OperatingSystem {
        /// Whether it is a server's.
        is_server: bool,
        /// Which one.
        platform: Platform,
        /// Its name, in words.
        name: String,
        /// Major version.
        major_version: i64,
        /// Minor version.
        minor_version: i64,
        /// Build.
        build: i64,
    }
}

model! {
    /// The group of an endpoint. Seen with a name and no id.
    pub struct EndpointGroup {
        /// The group's id. A number is not read: what cannot be read stays
        /// protected by policies that name groups.
        id: String,
        /// The group's name.
        name: String,
    }
}

model! {
    /// A tag of an endpoint: a key, and a value if it has one.
    pub struct EndpointTag {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// How the console shows it.
        display_string: String,
    }
}

model! {
    /// The person an endpoint belongs to.
    pub struct AssociatedPerson {
        /// The person's id.
        id as id: String,
        /// The name.
        name: String,
        /// The login, such as `DOMAIN\user`.
        via_login: String,
    }
}

model! {
    /// A product on an endpoint.
    pub struct AssignedProduct {
        /// Which, such as `interceptX`.
        code: String,
        /// Its version.
        version: String,
        /// `installed` or `notInstalled`.
        status: String,
    }
}

model! {
    /// A part of the agent.
    pub struct Module {
        /// The name.
        name: String,
        /// The version.
        version: String,
    }
}

model! {
    /// Encryption of an endpoint's volumes.
    pub struct Encryption {
        /// The status over all volumes.
        overall_status: String,
        /// Each volume.
        volumes: Vec<EncryptionVolume>,
    }
}

model! {
    /// An encrypted volume, or one that could be.
    pub struct EncryptionVolume {
        /// The volume, on Windows as `\\?\Volume{guid}\`.
        volume_id as id: String,
        /// The status.
        status: String,
    }
}

model! {
    /// Server lockdown.
    pub struct Lockdown {
        /// The status.
        status: LockdownStatus,
        /// The status of its update.
        update_status: String,
    }
}

model! {
    /// The isolation that an endpoint reported.
    pub struct EndpointIsolation {
        /// Whether it is isolated.
        status: IsolationStatus,
        /// Whether an administrator asked for it.
        admin_isolated: bool,
        /// Whether it isolated itself because of bad health, which an
        /// administrator's release may not lift.
        self_isolated: bool,
    }
}

model! {
    /// The cloud instance that an endpoint runs on.
    pub struct CloudInstance {
        /// The provider.
        provider: CloudProvider,
        /// The provider's id of the instance, such as `i-` and 17 hexadecimal
        /// digits.
        instance_id as id: String,
    }
}

open_enum! {
    /// What an endpoint is.
    pub enum EndpointType {
        /// A computer.
        Computer = "computer",
        /// A server.
        Server = "server",
        /// A security virtual machine; no longer used.
        SecurityVm = "securityVm",
    }
}

open_enum! {
    /// How well an endpoint is.
    pub enum HealthStatus {
        /// Good.
        Good = "good",
        /// Suspicious.
        Suspicious = "suspicious",
        /// Bad.
        Bad = "bad",
        /// Not known.
        Unknown = "unknown",
    }
}

open_enum! {
    /// Whether a service runs.
    pub enum ServiceStatus {
        /// It runs.
        Running = "running",
        /// It is stopped.
        Stopped = "stopped",
        /// It is not there.
        Missing = "missing",
    }
}

open_enum! {
    /// An operating system's family.
    pub enum Platform {
        /// Windows.
        Windows = "windows",
        /// macOS.
        MacOs = "macOS",
        /// Linux.
        Linux = "linux",
    }
}

open_enum! {
    /// Whether an endpoint is isolated.
    pub enum IsolationStatus {
        /// It is.
        Isolated = "isolated",
        /// It is not.
        NotIsolated = "notIsolated",
    }
}

open_enum! {
    /// The state of server lockdown.
    pub enum LockdownStatus {
        /// Locked.
        Locked = "locked",
        /// Not locked.
        Unlocked = "unlocked",
        /// Not installed.
        NotInstalled = "notInstalled",
        /// Not available.
        Unavailable = "unavailable",
        /// Being locked.
        Locking = "locking",
    }
}

open_enum! {
    /// A cloud.
    pub enum CloudProvider {
        /// Amazon Web Services.
        Aws = "aws",
        /// Microsoft Azure.
        Azure = "azure",
        /// Google Cloud.
        Gcp = "gcp",
    }
}

open_enum! {
    /// How much of an endpoint is sent.
    pub enum EndpointView {
        /// Id, type, tenant and host name.
        Basic = "basic",
        /// What the console shows in its list.
        Summary = "summary",
        /// Everything.
        Full = "full",
    }
}
