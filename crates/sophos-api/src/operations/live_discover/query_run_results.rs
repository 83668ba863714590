//! Endpoints and results of Live Discover runs: `/live-discover/v1/queries/runs/{runId}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    KeyedPages, NumberedPage, Raw, Timestamp,
    models::{
        EndpointType, OperatingSystem,
        lenient::{items, null_as_default},
        macros::model,
    },
    operation::macros::{listed, operation},
    operations::live_discover::{
        queries::{DataType, PerformanceScore},
        query_runs::{RunResult, RunStatus},
    },
    paging::{LenientPage, MalformedItem},
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
    /// Lists the results of a finished run, in rows.
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
    } where {
        page_size: 1..=1_000,
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

/// A row of results, by column. Each also has `endpointId` and `hostname`.
pub type QueryRow = BTreeMap<String, Value>;

/// A page of the results of a run, in rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "catalog", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct QueryResults {
    /// The rows, not parsed yet.
    #[serde(deserialize_with = "items")]
    pub items: Vec<Raw<QueryRow>>,
    /// The rows that are not JSON.
    #[serde(skip)]
    pub malformed_items: Vec<MalformedItem>,
    /// The position of the page.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pages: KeyedPages,
    /// The description of the columns.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metadata: ResultMetadata,
}

impl LenientPage for QueryResults {
    fn set_malformed_items(&mut self, malformed_items: Vec<MalformedItem>) {
        self.malformed_items = malformed_items;
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
