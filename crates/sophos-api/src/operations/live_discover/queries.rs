//! Saved queries of Live Discover: `/live-discover/v1/queries`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the saved queries.
    pub struct ListQueries = GET "/live-discover/v1/queries" (tenant) -> NumberedPage<Query> {
        /// The id of a category; only its queries match.
        category_id: String,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [String],
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Returns a saved query.
    pub struct GetQuery = GET "/live-discover/v1/queries/:queryId" (tenant) -> Query {
        /// The query's id.
        query_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A saved query.
    pub struct Query {
        /// The query's id.
        id!: String,
        /// The name.
        name: String,
        /// The origin.
        r#type: QueryType,
        /// The SQL text, with variables such as `$$name$$`.
        template: String,
        /// The variables.
        variables: Vec<QueryVariable>,
        /// The categories.
        categories: Vec<Reference>,
        /// The kinds of endpoint that run it, such as `windowsComputer` or `linuxServer`.
        #[serde(rename = "supportedOSes")]
        supported_oses: Vec<String>,
        /// The code.
        code: String,
        /// The description.
        description: String,
        /// The performance.
        performance: QueryPerformance,
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

model! {
    /// A variable of a query.
    pub struct QueryVariable with setters {
        /// The name.
        name: String,
        /// The type of the value.
        data_type: DataType,
        /// The value.
        value: String,
    }
}

model! {
    /// The performance of a query.
    pub struct QueryPerformance {
        /// The rating.
        score: PerformanceScore,
        /// The average execution time, in milliseconds.
        average_execution_time_in_millis: i64,
        /// The average amount of data, in bytes.
        average_data_transferred_in_bytes: i64,
    }
}

open_enum! {
    /// The origin of a query.
    pub enum QueryType {
        /// Defined by Sophos.
        Canned = "canned",
        /// Defined by the tenant.
        Custom = "custom",
    }
}

open_enum! {
    /// The type of a value.
    pub enum DataType {
        /// A Boolean.
        Boolean = "boolean",
        /// A date and time.
        DateTime = "dateTime",
        /// A floating-point number.
        Double = "double",
        /// An integer.
        Integer = "integer",
        /// A text.
        Text = "text",
    }
}

open_enum! {
    /// A rating of a query's performance.
    pub enum PerformanceScore {
        /// Excellent.
        Excellent = "excellent",
        /// Fair.
        Fair = "fair",
        /// Good.
        Good = "good",
        /// Not rated yet.
        NotEvaluated = "notEvaluated",
        /// Poor.
        Poor = "poor",
    }
}

listed! {
    ListQueries
    GetQuery
}
