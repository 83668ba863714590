//! Query Runs: `/xdr-query/v1/queries/runs` and the operations beside it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{NumberedPage, Timestamp, models::{Actor}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A query run.
    pub struct QueryRun {
        /// The id.
        id!: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The status.
        status: QueryRunStatus,
        /// The result.
        result: QueryRunResult,
        /// The account that created it.
        created_by: Actor,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The finished at.
        finished_at: Timestamp,
        /// The name.
        name: String,
        /// The query.
        query: QueryRunQuery,
        /// The category.
        category: QueryRunCategory,
        /// The template.
        template: String,
        /// The variables.
        variables: Vec<QueryRunVariable>,
        /// The match endpoints.
        match_endpoints: QueryRunMatchEndpoint,
        /// The time: from.
        from: Timestamp,
        /// The time: to.
        to: Timestamp,
    }
}

model! {
    /// A query run query.
    pub struct QueryRunQuery {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The code.
        code: String,
    }
}

model! {
    /// A query run category.
    pub struct QueryRunCategory {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The code.
        code: String,
    }
}

model! {
    /// A query run variable.
    pub struct QueryRunVariable {
        /// The name.
        name: String,
        /// The data type.
        data_type: QueryRunVariableDataType,
        /// The value.
        value: String,
        /// The pivot type.
        pivot_type: QueryRunVariablePivotType,
    }
}

model! {
    /// A query run match endpoint.
    pub struct QueryRunMatchEndpoint {
        /// The filters.
        filters: Vec<QueryRunMatchEndpointFilter>,
    }
}

model! {
    /// A query run match endpoint filter.
    pub struct QueryRunMatchEndpointFilter {
        /// The ids.
        ids: Vec<String>,
    }
}

model! {
    /// A query run saved query.
    pub struct QueryRunSavedQuery {
        /// The query id.
        query_id: String,
        /// The category id.
        category_id: String,
    }
}

model! {
    /// A query run ad hoc query.
    pub struct QueryRunAdHocQuery {
        /// The template.
        template: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A cancel query run response.
    pub struct CancelQueryRunResponse {
        /// Whether `canceled` is set.
        canceled: bool,
    }
}

model! {
    /// A query run result details.
    pub struct QueryRunResultDetails {
        /// The metadata.
        metadata: QueryRunResultDetailsMetadata,
        /// The pages.
        pages: QueryRunResultDetailsPage,
        /// The items.
        items: Vec<BTreeMap<String, Value>>,
    }
}

model! {
    /// A query run result details metadata.
    pub struct QueryRunResultDetailsMetadata {
        /// The columns.
        columns: Vec<QueryRunResultDetailsMetadataColumn>,
    }
}

model! {
    /// A query run result details metadata column.
    pub struct QueryRunResultDetailsMetadataColumn {
        /// The name.
        name: String,
        /// The type.
        r#type: String,
    }
}

model! {
    /// A query run result details page.
    pub struct QueryRunResultDetailsPage {
        /// The size.
        size: i64,
        /// The max size.
        max_size: i64,
        /// The from key.
        from_key: String,
        /// The next key.
        next_key: String,
    }
}

open_enum! {
    /// The query run status.
    pub enum QueryRunStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
        /// `started`.
        Started = "started",
    }
}

open_enum! {
    /// The query run result.
    pub enum QueryRunResult {
        /// `canceled`.
        Canceled = "canceled",
        /// `failed`.
        Failed = "failed",
        /// `notAvailable`.
        NotAvailable = "notAvailable",
        /// `succeeded`.
        Succeeded = "succeeded",
        /// `timedOut`.
        TimedOut = "timedOut",
    }
}

open_enum! {
    /// The query run variable data type.
    pub enum QueryRunVariableDataType {
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
    /// The query run variable pivot type.
    pub enum QueryRunVariablePivotType {
        /// `deviceId`.
        DeviceId = "deviceId",
        /// `deviceName`.
        DeviceName = "deviceName",
        /// `filePath`.
        FilePath = "filePath",
        /// `ipAddress`.
        IpAddress = "ipAddress",
        /// `registryKey`.
        RegistryKey = "registryKey",
        /// `sophosPid`.
        SophosPid = "sophosPid",
        /// `url`.
        Url = "url",
        /// `username`.
        Username = "username",
    }
}

open_enum! {
    /// The query run order.
    pub enum QueryRunOrder {
        /// `asc`.
        Asc = "asc",
        /// `desc`.
        Desc = "desc",
    }
}

operation! {
    /// Gets the list of query runs matching the given filters.
    pub struct ListQueryRuns = GET "/xdr-query/v1/queries/runs" (tenant)
        -> NumberedPage<QueryRun> {
        /// The statuses.
        statuses: [QueryRunStatus],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order.
        order: QueryRunOrder,
    }
}

operation! {
    /// Runs a query against the Sophos Data Lake, passing the SQL code as the value of a field in
    /// the request JSON. The schema reference is available here.
    pub struct StartQueryRun = POST "/xdr-query/v1/queries/runs" (tenant)
        -> QueryRun {
        /// The saved query.
        saved_query: QueryRunSavedQuery,
        /// The ad hoc query.
        ad_hoc_query: QueryRunAdHocQuery,
        /// The variables.
        variables: [QueryRunVariable],
        /// The match endpoints.
        match_endpoints: QueryRunMatchEndpoint,
        /// The time: from.
        from: Timestamp,
        /// The time: to.
        to: Timestamp,
    }
}

operation! {
    /// Gets a query run by ID.
    pub struct GetQueryRun = GET "/xdr-query/v1/queries/runs/:runId" (tenant)
        -> QueryRun {
        /// The run id.
        run_id!: String,
    }
}

operation! {
    /// Cancels a query run by ID.
    pub struct CancelQueryRun = POST "/xdr-query/v1/queries/runs/:runId/cancel" (tenant)
        -> CancelQueryRunResponse {
        /// The run id.
        run_id!: String,
    }
}

operation! {
    /// Gets the paged results for a query run.
    pub struct ListQueryRunResults = GET "/xdr-query/v1/queries/runs/:runId/results" (tenant)
        -> QueryRunResultDetails {
        /// The run id.
        run_id!: String,
        /// The key of the page.
        page_from_key: String,
        /// The number of items per page.
        page_size: u32,
    }
}

tested! {
    ListQueryRuns
    StartQueryRun
    GetQueryRun
    CancelQueryRun
    ListQueryRunResults
}
