//! Query Run Results: `/live-discover/v1/queries/runs` and the operations beside it.

use std::collections::BTreeMap;

use crate::{NumberedPage, Timestamp, models::{Actor}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A query run.
    pub struct QueryRun {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The match endpoints.
        match_endpoints: QueryRunMatchEndpoint,
        /// The template.
        template: String,
        /// The status.
        status: QueryRunStatus,
        /// The result.
        result: QueryRunResult,
        /// The endpoint counts.
        endpoint_counts: QueryRunEndpointCount,
        /// The max duration in seconds.
        max_duration_in_seconds: i64,
        /// The time remaining in seconds.
        time_remaining_in_seconds: i64,
        /// The category.
        category: QueryRunCategory,
        /// The query.
        query: QueryRunQuery,
        /// The variables.
        variables: Vec<QueryRunVariable>,
        /// The time of creation.
        created_at: Timestamp,
        /// The account that created it.
        created_by: Actor,
        /// The finished at.
        finished_at: Timestamp,
        /// The performance.
        performance: QueryRunPerformance,
        /// The result count.
        result_count: i64,
    }
}

model! {
    /// A query run match endpoint.
    pub struct QueryRunMatchEndpoint {
        /// Whether `all` is set.
        all: bool,
        /// The filters.
        filters: Vec<QueryRunMatchEndpointFilter>,
    }
}

model! {
    /// A query run match endpoint filter.
    pub struct QueryRunMatchEndpointFilter {
        /// The health status.
        health_status: Vec<QueryRunMatchEndpointFilterHealthStatus>,
        /// The type.
        r#type: Vec<QueryRunMatchEndpointFilterType>,
        /// Whether `tamperProtectionEnabled` is set.
        tamper_protection_enabled: bool,
        /// The lockdown status.
        lockdown_status: Vec<QueryRunMatchEndpointFilterLockdownStatus>,
        /// The ids.
        ids: Vec<String>,
        /// The last seen before.
        last_seen_before: String,
        /// The last seen after.
        last_seen_after: String,
        /// The hostname contains.
        hostname_contains: String,
        /// The associated person contains.
        associated_person_contains: String,
        /// The group name contains.
        group_name_contains: String,
        /// The os.
        os: Vec<QueryRunMatchEndpointFilterO>,
        /// The ip addresses.
        ip_addresses: Vec<String>,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: Vec<QueryRunMatchEndpointFilterSearchField>,
    }
}

model! {
    /// A query run match endpoint filter o.
    pub struct QueryRunMatchEndpointFilterO {
        /// The platform.
        platform: QueryRunMatchEndpointFilterOPlatform,
        /// The type.
        r#type: QueryRunMatchEndpointFilterOType,
        /// The version.
        version: String,
    }
}

model! {
    /// A query run endpoint count.
    pub struct QueryRunEndpointCount {
        /// The total.
        total: i64,
        /// The types.
        types: BTreeMap<String, i64>,
        /// The platforms.
        platforms: BTreeMap<String, i64>,
        /// The statuses.
        statuses: QueryRunEndpointCountStatus,
    }
}

model! {
    /// A query run endpoint count status.
    pub struct QueryRunEndpointCountStatus {
        /// The pending.
        pending: QueryRunEndpointCountStatusPending,
        /// The started.
        started: QueryRunEndpointCountStatusStarted,
        /// The finished.
        finished: QueryRunEndpointCountStatusFinished,
    }
}

model! {
    /// A query run endpoint count status pending.
    pub struct QueryRunEndpointCountStatusPending {
        /// The total.
        total: i64,
        /// The offline.
        offline: i64,
        /// The online.
        online: i64,
    }
}

model! {
    /// A query run endpoint count status started.
    pub struct QueryRunEndpointCountStatusStarted {
        /// The total.
        total: i64,
        /// The with data.
        with_data: i64,
        /// The without data.
        without_data: i64,
    }
}

model! {
    /// A query run endpoint count status finished.
    pub struct QueryRunEndpointCountStatusFinished {
        /// The succeeded.
        succeeded: QueryRunEndpointCountStatusFinishedSucceeded,
        /// The failed.
        failed: QueryRunEndpointCountStatusFinishedFailed,
        /// The timed out.
        timed_out: QueryRunEndpointCountStatusFinishedTimedOut,
    }
}

model! {
    /// A query run endpoint count status finished succeeded.
    pub struct QueryRunEndpointCountStatusFinishedSucceeded {
        /// The total.
        total: i64,
        /// The with data.
        with_data: i64,
        /// The without data.
        without_data: i64,
    }
}

