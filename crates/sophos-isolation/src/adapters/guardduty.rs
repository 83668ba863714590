//! Amazon GuardDuty findings: in EventBridge's envelope, alone, or in a list, with member names in
//! camel or Pascal case.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    NotActionable, ParseError, ParsedAlerts, ParserInput,
    json_cursor::{JsonCursor, identifiers, severity_from_score},
    parsed_alert::{ParsedAlert, ParsedHost, key_parts, parse_account},
};
use crate::signal::{HostIdentifiers, Severity};

/// Resource types whose instance is a container node.
const CONTAINER_RESOURCES: [&str; 9] = [
    "container",
    "ecscluster",
    "ecstask",
    "ekscluster",
    "kubernetescluster",
    "kubernetesworkload",
    "awsecscluster",
    "awsecstask",
    "awsekscluster",
];

/// Members of an instance finding that show a container node.
const CONTAINER_DETAILS: [&str; 4] =
    ["containerDetails", "ecsClusterDetails", "eksClusterDetails", "kubernetesDetails"];

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let cursor = JsonCursor::from(root);
    check_source(cursor, "aws.guardduty")?;
    let detail = cursor.get("detail");
    let body = if detail.is_object() { detail } else { cursor };
    Ok(match body.first_list(&["findings"]) {
        Some(list) => {
            let items = list.elements().filter_map(|item| Some((item.value()?, item)));
            items.flat_map(|(document, item)| parse_finding(document, item)).collect()
        }
        None => parse_finding(root, body),
    })
}

/// Checks the event's source. Any principal with `events:PutEvents` can send events, but only AWS
/// can use this source.
pub(super) fn check_source(envelope: JsonCursor<'_>, source: &str) -> Result<(), ParseError> {
    match envelope.get("source").text() {
        Some(text) if envelope.get("detail").exists() && text != source => {
            Err(ParseError(format!("invalid source: expected \"{source}\"")))
        }
        _ => Ok(()),
    }
}

fn parse_finding<'v>(document: &'v Value, finding: JsonCursor<'v>) -> Vec<ParsedAlert<'v>> {
    let sequence = finding.get("service/detection/sequence");
    if sequence.exists() {
        return parse_attack_sequence(document, finding, sequence.get("resources"));
    }
    let mut parsed = parse_single_finding(document, finding);
    let resource = finding.get("resource");
    let kind = resource.get("resourceType").normalized_text();
    let is_node = is_container(&kind);
    parsed.signal.shared_host =
        is_node || CONTAINER_DETAILS.iter().any(|details| resource.get(details).exists());
    if is_node || kind == "instance" {
        let details = resource.get("instanceDetails");
        // Use only the id of a node: its names and addresses may be those of a container.
        let identifiers = parse_instance(details).filter(|host| !is_node || host.ec2_instance_id.is_some());
        let arns = ["arn", "instanceArn"].map(|path| details.get(path));
        let accounts = host_accounts([resource.get("accountId"), details.get("accountId")], arns);
        parsed.hosts.extend(identifiers.map(|identifiers| ParsedHost {
            identifiers,
            accounts,
            refusal: None,
        }));
    }
    vec![parsed]
}

fn parse_single_finding<'v>(document: &'v Value, finding: JsonCursor<'v>) -> ParsedAlert<'v> {
    let [id, updated, count] = ["id", "updatedAt", "service/count"].map(|path| finding.get(path));
    let mut parsed = ParsedAlert::new(document, key_parts(id, [updated, count], "the finding has no id"));
    let signal = &mut parsed.signal;
    signal.account = parse_account(finding.get("accountId"));
    signal.severity = parse_severity(finding.get("severity"));
    signal.title = finding.get("title").display_text().unwrap_or_default();
    signal.reason = finding.get("type").display_text();
    signal.observed_at = finding.first_with_text(&["service/eventLastSeen", "updatedAt"]).display_text();
    parsed.refusal = refusal(finding);
    parsed
}

/// The alerts of an attack sequence: one for each account, with the instances among the sequence's
/// resources. Other instances of a cluster or group are not included.
fn parse_attack_sequence<'v>(
    document: &'v Value,
    finding: JsonCursor<'v>,
    resources: JsonCursor<'v>,
) -> Vec<ParsedAlert<'v>> {
    let kinds = || resources.elements().map(|resource| resource.get("resourceType").normalized_text());
    let of_cluster = finding.get("type").normalized_text().ends_with("compromisedcluster");
    let is_shared = of_cluster || kinds().any(|kind| is_container(&kind));
    let mut accounts: BTreeMap<Option<String>, Vec<ParsedHost>> = BTreeMap::new();
    for resource in resources.elements() {
        let Some(id) = sequence_instance_id(resource) else { continue };
        let identifiers = HostIdentifiers { ec2_instance_id: Some(id), ..HostIdentifiers::default() };
        let owner =
            parse_account(resource.get("accountId")).or_else(|| parse_account(finding.get("accountId")));
        let named = host_accounts([resource.get("accountId")], [resource.get("uid")]);
        let host = ParsedHost { identifiers, accounts: named, refusal: None };
        accounts.entry(owner).or_default().push(host);
    }
    let several = accounts.len() > 1;
    if accounts.is_empty() {
        accounts.insert(parse_account(finding.get("accountId")), Vec::new());
    }
    let of_account = |(owner, hosts): (Option<String>, Vec<ParsedHost>)| {
        let mut parsed = parse_single_finding(document, finding);
        if several && let Ok(parts) = &mut parsed.event_key {
            parsed.alert_key = Some(vec![parts[0].clone(), Value::from(owner.clone())]);
            parts.push(Value::from(owner.clone()));
        }
        parsed.signal.shared_host = is_shared;
        parsed.hosts = hosts;
        parsed
    };
    accounts.into_iter().map(of_account).collect()
}

