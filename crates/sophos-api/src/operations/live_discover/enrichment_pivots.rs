//! Live Discover: `/live-discover/v1/enrichment-pivots` and the operations beside it.

use crate::{ItemList, Timestamp, models::{Actor, Deleted, Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// An enrichment pivot.
    pub struct EnrichmentPivot {
        /// The source type.
        source_type: String,
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The type.
        r#type: String,
        /// The url.
        url: String,
        /// The id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The time of creation.
        created_at: Timestamp,
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
    }
}

operation! {
    /// Gets enrichments.
    pub struct ListEnrichmentPivots = GET "/live-discover/v1/enrichment-pivots" (tenant)
        -> ItemList<EnrichmentPivot> {
    }
}

operation! {
    /// Creates a new enrichment.
    pub struct CreateEnrichmentPivot = POST "/live-discover/v1/enrichment-pivots" (tenant)
        -> EnrichmentPivot {
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The url.
        url: String,
        /// The type.
        r#type: String,
    }
}

operation! {
    /// Deletes enrichment.
    pub struct DeleteEnrichmentPivot = DELETE "/live-discover/v1/enrichment-pivots/:enrichmentPivotId" (tenant)
        -> Deleted {
        /// The enrichment pivot id.
        enrichment_pivot_id!: String,
    }
}

operation! {
    /// Updates an existing enrichment.
    pub struct UpdateEnrichmentPivot = PATCH "/live-discover/v1/enrichment-pivots/:enrichmentPivotId" (tenant)
        -> EnrichmentPivot {
        /// The enrichment pivot id.
        enrichment_pivot_id!: String,
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The url.
        url: String,
        /// The type.
        r#type: String,
    }
}

tested! {
    ListEnrichmentPivots
    CreateEnrichmentPivot
    DeleteEnrichmentPivot
    UpdateEnrichmentPivot
}
