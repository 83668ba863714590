use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    time::Duration,
};

use ipnet::IpNet;
use sophos_api::TenantId;

use super::{
    ApprovalMode, Mode, fields,
    issues::ConfigIssues,
    may_report_for,
    section::{Item, Section},
    selectors, verification,
};
use crate::{
    adapters::{Adapter, Tool},
    signal::{Severity, Signal, clean},
    verify::Verification,
};

/// The maximum number of tenants of one source.
const MAX_TENANTS: usize = 25;

/// The maximum value of a limit on isolations per hour.
pub(super) const MAX_PER_HOUR: u32 = 1_000;

/// The maximum value of a limit on lookups per hour.
const MAX_LOOKUPS_PER_HOUR: u32 = 10_000;

/// The default number of lookups per hour for each allowed isolation per hour.
const DEFAULT_LOOKUPS_PER_ISOLATION: u32 = 5;

/// A security tool that may request isolations, and its permissions.
///
/// Values that the source does not set come from the rest of the policy.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// The name, which is part of the source's URL.
    pub name: String,
    /// The parser configuration of its messages.
    pub adapter: Adapter,
    /// The verification of its messages.
    pub verification: Verification,
    /// The tenants that it may act on.
    pub tenants: Vec<TenantId>,
    /// The tenant of each account, by account id in lower case. If not empty, other accounts may
    /// not act.
    pub accounts: BTreeMap<String, TenantId>,
    /// The other accounts whose instances the findings of an account may name.
    pub may_report_for: BTreeMap<String, BTreeSet<String>>,
    /// The minimum severity of a signal that isolates; `None` is any. A signal without a severity
    /// does not meet a minimum.
    pub minimum_severity: Option<Severity>,
    /// The mode: enforce or dry run.
    pub mode: Mode,
    /// The maximum number of isolations per hour.
    pub per_hour: u32,
    /// The maximum number of hosts per hour that are looked up in Sophos Central, including dry
    /// runs.
    pub lookups_per_hour: u32,
    /// The maximum age of an alert that isolates; `None` is unlimited.
    pub max_alert_age: Option<Duration>,
    /// The time until an isolation is released; `None` is never.
    pub release_after: Option<Duration>,
    /// The isolations that need approval.
    pub approve: ApprovalMode,
    /// Whether the isolation of a host with workloads of several owners needs approval.
    pub approve_shared_hosts: bool,
    /// Whether its signals may release hosts that it isolated.
    pub may_release: bool,
    /// The networks that it may call from; empty is any.
    pub allow_from: Vec<IpNet>,
    /// Whether the previous value of its secret is accepted.
    pub accept_previous: bool,
    /// The accepted media types besides JSON, in lower case and without parameters.
    pub content_types: Vec<String>,
}

impl Source {
    /// Whether it may call from this address.
    pub fn may_call_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow_from.is_empty() || self.allow_from.iter().any(|network| network.contains(&address))
    }

    /// The tenant of a sender's account.
    pub fn tenant_for_account(&self, account: &str) -> Option<&TenantId> {
        self.accounts.get(&account.trim().to_ascii_lowercase())
    }

    /// Whether the findings of `account` may name instances of `other`.
    pub fn may_report_for(&self, account: &str, other: &str) -> bool {
        account == other || self.may_report_for.get(account).is_some_and(|others| others.contains(other))
    }

    /// The time until an isolation requested by `signal` is released; `None` is never. A signal can
    /// only shorten the time; 0 counts as not set.
    pub fn release_after_for(&self, signal: &Signal) -> Option<Duration> {
        let hold = signal.release_after_seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        match (self.release_after, hold) {
            (Some(after), Some(hold)) => Some(after.min(hold)),
            (after, hold) => after.or(hold),
        }
    }
}

/// The defaults of a source from the rest of the policy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    pub(super) mode: Mode,
    pub(super) per_hour: u32,
    pub(super) max_alert_age: Option<Duration>,
    pub(super) release_after: Option<Duration>,
    pub(super) approve_shared_hosts: bool,
}

/// The source of each tool and account, with the position of the account.
pub(super) type AccountOwners<'a, 'i> = HashMap<(Tool, String), (String, Item<'a, 'i>)>;

