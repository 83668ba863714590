use std::{collections::BTreeMap, time::Duration};

use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::{
    Approval, DisabledSource, EndpointAges, FollowUp, Limits, MODES, Mode, Policy, PolicyError, Selectors,
    Source,
    mistakes::Mistakes,
    section::{Item, Section},
    selectors, shared_secrets,
    source::{self, Defaults, MOST_PER_HOUR, Taken},
    verification::secret_name,
};
use crate::signal::clean;

/// The largest policy, in bytes.
const LARGEST: usize = 256 * 1024;

/// The most sources.
const MOST_SOURCES: usize = 200;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How much may be wrong with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Nothing.
    Whole,
    /// Sources, which are disabled.
    WithoutDisabled,
}

pub(super) fn policy(text: &str, strictness: Strictness) -> Result<Policy, PolicyError> {
    let mistakes = Mistakes::new(text);
    if text.len() > LARGEST {
        mistakes.add(0, "", format!("the file has {} bytes, {LARGEST} is the most", text.len()));
        return mistakes.unless_any(None);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        mistakes.add(
            error.span().map_or(0, |span| span.start),
            "",
            format!("is not TOML: {}", error.message()),
        );
    }
    if !errors.is_empty() {
        return mistakes.unless_any(None);
    }
    let mut policy = root(Section::root(&mistakes, table.get_ref()), &mistakes, text);
    if strictness == Strictness::WithoutDisabled && !mistakes.is_any_global() {
        for (name, mistakes) in mistakes.take_of_sources() {
            let source = policy.sources.remove(&name);
            policy.disabled.push(DisabledSource { name: clean(&name), mistakes, source });
        }
    }
    mistakes.unless_any(Some(policy))
}

