//! The native client as a host: the same steps over [`sophos_api`] and reqwest, with the
//! names of the WIT. The components are compared with it, so it uses the client's models
//! and no code of the component.

mod failure;
mod filters;
mod grants;
mod records;
mod restricted_transport;

use std::{io, time::Duration};

use serde_json::{Value, json};
use sophos_api::{
    ApiClient, Client, Error, Hosts, Paged, Raw, RetryPolicy, TenantClient, Transport, WithRaw,
    models::{AlertActionKind, EndpointView, IdType},
    operations::{
        account_health::checks::CheckAccountHealth,
        common::alerts::{ActOnAlert, GetAlert, SearchAlerts},
        endpoint::endpoints::GetEndpoint,
        endpoint::isolation::{GetIsolation, UpdateIsolations},
        organization::tenants::ListOrganizationTenants,
        partner::tenants::ListPartnerTenants,
        siem::events::ListSiemEvents,
    },
};

use super::{CallOutcome, SessionPlan};
use grants::PlannedGrants;
use restricted_transport::RestrictedTransport;

/// A session of the native client.
#[derive(Debug)]
pub struct NativeHost {
    plan: SessionPlan,
    limits: Limits,
    client: Option<Client<RestrictedTransport>>,
    tenant: Option<TenantClient<RestrictedTransport>>,
}

/// The limits of a session, by default those of the WIT.
#[derive(Debug, Clone, Copy)]
struct Limits {
    call_timeout_ms: u64,
    request_timeout_ms: u64,
    max_attempts: u32,
}

/// The response of a step; `None` if only a component has the function.
type StepResult = Result<Option<Value>, Error>;

impl NativeHost {
    /// Returns a session that starts at its first call.
    pub fn open(plan: &SessionPlan) -> Self {
        let limits = Limits { call_timeout_ms: 60_000, request_timeout_ms: 30_000, max_attempts: 4 };
        Self { plan: plan.clone(), limits, client: None, tenant: None }
    }

    /// Runs a step. The result is [`CallOutcome::Absent`] if the native client lacks the
    /// function.
    ///
    /// # Errors
    /// If the plan or the step is invalid.
    pub async fn call(&mut self, function: &str, arguments: &Value) -> io::Result<CallOutcome> {
        if function == "session.set-limits" {
            return Ok(self.set_limits(&arguments[0]));
        }
        let client = self.client()?;
        let called = client
            .with_deadline(client.transport().now() + Duration::from_millis(self.limits.call_timeout_ms));
        let answer = match function.split_once('.') {
            Some(("session", name)) => call_session(&called, name).await,
            Some(("tenants", name)) => self.tenants(&called, name, arguments).await,
            Some(of) => {
                let tenant =
                    self.tenant.as_ref().ok_or_else(|| io::Error::other("missing tenant: open one first"))?;
                call_tenant(&tenant.with_client(&called), of, arguments).await
            }
            None => {
                return Err(io::Error::other(format!(
                    "invalid step {function:?}: expected interface.function"
                )));
            }
        };
        Ok(match answer {
            Ok(Some(value)) => CallOutcome::Ok(value),
            Ok(None) => CallOutcome::Absent,
            Err(error) => CallOutcome::Failure(failure::to_failure(&error)),
        })
    }

