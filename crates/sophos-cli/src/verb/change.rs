//! Changes: the question, the dry run, and one request for each object.

use clap::ArgMatches;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use sophos_api::{
    Error, RequestTarget,
    catalog::{DescribedRequest, OperationDescription},
};

use crate::{
    confirm::{Change, confirm},
    connect::{Session, is_id},
    context::Context,
    exit::{Exit, Failure},
    json::Json,
    verb::{
        DEFAULT_ITEMS, Fields, Noun, Target, Verb, fields::path_members, items_of, next_page, op, path_value,
        plural,
    },
};

/// The requests of a change that are sent at once.
const MAX_CONCURRENT_CHANGES: usize = 4;

/// Runs a verb that changes something.
#[expect(clippy::too_many_arguments, reason = "one caller")]
pub(crate) async fn run(
    noun: &Noun,
    verb: &Verb,
    context: &Context,
    operation: &'static OperationDescription,
    action: &str,
    mut fields: Fields,
    target: Target,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let members = path_members(operation.route().path);
    let Some((last, others)) = members.split_last() else {
        let objects = names_in(&fields);
        return send_changes(context, operation, &change(action, noun, verb, objects), vec![fields], &target)
            .await;
    };
    for member in others {
        if let Some(value) = matches.get_one::<String>(member) {
            fields.insert((*member).to_owned(), path_value(operation, member, value));
        }
    }
    let mut given: Vec<String> = matches.get_many::<String>(last).into_iter().flatten().cloned().collect();
    if given == ["-"] {
        let text = std::io::read_to_string(std::io::stdin())
            .map_err(|error| Failure::usage(format!("reading standard input failed: {error}")))?;
        given = text.split_whitespace().map(str::to_owned).collect();
    }
    let mut requests = Vec::new();
    let mut objects = Vec::new();
    for value in given {
        let (id, name) =
            if verb.endpoints { resolve_endpoint(&target, &value).await? } else { (value.clone(), value) };
        let mut request = fields.clone();
        request.insert((*last).to_owned(), path_value(operation, last, &id));
        requests.push(request);
        objects.push(name);
    }
    send_changes(context, operation, &change(action, noun, verb, objects), requests, &target).await
}

fn change(action: &str, noun: &Noun, verb: &Verb, objects: Vec<String>) -> Change {
    let object = verb.object.unwrap_or(noun.object);
    Change { action: action.to_owned(), noun: object.to_owned(), objects }
}

/// The members that list the objects of a change.
const LISTS: [&str; 3] = ["ids", "firewalls", "items"];

/// The names of the objects in a request, for the question: of a new one, or of those in a
/// list.
fn names_in(fields: &Fields) -> Vec<String> {
    let listed = LISTS.iter().find_map(|name| fields.get(*name)?.as_array());
    if let Some(items) = listed {
        let name = |item: &Value| {
            ["id", "item"].iter().find_map(|member| item.get(*member)?.as_str().map(str::to_owned))
        };
        return items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned).or_else(|| name(item)))
            .collect();
    }
    let text = |name: &&str| fields.get(*name)?.as_str();
    let own = ["name", "username", "userId", "url", "value"].iter().find_map(text);
    let own = own.or_else(|| fields.get("properties")?.as_object()?.values().find_map(Value::as_str));
    own.map(str::to_owned).into_iter().collect()
}

/// Asks, then sends the requests and writes the responses; with `--dry-run` it only
/// shows the requests.
///
/// # Errors
/// When a field is invalid, and without consent; [`Exit::Partial`] when some of several
/// requests failed.
pub(crate) async fn send_changes(
    context: &Context,
    operation: &'static OperationDescription,
    change: &Change,
    requests: Vec<Fields>,
    target: &Target,
) -> Result<(), Failure> {
    let requests =
        requests.into_iter().map(|fields| operation.request(fields)).collect::<Result<Vec<_>, _>>()?;
    if context.globals.dry_run {
        context.note(&format!("Dry run: this would {}", change.sentence()));
        let session = context.session().await?;
        for request in requests {
            show_request(session, target, &request).await?;
        }
        return Ok(());
    }
    confirm_and_send(context, change, &requests, async |request: &DescribedRequest| {
        target.send(request).await
    })
    .await
}

