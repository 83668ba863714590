//! Installers of the endpoint software: `/endpoint/v1/downloads`.

use crate::{
    models::{
        Platform, Reference, SecretText,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the installers of a tenant, with their links.
    pub struct ListInstallers = GET "/endpoint/v1/downloads" (tenant) -> Installers {
        /// The products that the installers hold; all if empty.
        requested_products: [EndpointProduct],
        /// The platforms of the installers; all if empty.
        platforms: [Platform],
    }
}

model! {
    /// The installers of a tenant.
    pub struct Installers {
        /// The tenant.
        tenant: Reference,
        /// The licensed products.
        licensed_products: Vec<EndpointProduct>,
        /// The installers.
        installers: Vec<Installer>,
    }
}

model! {
    /// An installer.
    pub struct Installer {
        /// The name of the product.
        product_name: String,
        /// The platform.
        platform: Platform,
        /// The endpoint type, `computer` or `server`.
        r#type: String,
        /// The products that it installs.
        supported_products: Vec<EndpointProduct>,
        /// The link. It holds the secret that registers an endpoint with the tenant.
        download_url: SecretText,
    }
}

open_enum! {
    /// A product of the endpoint software.
    pub enum EndpointProduct {
        /// The agent that the other products need.
        CoreAgent = "coreAgent",
        /// Device Encryption.
        DeviceEncryption = "deviceEncryption",
        /// Endpoint protection.
        EndpointProtection = "endpointProtection",
        /// Intercept X.
        InterceptX = "interceptX",
        /// Managed Threat Response, now Managed Detection and Response.
        Mtr = "mtr",
        /// Extended Detection and Response.
        Xdr = "xdr",
        /// Zero Trust Network Access.
        Ztna = "ztna",
        /// Mobile Threat Defense.
        Mtd = "mtd",
    }
}

listed! {
    ListInstallers
}
