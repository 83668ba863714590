//! Categories: `/live-discover/v1/queries/categories` and the operations beside it.

use crate::{ItemList, Timestamp, models::{Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A query category.
    pub struct QueryCategory {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The type.
        r#type: QueryCategoryType,
        /// The query count.
        query_count: i64,
        /// The code.
        code: String,
        /// The description.
        description: String,
        /// The icon.
        icon: String,
        /// The tenant.
        tenant: Reference,
        /// The time of creation.
        created_at: Timestamp,
        /// The account that created it.
        created_by: Reference,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The account that changed it last.
        updated_by: Reference,
    }
}

open_enum! {
    /// The query category type.
    pub enum QueryCategoryType {
        /// `canned`.
        Canned = "canned",
        /// `custom`.
        Custom = "custom",
    }
}

operation! {
    /// Gets all categories, canned as well as custom.
    pub struct ListQueryCategories = GET "/live-discover/v1/queries/categories" (tenant)
        -> ItemList<QueryCategory> {
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Gets the details of a category by ID.
    pub struct GetQueryCategory = GET "/live-discover/v1/queries/categories/:categoryId" (tenant)
        -> QueryCategory {
        /// The category id.
        category_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

tested! {
    ListQueryCategories
    GetQueryCategory
}
