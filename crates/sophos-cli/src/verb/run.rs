//! Running a verb.

use clap::ArgMatches;
use sophos_api::{
    ScopeHeader,
    catalog::{DescribedRequest, OperationDescription},
};

use crate::{
    connect::Session,
    context::Context,
    exit::{Exit, Failure},
    json::Json,
    verb::{
        Fields, Kind, Noun, Op, Target, Verb, change, choose,
        fields::{add_raw_fields, fields_of, path_members},
        list,
        list::tenant_targets,
        path_value, wait,
    },
};

/// Runs the verb that the arguments name.
///
/// # Errors
/// When an argument is invalid or a request fails.
pub(crate) async fn run_noun(
    noun: &'static Noun,
    matches: &ArgMatches,
    context: &Context,
) -> Result<(), Failure> {
    let found = matches.subcommand().and_then(|(name, matches)| {
        noun.verbs.iter().find(|verb| verb.name == name).map(|verb| (verb, matches))
    });
    let Some((verb, matches)) = found else {
        return Err(Failure::usage(format!("missing verb: see `sophos {} --help`", noun.name)));
    };
    run_verb(noun, verb, matches, context).await.map_err(|failure| with_next_step(failure, noun, verb))
}

/// Adds the next step that the noun knows to a failure without one.
fn with_next_step(failure: Failure, noun: &Noun, verb: &Verb) -> Failure {
    let lists = noun.verbs.iter().any(|other| other.name == "list") && verb.name != "list";
    match failure.exit {
        _ if failure.hint.is_some() || failure.message.is_empty() => failure,
        Exit::Usage => failure.hint(format!("run `sophos {} {} --help`", noun.name, verb.name)),
        Exit::NotFound if lists => failure.hint(format!("run `sophos {} list`", noun.name)),
        _ => failure,
    }
}

async fn run_verb(
    noun: &'static Noun,
    verb: &'static Verb,
    matches: &ArgMatches,
    context: &Context,
) -> Result<(), Failure> {
    let mut fields = fields_of(verb, matches)?;
    let session = context.session().await?;
    let operation = choose_operation(session, context, verb.calls).await?;
    add_raw_fields(&mut fields, operation, matches)?;
    match verb.kind {
        Kind::List => {
            set_path(&mut fields, operation, matches);
            if let Some(page_size) = verb.page_size {
                let size = context
                    .globals
                    .limit
                    .map_or(page_size, |limit| u32::try_from(limit).unwrap_or(page_size).clamp(1, page_size));
                let name = if operation.route().path.starts_with("/siem/") { "limit" } else { "pageSize" };
                fields.entry(name).or_insert_with(|| size.max(if name == "limit" { 200 } else { 1 }).into());
            }
            run_list(noun, verb, context, &operation.request(fields)?).await
        }
        Kind::Get => {
            set_path(&mut fields, operation, matches);
            // Before any request, such as the one for the endpoint's id.
            let mut request = operation.request(fields.clone())?;
            let target = target(session, context, operation).await?;
            if verb.endpoints {
                resolve_endpoints(&target, &mut fields).await?;
                request = operation.request(fields)?;
            }
            write_one(context, target.send(&request).await?)
        }
        Kind::Change(action) => {
            let target = target(session, context, operation).await?;
            change::run(noun, verb, context, operation, action, fields, target, matches).await
        }
        Kind::Query(status, results) => {
            let start = operation.request(fields)?;
            let target = target(session, context, operation).await?;
            wait::run(verb, context, &start, status, results, target).await
        }
    }
}

/// The operation for the session's credential.
///
/// # Errors
/// As for [`choose`], and when the identity is not known.
async fn choose_operation(
    session: &Session,
    context: &Context,
    calls: &[Op],
) -> Result<&'static OperationDescription, Failure> {
    if let [only] = calls
        && only.route().scope == ScopeHeader::Tenant
    {
        return only.describe();
    }
    let identity = session.identity().await?;
    let wants_tenant = context.globals.tenant.is_some() || context.globals.all_tenants;
    choose(calls, &identity.id_type, wants_tenant)?.describe()
}

/// The addressee of an operation.
///
/// # Errors
/// When no tenant is chosen.
pub(crate) async fn target(
    session: &Session,
    context: &Context,
    operation: &OperationDescription,
) -> Result<Target, Failure> {
    if session.is_for_tenant(context, operation.route().scope).await? {
        return Ok(Target::Tenant(session.selected_tenant(context).await?));
    }
    Ok(Target::Account(session.client.clone()))
}

fn set_path(fields: &mut Fields, operation: &OperationDescription, matches: &ArgMatches) {
    for member in path_members(operation.route().path) {
        let value = matches.try_get_one::<String>(member).ok().flatten();
        if let Some(value) = value {
            fields.insert(member.to_owned(), path_value(operation, member, value));
        }
    }
}

/// Replaces the host name in a path by the endpoint's id.
async fn resolve_endpoints(target: &Target, fields: &mut Fields) -> Result<(), Failure> {
    let Some(name) = fields.get("endpointId").and_then(serde_json::Value::as_str).map(str::to_owned) else {
        return Ok(());
    };
    let (id, _) = change::resolve_endpoint(target, &name).await?;
    fields.insert("endpointId".to_owned(), id.into());
    Ok(())
}

async fn run_list(
    noun: &Noun,
    verb: &Verb,
    context: &Context,
    request: &DescribedRequest,
) -> Result<(), Failure> {
    let session = context.session().await?;
    let targets = if session.is_for_tenant(context, request.route().scope).await? {
        tenant_targets(session.selected_tenants(context).await?)
    } else {
        vec![(String::new(), Ok(Target::Account(session.client.clone())))]
    };
    let columns = match if verb.columns.is_empty() { noun.columns } else { verb.columns } {
        ["*"] => &[],
        columns => columns,
    };
    let mut all = Vec::new();
    if context.globals.all_tenants {
        all.push("tenant=tenantName");
    }
    all.extend_from_slice(columns);
    let mut records = context.records(&all);
    let result = list::list(context, request, verb.items, targets, &mut records).await;
    let count = records.finish()?;
    if context.is_table() {
        context.note(&format!("{count} {}", plural(verb.object.unwrap_or(noun.object), count)));
    }
    result
}

/// Writes a response of one object.
///
/// # Errors
/// When the output fails.
pub(crate) fn write_one(context: &Context, response: Json) -> Result<(), Failure> {
    let mut records = context.record();
    records.write_json(response)?;
    records.finish()?;
    Ok(())
}

/// The noun in the number of the count.
pub(crate) fn plural(object: &str, count: u64) -> String {
    match (count, object.strip_suffix('y')) {
        (1, _) => object.to_owned(),
        _ if object.ends_with('s') => format!("{object}es"),
        (_, Some(stem)) if !object.ends_with("ey") => format!("{stem}ies"),
        _ => format!("{object}s"),
    }
}
