use serde_json::Value;

use crate::models::{
    Reference,
    macros::{model, open_enum},
    timestamp::Timestamp,
};

model! {
    /// An endpoint: a computer or server with the agent. Returned by
    /// `GET /endpoint/v1/endpoints` and `GET /endpoint/v1/endpoints/{endpointId}`.
    pub struct Endpoint {
        /// The endpoint's id.
        id!: String,
        /// The type.
        r#type: EndpointType,
        /// The tenant.
        tenant: Reference,
        /// The host name.
        hostname: String,
        /// The health.
        health: Health,
        /// The operating system.
        os: OperatingSystem,
        /// Every IPv4 address that the agent reported, private ones included.
        ipv4_addresses: Vec<String>,
        /// Every IPv6 address that the agent reported.
        ipv6_addresses: Vec<String>,
        /// MAC addresses, with colons, in mixed case.
        mac_addresses: Vec<String>,
        /// The group of the endpoint.
        group: EndpointGroup,
        /// The person of the endpoint; may be empty.
        associated_person: AssociatedPerson,
        /// Whether tamper protection is on.
        tamper_protection_enabled: bool,
        /// Whether the agent supports tamper protection.
        tamper_protection_supported: bool,
        /// The installed products.
        assigned_products: Vec<AssignedProduct>,
        /// The parts of the agent.
        modules: Vec<Module>,
        /// The time of the last report.
        last_seen_at: Timestamp,
        /// The time of the last update of the agent.
        last_agent_update_at: Timestamp,
        /// The time of the last update of the operating system; in the full view alone.
        last_os_update_at: Timestamp,
        /// The volume encryption.
        encryption: Encryption,
        /// The server lockdown of an endpoint.
        lockdown: Lockdown,
        /// Whether the endpoint is connected.
        online: bool,
        /// The isolation that the endpoint reported.
        isolation: EndpointIsolation,
        /// The cloud instance of the endpoint.
        cloud: CloudInstance,
        /// Whether Sophos MDR manages the endpoint.
        mdr_managed: bool,
        /// The serial number of the machine.
        serial_number: String,
        /// Whether it shares its identity with a copy of it.
        cloned: bool,
        /// The tags, at most 15.
        tags: Vec<EndpointTag>,
        /// The groups above the group of the endpoint, as the service writes them.
        group_hierarchy: Value,
        /// The software packages of the agent.
        packages: EndpointPackages,
        /// The agent software, as the service writes it.
        device_software: Value,
    }
}

model! {
    /// The software packages of an endpoint's agent.
    pub struct EndpointPackages {
        /// The protection package.
        protection: EndpointPackage,
        /// The package of Zero Trust Network Access.
        ztna: EndpointPackage,
        /// The package of Device Encryption.
        encryption: EndpointPackage,
    }
}

model! {
    /// A software package of an endpoint's agent.
    pub struct EndpointPackage {
        /// The id of the assigned package.
        assigned_id as id: String,
        /// The name.
        name: String,
        /// The status: `assigned`, `unassigned` or `unsupported`.
        status: String,
        /// The packages that can be assigned.
        available: Vec<Reference>,
    }
}

model! {
    /// The health of an endpoint.
    pub struct Health {
        /// The overall status: the worst of the others.
        overall: HealthStatus,
        /// The threat status.
        threats: ThreatHealth,
        /// The agent's services.
        services: ServiceHealth,
    }
}

model! {
    /// The threat status of an endpoint.
    pub struct ThreatHealth {
        /// The status.
        status: HealthStatus,
    }
}

model! {
    /// The status of the agent's services.
    pub struct ServiceHealth {
        /// The worst status of all services.
        status: HealthStatus,
        /// Each service.
        service_details: Vec<ServiceDetail>,
    }
}

model! {
    /// One service of the agent. Its name depends on the version.
    pub struct ServiceDetail {
        /// The name.
        name: String,
        /// The status.
        status: ServiceStatus,
    }
}

model! {
    /// An operating system. Linux has no version numbers.
    pub struct OperatingSystem {
        /// Whether it is a server operating system.
        is_server: bool,
        /// The platform.
        platform: Platform,
        /// The name.
        name: String,
        /// The major version.
        major_version: i64,
        /// The minor version.
        minor_version: i64,
        /// The build.
        build: i64,
    }
}

model! {
    /// The group of an endpoint. Some responses hold a name without an id.
    #[cfg_attr(feature = "catalog", schemars(rename = "EndpointGroupReference"))]
    pub struct EndpointGroup {
        /// The group's id. A number is ignored: policies that protect groups protect
        /// an endpoint whose group is unknown.
        id: String,
        /// The group's name.
        name: String,
    }
}

model! {
    /// A tag of an endpoint: a key and an optional value.
    pub struct EndpointTag {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// The text in the console.
        display_string: String,
    }
}

model! {
    /// The person of an endpoint.
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
        /// The product code, such as `interceptX`.
        code: String,
        /// The version.
        version: String,
        /// `installed` or `notInstalled`.
        status: String,
    }
}

model! {
    /// A module of the agent.
    pub struct Module {
        /// The name.
        name: String,
        /// The version.
        version: String,
    }
}

model! {
    /// The encryption of an endpoint's volumes.
    pub struct Encryption {
        /// The status over all volumes.
        overall_status: String,
        /// The volumes.
        volumes: Vec<EncryptionVolume>,
    }
}

model! {
    /// A volume that can be encrypted.
    pub struct EncryptionVolume {
        /// The volume's id, on Windows as `\\?\Volume{guid}\`.
        volume_id as id: String,
        /// The status.
        status: String,
    }
}

model! {
    /// The server lockdown of an endpoint.
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
        /// The reported status.
        status: IsolationStatus,
        /// Whether an administrator isolated it.
        admin_isolated: bool,
        /// Whether it isolated itself because of bad health. An administrator's
        /// release may not end that isolation.
        self_isolated: bool,
    }
}

model! {
    /// The cloud instance of an endpoint.
    pub struct CloudInstance {
        /// The provider.
        provider: CloudProvider,
        /// The instance's id, such as `i-` and 17 hexadecimal digits.
        instance_id as id: String,
    }
}

open_enum! {
    /// The type of an endpoint.
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
    /// The health of an endpoint or of a part of it.
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
    /// The status of a service.
    pub enum ServiceStatus {
        /// Running.
        Running = "running",
        /// Stopped.
        Stopped = "stopped",
        /// Missing.
        Missing = "missing",
    }
}

open_enum! {
    /// The family of an operating system.
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
    /// The isolation of an endpoint.
    pub enum IsolationStatus {
        /// Isolated.
        Isolated = "isolated",
        /// Not isolated.
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
        /// Locking.
        Locking = "locking",
    }
}

open_enum! {
    /// A cloud provider.
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
    /// The amount of detail of an endpoint.
    pub enum EndpointView {
        /// The id, type, tenant and host name.
        Basic = "basic",
        /// The fields of the console's list.
        Summary = "summary",
        /// All fields.
        Full = "full",
    }
}
