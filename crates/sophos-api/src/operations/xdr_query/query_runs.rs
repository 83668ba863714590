//! Runs of queries on the Data Lake: `/xdr-query/v1/queries/runs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Error, Job, JobProgress, KeyedPages, NumberedPage, Raw, Timestamp,
    models::{
        Actor,
        lenient::{items, null_as_default},
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
    operations::xdr_query::queries::QueryVariable,
    paging::{LenientPage, MalformedItem},
};

operation! {
    /// Lists the runs of queries.
    pub struct ListQueryRuns = GET "/xdr-query/v1/queries/runs" (tenant) -> NumberedPage<QueryRun> {
        /// The statuses to match.
        statuses: [RunStatus],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page, at most 2,000.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order by time of creation.
        order: SortDirection,
    } where {
        page_size: 1..=2_000,
    }
}

operation! {
    /// Runs a saved query or an ad hoc query on the Data Lake.
    ///
    /// Set `saved_query` or `ad_hoc_query`. The range reaches back at most 30 days, and a run may
    /// take 15 minutes. The role of the credential must be Forensics or Super Admin.
    pub struct StartQueryRun = POST "/xdr-query/v1/queries/runs" (tenant) -> QueryRun {
        /// The saved query.
        saved_query: SavedQuery,
        /// The ad hoc query.
        ad_hoc_query: AdHocQuery,
        /// The values of the query's variables.
        variables: [QueryVariable],
        /// The endpoints to cover.
        match_endpoints: EndpointMatch,
        /// The start of the time range.
        from: Timestamp,
        /// The end of the time range.
        to: Timestamp,
    } where {
        ..Self::check_query
    }
}

impl StartQueryRun {
    fn check_query(&self) -> Result<(), Error> {
        if self.saved_query.is_none() && self.ad_hoc_query.is_none() {
            return Err(Error::invalid("missing query: expected savedQuery or adHocQuery"));
        }
        Ok(())
    }
}

operation! {
    /// Returns a run.
    pub struct GetQueryRun = GET "/xdr-query/v1/queries/runs/:runId" (tenant) -> QueryRun {
        /// The run's id.
        run_id!: String,
    }
}

operation! {
    /// Cancels a run.
    pub struct CancelQueryRun = POST "/xdr-query/v1/queries/runs/:runId/cancel" (tenant) -> Cancellation {
        /// The run's id.
        run_id!: String,
    }
}

operation! {
    /// Lists the results of a finished run, in rows.
    pub struct GetQueryRunResults = GET "/xdr-query/v1/queries/runs/:runId/results" (tenant) -> QueryResults {
        /// The run's id.
        run_id!: String,
        /// The key of the page, from the page before.
        page_from_key: String,
        /// The number of items per page, at most 2,000.
        page_size: u32,
    } where {
        page_size: 1..=2_000,
    }
}

model! {
    /// A run of a query. Its results expire two hours after its creation.
    pub struct QueryRun {
        /// The run's id.
        id!: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The status.
        status: RunStatus,
        /// The result.
        result: RunResult,
        /// The actor that created it.
        created_by: Actor,
        /// The time when the results expire.
        expires_at: Timestamp,
        /// The time of completion.
        finished_at: Timestamp,
        /// The name of the query.
        name: String,
        /// The saved query.
        query: QueryReference,
        /// The category.
        category: QueryReference,
        /// The SQL text.
        template: String,
        /// The values of the query's variables.
        variables: Vec<QueryVariable>,
        /// The endpoints to cover.
        match_endpoints: EndpointMatch,
        /// The start of the time range.
        from: Timestamp,
        /// The end of the time range.
        to: Timestamp,
    }
}

model! {
    /// The query or category of a run.
    pub struct QueryReference {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The code.
        code: String,
    }
}

model! {
    /// The endpoints that a run covers.
    pub struct EndpointMatch with setters {
        /// The filters.
        filters: Vec<EndpointFilter>,
    }
}

model! {
    /// The conditions on an endpoint.
    pub struct EndpointFilter with setters {
        /// The ids of endpoints.
        ids: Vec<String>,
    }
}

model! {
    /// A saved query to run.
    pub struct SavedQuery with setters {
        /// The id of the saved query.
        query_id: String,
        /// The id of the query's category.
        category_id: String,
    }
}

model! {
    /// A query that is not saved.
    pub struct AdHocQuery with setters {
        /// The SQL text.
        template: String,
        /// The name.
        name: String,
    }
}

model! {
    /// The result of a cancellation.
    pub struct Cancellation {
        /// Whether the run was canceled.
        canceled: bool,
    }
}

/// A row of results, by column.
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
        r#type: String,
    }
}

open_enum! {
    /// The status of a run.
    pub enum RunStatus {
        /// The run is finished.
        Finished = "finished",
        /// The run has not started.
        Pending = "pending",
        /// The run is in progress.
        Started = "started",
    }
}

open_enum! {
    /// The result of a run.
    pub enum RunResult {
        /// The run was canceled.
        Canceled = "canceled",
        /// The query failed.
        Failed = "failed",
        /// The run is not finished.
        NotAvailable = "notAvailable",
        /// The query succeeded.
        Succeeded = "succeeded",
        /// The time limit ended the run.
        TimedOut = "timedOut",
    }
}

open_enum! {
    /// The direction of an order.
    pub enum SortDirection {
        /// Ascending.
        Asc = "asc",
        /// Descending.
        Desc = "desc",
    }
}

impl Job for GetQueryRun {
    fn progress(run: &QueryRun) -> JobProgress {
        let status = run.status.as_ref().map(RunStatus::as_str);
        let result = run.result.as_ref().map(RunResult::as_str);
        JobProgress::from_words(status, result).until(run.expires_at.as_ref())
    }
}

listed! {
    ListQueryRuns
    StartQueryRun
    GetQueryRun
    CancelQueryRun
    GetQueryRunResults
}