/// Parses a source. Returns `None` if it is incomplete; the issues have been recorded.
pub(super) fn parse_source<'a, 'i>(
    name: &str,
    mut table: Section<'a, 'i>,
    issues: &ConfigIssues,
    defaults: &Defaults,
    account_owners: &mut AccountOwners<'a, 'i>,
) -> Option<Source> {
    let tool = table.require("tool", "set it to the tool that sends").and_then(|item| parse_tool(&item));
    let tenants = match table.require("tenants", "list the tenants that the source may act on") {
        Some(item) => parse_tenants(&item),
        None => Vec::new(),
    };
    let eventbridge = tool.is_some_and(Tool::is_eventbridge);
    let accounts = match eventbridge {
        true => table.require("accounts", "set the tenant of each AWS account whose events may act"),
        false => table.optional("accounts"),
    };
    let may_report_for = table.optional("may_report_for");
    let adapter = fields::parse_adapter(&mut table, tool);
    let mut severities = vec![("any", None)];
    severities.extend(Severity::ALL.map(|severity| (severity.as_str(), Some(severity))));
    let minimum_severity = table.optional("minimum_severity").and_then(|item| item.keyword(&severities));
    // Senders of the native format decide themselves and may omit the severity.
    let default = if tool == Some(Tool::Generic) { None } else { Some(Severity::High) };
    let mode = table.optional("mode").and_then(|item| parse_mode(&item, defaults.mode));
    let per_hour = table.optional("per_hour").and_then(|item| item.number(MAX_PER_HOUR));
    let lookups_per_hour =
        table.optional("lookups_per_hour").and_then(|item| item.number(MAX_LOOKUPS_PER_HOUR));
    let max_alert_age = table.optional("max_alert_age").and_then(|item| item.duration_or_never());
    let release_after = table.optional("release_after").and_then(|item| item.duration_or_never());
    let approve = table.optional("approve").and_then(|item| {
        item.keyword(&[("selected", ApprovalMode::Selected), ("always", ApprovalMode::Always)])
    });
    let approve_shared_hosts = table.optional("approve_shared_hosts").and_then(|item| item.boolean());
    let may_release = table.optional("may_release").and_then(|item| item.boolean());
    let allow_from = table.optional("allow_from");
    let accept_previous = table.optional("accept_previous");
    let content_types = table.optional("content_types");
    let verify = match tool {
        Some(tool) if !tool.is_eventbridge() => {
            table.require("verify", "configure how the source authenticates")
        }
        _ => table.optional("verify"),
    };
    if eventbridge {
        for item in [&allow_from, &accept_previous, &content_types, &verify].into_iter().flatten() {
            item.error("unexpected key: events of this tool arrive through EventBridge; remove it");
        }
    } else if let Some(item) = &may_report_for {
        item.error("unexpected key: only tools with events through EventBridge have it; remove it");
    }
    table.finish();
    let verification = match verify {
        _ if eventbridge => Some(Verification::Iam),
        verify => verify
            .and_then(|item| item.section())
            .and_then(|table| verification::parse_verification(table, tool.unwrap_or(Tool::Generic))),
    };
    let accounts = accounts.map(|item| self::parse_accounts(&item, tool, &tenants));
    let accounts = accounts.unwrap_or_default();
    let may_report_for = may_report_for
        .filter(|_| eventbridge)
        .map(|item| may_report_for::parse_may_report_for(&item, &accounts));
    let accept_previous = match (&verification, accept_previous) {
        (Some(verification), Some(item)) if verification.secret_name().is_none() && !eventbridge => {
            item.error("unexpected key: the scheme has no secret; remove it");
            None
        }
        (_, item) => item.and_then(|item| item.boolean()),
    };
    for (account, item) in &accounts {
        let own = (name.to_owned(), item.1.clone());
        let other = eventbridge.then(|| account_owners.insert((tool?, account.clone()), own)).flatten();
        if let Some((other, other_item)) = other {
            // The intended source is unknown, so both are rejected.
            let message =
                |other| format!("ambiguous account: the source {} lists it too; remove one", clean(other));
            item.1.error(message(&other));
            issues.within_source(&other, || other_item.error(message(name)));
        }
    }
    let per_hour = per_hour.unwrap_or(defaults.per_hour);
    Some(Source {
        name: name.to_owned(),
        accounts: accounts.into_iter().map(|(account, (tenant, _))| (account, tenant)).collect(),
        tenants,
        may_report_for: may_report_for.unwrap_or_default(),
        accept_previous: accept_previous.unwrap_or(true),
        minimum_severity: minimum_severity.unwrap_or(default),
        mode: mode.unwrap_or(defaults.mode),
        per_hour,
        lookups_per_hour: lookups_per_hour.unwrap_or(per_hour * DEFAULT_LOOKUPS_PER_ISOLATION),
        max_alert_age: max_alert_age.unwrap_or(defaults.max_alert_age),
        release_after: release_after.unwrap_or(defaults.release_after),
        approve: approve.unwrap_or(ApprovalMode::Selected),
        approve_shared_hosts: approve_shared_hosts.unwrap_or(defaults.approve_shared_hosts),
        may_release: may_release.unwrap_or(false),
        allow_from: allow_from.map(|item| item.list_of(1_000, parse_network)).unwrap_or_default(),
        content_types: content_types.map(|item| item.list_of(10, parse_content_type)).unwrap_or_default(),
        adapter: tool.map(|_| adapter)?,
        verification: verification?,
    })
}

