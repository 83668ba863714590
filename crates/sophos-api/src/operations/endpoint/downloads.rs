//! Downloads: `/endpoint/v1/downloads` and the operations beside it.

use crate::{models::{Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An installer.
    pub struct Installer {
        /// The tenant.
        tenant: Reference,
        /// The licensed products.
        licensed_products: Vec<InstallerLicensedProduct>,
        /// The installers.
        installers: Vec<InstallerInstaller>,
    }
}

model! {
    /// An installer installer.
    pub struct InstallerInstaller {
        /// The product name.
        product_name: String,
        /// The platform.
        platform: String,
        /// The type.
        r#type: String,
        /// The supported products.
        supported_products: Vec<InstallerInstallerSupportedProduct>,
        /// The download url.
        download_url: String,
    }
}

open_enum! {
    /// The installer licensed product.
    pub enum InstallerLicensedProduct {
        /// `coreAgent`.
        CoreAgent = "coreAgent",
        /// `deviceEncryption`.
        DeviceEncryption = "deviceEncryption",
        /// `endpointProtection`.
        EndpointProtection = "endpointProtection",
        /// `interceptX`.
        InterceptX = "interceptX",
        /// `mtr`.
        Mtr = "mtr",
        /// `xdr`.
        Xdr = "xdr",
        /// `ztna`.
        Ztna = "ztna",
    }
}

open_enum! {
    /// The installer installer supported product.
    pub enum InstallerInstallerSupportedProduct {
        /// `endpointProtection`.
        EndpointProtection = "endpointProtection",
        /// `interceptX`.
        InterceptX = "interceptX",
    }
}

open_enum! {
    /// The installer requested product.
    pub enum InstallerRequestedProduct {
        /// `coreAgent`.
        CoreAgent = "coreAgent",
        /// `deviceEncryption`.
        DeviceEncryption = "deviceEncryption",
        /// `endpointProtection`.
        EndpointProtection = "endpointProtection",
        /// `interceptX`.
        InterceptX = "interceptX",
        /// `mtd`.
        Mtd = "mtd",
        /// `mtr`.
        Mtr = "mtr",
        /// `xdr`.
        Xdr = "xdr",
        /// `ztna`.
        Ztna = "ztna",
    }
}

open_enum! {
    /// The installer platform.
    pub enum InstallerPlatform {
        /// `linux`.
        Linux = "linux",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

operation! {
    /// Gets all the endpoint installer links for a tenant.
    pub struct ListInstallers = GET "/endpoint/v1/downloads" (tenant)
        -> Installer {
        /// The requested products.
        requested_products: [InstallerRequestedProduct],
        /// The platforms.
        platforms: [InstallerPlatform],
    }
}

tested! {
    ListInstallers
}
