//! Running a verb.

use clap::ArgMatches;
use sophos_api::ScopeHeader;

use crate::{
    connect::Session,
    context::Context,
    exit::Failure,
    json::Json,
    verb::{
        Call, Fields, Kind, Noun, Target, Verb, change, choose,
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
    let mut fields = fields_of(verb, matches)?;
    let session = context.session().await?;
    let call = choose_call(session, context, verb.calls).await?;
    add_raw_fields(&mut fields, call, matches)?;
    match verb.kind {
        Kind::List => {
            set_path(&mut fields, call, matches);
            if let Some(page_size) = verb.page_size {
                let size = context
                    .globals
                    .limit
                    .map_or(page_size, |limit| u32::try_from(limit).unwrap_or(page_size).clamp(1, page_size));
                let name = if call.route().path.starts_with("/siem/") { "limit" } else { "pageSize" };
                fields.entry(name).or_insert_with(|| size.max(if name == "limit" { 200 } else { 1 }).into());
            }
            call.check(&fields)?;
            run_list(noun, verb, context, call, fields).await
        }
        Kind::Get => {
            set_path(&mut fields, call, matches);
            call.check(&fields)?;
            let target = target(session, context, call).await?;
            if verb.endpoints {
                resolve_endpoints(&target, &mut fields).await?;
            }
            let response = call.send(target, fields).await?;
            write_one(context, response)
        }
        Kind::Change(action) => {
            let target = target(session, context, call).await?;
            change::run(noun, verb, context, call, action, fields, target, matches).await
        }
        Kind::Query(status, results) => {
            call.check(&fields)?;
            let target = target(session, context, call).await?;
            wait::run(verb, context, call, status, results, fields, target).await
        }
    }
}

/// The operation for the session's credential.
///
/// # Errors
/// As for [`choose`], and when the identity is not known.
pub(crate) async fn choose_call(
    session: &Session,
    context: &Context,
    calls: &[&'static dyn Call],
) -> Result<&'static dyn Call, Failure> {
    if let [only] = calls
        && only.route().scope == ScopeHeader::Tenant
    {
        return Ok(*only);
    }
    let identity = session.identity().await?;
    let wants_tenant = context.globals.tenant.is_some() || context.globals.all_tenants;
    choose(calls, &identity.id_type, wants_tenant)
}

/// The addressee of an operation.
///
/// # Errors
/// When no tenant is chosen.
pub(crate) async fn target(
    session: &Session,
    context: &Context,
    call: &'static dyn Call,
) -> Result<Target, Failure> {
    if session.is_for_tenant(context, call.route().scope).await? {
        return Ok(Target::Tenant(session.selected_tenant(context).await?));
    }
    Ok(Target::Account(session.client.clone()))
}

fn set_path(fields: &mut Fields, call: &dyn Call, matches: &ArgMatches) {
    for member in path_members(call.route().path) {
        let value = matches.try_get_one::<String>(member).ok().flatten();
        if let Some(value) = value {
            fields.insert(member.to_owned(), path_value(call.description(), member, value));
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
    call: &'static dyn Call,
    fields: Fields,
) -> Result<(), Failure> {
    let session = context.session().await?;
    let targets = if session.is_for_tenant(context, call.route().scope).await? {
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
    let result = list::list(context, call, verb.items, fields, targets, &mut records).await;
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
