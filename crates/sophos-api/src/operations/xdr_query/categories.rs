//! Categories of Data Lake queries: `/xdr-query/v1/queries/categories`.

use crate::{
    ItemList, Timestamp,
    models::{
        Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the categories of Sophos and of the tenant.
    pub struct ListQueryCategories = GET "/xdr-query/v1/queries/categories" (tenant)
        -> ItemList<QueryCategory> {
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Returns a category.
    pub struct GetQueryCategory = GET "/xdr-query/v1/queries/categories/:categoryId" (tenant)
        -> QueryCategory {
        /// The category's id.
        category_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A category of queries.
    pub struct QueryCategory {
        /// The category's id.
        id as id: String,
        /// The name.
        name: String,
        /// The origin.
        r#type: CategoryType,
        /// The number of queries.
        query_count: i64,
        /// The code.
        code: String,
        /// The description.
        description: String,
        /// The name of the icon.
        icon: String,
        /// The tenant.
        tenant: Reference,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor that created it.
        created_by: Reference,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The actor of the last change.
        updated_by: Reference,
    }
}

open_enum! {
    /// The origin of a category.
    pub enum CategoryType {
        /// Defined by Sophos.
        Canned = "canned",
        /// Defined by the tenant.
        Custom = "custom",
    }
}

listed! {
    ListQueryCategories
    GetQueryCategory
}
