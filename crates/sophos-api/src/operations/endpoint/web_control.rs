//! Web Control: `/endpoint/v1/settings/web-control/categories` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, models::{Deleted}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A web category.
    pub struct WebCategory {
        /// The id.
        id: i64,
        /// The label.
        label: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A local site.
    pub struct LocalSite {
        /// The id.
        id as id: String,
        /// The url.
        url: String,
        /// The category id.
        category_id: i64,
        /// The tags.
        tags: Vec<String>,
        /// The comment.
        comment: String,
    }
}

model! {
    /// A tls decryption.
    pub struct TlsDecryption {
        /// Whether it is enabled.
        enabled: bool,
        /// The categories.
        categories: Vec<TlsDecryptionCategory>,
        /// The excluded websites.
        excluded_websites: TlsDecryptionExcludedWebsite,
    }
}

model! {
    /// A tls decryption category.
    pub struct TlsDecryptionCategory {
        /// The id.
        id: i64,
        /// The name.
        name: String,
        /// The label.
        label: String,
        /// Whether `decryptionEnabled` is set.
        decryption_enabled: bool,
    }
}

model! {
    /// A tls decryption excluded website.
    pub struct TlsDecryptionExcludedWebsite {
        /// The items count.
        items_count: i64,
        /// The total.
        total: i64,
        /// The items.
        items: Vec<TlsDecryptionExcludedWebsiteItem>,
    }
}

model! {
    /// A tls decryption excluded website item.
    pub struct TlsDecryptionExcludedWebsiteItem {
        /// The value.
        value: String,
        /// The comment.
        comment: String,
    }
}

model! {
    /// A tls excluded website.
    pub struct TlsExcludedWebsite {
        /// The value.
        value: String,
        /// The comment.
        comment: String,
        /// The added.
        added: Vec<Value>,
        /// The removed.
        removed: Vec<Value>,
    }
}

model! {
    /// A tls excluded website add.
    pub struct TlsExcludedWebsiteAdd {
        /// The value.
        value: String,
        /// The comment.
        comment: String,
    }
}

model! {
    /// A tls excluded website remove.
    pub struct TlsExcludedWebsiteRemove {
        /// The value.
        value: String,
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Gets all Web Control categories.
    pub struct ListWebCategories = GET "/endpoint/v1/settings/web-control/categories" (tenant)
        -> Vec<WebCategory> {
    }
}

operation! {
    /// Gets all local sites.
    pub struct ListLocalSites = GET "/endpoint/v1/settings/web-control/local-sites" (tenant)
        -> NumberedPage<LocalSite> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Creates the local site.
    pub struct CreateLocalSite = POST "/endpoint/v1/settings/web-control/local-sites" (tenant)
        -> LocalSite {
        /// The url.
        url: String,
        /// The category id.
        category_id: i64,
        /// The tags.
        tags: [String],
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Deletes the specified local site.
    pub struct DeleteLocalSite = DELETE "/endpoint/v1/settings/web-control/local-sites/:localSiteId" (tenant)
        -> Deleted {
        /// The local site id.
        local_site_id!: String,
    }
}

operation! {
    /// Gets a local site by ID.
    pub struct GetLocalSite = GET "/endpoint/v1/settings/web-control/local-sites/:localSiteId" (tenant)
        -> LocalSite {
        /// The local site id.
        local_site_id!: String,
    }
}

operation! {
    /// Updates a local site definition.
    pub struct UpdateLocalSite = PATCH "/endpoint/v1/settings/web-control/local-sites/:localSiteId" (tenant)
        -> LocalSite {
        /// The local site id.
        local_site_id!: String,
        /// The category id.
        category_id: i64,
        /// The tags.
        tags: [String],
        /// The url.
        url: String,
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Gets settings for SSL/TLS decryption of HTTPS websites.
    pub struct GetTlsDecryption = GET "/endpoint/v1/settings/web-control/tls-decryption" (tenant)
        -> Value {
    }
}

operation! {
    /// Updates settings for SSL/TLS decryption of HTTPS websites.
    pub struct UpdateTlsDecryption = PATCH "/endpoint/v1/settings/web-control/tls-decryption" (tenant)
        -> TlsDecryption {
        /// Whether it is enabled.
        enabled: bool,
        /// The categories.
        categories: [TlsDecryptionCategory],
    }
}

operation! {
    /// Deletes the tls excluded websites.
    pub struct DeleteTlsExcludedWebsites = DELETE "/endpoint/v1/settings/web-control/tls-decryption/excluded-websites" (tenant)
        -> Deleted {
    }
}

operation! {
    /// Lists of websites excluded from SSL/TLS decryption.
    pub struct ListTlsExcludedWebsites = GET "/endpoint/v1/settings/web-control/tls-decryption/excluded-websites" (tenant)
        -> NumberedPage<TlsExcludedWebsite> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Adds and remove websites excluded from SSL/TLS decryption.
    pub struct UpdateTlsExcludedWebsites = PATCH "/endpoint/v1/settings/web-control/tls-decryption/excluded-websites" (tenant)
        -> TlsExcludedWebsite {
        /// The add.
        add: [TlsExcludedWebsiteAdd],
        /// The remove.
        remove: [TlsExcludedWebsiteRemove],
    }
}

tested! {
    ListWebCategories
    ListLocalSites
    CreateLocalSite
    DeleteLocalSite
    GetLocalSite
    UpdateLocalSite
    GetTlsDecryption
    UpdateTlsDecryption
    DeleteTlsExcludedWebsites
    ListTlsExcludedWebsites
    UpdateTlsExcludedWebsites
}
