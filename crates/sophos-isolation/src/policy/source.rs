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

/// The most tenants that one source may act on.
const MAX_TENANTS: usize = 25;

/// The most isolations in an hour that a limit may allow.
pub(super) const MAX_PER_HOUR: u32 = 1_000;

/// The most lookups in an hour that a limit may allow.
const MAX_LOOKUPS_PER_HOUR: u32 = 10_000;

/// Lookups for each isolation that a source may have in an hour.
const DEFAULT_LOOKUPS_PER_ISOLATION: u32 = 5;

/// A security tool that may ask for isolations, and what it may ask for.
///
/// What the source leaves to the file as a whole has been filled in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// Its name, which is a part of its URL.
    pub name: String,
    /// How its messages are read.
    pub adapter: Adapter,
    /// How it proves itself.
    pub verification: Verification,
    /// The tenants it may act on.
    pub tenants: Vec<TenantId>,
    /// The tenant of each of its accounts, whose ids are in lower case. When
    /// there are any, no other account may act.
    pub accounts: BTreeMap<String, TenantId>,
    /// The accounts whose instances the findings of an account may name besides
    /// its own.
    pub may_report_for: BTreeMap<String, BTreeSet<String>>,
    /// Less severe signals isolate nothing, and neither do those that do not say
    /// how severe they are; `None` is any.
    pub minimum_severity: Option<Severity>,
    /// Whether it isolates, or only says what it would do.
    pub mode: Mode,
    /// The most isolations in an hour.
    pub per_hour: u32,
    /// The most hosts in an hour that are looked for in Sophos Central, dry runs
    /// included.
    pub lookups_per_hour: u32,
    /// The greatest age of an alert that isolates; `None` is any.
    pub max_alert_age: Option<Duration>,
    /// When an isolation is lifted; `None` is never.
    pub release_after: Option<Duration>,
    /// What a person has to approve.
    pub approve: ApprovalMode,
    /// Whether a person has to approve the isolation of a host that runs the
    /// workloads of several owners.
    pub approve_shared_hosts: bool,
    /// Whether its signals may release what was isolated for it.
    pub may_release: bool,
    /// Where it may call from; empty is anywhere.
    pub allow_from: Vec<IpNet>,
    /// Whether the previous value of its secret is good as well.
    pub accept_previous: bool,
    /// What it may send besides JSON, in lower case and without parameters.
    pub content_types: Vec<String>,
}

impl Source {
    /// Whether it may call from an address.
    pub fn may_call_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow_from.is_empty() || self.allow_from.iter().any(|network| network.contains(&address))
    }

    /// The tenant of an account in the sender's world.
    pub fn tenant_for_account(&self, account: &str) -> Option<&TenantId> {
        self.accounts.get(&account.trim().to_ascii_lowercase())
    }

    /// Whether the findings of `account` may name instances of `other`.
    pub fn may_report_for(&self, account: &str, other: &str) -> bool {
        account == other || self.may_report_for.get(account).is_some_and(|others| others.contains(other))
    }

    /// When an isolation that `signal` asks for is to be lifted; `None` is
    /// never. A signal can only make it sooner; a time of 0 is none.
    pub fn release_after_for(&self, signal: &Signal) -> Option<Duration> {
        let hold = signal.release_after_seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        match (self.release_after, hold) {
            (Some(after), Some(hold)) => Some(after.min(hold)),
            (after, hold) => after.or(hold),
        }
    }
}

/// What a source takes from the file where it says nothing itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    pub(super) mode: Mode,
    pub(super) per_hour: u32,
    pub(super) max_alert_age: Option<Duration>,
    pub(super) release_after: Option<Duration>,
    pub(super) approve_shared_hosts: bool,
}

/// Which source has the events of a tool and an account, and where it says so.
pub(super) type AccountOwners<'a, 'i> = HashMap<(Tool, String), (String, Item<'a, 'i>)>;