fn root(mut file: Section<'_, '_>, mistakes: &Mistakes, text: &str) -> Policy {
    if let Some(item) = file.require("version", "write version = 1") {
        item.one();
    }
    let mode = file.take("mode").and_then(|item| item.word(&MODES)).unwrap_or_default();
    let (release_after, new_episode_after) = release(file.section("release"));
    let limits = limits(file.section("limits"));
    let mut left = selectors::MOST;
    let protect = file.section("protect").map(|mut table| {
        let selectors = Selectors::read(&mut table, &mut left);
        table.finish();
        selectors
    });
    let (approve, approval, approve_shared_hosts, approval_secret) =
        approve(file.section("approve"), &mut left);
    let endpoints = endpoint_ages(file.section("endpoints"));
    let follow_up = follow_up(file.section("follow_up"));
    let defaults = Defaults {
        mode,
        per_hour: limits.source_per_hour,
        max_alert_age: limits.max_alert_age,
        release_after,
        approve_shared_hosts,
    };
    let sources = file.section("sources").map(|table| {
        let sources = sources(&table, mistakes, &defaults);
        shared_secrets::check(&table, &sources, approval.secret.as_deref().zip(approval_secret.as_ref()));
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
        warnings: mistakes.take_warnings(),
    }
}

/// A policy without a source, and with the defaults.
pub(super) fn absent() -> Policy {
    let (release_after, new_episode_after) = release(None);
    let (approve, approval, ..) = approve(None, &mut 0);
    Policy {
        digest: String::new(),
        mode: Mode::DryRun,
        release_after,
        new_episode_after,
        limits: limits(None),
        endpoints: endpoint_ages(None),
        protect: Selectors::default(),
        approve,
        approval,
        follow_up: follow_up(None),
        sources: BTreeMap::new(),
        disabled: Vec::new(),
        is_absent: true,
        warnings: Vec::new(),
    }
}

fn endpoint_ages(table: Option<Section<'_, '_>>) -> EndpointAges {
    let keys = [("seen_within", 30 * DAY), ("address_seen_within", 15 * MINUTE)];
    let [seen_within, address_seen_within] = durations(table, keys);
    EndpointAges { seen_within, address_seen_within }
}

fn follow_up(table: Option<Section<'_, '_>>) -> FollowUp {
    let keys = [("effect_within", 30 * MINUTE), ("watch_every", HOUR)];
    let [effect_within, watch_every] = durations(table, keys);
    FollowUp { effect_within, watch_every }
}

/// Reads when isolations are lifted, and when an alert that a person has ended
/// may isolate again.
fn release(table: Option<Section<'_, '_>>) -> (Option<Duration>, Option<Duration>) {
    let Some(mut table) = table else { return (None, Some(DAY)) };
    let after = table.take("after").and_then(|item| item.duration_or_never()).flatten();
    let new_episode = table.take("new_episode_after").and_then(|item| item.duration_or_never());
    table.finish();
    (after, new_episode.unwrap_or(Some(DAY)))
}

fn limits(table: Option<Section<'_, '_>>) -> Limits {
    let mut limits =
        Limits { estate_share: 0.05, tenant_per_hour: 10, source_per_hour: 10, max_alert_age: Some(DAY) };
    let Some(mut table) = table else { return limits };
    if let Some(share) = table.take("estate_share").and_then(|item| item.share()) {
        limits.estate_share = share;
    }
    if let Some(number) = table.take("tenant_per_hour").and_then(|item| item.number(MOST_PER_HOUR)) {
        limits.tenant_per_hour = number;
    }
    if let Some(number) = table.take("source_per_hour").and_then(|item| item.number(MOST_PER_HOUR)) {
        limits.source_per_hour = number;
    }
    if let Some(age) = table.take("max_alert_age").and_then(|item| item.duration_or_never()) {
        limits.max_alert_age = age;
    }
    table.finish();
    limits
}

/// Reads what a person approves and how, and where the key of links is named.
fn approve<'a, 'i>(
    table: Option<Section<'a, 'i>>,
    left: &mut usize,
) -> (Selectors, Approval, bool, Option<Item<'a, 'i>>) {
    let mut approval = Approval { within: 4 * HOUR, secret: None, accept_previous: true };
    let Some(mut table) = table else { return (Selectors::default(), approval, true, None) };
    let selectors = Selectors::read(&mut table, left);
    if let Some(within) = table.take("within").and_then(|item| item.duration()) {
        approval.within = within;
    }
    let secret = table.take("secret");
    approval.secret = secret.as_ref().and_then(secret_name);
    if let Some(accept) = table.take("accept_previous").and_then(|item| item.flag()) {
        approval.accept_previous = accept;
    }
    let shared_hosts = table.take("shared_hosts").and_then(|item| item.flag()).unwrap_or(true);
    table.finish();
    (selectors, approval, shared_hosts, secret)
}

/// Reads a table of nothing but durations, with what each is otherwise.
fn durations<const N: usize>(
    table: Option<Section<'_, '_>>,
    keys: [(&'static str, Duration); N],
) -> [Duration; N] {
    let Some(mut table) = table else { return keys.map(|(_, otherwise)| otherwise) };
    let read =
        keys.map(|(key, otherwise)| table.take(key).and_then(|item| item.duration()).unwrap_or(otherwise));
    table.finish();
    read
}

fn sources(table: &Section<'_, '_>, mistakes: &Mistakes, defaults: &Defaults) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    let mut taken = Taken::new();
    let entries = table.entries();
    if entries.len() > MOST_SOURCES {
        table.mistake(format!("there are {} sources, {MOST_SOURCES} is the most", entries.len()));
    }
    for (name, item) in entries.into_iter().take(MOST_SOURCES) {
        let source = mistakes.of_source(name, || named_source(name, &item, mistakes, defaults, &mut taken));
        sources.extend(source.map(|source| (name.to_owned(), source)));
    }
    sources
}

fn named_source<'a, 'i>(
    name: &str,
    item: &Item<'a, 'i>,
    mistakes: &Mistakes,
    defaults: &Defaults,
    taken: &mut Taken<'a, 'i>,
) -> Option<Source> {
    let letters =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    if !letters || !(1..=40).contains(&name.len()) {
        item.mistake("a source's name is a part of its URL: 1 to 40 of a-z, 0-9, - and _");
    }
    source::read(name, item.section()?, mistakes, defaults, taken)
}
