//! Queries: `/live-discover/v1/queries` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Actor, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A query.
    pub struct Query {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The type.
        r#type: QueryType,
        /// The template.
        template: String,
        /// The variables.
        variables: Vec<QueryVariable>,
        /// The categories.
        categories: Vec<Reference>,
        /// The supported oses.
        #[serde(rename = "supportedOSes")]
        supported_oses: Vec<QuerySupportedOSe>,
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
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
    }
}

model! {
    /// A query variable.
    pub struct QueryVariable {
        /// The name.
        name: String,
        /// The data type.
        data_type: QueryVariableDataType,
        /// The value.
        value: String,
    }
}

model! {
    /// A query performance.
    pub struct QueryPerformance {
        /// The score.
        score: QueryPerformanceScore,
        /// The average execution time in millis.
        average_execution_time_in_millis: i64,
        /// The average data transferred in bytes.
        average_data_transferred_in_bytes: i64,
    }
}

open_enum! {
    /// The query type.
    pub enum QueryType {
        /// `canned`.
        Canned = "canned",
        /// `custom`.
        Custom = "custom",
    }
}

open_enum! {
    /// The query variable data type.
    pub enum QueryVariableDataType {
        /// `boolean`.
        Boolean = "boolean",
        /// `dateTime`.
        DateTime = "dateTime",
        /// `double`.
        Double = "double",
        /// `integer`.
        Integer = "integer",
        /// `text`.
        Text = "text",
    }
}

open_enum! {
    /// The query supported ose.
    pub enum QuerySupportedOSe {
        /// `linuxServer`.
        LinuxServer = "linuxServer",
        /// `macOSComputer`.
        MacOSComputer = "macOSComputer",
        /// `windowsComputer`.
        WindowsComputer = "windowsComputer",
        /// `windowsServer`.
        WindowsServer = "windowsServer",
    }
}

open_enum! {
    /// The query performance score.
    pub enum QueryPerformanceScore {
        /// `excellent`.
        Excellent = "excellent",
        /// `fair`.
        Fair = "fair",
        /// `good`.
        Good = "good",
        /// `notEvaluated`.
        NotEvaluated = "notEvaluated",
        /// `poor`.
        Poor = "poor",
    }
}

operation! {
    /// Gets queries matching the given filters.
    pub struct ListQueries = GET "/live-discover/v1/queries" (tenant)
        -> NumberedPage<Query> {
        /// The category id.
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
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Gets a query by ID.
    pub struct GetQuery = GET "/live-discover/v1/queries/:queryId" (tenant)
        -> Query {
        /// The query id.
        query_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

tested! {
    ListQueries
    GetQuery
}