model! {
    /// A query run endpoint count status finished failed.
    pub struct QueryRunEndpointCountStatusFinishedFailed {
        /// The total.
        total: i64,
        /// The with data.
        with_data: i64,
        /// The without data.
        without_data: i64,
    }
}

model! {
    /// A query run endpoint count status finished timed out.
    pub struct QueryRunEndpointCountStatusFinishedTimedOut {
        /// The total.
        total: i64,
        /// The with data.
        with_data: i64,
        /// The without data.
        without_data: i64,
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
    /// A query run variable.
    pub struct QueryRunVariable {
        /// The name.
        name: String,
        /// The data type.
        data_type: QueryRunVariableDataType,
        /// The value.
        value: String,
    }
}

model! {
    /// A query run performance.
    pub struct QueryRunPerformance {
        /// The score.
        score: QueryRunPerformanceScore,
        /// The data transferred in bytes.
        data_transferred_in_bytes: QueryRunPerformanceDataTransferredInByte,
        /// The execution time in millis.
        execution_time_in_millis: QueryRunPerformanceExecutionTimeInMilli,
    }
}

model! {
    /// A query run performance data transferred in byte.
    pub struct QueryRunPerformanceDataTransferredInByte {
        /// The total.
        total: i64,
        /// The min.
        min: i64,
        /// The max.
        max: i64,
        /// The median.
        median: i64,
        /// The average.
        average: i64,
    }
}

model! {
    /// A query run performance execution time in milli.
    pub struct QueryRunPerformanceExecutionTimeInMilli {
        /// The total.
        total: i64,
        /// The min.
        min: i64,
        /// The max.
        max: i64,
        /// The median.
        median: i64,
        /// The average.
        average: i64,
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
    /// A query run endpoint.
    pub struct QueryRunEndpoint {
        /// The id.
        id as id: String,
        /// The hostname.
        hostname: String,
        /// The type.
        r#type: QueryRunEndpointType,
        /// The status.
        status: QueryRunEndpointStatus,
        /// The os.
        os: QueryRunEndpointO,
        /// The ipv4 addresses.
        ipv4_addresses: Vec<String>,
        /// The ipv6 addresses.
        ipv6_addresses: Vec<String>,
        /// The result.
        result: QueryRunEndpointResult,
        /// The status code.
        status_code: String,
        /// The status message.
        status_message: String,
        /// The performance.
        performance: QueryRunEndpointPerformance,
        /// The result count.
        result_count: i64,
        /// The time of creation.
        created_at: Timestamp,
        /// The finished at.
        finished_at: Timestamp,
    }
}

model! {
    /// A query run endpoint o.
    pub struct QueryRunEndpointO {
        /// The platform.
        platform: QueryRunEndpointOPlatform,
        /// The name.
        name: String,
        /// Whether `isServer` is set.
        is_server: bool,
        /// The major version.
        major_version: i64,
        /// The minor version.
        minor_version: i64,
        /// The build.
        build: i64,
    }
}

model! {
    /// A query run endpoint performance.
    pub struct QueryRunEndpointPerformance {
        /// The score.
        score: QueryRunEndpointPerformanceScore,
        /// The data transferred in bytes.
        data_transferred_in_bytes: i64,
        /// The execution time in millis.
        execution_time_in_millis: i64,
    }
}

model! {
    /// A query run result details.
    pub struct QueryRunResultDetails {
        /// The pages.
        pages: QueryRunResultDetailsPage,
        /// The metadata.
        metadata: QueryRunResultDetailsMetadata,
        /// The items.
        items: Vec<QueryRunResultDetailsItem>,
    }
}

model! {
    /// A query run result details page.
    pub struct QueryRunResultDetailsPage {
        /// The max size.
        max_size: i64,
        /// The size.
        size: i64,
        /// The from key.
        from_key: String,
        /// The next key.
        next_key: String,
        /// The total.
        total: i64,
        /// The items.
        items: i64,
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
        r#type: QueryRunResultDetailsMetadataColumnType,
    }
}

model! {
    /// A query run result details item.
    pub struct QueryRunResultDetailsItem {
        /// The endpoint id.
        endpoint_id: String,
        /// The hostname.
        hostname: String,
    }
}

open_enum! {
    /// The query run match endpoint filter health status.
    pub enum QueryRunMatchEndpointFilterHealthStatus {
        /// `bad`.
        Bad = "bad",
        /// `good`.
        Good = "good",
        /// `suspicious`.
        Suspicious = "suspicious",
        /// `unknown`.
        Unknown = "unknown",
    }
}

open_enum! {
    /// The query run match endpoint filter type.
    pub enum QueryRunMatchEndpointFilterType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The query run match endpoint filter lockdown status.
    pub enum QueryRunMatchEndpointFilterLockdownStatus {
        /// `creatingWhitelist`.
        CreatingWhitelist = "creatingWhitelist",
        /// `installing`.
        Installing = "installing",
        /// `locked`.
        Locked = "locked",
        /// `notInstalled`.
        NotInstalled = "notInstalled",
        /// `registering`.
        Registering = "registering",
        /// `starting`.
        Starting = "starting",
        /// `stopping`.
        Stopping = "stopping",
        /// `unavailable`.
        Unavailable = "unavailable",
        /// `uninstalled`.
        Uninstalled = "uninstalled",
        /// `unlocked`.
        Unlocked = "unlocked",
    }
}

open_enum! {
    /// The query run match endpoint filter oplatform.
    pub enum QueryRunMatchEndpointFilterOPlatform {
        /// `linux`.
        Linux = "linux",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The query run match endpoint filter otype.
    pub enum QueryRunMatchEndpointFilterOType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The query run match endpoint filter search field.
    pub enum QueryRunMatchEndpointFilterSearchField {
        /// `associatedPersonName`.
        AssociatedPersonName = "associatedPersonName",
        /// `groupName`.
        GroupName = "groupName",
        /// `hostname`.
        Hostname = "hostname",
        /// `ipAddresses`.
        IpAddresses = "ipAddresses",
        /// `osName`.
        OsName = "osName",
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
    /// The query run performance score.
    pub enum QueryRunPerformanceScore {
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

open_enum! {
    /// The query run created by principal type.
    pub enum QueryRunCreatedByPrincipalType {
        /// `service`.
        Service = "service",
        /// `user`.
        User = "user",
    }
}

open_enum! {
    /// The query run endpoint type.
    pub enum QueryRunEndpointType {
        /// `computer`.
        Computer = "computer",
        /// `securityVm`.
        SecurityVm = "securityVm",
        /// `server`.
        Server = "server",
    }
}

open_enum! {
    /// The query run endpoint status.
    pub enum QueryRunEndpointStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
        /// `started`.
        Started = "started",
    }
}

open_enum! {
    /// The query run endpoint oplatform.
    pub enum QueryRunEndpointOPlatform {
        /// `linux`.
        Linux = "linux",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The query run endpoint result.
    pub enum QueryRunEndpointResult {
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
    /// The query run endpoint performance score.
    pub enum QueryRunEndpointPerformanceScore {
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

open_enum! {
    /// The query run result details metadata column type.
    pub enum QueryRunResultDetailsMetadataColumnType {
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

operation! {
    /// Gets the list of query runs matching the given filters.
    pub struct ListQueryRuns = GET "/live-discover/v1/queries/runs" (tenant)
        -> NumberedPage<QueryRun> {
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The query id.
        query_id: String,
        /// The category id.
        category_id: String,
        /// The status.
        status: [QueryRunStatus],
        /// The result.
        result: QueryRunResult,
        /// The created by principal type.
        created_by_principal_type: QueryRunCreatedByPrincipalType,
    }
}

operation! {
    /// Runs a saved EDR query or an ad hoc query on remote endpoints.
    pub struct StartQueryRun = POST "/live-discover/v1/queries/runs" (tenant)
        -> QueryRun {
        /// The match endpoints.
        match_endpoints: QueryRunMatchEndpoint,
        /// The saved query.
        saved_query: QueryRunSavedQuery,
        /// The ad hoc query.
        ad_hoc_query: QueryRunAdHocQuery,
        /// The variables.
        variables: [QueryRunVariable],
    }
}

operation! {
    /// Gets a query run by ID.
    pub struct GetQueryRun = GET "/live-discover/v1/queries/runs/:runId" (tenant)
        -> QueryRun {
        /// The run id.
        run_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Gets statuses of endpoints in the query run.
    pub struct ListQueryRunEndpoints = GET "/live-discover/v1/queries/runs/:runId/endpoints" (tenant)
        -> NumberedPage<QueryRunEndpoint> {
        /// The run id.
        run_id!: String,
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The fields to return.
        fields: [String],
        /// The match.
        r#match: String,
    }
}

operation! {
    /// Gets the results of a query run.
    pub struct ListQueryRunResults = GET "/live-discover/v1/queries/runs/:runId/results" (tenant)
        -> QueryRunResultDetails {
        /// The run id.
        run_id!: String,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The key of the page.
        page_from_key: String,
        /// The order, such as `name:asc`.
        sort: [String],
    }
}

tested! {
    ListQueryRuns
    StartQueryRun
    GetQueryRun
    ListQueryRunEndpoints
    ListQueryRunResults
}
