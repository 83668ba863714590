//! The records of the service, with its field names.
//!
//! Every field but an `id` is optional, and an enumeration keeps unknown values. A
//! [`WithRaw`](crate::WithRaw) of a model also holds the JSON of the service.

mod account_health;
mod alert;
mod deleted;
mod endpoint;
mod isolation;
pub(crate) mod lenient;
pub(crate) mod macros;
pub(crate) mod raw;
mod secret_number;
mod secret_text;
mod siem;
mod tenant;
pub(crate) mod tenant_id;
pub(crate) mod timestamp;
mod whoami;

pub use account_health::AccountHealth;
pub use alert::{
    Alert, AlertAction, AlertActionKind, AlertCategory, AlertSeverity, ManagedAgent, ManagedAgentType,
    Product,
};
pub use deleted::Deleted;
pub use endpoint::{
    AssignedProduct, AssociatedPerson, CloudInstance, CloudProvider, Encryption, EncryptionVolume, Endpoint,
    EndpointGroup, EndpointIsolation, EndpointPackage, EndpointPackages, EndpointTag, EndpointType,
    EndpointView, Health, HealthStatus, IsolationStatus, Lockdown, LockdownStatus, Module, OperatingSystem,
    Platform, ServiceDetail, ServiceHealth, ServiceStatus, ThreatHealth,
};
pub use isolation::{Actor, Isolation, IsolationItem, IsolationItems};
pub use secret_number::SecretNumber;
pub use secret_text::SecretText;
pub use siem::{SiemAlert, SiemEvent, SiemSeverity, SourceInfo};
pub use tenant::{BillingType, Reference, Tenant};
pub use whoami::{ApiHosts, IdType, Whoami};