/// Asks, then sends the requests and writes the responses.
///
/// # Errors
/// Without consent; [`Exit::Partial`] when some of several requests failed.
pub(crate) async fn confirm_and_send<R>(
    context: &Context,
    change: &Change,
    requests: &[R],
    send: impl AsyncFn(&R) -> Result<Json, Error>,
) -> Result<(), Failure> {
    confirm(context, change)?;
    let count = requests.len();
    let send = &send;
    let progress = context.progress(&change.action, Some(count as u64));
    let mut results = stream::iter(
        requests.iter().enumerate().map(|(index, request)| async move { (index, send(request).await) }),
    )
    .buffered(MAX_CONCURRENT_CHANGES);
    let mut records = if count == 1 { context.record() } else { context.records(&[]) };
    let (mut failed, mut first) = (0, None);
    while let Some((index, result)) = results.next().await {
        progress.inc(1);
        let failure = match result {
            Ok(Json::Null) => continue,
            Ok(response) if response.get("deleted") == Some(&Json::Bool(false)) => {
                Failure::new(Exit::NotFound, "the service changed nothing; the change may be done already")
            }
            Ok(response) => {
                records.write_json(response)?;
                continue;
            }
            Err(error) => error.into(),
        };
        failed += 1;
        if count > 1 {
            let name = change.objects.get(index).map_or("", String::as_str);
            progress.suspend(|| context.warn(&format!("{name}: {failure}")));
        }
        first.get_or_insert(failure);
    }
    progress.finish_and_clear();
    records.finish()?;
    match first {
        None => {
            if count > 1 {
                context.note(&format!("{count} {} done", plural(&change.noun, count as u64)));
            }
            Ok(())
        }
        Some(failure) if failed == count => Err(failure),
        Some(_) => {
            context.note(&format!("{failed} of {count} {} failed", plural(&change.noun, count as u64)));
            Err(Failure::reported(Exit::Partial))
        }
    }
}

/// Prints the method, the URL, the scope header and the body of a request.
///
/// # Errors
/// When a field of the path is missing.
pub(crate) async fn show_request(
    session: &Session,
    target: &Target,
    request: &DescribedRequest,
) -> Result<(), Failure> {
    let identity = session.identity().await?;
    let request_target = match target {
        Target::Tenant(tenant) if request.route().host == sophos_api::ApiHost::DataRegion => {
            RequestTarget::with_id(tenant.base_url().clone(), tenant.id().as_str())
        }
        Target::Tenant(tenant) => RequestTarget::with_id(identity.global, tenant.id().as_str()),
        Target::Account(_) => RequestTarget::with_id(identity.global, identity.id),
    };
    print_request(&request.to_request(&request_target)?);
    Ok(())
}

/// Prints the method, the URL, the scope header and the body of a request.
pub(crate) fn print_request(request: &http::Request<Vec<u8>>) {
    println!("{} {}", request.method(), request.uri());
    for (name, value) in request.headers() {
        if name.as_str().starts_with("x-") {
            println!("{name}: {}", value.to_str().unwrap_or_default());
        }
    }
    if !request.body().is_empty() {
        let body: Json = serde_json::from_slice(request.body()).unwrap_or_default();
        println!("{}", serde_json::to_string_pretty(&body).unwrap_or_default());
    }
}

/// The id and the name of the endpoint of this id or host name.
///
/// # Errors
/// When none or several have the name.
pub(crate) async fn resolve_endpoint(target: &Target, value: &str) -> Result<(String, String), Failure> {
    if is_id(value) {
        return Ok((value.to_owned(), value.to_owned()));
    }
    let mut fields = Fields::new();
    fields.insert("hostnameContains".to_owned(), value.into());
    fields.insert("fields".to_owned(), Value::from(vec!["hostname"]));
    fields.insert("pageSize".to_owned(), 500.into());
    let mut found = Vec::new();
    // The service compares only a part of the name.
    let mut next = Some(op!(endpoint::endpoints::ListEndpoints).describe()?.request(fields)?);
    while let Some(request) = next {
        let page = target.send(&request).await?;
        next = next_page(&request, &page)?;
        found.extend(items_of(page, DEFAULT_ITEMS).into_iter().filter_map(|item| {
            let hostname = item.get("hostname")?.as_str()?;
            hostname
                .eq_ignore_ascii_case(value)
                .then(|| item.get("id")?.as_str().map(str::to_owned))
                .flatten()
        }));
    }
    match found.as_slice() {
        [id] => Ok((id.clone(), format!("{value} ({id})"))),
        [] => Err(Failure::new(
            Exit::NotFound,
            format!("unknown endpoint \"{value}\": expected an id or a host name"),
        )
        .hint(format!("run `sophos endpoints list --search {value}`"))),
        ids => {
            Err(Failure::usage(format!("ambiguous endpoint \"{value}\": {} have this host name", ids.len()))
                .hint(format!("use one of the ids: {}", ids.join(", "))))
        }
    }
}