/// Reads a source. `None` when too little of it can be read, which has been
/// noted.
pub(super) fn parse_source<'a, 'i>(
    name: &str,
    mut table: Section<'a, 'i>,
    mistakes: &ConfigIssues,
    defaults: &Defaults,
    taken: &mut AccountOwners<'a, 'i>,
) -> Option<Source> {
    let tool = table.require("tool", "name the tool that sends").and_then(|item| parse_tool(&item));
    let tenants = match table.require("tenants", "list the tenants that it may act on") {
        Some(item) => parse_tenants(&item),
        None => Vec::new(),
    };
    let eventbridge = tool.is_some_and(Tool::is_eventbridge);
    let accounts = match eventbridge {
        true => table.require("accounts", "give the tenant of each AWS account whose events may act"),
        false => table.optional("accounts"),
    };
    let speaks_for = table.optional("may_report_for");
    let adapter = fields::parse_adapter(&mut table, tool);
    let mut severities = vec![("any", None)];
    severities.extend(Severity::ALL.map(|severity| (severity.as_str(), Some(severity))));
    let minimum_severity = table.optional("minimum_severity").and_then(|item| item.keyword(&severities));
    // Whoever sends our own form has judged, and need not say how severe it is.
    let otherwise = if tool == Some(Tool::Generic) { None } else { Some(Severity::High) };
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
        Some(tool) if !tool.is_eventbridge() => table.require("verify", "say how it proves itself"),
        _ => table.optional("verify"),
    };
    if eventbridge {
        for item in [&allow_from, &accept_previous, &content_types, &verify].into_iter().flatten() {
            item.error("has no meaning for a tool whose events come through EventBridge: leave it out");
        }
    } else if let Some(item) = &speaks_for {
        item.error("is only for tools whose events come through EventBridge: leave it out");
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
    let speaks_for =
        speaks_for.filter(|_| eventbridge).map(|item| may_report_for::parse_may_report_for(&item, &accounts));
    let accept_previous = match (&verification, accept_previous) {
        (Some(verification), Some(item)) if verification.secret_name().is_none() && !eventbridge => {
            item.error("has no meaning for a scheme without a secret: leave it out");
            None
        }
        (_, item) => item.and_then(|item| item.boolean()),
    };
    for (account, item) in &accounts {
        let own = (name.to_owned(), item.1.clone());
        let other = eventbridge.then(|| taken.insert((tool?, account.clone()), own)).flatten();
        if let Some((other, place)) = other {
            // Which of the two is meant cannot be told: neither is.
            let problem = |other| {
                format!("is an account of the source {} as well: its events must have one", clean(other))
            };
            item.1.error(problem(&other));
            mistakes.within_source(&other, || place.error(problem(name)));
        }
    }
    let per_hour = per_hour.unwrap_or(defaults.per_hour);
    Some(Source {
        name: name.to_owned(),
        accounts: accounts.into_iter().map(|(account, (tenant, _))| (account, tenant)).collect(),
        tenants,
        may_report_for: speaks_for.unwrap_or_default(),
        accept_previous: accept_previous.unwrap_or(true),
        minimum_severity: minimum_severity.unwrap_or(otherwise),
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
            item.error("is listed twice");
        }
        tenants.push(tenant);
    }
    tenants
}

/// Reads the tenant of each account, and where that is said.
fn parse_accounts<'a, 'i>(
    item: &Item<'a, 'i>,
    tool: Option<Tool>,
    tenants: &[TenantId],
) -> BTreeMap<String, (TenantId, Item<'a, 'i>)> {
    let mut accounts = BTreeMap::new();
    let Some(table) = item.section() else { return accounts };
    let entries = table.entries();
    if entries.is_empty() {
        item.error("must give the tenant of at least one account");
    }
    for (account, item) in entries {
        let aws = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if tool.is_some_and(Tool::is_eventbridge) && !aws {
            item.error("must be an AWS account: 12 digits");
        } else if account.trim().is_empty() || account.len() > 200 || account.chars().any(char::is_control) {
            item.error("must be an account of 1 to 200 characters, and no control characters");
        }
        let Some(tenant) = selectors::parse_uuid(&item).map(TenantId::from) else { continue };
        if !tenants.contains(&tenant) {
            item.error("must be one of the source's tenants: list it there as well");
        }
        let twice = accounts.insert(account.trim().to_ascii_lowercase(), (tenant, item.clone())).is_some();
        if twice {
            item.error("is given twice: case makes no difference");
        }
    }
    accounts
}

fn parse_mode(item: &Item<'_, '_>, file: Mode) -> Option<Mode> {
    let mode = item.keyword(&super::MODES)?;
    if file == Mode::DryRun && mode == Mode::Enforce {
        item.error("cannot be \"enforce\" while the mode of the file is \"dry_run\"");
    }
    Some(mode)
}

fn parse_network(item: &Item<'_, '_>) -> Option<IpNet> {
    let text = item.text(100)?;
    let network = text.parse().or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address))).ok();
    match network {
        None => item.error("must be an address or a network, such as 192.0.2.7 or 203.0.113.0/24"),
        Some(network) if network.trunc() != network => {
            item.error("has bits after its prefix: write the network's own address");
        }
        Some(IpNet::V6(network)) if network.addr().to_ipv4_mapped().is_some() => {
            item.error("is an IPv4 address in IPv6: write it as IPv4");
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
        item.error("must be a media type without parameters, such as text/plain");
    }
    good.then_some(text)
}
