//! Packages: `/endpoint/v1/software/comments` and the operations beside it.

use crate::{ItemList, Timestamp, models::{Deleted}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A package comment.
    pub struct PackageComment {
        /// The package.
        package: PackageCommentPackage,
        /// The id.
        id as id: String,
        /// The comment.
        comment: String,
    }
}

model! {
    /// A package comment package.
    pub struct PackageCommentPackage {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The released at.
        released_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The type.
        r#type: PackageCommentPackageType,
        /// The platform.
        platform: PackageCommentPackagePlatform,
        /// The modules.
        modules: Vec<PackageCommentPackageModule>,
        /// Whether `visible` is set.
        visible: bool,
        /// The endpoint type.
        endpoint_type: PackageCommentPackageEndpointType,
        /// The package notes url.
        package_notes_url: String,
    }
}

model! {
    /// A package comment package module.
    pub struct PackageCommentPackageModule {
        /// The name.
        name: String,
        /// The version.
        version: String,
    }
}

model! {
    /// A recommended package.
    pub struct RecommendedPackage {
        /// The id.
        id as id: String,
        /// The platform.
        platform: RecommendedPackagePlatform,
        /// The modules.
        modules: Vec<RecommendedPackageModule>,
        /// The endpoint type.
        endpoint_type: RecommendedPackageEndpointType,
    }
}

model! {
    /// A recommended package module.
    pub struct RecommendedPackageModule {
        /// The name.
        name: String,
        /// The version.
        version: String,
    }
}

model! {
    /// A static package.
    pub struct StaticPackage {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The released at.
        released_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The type.
        r#type: StaticPackageType,
        /// The platform.
        platform: StaticPackagePlatform,
        /// The modules.
        modules: Vec<StaticPackageModule>,
        /// Whether `visible` is set.
        visible: bool,
        /// The endpoint type.
        endpoint_type: StaticPackageEndpointType,
        /// The package notes url.
        package_notes_url: String,
    }
}

model! {
    /// A static package module.
    pub struct StaticPackageModule {
        /// The name.
        name: String,
        /// The version.
        version: String,
    }
}

open_enum! {
    /// The package comment package type.
    pub enum PackageCommentPackageType {
        /// `fixed`.
        Fixed = "fixed",
        /// `lts`.
        Lts = "lts",
        /// `special`.
        Special = "special",
    }
}

open_enum! {
    /// The package comment package platform.
    pub enum PackageCommentPackagePlatform {
        /// `linux`.
        Linux = "linux",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The package comment package endpoint type.
    pub enum PackageCommentPackageEndpointType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The recommended package platform.
    pub enum RecommendedPackagePlatform {
        /// `linux`.
        Linux = "linux",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The recommended package endpoint type.
    pub enum RecommendedPackageEndpointType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The static package type.
    pub enum StaticPackageType {
        /// `fixed`.
        Fixed = "fixed",
        /// `lts`.
        Lts = "lts",
        /// `special`.
        Special = "special",
    }
}

open_enum! {
    /// The static package platform.
    pub enum StaticPackagePlatform {
        /// `linux`.
        Linux = "linux",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The static package endpoint type.
    pub enum StaticPackageEndpointType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

operation! {
    /// Gets all comments.
    pub struct ListPackageComments = GET "/endpoint/v1/software/comments" (tenant)
        -> ItemList<PackageComment> {
    }
}

operation! {
    /// Deletes the static package comment.
    pub struct DeletePackageComment = DELETE "/endpoint/v1/software/comments/:staticPackageId" (tenant)
        -> Deleted {
        /// The static package id.
        static_package_id!: String,
    }
}

operation! {
    /// Gets the static package comment.
    pub struct GetPackageComment = GET "/endpoint/v1/software/comments/:staticPackageId" (tenant)
        -> PackageComment {
        /// The static package id.
        static_package_id!: String,
    }
}

operation! {
    /// Updates the package comment.
    pub struct UpdatePackageComment = PUT "/endpoint/v1/software/comments/:staticPackageId" (tenant)
        -> PackageComment {
        /// The static package id.
        static_package_id!: String,
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Gets all Sophos Recommended packages for the tenant.
    pub struct ListRecommendedPackages = GET "/endpoint/v1/software/packages/recommended" (tenant)
        -> ItemList<RecommendedPackage> {
    }
}

operation! {
    /// Gets all static packages available for the tenant.
    pub struct ListStaticPackages = GET "/endpoint/v1/software/packages/static" (tenant)
        -> ItemList<StaticPackage> {
        /// The order, such as `name:asc`.
        sort: [String],
        /// The endpoint type.
        endpoint_type: StaticPackageEndpointType,
        /// The platform.
        platform: StaticPackagePlatform,
        /// The type.
        r#type: StaticPackageType,
        /// The expires from.
        expires_from: String,
        /// The expires to.
        expires_to: String,
        /// The released from.
        released_from: String,
        /// The released to.
        released_to: String,
    }
}

operation! {
    /// Gets an individual static package.
    pub struct GetStaticPackage = GET "/endpoint/v1/software/packages/static/:staticPackageId" (tenant)
        -> StaticPackage {
        /// The static package id.
        static_package_id!: String,
    }
}

operation! {
    /// Adds a special package by token, supplied by Sophos support.
    pub struct AddStaticPackage = POST "/endpoint/v1/software/packages/static/:staticPackageId/add" (tenant)
        -> StaticPackage {
        /// The static package id.
        static_package_id!: String,
    }
}

tested! {
    ListPackageComments
    DeletePackageComment
    GetPackageComment
    UpdatePackageComment
    ListRecommendedPackages
    ListStaticPackages
    GetStaticPackage
    AddStaticPackage
}
