//! Enrichments, links from a query result to a lookup: `/live-discover/v1/enrichment-pivots`.

use crate::{
    ItemList, Timestamp,
    models::{Actor, Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the enrichments of a tenant.
    pub struct ListEnrichmentPivots = GET "/live-discover/v1/enrichment-pivots" (tenant)
        -> ItemList<EnrichmentPivot> {}
}

operation! {
    /// Creates an enrichment.
    pub struct CreateEnrichmentPivot = POST "/live-discover/v1/enrichment-pivots" (tenant)
        -> EnrichmentPivot {
        /// The name.
        name!: String,
        /// The URL, with placeholders such as `$$ipAddress$$`.
        url!: String,
        /// The type of value that it looks up, such as `ipAddress`.
        r#type!: String,
        /// The description.
        description: String,
    }
}

operation! {
    /// Deletes an enrichment.
    pub struct DeleteEnrichmentPivot = DELETE "/live-discover/v1/enrichment-pivots/:enrichmentPivotId" (tenant)
        -> Deleted {
        /// The enrichment's id.
        enrichment_pivot_id!: String,
    }
}

operation! {
    /// Changes an enrichment.
    pub struct UpdateEnrichmentPivot = PATCH "/live-discover/v1/enrichment-pivots/:enrichmentPivotId" (tenant)
        -> EnrichmentPivot {
        /// The enrichment's id.
        enrichment_pivot_id!: String,
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The URL, with placeholders such as `$$ipAddress$$`.
        url: String,
        /// The type of value that it looks up, such as `ipAddress`.
        r#type: String,
    }
}

model! {
    /// An enrichment.
    pub struct EnrichmentPivot {
        /// The origin of the enrichment.
        source_type: String,
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The type of value that it looks up, such as `ipAddress`.
        r#type: String,
        /// The URL, with placeholders such as `$$ipAddress$$`.
        url: String,
        /// The enrichment's id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
    }
}

listed! {
    ListEnrichmentPivots
    CreateEnrichmentPivot
    DeleteEnrichmentPivot
    UpdateEnrichmentPivot
}
