//! `sophos api`: any operation, by name or by method and path.

mod describe;
mod find;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value};
use sophos_api::{Route, catalog::OperationDescription};

use crate::{
    confirm::Change,
    context::Context,
    exit::{Exit, Failure},
    global_args::OutputFormat,
    verb::{
        DEFAULT_ITEMS, Fields, Target, add_assignments, list, read_input, send_changes, show_request,
        tenant_targets,
    },
};

/// The command.
pub(crate) fn command() -> Command {
    Command::new("api")
        .about("Sends any operation, by name or by method and path")
        .long_about(
            "Sends any operation, by name or by method and path. The host, the scope header, the token, the rate \
             limit and retries are handled. Fields go into the path, the query or the body, as the operation says.",
        )
        .arg(
            Arg::new("operation")
                .value_name("OPERATION | [METHOD] PATH")
                .num_args(1..=2)
                .required_unless_present("list")
                .help("The operation, such as ListAlerts or partner/ListRoles, or a path such as /common/v1/alerts"),
        )
        .arg(Arg::new("method").short('X').long("method").value_name("METHOD").help("The method of a path"))
        .arg(
            Arg::new("raw-field")
                .short('f')
                .long("field")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("A field; NAME:=TEXT for a text that looks like JSON, A.B=VALUE for a nested one"),
        )
        .arg(Arg::new("input").long("input").value_name("FILE").help("The fields as a JSON object; - for standard input"))
        .arg(Arg::new("paginate").long("paginate").action(ArgAction::SetTrue).help("Reads all pages, and shows each item as a record"))
        .arg(Arg::new("list").long("list").action(ArgAction::SetTrue).help("Lists the operations, or those that match the text"))
        .arg(Arg::new("describe").long("describe").action(ArgAction::SetTrue).help("Describes the operation and its fields"))
        .after_help(
            "Examples:\n  sophos api --list alerts\n  sophos api --describe ListAlerts\n  \
             sophos api ListAlerts -f severity=high --paginate\n  \
             sophos api GET /endpoint/v1/endpoints -f pageSize=5 --tenant Acme\n  \
             sophos api POST /common/v1/directory/users --input user.json --dry-run",
        )
}

/// Runs the command.
///
/// # Errors
/// When the operation is unknown, a field is invalid, or the request fails.
pub(crate) async fn run(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let words: Vec<&str> =
        matches.get_many::<String>("operation").into_iter().flatten().map(String::as_str).collect();
    if matches.get_flag("list") {
        return describe::list(context, &words.join(" "));
    }
    let method = matches.get_one::<String>("method").map(String::as_str);
    let has_fields = matches.contains_id("input") || matches.contains_id("raw-field");
    let found = find::find(&words, method, has_fields)?;
    if matches.get_flag("describe") {
        return describe::describe(context, found.operation);
    }
    let mut fields = found.fields;
    if let Some(path) = matches.get_one::<String>("input") {
        fields.extend(read_input(path)?);
    }
    let assignments: Vec<String> =
        matches.get_many::<String>("raw-field").into_iter().flatten().cloned().collect();
    add_assignments(&mut fields, &assignments, found.operation)?;
    let operation = found.operation;
    send(context, operation, fields, matches.get_flag("paginate")).await.map_err(|failure| {
        match failure.exit {
            Exit::Usage if failure.hint.is_none() => failure.hint(format!(
                "run `sophos api --describe {}/{}`",
                operation.family(),
                operation.name()
            )),
            _ => failure,
        }
    })
}

async fn send(
    context: &Context,
    operation: &'static OperationDescription,
    fields: Fields,
    paginate: bool,
) -> Result<(), Failure> {
    let session = context.session().await?;
    let route = operation.route();
    if paginate || context.globals.all_tenants {
        let targets = if session.is_for_tenant(context, route.scope).await? {
            tenant_targets(session.selected_tenants(context).await?)
        } else {
            vec![(String::new(), Ok(Target::Account(session.client.clone())))]
        };
        if !is_reading(route) {
            return Err(Failure::usage(format!("--paginate is for operations that read, not for {route}")));
        }
        let request = operation.request(fields)?;
        let mut records = context.records(&[]);
        let result = list(context, &request, DEFAULT_ITEMS, targets, &mut records).await;
        records.finish()?;
        return result;
    }
    let target = if session.is_for_tenant(context, route.scope).await? {
        Target::Tenant(session.selected_tenant(context).await?)
    } else {
        Target::Account(session.client.clone())
    };
    if !is_reading(route) {
        let change = Change {
            action: "send".to_owned(),
            noun: "request".to_owned(),
            objects: vec![route.to_string()],
        };
        return send_changes(context, operation, &change, vec![fields], &target).await;
    }
    let request = operation.request(fields)?;
    if context.globals.dry_run {
        return show_request(session, &target, &request).await;
    }
    let response = target.send(&request).await?;
    let mut settings = context.output.clone();
    if context.globals.output.is_none() && settings.format == OutputFormat::Table {
        settings.format = OutputFormat::Json;
    }
    let mut records = crate::output::Records::to_stdout(&settings, &[]).single();
    records.write_json(response)?;
    records.finish()?;
    Ok(())
}

/// Whether an operation changes nothing: a `GET`, or a search by `POST`.
fn is_reading(route: &Route) -> bool {
    route.method == http::Method::GET || (route.method == http::Method::POST && route.idempotent)
}

/// An operation with the fields of its path.
pub(crate) struct Found {
    pub(crate) operation: &'static OperationDescription,
    pub(crate) fields: Map<String, Value>,
}
