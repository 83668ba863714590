//! Software packages that endpoints may stay on, and comments on them: `/endpoint/v1/software`.

use crate::{
    ItemList, Timestamp,
    models::{
        Deleted, EndpointType, Module, Platform, SecretText,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the comments on static packages.
    pub struct ListPackageComments = GET "/endpoint/v1/software/comments" (tenant)
        -> ItemList<PackageComment> {}
}

operation! {
    /// Deletes the comment on a static package.
    pub struct DeletePackageComment = DELETE "/endpoint/v1/software/comments/:staticPackageId" (tenant)
        -> Deleted {
        /// The package's id.
        static_package_id!: String,
    }
}

operation! {
    /// Returns the comment on a static package.
    pub struct GetPackageComment = GET "/endpoint/v1/software/comments/:staticPackageId" (tenant)
        -> PackageComment {
        /// The package's id.
        static_package_id!: String,
    }
}

operation! {
    /// Sets the comment on a static package.
    pub struct UpdatePackageComment = PUT "/endpoint/v1/software/comments/:staticPackageId" (tenant)
        -> PackageComment {
        /// The package's id.
        static_package_id!: String,
        /// The comment.
        comment!: String,
    }
}

operation! {
    /// Lists the packages that Sophos recommends for the tenant.
    pub struct ListRecommendedPackages = GET "/endpoint/v1/software/packages/recommended" (tenant)
        -> ItemList<RecommendedPackage> {}
}

operation! {
    /// Lists the static packages of the tenant.
    pub struct ListStaticPackages = GET "/endpoint/v1/software/packages/static" (tenant)
        -> ItemList<StaticPackage> {
        /// The order, such as `name:asc`.
        sort: [String],
        /// The endpoint type.
        endpoint_type: EndpointType,
        /// The platform.
        platform: Platform,
        /// The kind of package.
        r#type: StaticPackageType,
        /// The time from which packages expire, inclusive.
        expires_from: String,
        /// The time up to which packages expire, exclusive.
        expires_to: String,
        /// The time from which packages were released, inclusive.
        released_from: String,
        /// The time up to which packages were released, exclusive.
        released_to: String,
    }
}

operation! {
    /// Returns a static package.
    pub struct GetStaticPackage = GET "/endpoint/v1/software/packages/static/:staticPackageId" (tenant)
        -> StaticPackage {
        /// The package's id.
        static_package_id!: String,
    }
}

operation! {
    /// Adds a special package to the tenant by a token of Sophos Support.
    ///
    /// No operation removes it. Fails with 404 for a token without an active package, and with 409
    /// if the package was added before.
    pub struct AddStaticPackage = POST "/endpoint/v1/software/packages/static/:staticPackageId/add" (tenant)
        -> StaticPackage {
        /// The token of Sophos Support.
        static_package_id!: SecretText,
    }
}

model! {
    /// A comment on a static package.
    pub struct PackageComment {
        /// The package.
        package: StaticPackage,
        /// The comment's id.
        id as id: String,
        /// The comment.
        comment: String,
    }
}

model! {
    /// A package that does not change, for endpoints that do not take the recommended one.
    pub struct StaticPackage {
        /// The package's id.
        id as id: String,
        /// The name.
        name: String,
        /// The time of the release.
        released_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The kind of package.
        r#type: StaticPackageType,
        /// The platform.
        platform: Platform,
        /// The software modules.
        modules: Vec<Module>,
        /// Whether the console displays it.
        visible: bool,
        /// The endpoint type.
        endpoint_type: EndpointType,
        /// The URL of the release notes.
        package_notes_url: String,
    }
}

model! {
    /// A package that Sophos recommends.
    pub struct RecommendedPackage {
        /// The package's id.
        id as id: String,
        /// The platform.
        platform: Platform,
        /// The software modules.
        modules: Vec<Module>,
        /// The endpoint type.
        endpoint_type: EndpointType,
    }
}

open_enum! {
    /// The kind of a static package.
    pub enum StaticPackageType {
        /// Fixed-term support.
        Fixed = "fixed",
        /// Long-term support.
        Lts = "lts",
        /// A special package of Sophos Support.
        Special = "special",
    }
}

listed! {
    ListPackageComments
    DeletePackageComment
    GetPackageComment
    UpdatePackageComment
    ListRecommendedPackages
    ListStaticPackages
    GetStaticPackage
    AddStaticPackage
}
