use std::{collections::BTreeMap, time::Duration};

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::{
    ApprovalSettings, DisabledSource, EndpointFreshness, FollowUpSettings, Limits, MODES, Mode, Policy,
    PolicyError, Selectors, Source,
    issues::ConfigIssues,
    section::{Item, Section},
    selectors, shared_secrets,
    source::{self, AccountOwners, Defaults, MAX_PER_HOUR},
    verification::parse_secret_name,
};
use crate::signal::clean;

/// The maximum size of a policy, in bytes.
const MAX_POLICY_LEN: usize = 256 * 1024;

/// The maximum number of sources.
const MAX_SOURCES: usize = 200;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The tolerance for issues in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// No issue is tolerated.
    Strict,
    /// Issues in sources are tolerated and disable those sources.
    Lenient,
}

pub(super) fn parse_policy(text: &str, strictness: Strictness) -> Result<Policy, PolicyError> {
    let issues = ConfigIssues::new(text);
    if text.len() > MAX_POLICY_LEN {
        issues.add(0, "", format!("invalid size of {} bytes: expected at most {MAX_POLICY_LEN}", text.len()));
        return issues.into_result(None);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        issues.add(
            error.span().map_or(0, |span| span.start),
            "",
            format!("invalid TOML: {}", error.message()),
        );
    }
    if !errors.is_empty() {
        return issues.into_result(None);
    }
    let mut policy = parse_root(Section::root(&issues, table.get_ref()), &issues, text);
    if strictness == Strictness::Lenient && !issues.has_global_errors() {
        for (name, issues) in issues.take_source_issues() {
            let source = policy.sources.remove(&name);
            policy.disabled.push(DisabledSource { name: clean(&name), issues, source });
        }
    }
    issues.into_result(Some(policy))
}

fn parse_root(mut file: Section<'_, '_>, issues: &ConfigIssues, text: &str) -> Policy {
    if let Some(item) = file.require("version", "set version = 1") {
        item.require_one();
    }
    let mode = file.optional("mode").and_then(|item| item.keyword(&MODES)).unwrap_or_default();
    let (release_after, new_episode_after) = parse_release(file.section("release"));
    let limits = parse_limits(file.section("limits"));
    let mut left = selectors::MAX_SELECTORS;
    let protect = file.section("protect").map(|mut table| {
        let selectors = Selectors::parse(&mut table, &mut left);
        table.finish();
        selectors
    });
    let (approve, approval, approve_shared_hosts, approval_secret) =
        parse_approve(file.section("approve"), &mut left);
    let endpoints = parse_endpoint_freshness(file.section("endpoints"));
    let follow_up = parse_follow_up(file.section("follow_up"));
    let defaults = Defaults {
        mode,
        per_hour: limits.source_per_hour,
        max_alert_age: limits.max_alert_age,
        release_after,
        approve_shared_hosts,
    };
    let sources = file.section("sources").map(|table| {
        let sources = parse_sources(&table, issues, &defaults);
        shared_secrets::check_shared_secrets(
            &table,
            &sources,
            approval.secret.as_deref().zip(approval_secret.as_ref()),
        );
        sources
    });
    file.finish();
    Policy {
        digest: Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect(),
        mode,
        release_after,
        new_episode_after,
        limits,
        endpoints,
        protect: protect.unwrap_or_default(),
        approve,
        approval,
        follow_up,
        sources: sources.unwrap_or_default(),
        disabled: Vec::new(),
        is_absent: false,
        warnings: issues.take_warnings(),
    }
}

/// A policy without sources, with default values.
pub(super) fn absent_policy() -> Policy {
    let (release_after, new_episode_after) = parse_release(None);
    let (approve, approval, ..) = parse_approve(None, &mut 0);
    Policy {
        digest: String::new(),
        mode: Mode::DryRun,
        release_after,
        new_episode_after,
        limits: parse_limits(None),
        endpoints: parse_endpoint_freshness(None),
        protect: Selectors::default(),
        approve,
        approval,
        follow_up: parse_follow_up(None),
        sources: BTreeMap::new(),
        disabled: Vec::new(),
        is_absent: true,
        warnings: Vec::new(),
    }
}

fn parse_endpoint_freshness(table: Option<Section<'_, '_>>) -> EndpointFreshness {
    let keys = [("seen_within", 30 * DAY), ("address_seen_within", 15 * MINUTE)];
    let [seen_within, address_seen_within] = parse_durations(table, keys);
    EndpointFreshness { seen_within, address_seen_within }
}

