//! Lists of sites, which profiles refer to: `/web-filters/v1/site-lists`.

use crate::{
    NumberedPage, Timestamp,
    models::{Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the site lists of a tenant.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct ListSiteLists = GET "/web-filters/v1/site-lists" (tenant) -> NumberedPage<SiteList> {
        /// The text in the name or in a site.
        search: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page, at most 100.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    } where {
        page_size: 1..=100,
    }
}

operation! {
    /// Creates a site list.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct CreateSiteList = POST "/web-filters/v1/site-lists" (tenant) -> SiteList {
        /// The name.
        name!: String,
        /// The sites: domains, URLs, IP addresses or prefixes.
        sites!: [String],
        /// The description.
        description: String,
    }
}

operation! {
    /// Returns a site list.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct GetSiteList = GET "/web-filters/v1/site-lists/:siteListId" (tenant) -> SiteList {
        /// The list's id.
        site_list_id!: String,
    }
}

operation! {
    /// Replaces a site list.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct ReplaceSiteList = PUT "/web-filters/v1/site-lists/:siteListId" (tenant) -> SiteList {
        /// The list's id.
        site_list_id!: String,
        /// The name.
        name!: String,
        /// The sites: domains, URLs, IP addresses or prefixes.
        sites!: [String],
        /// The description.
        description: String,
    }
}

operation! {
    /// Deletes a site list.
    ///
    /// Fails with 409 while a profile uses it. A public client measured it on a live
    /// tenant; it is not published.
    pub struct DeleteSiteList = DELETE "/web-filters/v1/site-lists/:siteListId" (tenant) -> Deleted {
        /// The list's id.
        site_list_id!: String,
    }
}

operation! {
    /// Copies a site list under another name.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct CloneSiteList = POST "/web-filters/v1/site-lists/:siteListId/clone" (tenant) -> SiteList {
        /// The list's id.
        site_list_id!: String,
        /// The name of the copy.
        name!: String,
    }
}

operation! {
    /// Lists the sites of a list.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct ListSites = GET "/web-filters/v1/site-lists/:siteListId/sites" (tenant)
        -> NumberedPage<Site> {
        /// The list's id.
        site_list_id!: String,
        /// The text in the site.
        search: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page, at most 100.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    } where {
        page_size: 1..=100,
    }
}

operation! {
    /// Adds a site to a list.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct AddSite = POST "/web-filters/v1/site-lists/:siteListId/sites" (tenant) -> Site {
        /// The list's id.
        site_list_id!: String,
        /// The site: a domain, URL, IP address or prefix.
        site!: String,
    }
}

operation! {
    /// Removes a site from a list.
    ///
    /// A public client calls it; it is not published.
    pub struct RemoveSite = DELETE "/web-filters/v1/site-lists/:siteListId/sites/:siteId" (tenant)
        -> Deleted {
        /// The list's id.
        site_list_id!: String,
        /// The site's id.
        site_id!: String,
    }
}

model! {
    /// A list of sites.
    pub struct SiteList {
        /// The list's id.
        id!: String,
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The number of sites.
        number_of_sites: i64,
        /// The sites, if the response holds them.
        sites: Vec<String>,
        /// The profiles that use the list.
        used_by: Vec<Reference>,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// A site of a list.
    pub struct Site {
        /// The site's id.
        id as id: String,
        /// The domain, URL, IP address or prefix.
        site: String,
        /// The type of the site.
        site_type: String,
        /// The time of creation.
        created_at: Timestamp,
    }
}

listed! {
    ListSiteLists
    CreateSiteList
    GetSiteList
    ReplaceSiteList
    DeleteSiteList
    CloneSiteList
    ListSites
    AddSite
    RemoveSite
}
