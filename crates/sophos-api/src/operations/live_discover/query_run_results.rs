//! Endpoints and results of Live Discover runs: `/live-discover/v1/queries/runs/{runId}`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    NumberedPage, Timestamp,
    model::model,
    models::{EndpointType, OperatingSystem},
    operation_macro::{listed, operation},
    operations::live_discover::queries::{DataType, PerformanceScore},
    operations::live_discover::query_runs::{RunResult, RunStatus},
};

operation! {
    /// Lists the endpoints of a run with their states.
    pub struct ListQueryRunEndpoints = GET "/live-discover/v1/queries/runs/:runId/endpoints" (tenant)
        -> NumberedPage<QueryRunEndpoint> {
        /// The run's id.
        run_id!: String,
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return; all if empty.
        fields: [String],
        /// The status, result and data to match, such as `finished:succeeded:withData`.
        r#match: String,
    }
}

operation! {
    /// Returns a page of the results of a run.
    ///
    /// `pages.next_key` is the key of the next page.
    pub struct GetQueryRunResults = GET "/live-discover/v1/queries/runs/:runId/results" (tenant)
        -> QueryResults {
        /// The run's id.
        run_id!: String,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The key of the page, from the page before.
        page_from_key: String,
        /// The order, such as `name:asc`.
        sort: [String],
    }
}

model! {
    /// An endpoint of a run.
    pub struct QueryRunEndpoint {
        /// The endpoint's id.
        id as id: String,
        /// The hostname.
        hostname: String,
        /// The endpoint type.
        r#type: EndpointType,
        /// The status.
        status: RunStatus,
        /// The operating system.
        os: OperatingSystem,
        /// The IPv4 addresses.
        ipv4_addresses: Vec<String>,
        /// The IPv6 addresses.
        ipv6_addresses: Vec<String>,
        /// The result.
        result: RunResult,
        /// The status code of the endpoint.
        status_code: String,
        /// The message of the endpoint.
        status_message: String,
        /// The performance.
        performance: EndpointPerformance,
        /// The number of results.
        result_count: i64,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of completion.
        finished_at: Timestamp,
    }
}

model! {
    /// The performance of a run on an endpoint.
    pub struct EndpointPerformance {
        /// The rating.
        score: PerformanceScore,
        /// The amount of data, in bytes.
        data_transferred_in_bytes: i64,
        /// The execution time, in milliseconds.
        execution_time_in_millis: i64,
    }
}

model! {
    /// A page of the results of a run.
    pub struct QueryResults {
        /// The position of the page.
        pages: ResultPage,
        /// The description of the columns.
        metadata: ResultMetadata,
        /// The rows, by column. Each also has `endpointId` and `hostname`.
        items: Vec<BTreeMap<String, Value>>,
    }
}

model! {
    /// The position of a page of results.
    pub struct ResultPage {
        /// The maximum page size.
        max_size: i64,
        /// The page size.
        size: i64,
        /// The key of this page.
        from_key: String,
        /// The key of the next page; missing on the last.
        next_key: String,
        /// The number of pages.
        total: i64,
        /// The number of items.
        items: i64,
    }
}

model! {
    /// The description of results.
    pub struct ResultMetadata {
        /// The columns.
        columns: Vec<ResultColumn>,
    }
}

model! {
    /// A column of results.
    pub struct ResultColumn {
        /// The name.
        name: String,
        /// The type of the values.
        r#type: DataType,
    }
}

listed! {
    ListQueryRunEndpoints
    GetQueryRunResults
}
