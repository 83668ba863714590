//! Web Control categories, local sites and TLS decryption: `/endpoint/v1/settings/web-control`.

use crate::{
    NumberedPage,
    models::{Deleted, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the categories of websites.
    pub struct ListWebCategories = GET "/endpoint/v1/settings/web-control/categories" (tenant)
        -> Vec<WebCategory> {}
}

operation! {
    /// Lists the websites that the tenant categorized or tagged.
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
    /// Adds a website with a category or tags of the tenant.
    pub struct CreateLocalSite = POST "/endpoint/v1/settings/web-control/local-sites" (tenant) -> LocalSite {
        /// The URL, of 1 to 2,048 characters.
        url!: String,
        /// The id of the category, 1 to 57.
        category_id: i64,
        /// The tags.
        tags: [String],
        /// The comment, of at most 300 characters.
        comment: String,
    } where {
        url: 1..=2_048,
        category_id: 1..=57,
        comment: 0..=300,
    }
}

operation! {
    /// Deletes a local site; succeeds as well if it does not exist.
    pub struct DeleteLocalSite = DELETE "/endpoint/v1/settings/web-control/local-sites/:localSiteId" (tenant)
        -> Deleted {
        /// The site's id.
        local_site_id!: String,
    }
}

operation! {
    /// Returns a local site.
    pub struct GetLocalSite = GET "/endpoint/v1/settings/web-control/local-sites/:localSiteId" (tenant)
        -> LocalSite {
        /// The site's id.
        local_site_id!: String,
    }
}

operation! {
    /// Changes a local site.
    pub struct UpdateLocalSite = PATCH "/endpoint/v1/settings/web-control/local-sites/:localSiteId" (tenant)
        -> LocalSite {
        /// The site's id.
        local_site_id!: String,
        /// The id of the category, 1 to 57.
        category_id: i64,
        /// The tags.
        tags: [String],
        /// The URL, of 1 to 2,048 characters.
        url: String,
        /// The comment, of at most 300 characters.
        comment: String,
    } where {
        url: 1..=2_048,
        category_id: 1..=57,
        comment: 0..=300,
    }
}

operation! {
    /// Returns the settings of TLS decryption.
    pub struct GetTlsDecryption = GET "/endpoint/v1/settings/web-control/tls-decryption" (tenant)
        -> TlsDecryption {}
}

operation! {
    /// Changes the settings of TLS decryption.
    pub struct UpdateTlsDecryption = PATCH "/endpoint/v1/settings/web-control/tls-decryption" (tenant)
        -> TlsDecryption {
        /// Whether TLS decryption is turned on.
        enabled: bool,
        /// The changed categories.
        categories: [TlsCategoryChange],
    }
}

operation! {
    /// Deletes all websites that TLS decryption exempts.
    pub struct DeleteTlsExcludedWebsites = DELETE "/endpoint/v1/settings/web-control/tls-decryption/excluded-websites" (tenant)
        -> Deleted {}
}

operation! {
    /// Lists the websites that TLS decryption exempts.
    pub struct ListTlsExcludedWebsites = GET "/endpoint/v1/settings/web-control/tls-decryption/excluded-websites" (tenant)
        -> NumberedPage<ExcludedWebsite> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Adds and removes websites that TLS decryption exempts.
    ///
    /// Fails with 422 if the list would exceed its limit.
    pub struct UpdateTlsExcludedWebsites = PATCH "/endpoint/v1/settings/web-control/tls-decryption/excluded-websites" (tenant)
        -> ExcludedWebsiteChanges {
        /// The websites to add.
        add: [ExcludedWebsite],
        /// The websites to remove.
        remove: [ExcludedWebsite],
    }
}

model! {
    /// A category of websites.
    pub struct WebCategory {
        /// The category's id.
        id: i64,
        /// The display name.
        label: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A website with a category or tags of the tenant.
    pub struct LocalSite {
        /// The site's id.
        id as id: String,
        /// The URL, of 1 to 2,048 characters.
        url: String,
        /// The id of the category, 1 to 57.
        category_id: i64,
        /// The tags.
        tags: Vec<String>,
        /// The comment, of at most 300 characters.
        comment: String,
    }
}

model! {
    /// The settings of TLS decryption.
    pub struct TlsDecryption {
        /// Whether TLS decryption is turned on.
        enabled: bool,
        /// The categories.
        categories: Vec<TlsCategory>,
        /// The exempted websites, possibly not all.
        excluded_websites: ExcludedWebsitePreview,
    }
}

model! {
    /// A category with its setting of TLS decryption.
    pub struct TlsCategory {
        /// The category's id.
        id: i64,
        /// The name.
        name: String,
        /// The display name.
        label: String,
        /// Whether websites of the category are decrypted.
        decryption_enabled: bool,
    }
}

model! {
    /// The first exempted websites.
    pub struct ExcludedWebsitePreview {
        /// The number of listed items.
        items_count: i64,
        /// The number of all items.
        total: i64,
        /// The listed websites.
        items: Vec<ExcludedWebsite>,
    }
}

model! {
    /// A website that TLS decryption exempts.
    pub struct ExcludedWebsite with setters {
        /// The host name, or the address.
        value: String,
        /// The comment.
        comment: String,
    }
}

model! {
    /// The changed websites.
    pub struct ExcludedWebsiteChanges {
        /// The added websites.
        added: Vec<ExcludedWebsite>,
        /// The removed websites.
        removed: Vec<ExcludedWebsite>,
    }
}

model! {
    /// A change of a category.
    pub struct TlsCategoryChange with setters {
        /// The category's id.
        id: i64,
        /// Whether websites of the category are decrypted.
        decryption_enabled: bool,
    }
}

listed! {
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