fn parse_tool(item: &Item<'_, '_>) -> Option<Tool> {
    item.keyword(&Tool::ALL.map(|tool| (tool.as_str(), tool)))
}

fn parse_tenants(item: &Item<'_, '_>) -> Vec<TenantId> {
    let mut tenants: Vec<TenantId> = Vec::new();
    for (tenant, item) in item.list_of(MAX_TENANTS, |item| Some((selectors::parse_uuid(item)?, item.clone())))
    {
        let tenant = TenantId::from(tenant);
        if tenants.contains(&tenant) {
            item.error("duplicate tenant: remove one");
        }
        tenants.push(tenant);
    }
    tenants
}

/// Parses the tenant of each account, with its position.
fn parse_accounts<'a, 'i>(
    item: &Item<'a, 'i>,
    tool: Option<Tool>,
    tenants: &[TenantId],
) -> BTreeMap<String, (TenantId, Item<'a, 'i>)> {
    let mut accounts = BTreeMap::new();
    let Some(table) = item.section() else { return accounts };
    let entries = table.entries();
    if entries.is_empty() {
        item.error("missing accounts: expected the tenant of at least one account");
    }
    for (account, item) in entries {
        let aws = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if tool.is_some_and(Tool::is_eventbridge) && !aws {
            item.error("invalid account: expected the 12 digits of an AWS account");
        } else if account.trim().is_empty() || account.len() > 200 || account.chars().any(char::is_control) {
            item.error("invalid account: expected 1 to 200 characters without control characters");
        }
        let Some(tenant) = selectors::parse_uuid(&item).map(TenantId::from) else { continue };
        if !tenants.contains(&tenant) {
            item.error("unknown tenant: expected one of the source's `tenants`");
        }
        let twice = accounts.insert(account.trim().to_ascii_lowercase(), (tenant, item.clone())).is_some();
        if twice {
            item.error("duplicate account: case is ignored; remove one");
        }
    }
    accounts
}

fn parse_mode(item: &Item<'_, '_>, file: Mode) -> Option<Mode> {
    let mode = item.keyword(&super::MODES)?;
    if file == Mode::DryRun && mode == Mode::Enforce {
        item.error("invalid mode: expected \"dry_run\", because the mode of the file is \"dry_run\"");
    }
    Some(mode)
}

fn parse_network(item: &Item<'_, '_>) -> Option<IpNet> {
    let text = item.text(100)?;
    let network = text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address))).ok();
    match network {
        None => item
            .error("invalid network: expected an address or a network, such as 192.0.2.7 or 203.0.113.0/24"),
        Some(network) if network.trunc() != network => {
            item.error("invalid network: expected no bits after the prefix");
        }
        Some(IpNet::V6(network)) if network.addr().to_ipv4_mapped().is_some() => {
            item.error("invalid network: expected IPv4 notation for an IPv4-mapped address");
        }
        Some(_) => {}
    }
    network
}

fn parse_content_type(item: &Item<'_, '_>) -> Option<String> {
    let text = item.text(100)?.to_ascii_lowercase();
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let good = text.split_once('/').is_some_and(|(kind, sub)| part(kind) && part(sub));
    if !good {
        item.error("invalid media type: expected one without parameters, such as text/plain");
    }
    good.then_some(text)
}