/// The instance id of a resource of a sequence. Its `uid` is an ARN or the id.
fn sequence_instance_id(resource: JsonCursor<'_>) -> Option<String> {
    let is_instance = resource.get("resourceType").normalized_text() == "ec2instance"
        || ["data/ec2Instance", "ec2Instance"].iter().any(|path| resource.get(path).exists());
    let uid = resource.get("uid").identifier();
    let of_arn = uid.as_deref().and_then(instance_id_from_arn).map(str::to_owned);
    of_arn.or_else(|| {
        let ids = [
            uid,
            resource.get("name").identifier(),
            resource.get("data/ec2Instance/instanceId").identifier(),
        ];
        ids.into_iter().flatten().find(|id| is_instance && id.starts_with("i-"))
    })
}

/// The instance id in an ARN.
pub(super) fn instance_id_from_arn(arn: &str) -> Option<&str> {
    let (service, resource) = arn.strip_prefix("arn:")?.split_once(":instance/")?;
    (service.split(':').nth(1) == Some("ec2") && resource.starts_with("i-")).then_some(resource)
}

/// The accounts of a host: those in members, and those in instance ARNs.
pub(super) fn host_accounts<const N: usize, const M: usize>(
    members: [JsonCursor<'_>; N],
    arns: [JsonCursor<'_>; M],
) -> Vec<String> {
    let of_arn = |arn: String| instance_id_from_arn(&arn).and(arn.split(':').nth(4)).map(str::to_owned);
    let of_arns = arns.into_iter().filter_map(|cursor| cursor.identifier().and_then(of_arn));
    let named = members.into_iter().filter_map(parse_account).chain(of_arns);
    named.filter(|account| !account.is_empty()).collect()
}

/// Whether a resource type runs on a node.
pub(super) fn is_container(kind: &str) -> bool {
    CONTAINER_RESOURCES.contains(&kind)
}

fn refusal(finding: JsonCursor<'_>) -> Option<NotActionable> {
    let service = finding.get("service");
    if is_sample(service.get("additionalInfo/sample"), service.get("additionalInfo/value"))
        || has_sample_title(finding.get("title"))
    {
        Some(NotActionable::Sample)
    } else if service.get("archived").is_true() {
        Some(NotActionable::Archived)
    } else {
        None
    }
}

/// Whether the finding is a generated sample, by a member or by a text of JSON. Other members of
/// that text also have "sample" in their names.
pub(super) fn is_sample(sample: JsonCursor<'_>, value: JsonCursor<'_>) -> bool {
    let text = value.value().and_then(Value::as_str);
    let inner = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    sample.is_true()
        || value.get("sample").is_true()
        || inner.is_some_and(|inner| JsonCursor::from(&inner).get("sample").is_true())
}

pub(super) fn has_sample_title(title: JsonCursor<'_>) -> bool {
    title.display_text().is_some_and(|title| title.to_ascii_lowercase().starts_with("[sample]"))
}

/// The instance of a finding. Findings about access keys also name the key's instance. Names and
/// addresses are used only without an id, because another machine may have them in another network.
fn parse_instance(instance: JsonCursor<'_>) -> Option<HostIdentifiers> {
    if let Some(id) = instance.get("instanceId").identifier() {
        return Some(HostIdentifiers { ec2_instance_id: Some(id), ..HostIdentifiers::default() });
    }
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    for interface in instance.get("networkInterfaces").elements() {
        names.extend(interface.get("privateDnsName").identifier());
        addresses.extend(interface.get("privateIpAddress").identifier());
    }
    let found = HostIdentifiers {
        hostnames: identifiers(names.iter().map(String::as_str)),
        ip_addresses: identifiers(addresses.iter().map(String::as_str)),
        ..HostIdentifiers::default()
    };
    (!found.is_empty()).then_some(found)
}

pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    cursor
        .number()
        .map(|number| severity_from_score(number, [1.0, 4.0, 7.0, 9.0]))
        .or_else(|| cursor.severity())
}