fn parse_follow_up(table: Option<Section<'_, '_>>) -> FollowUpSettings {
    let keys = [("effect_timeout", 30 * MINUTE), ("check_interval", HOUR)];
    let [effect_within, watch_every] = parse_durations(table, keys);
    FollowUpSettings { effect_timeout: effect_within, check_interval: watch_every }
}

/// Parses the release time of isolations, and the time until an alert ended by a person may isolate
/// again.
fn parse_release(table: Option<Section<'_, '_>>) -> (Option<Duration>, Option<Duration>) {
    let Some(mut table) = table else { return (None, Some(DAY)) };
    let after = table.optional("after").and_then(|item| item.duration_or_never()).flatten();
    let new_episode = table.optional("new_episode_after").and_then(|item| item.duration_or_never());
    table.finish();
    (after, new_episode.unwrap_or(Some(DAY)))
}

fn parse_limits(table: Option<Section<'_, '_>>) -> Limits {
    let mut limits =
        Limits { estate_share: 0.05, tenant_per_hour: 10, source_per_hour: 10, max_alert_age: Some(DAY) };
    let Some(mut table) = table else { return limits };
    if let Some(share) = table.optional("estate_share").and_then(|item| item.fraction()) {
        limits.estate_share = share;
    }
    if let Some(number) = table.optional("tenant_per_hour").and_then(|item| item.number(MAX_PER_HOUR)) {
        limits.tenant_per_hour = number;
    }
    if let Some(number) = table.optional("source_per_hour").and_then(|item| item.number(MAX_PER_HOUR)) {
        limits.source_per_hour = number;
    }
    if let Some(age) = table.optional("max_alert_age").and_then(|item| item.duration_or_never()) {
        limits.max_alert_age = age;
    }
    table.finish();
    limits
}

/// Parses the approval settings, with the position of the link secret.
fn parse_approve<'a, 'i>(
    table: Option<Section<'a, 'i>>,
    remaining: &mut usize,
) -> (Selectors, ApprovalSettings, bool, Option<Item<'a, 'i>>) {
    let mut approval = ApprovalSettings { timeout: 4 * HOUR, secret: None, accept_previous: true };
    let Some(mut table) = table else { return (Selectors::default(), approval, true, None) };
    let selectors = Selectors::parse(&mut table, remaining);
    if let Some(within) = table.optional("timeout").and_then(|item| item.duration()) {
        approval.timeout = within;
    }
    let secret = table.optional("secret");
    approval.secret = secret.as_ref().and_then(parse_secret_name);
    if let Some(accept) = table.optional("accept_previous").and_then(|item| item.boolean()) {
        approval.accept_previous = accept;
    }
    let shared_hosts = table.optional("shared_hosts").and_then(|item| item.boolean()).unwrap_or(true);
    table.finish();
    (selectors, approval, shared_hosts, secret)
}

/// Parses a table of durations with their defaults.
fn parse_durations<const N: usize>(
    table: Option<Section<'_, '_>>,
    keys: [(&'static str, Duration); N],
) -> [Duration; N] {
    let Some(mut table) = table else { return keys.map(|(_, default)| default) };
    let read =
        keys.map(|(key, default)| table.optional(key).and_then(|item| item.duration()).unwrap_or(default));
    table.finish();
    read
}

fn parse_sources(
    table: &Section<'_, '_>,
    issues: &ConfigIssues,
    defaults: &Defaults,
) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    let mut account_owners = AccountOwners::new();
    let entries = table.entries();
    if entries.len() > MAX_SOURCES {
        table.error(format!("too many sources ({}): expected at most {MAX_SOURCES}", entries.len()));
    }
    for (name, item) in entries.into_iter().take(MAX_SOURCES) {
        let source = issues
            .within_source(name, || parse_named_source(name, &item, issues, defaults, &mut account_owners));
        sources.extend(source.map(|source| (name.to_owned(), source)));
    }
    sources
}

fn parse_named_source<'a, 'i>(
    name: &str,
    item: &Item<'a, 'i>,
    issues: &ConfigIssues,
    defaults: &Defaults,
    account_owners: &mut AccountOwners<'a, 'i>,
) -> Option<Source> {
    let letters =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    if !letters || !(1..=40).contains(&name.len()) {
        item.error("invalid source name: expected 1 to 40 characters of a-z, 0-9, - and _");
    }
    source::parse_source(name, item.section()?, issues, defaults, account_owners)
}