    fn client(&mut self) -> io::Result<Client<RestrictedTransport>> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let base = |address: &String| address.parse().map_err(io::Error::other);
        let retry = RetryPolicy::new()
            .max_attempts(self.limits.max_attempts)
            .attempt_timeout(Duration::from_millis(self.limits.request_timeout_ms));
        let [identity, global] = &self.plan.service;
        let client =
            Client::builder(RestrictedTransport::new(&self.plan.allow)?, PlannedGrants::new(&self.plan))
                .hosts(Hosts::new(base(identity)?, base(global)?))
                .retry_policy(retry)
                .build();
        Ok(self.client.insert(client).clone())
    }

    fn set_limits(&mut self, limits: &Value) -> CallOutcome {
        let number = |name: &str| limits[name].as_u64().filter(|number| *number > 0);
        let max_attempts = number("max-attempts").and_then(|max_attempts| u32::try_from(max_attempts).ok());
        let all = (number("call-timeout-ms"), number("request-timeout-ms"), max_attempts);
        // The native retry policy is a value, so it cannot come too late.
        let (None, (Some(call_timeout_ms), Some(request_timeout_ms), Some(max_attempts))) =
            (&self.client, all)
        else {
            return CallOutcome::Absent;
        };
        self.limits = Limits { call_timeout_ms, request_timeout_ms, max_attempts };
        CallOutcome::Ok(Value::Null)
    }

    async fn tenants(
        &mut self,
        client: &Client<RestrictedTransport>,
        name: &str,
        arguments: &Value,
    ) -> StepResult {
        match name {
            "list" => list_tenants(client, arguments[0].as_str()).await.map(Some),
            "open" => self.open_tenant(client, string(&arguments[0])).await.map(Some),
            "own" => {
                let identity = client.identity().await?;
                if identity.id_type != IdType::Tenant {
                    return Ok(None);
                }
                self.open_tenant(client, identity.id).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn open_tenant(
        &mut self,
        client: &Client<RestrictedTransport>,
        id: String,
    ) -> Result<Value, Error> {
        let record = client.fetch_tenant(&id.into()).await?;
        self.tenant = Some(client.for_tenant(&record)?);
        Ok(records::tenant(&record))
    }
}

async fn call_session(client: &Client<RestrictedTransport>, name: &str) -> StepResult {
    Ok(match name {
        "whoami" => {
            let identity = client.identity().await?;
            Some(json!({"id": identity.id, "kind": identity.id_type}))
        }
        "get-usage" => Some(records::usage(&client.stats())),
        _ => None,
    })
}

async fn list_tenants(client: &Client<RestrictedTransport>, after: Option<&str>) -> Result<Value, Error> {
    let page = after.and_then(|place| place.parse().ok());
    let (items, next) = match client.identity().await?.id_type {
        IdType::Tenant => {
            let id = client.identity().await?.id;
            let own = client.fetch_tenant(&id.into()).await?;
            return Ok(json!({"tenants": [records::tenant(&own)], "malformed-items": [], "next": null}));
        }
        IdType::Organization => {
            let mut list = ListOrganizationTenants::all();
            list.page = page;
            let (items, next) = fetch_page(client, list).await?;
            (items, next.and_then(|next| next.page))
        }
        _ => {
            let mut list = ListPartnerTenants::all();
            list.page = page;
            let (items, next) = fetch_page(client, list).await?;
            (items, next.and_then(|next| next.page))
        }
    };
    let read = |item: Raw<_>| {
        let record: WithRaw<sophos_api::models::Tenant> = item.parse()?;
        client.for_tenant(&record)?;
        Ok(records::tenant(&record))
    };
    Ok(records::page("tenants", items, read, next.map(|page| page.to_string())))
}

async fn call_tenant(
    tenant: &TenantClient<RestrictedTransport>,
    of: (&str, &str),
    arguments: &Value,
) -> StepResult {
    // The first argument is the tenant.
    let [_, first, second, third] = [0, 1, 2, 3].map(|index| &arguments[index]);
    Ok(Some(match of {
        ("endpoints", "search") => search_endpoints(tenant, first, second).await?,
        ("endpoints", "get") => records::endpoint(&tenant.send(&GetEndpoint::full(string(first))).await?),
        ("alerts", "search") => search_alerts(tenant, first, second).await?,
        ("alerts", "get") => records::alert(&tenant.send(&GetAlert::new(string(first))).await?),
        ("alert-actions", "perform") => {
            let action = AlertActionKind::from(string(second).as_str());
            let mut operation = ActOnAlert::new(string(first), action);
            operation.message = third.as_str().map(str::to_owned);
            records::action(&tenant.send(&operation).await?)
        }
        ("events", "list") => list_events(tenant, first, second).await?,
        ("account-health", "run-checks") => {
            let checks = CheckAccountHealth::new().checks(strings(first));
            records::health(&tenant.send(&checks).await?)
        }
        ("isolation", "inspect") => {
            let requested = tenant.send(&GetIsolation::new(string(first))).await?;
            records::isolation(&requested, &tenant.send(&GetEndpoint::full(string(first))).await?)
        }
        ("isolation-actions", "isolate") => update_isolation(tenant, first, true, second).await?,
        ("isolation-actions", "release") => update_isolation(tenant, first, false, second).await?,
        _ => return Ok(None),
    }))
}

async fn search_endpoints(
    tenant: &TenantClient<RestrictedTransport>,
    wanted: &Value,
    listing: &Value,
) -> Result<Value, Error> {
    let mut operation = filters::endpoint_filter(wanted)
        .view(EndpointView::from(listing["view"].as_str().unwrap_or("full")))
        .sort(optional_string(&listing["sort"]))
        .fields(strings(&listing["fields"]));
    operation.page_from_key = optional_string(&listing["after"]);
    operation.page_size = number(&listing["size"]);
    let (items, next) = fetch_page(tenant, operation).await?;
    let next = next.and_then(|next| next.page_from_key);
    Ok(records::page("endpoints", items, |item| Ok(records::endpoint(&item.parse()?)), next))
}

async fn search_alerts(
    tenant: &TenantClient<RestrictedTransport>,
    wanted: &Value,
    listing: &Value,
) -> Result<Value, Error> {
    let mut filter = filters::alert_filter(wanted);
    filter.page_from_key = optional_string(&listing["after"]);
    filter.page_size = number(&listing["size"]);
    filter.sort = optional_string(&listing["sort"]).into_iter().collect();
    filter.fields = strings(&listing["fields"]);
    let (items, next) = fetch_page(tenant, SearchAlerts::new(filter)).await?;
    let next = next.and_then(|next| next.filter.page_from_key);
    Ok(records::page("alerts", items, |item| Ok(records::alert(&item.parse()?)), next))
}

async fn list_events(
    tenant: &TenantClient<RestrictedTransport>,
    place: &Value,
    listing: &Value,
) -> Result<Value, Error> {
    let from = |case: &str| (place["tag"] == case).then_some(&place["val"]);
    let mut operation = ListSiemEvents::new().exclude_types(strings(&listing["exclude"]));
    operation.limit = number(&listing["size"]);
    operation.cursor = from("after").and_then(optional_string);
    operation.from_date = from("since").and_then(Value::as_i64);
    let answer = tenant.send(&operation).await?;
    let more = answer.has_more;
    let read = |item: Raw<_>| Ok(records::event(&item.parse()?));
    let mut page = records::page("events", answer.items, read, answer.next_cursor);
    page["has-more"] = json!(more);
    Ok(page)
}

async fn update_isolation(
    tenant: &TenantClient<RestrictedTransport>,
    ids: &Value,
    enabled: bool,
    comment: &Value,
) -> Result<Value, Error> {
    let ids = strings(ids);
    // An empty comment is not sent.
    let mut operation = UpdateIsolations::new(ids.clone(), enabled);
    operation.comment = optional_string(comment).filter(|comment| !comment.is_empty());
    let answer = tenant.send(&operation).await?;
    let taken: Vec<_> = answer.items.iter().flatten().map(|item| item.id.clone()).collect();
    let (ids, skipped): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| taken.contains(id));
    Ok(json!({"accepted-ids": ids, "skipped-ids": skipped}))
}

async fn fetch_page<O: Paged>(
    caller: &impl ApiClient,
    operation: O,
) -> Result<(Vec<Raw<O::Item>>, Option<O>), Error> {
    let answer = caller.send(&operation).await?;
    let next = operation.next_page(&answer)?;
    Ok((O::items(answer), next))
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn optional_string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(string).collect()
}
