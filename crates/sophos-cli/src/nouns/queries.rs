//! Live Discover and XDR queries.

use crate::verb::{Noun, Param, Verb, op};

pub(crate) const QUERIES: Noun = Noun {
    name: "queries",
    about: "Live Discover queries of endpoints, and XDR queries of the data lake",
    object: "query",
    columns: &["name", "code", "type", "id"],
    verbs: &[
        Verb::list("list", "Lists the Live Discover queries", &[op!(live_discover::queries::ListQueries)])
            .fixed(&[("pageTotal", "true")])
            .params(&[Param::text("search", "The text to search for"), Param::text("category-id", "The id of a category")]),
        Verb::get("get", "Shows a Live Discover query", &[op!(live_discover::queries::GetQuery)]),
        Verb::query(
            "run",
            "Runs a Live Discover query, waits, and shows the results",
            &[op!(live_discover::query_runs::StartQueryRun)],
            op!(live_discover::query_runs::GetQueryRun),
            op!(live_discover::query_run_results::GetQueryRunResults),
        )
        .params(&[
            Param::text("query-id", "The id of a saved query").field("savedQuery/queryId"),
            Param::text("sql", "An SQL query").field("adHocQuery/template"),
            Param::text("name", "The name of the SQL query").field("adHocQuery/name"),
            Param::json("variables", "The variables as a JSON list"),
            Param::json("match-endpoints", "The endpoints, such as {\"all\":true} or {\"filters\":[{\"ids\":[\"…\"]}]}").required(),
        ])
        .examples(&["queries run --sql 'SELECT name, pid FROM processes' --name Processes --match-endpoints '{\"filters\":[{\"hostnameContains\":\"LAPTOP\"}]}'"]),
        Verb::list("runs", "Lists Live Discover runs", &[op!(live_discover::query_runs::ListQueryRuns)]).object("run")
            .fixed(&[("pageTotal", "true")])
            .columns(&["name", "status", "result", "results=/resultCount", "created=/createdAt", "id"]),
        Verb::list("results", "Lists the results of a Live Discover run", &[op!(live_discover::query_run_results::GetQueryRunResults)]).object("result").columns(&["*"]),
        Verb::list("run-endpoints", "Lists the endpoints of a Live Discover run", &[op!(live_discover::query_run_results::ListQueryRunEndpoints)]).object("endpoint")
            .fixed(&[("pageTotal", "true")])
            .columns(&["hostname", "status", "result", "results=/resultCount", "id"]),
        Verb::list("xdr-list", "Lists the XDR queries", &[op!(xdr_query::queries::ListQueries)])
            .fixed(&[("pageTotal", "true")])
            .params(&[Param::text("search", "The text to search for"), Param::text("category-id", "The id of a category")]),
        Verb::query(
            "xdr-run",
            "Runs an XDR query, waits, and shows the results",
            &[op!(xdr_query::query_runs::StartQueryRun)],
            op!(xdr_query::query_runs::GetQueryRun),
            op!(xdr_query::query_runs::GetQueryRunResults),
        )
        .params(&[
            Param::text("query-id", "The id of a saved query").field("savedQuery/queryId"),
            Param::text("sql", "An SQL query").field("adHocQuery/template"),
            Param::text("name", "The name of the SQL query").field("adHocQuery/name"),
            Param::json("variables", "The variables as a JSON list"),
            Param::time("from", "The start: a time, a date, or a duration before now such as 7d"),
            Param::time("to", "The end"),
        ])
        .examples(&["queries xdr-run --sql 'SELECT meta_hostname FROM xdr_data LIMIT 10' --name Hosts"]),
        Verb::list("xdr-runs", "Lists XDR runs", &[op!(xdr_query::query_runs::ListQueryRuns)]).object("run")
            .fixed(&[("pageTotal", "true")])
            .columns(&["name", "status", "result", "created=/createdAt", "id"]),
        Verb::list("xdr-results", "Lists the results of an XDR run", &[op!(xdr_query::query_runs::GetQueryRunResults)]).object("result").columns(&["*"]),
        Verb::change("xdr-cancel", "Cancels XDR runs", "cancel", &[op!(xdr_query::query_runs::CancelQueryRun)]).object("run"),
    ],
};
