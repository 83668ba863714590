//! Runs of Live Discover queries on connected endpoints: `/live-discover/v1/queries/runs`.

use std::collections::BTreeMap;

use crate::{
    Error, Job, JobProgress, NumberedPage, Timestamp,
    models::{
        Actor, EndpointType, HealthStatus, LockdownStatus, Platform,
        macros::{model, open_enum},
    },
    operation::{
        checks::Bounded,
        macros::{listed, operation},
    },
    operations::live_discover::queries::{PerformanceScore, QueryVariable},
};

operation! {
    /// Lists the runs of queries.
    pub struct ListQueryRuns = GET "/live-discover/v1/queries/runs" (tenant) -> NumberedPage<QueryRun> {
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
        /// The id of the saved query.
        query_id: String,
        /// The id of the query's category.
        category_id: String,
        /// The statuses to match.
        status: [RunStatus],
        /// The results to match.
        result: [RunResult],
        /// The kind of principal that started the run: `user` or `service`.
        created_by_principal_type: String,
    }
}

operation! {
    /// Runs a saved query or an ad hoc query on endpoints.
    ///
    /// Set `saved_query` or `ad_hoc_query`. A tenant may start 10 runs a minute and 500 a day. The
    /// role of the credential must be Forensics or Super Admin.
    pub struct StartQueryRun = POST "/live-discover/v1/queries/runs" (tenant) -> QueryRun {
        /// The endpoints to cover.
        match_endpoints!: EndpointMatch,
        /// The saved query.
        saved_query: SavedQuery,
        /// The ad hoc query.
        ad_hoc_query: AdHocQuery,
        /// The values of the query's variables.
        variables: [QueryVariable],
    } where {
        ..Self::check_query
    }
}

impl StartQueryRun {
    fn check_query(&self) -> Result<(), Error> {
        if self.saved_query.is_none() && self.ad_hoc_query.is_none() {
            return Err(Error::invalid("missing query: expected savedQuery or adHocQuery"));
        }
        if let Some(query) = &self.ad_hoc_query {
            query.template.check("template", &(15..=50_000))?;
            query.name.check("name", &(1..=300))?;
        }
        let filters = self.match_endpoints.filters.iter().flatten();
        filters.map(|filter| &filter.ids).try_for_each(|ids| ids.check("ids", &(1..=1_000)))
    }
}

operation! {
    /// Returns a run, with its progress.
    pub struct GetQueryRun = GET "/live-discover/v1/queries/runs/:runId" (tenant) -> QueryRun {
        /// The run's id.
        run_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A run of a query.
    pub struct QueryRun {
        /// The run's id.
        id!: String,
        /// The name of the query.
        name: String,
        /// The endpoints to cover.
        match_endpoints: EndpointMatch,
        /// The SQL text of the query, of 15 to 50,000 characters.
        template: String,
        /// The status.
        status: RunStatus,
        /// The result.
        result: RunResult,
        /// The numbers of endpoints.
        endpoint_counts: EndpointCounts,
        /// The time limit, in seconds.
        max_duration_in_seconds: i64,
        /// The time until the limit, in seconds.
        time_remaining_in_seconds: i64,
        /// The category.
        category: QueryReference,
        /// The saved query.
        query: QueryReference,
        /// The values of the query's variables.
        variables: Vec<QueryVariable>,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor that created it.
        created_by: Actor,
        /// The time of completion.
        finished_at: Timestamp,
        /// The performance.
        performance: QueryRunPerformance,
        /// The number of results.
        result_count: i64,
    }
}

model! {
    /// The endpoints that a run covers.
    pub struct EndpointMatch with setters {
        /// Whether all endpoints are covered.
        all: bool,
        /// The filters; an endpoint must match one of them.
        filters: Vec<EndpointFilter>,
    }
}

model! {
    /// The conditions on an endpoint. All must hold.
    pub struct EndpointFilter with setters {
        /// The health.
        health_status: Vec<HealthStatus>,
        /// The endpoint types.
        r#type: Vec<EndpointType>,
        /// Whether Tamper Protection is turned on.
        tamper_protection_enabled: bool,
        /// The lockdown statuses.
        lockdown_status: Vec<LockdownStatus>,
        /// The ids of endpoints, 1 to 1,000.
        ids: Vec<String>,
        /// The time, or ISO 8601 duration before now, of the latest report, exclusive.
        last_seen_before: String,
        /// The time, or ISO 8601 duration before now, of the earliest report, inclusive.
        last_seen_after: String,
        /// The text in the hostname.
        hostname_contains: String,
        /// The text in the name of the associated person.
        associated_person_contains: String,
        /// The text in the name of the group.
        group_name_contains: String,
        /// The operating systems.
        os: Vec<OsFilter>,
        /// The IP addresses.
        ip_addresses: Vec<String>,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: Vec<String>,
    }
}

model! {
    /// A condition on the operating system.
    pub struct OsFilter with setters {
        /// The platform.
        platform: Platform,
        /// The endpoint type.
        r#type: EndpointType,
        /// The version.
        version: String,
    }
}

model! {
    /// The numbers of endpoints of a run.
    pub struct EndpointCounts {
        /// The number of endpoints.
        total: i64,
        /// The numbers by endpoint type.
        types: BTreeMap<String, i64>,
        /// The numbers by platform.
        platforms: BTreeMap<String, i64>,
        /// The numbers by status.
        statuses: StatusCounts,
    }
}

model! {
    /// The numbers of endpoints by status.
    pub struct StatusCounts {
        /// The endpoints that have not started.
        pending: PendingCounts,
        /// The endpoints in progress.
        started: DataCounts,
        /// The finished endpoints.
        finished: FinishedCounts,
    }
}

model! {
    /// The numbers of endpoints that have not started.
    pub struct PendingCounts {
        /// The number of endpoints.
        total: i64,
        /// The number of disconnected endpoints.
        offline: i64,
        /// The number of connected endpoints.
        online: i64,
    }
}

model! {
    /// The numbers of endpoints with and without results.
    pub struct DataCounts {
        /// The number of endpoints.
        total: i64,
        /// The number of endpoints with results.
        with_data: i64,
        /// The number of endpoints without results.
        without_data: i64,
    }
}

model! {
    /// The numbers of finished endpoints by result.
    pub struct FinishedCounts {
        /// The endpoints where the query succeeded.
        succeeded: DataCounts,
        /// The endpoints where the query failed.
        failed: DataCounts,
        /// The endpoints where the query ran out of time.
        timed_out: DataCounts,
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
    /// The performance of a run.
    pub struct QueryRunPerformance {
        /// The rating.
        score: PerformanceScore,
        /// The amount of data, in bytes.
        data_transferred_in_bytes: Statistics,
        /// The execution time, in milliseconds.
        execution_time_in_millis: Statistics,
    }
}

model! {
    /// Statistics over the endpoints of a run.
    pub struct Statistics {
        /// The sum.
        total: i64,
        /// The minimum.
        min: i64,
        /// The maximum.
        max: i64,
        /// The median.
        median: i64,
        /// The average.
        average: i64,
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
        /// The SQL text of the query, of 15 to 50,000 characters.
        template: String,
        /// The name, of 1 to 300 characters.
        name: String,
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

impl Job for GetQueryRun {
    fn progress(run: &QueryRun) -> JobProgress {
        let status = run.status.as_ref().map(RunStatus::as_str);
        let result = run.result.as_ref().map(RunResult::as_str);
        let counts = run.endpoint_counts.clone().unwrap_or_default();
        let finished = counts.statuses.and_then(|statuses| statuses.finished).unwrap_or_default();
        let done = [finished.succeeded, finished.failed, finished.timed_out];
        let done = done.into_iter().flatten().filter_map(|counts| counts.total).sum();
        JobProgress::from_words(status, result).with_share(done, counts.total.unwrap_or(0))
    }
}

listed! {
    ListQueryRuns
    StartQueryRun
    GetQueryRun
}
