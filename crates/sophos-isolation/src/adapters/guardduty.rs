//! Amazon GuardDuty: findings in EventBridge's envelope, bare, or in a list,
//! with members in camel or Pascal case.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    NotActionable, Unreadable,
    draft::{Draft, Host, account, identity},
    place::{Place, facts, scale},
};
use crate::signal::{HostFacts, Severity};

/// Resources whose instance is a node of containers.
const CONTAINERS: [&str; 9] = [
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

/// Details of an instance finding that show the instance to be such a node.
const CONTAINER_DETAILS: [&str; 4] =
    ["containerDetails", "ecsClusterDetails", "eksClusterDetails", "kubernetesDetails"];

pub(super) fn read(root: &Value) -> Result<Vec<Draft<'_>>, Unreadable> {
    let place = Place::from(root);
    check_source(place, "aws.guardduty")?;
    let detail = place.at("detail");
    let body = if detail.is_object() { detail } else { place };
    Ok(match body.list(&["findings"]) {
        Some(list) => {
            let items = list.items().filter_map(|item| Some((item.value()?, item)));
            items.flat_map(|(document, item)| finding(document, item)).collect()
        }
        None => finding(root, body),
    })
}

/// EventBridge takes events from anyone who may put them; only those of AWS
/// have such a source.
pub(super) fn check_source(envelope: Place<'_>, source: &str) -> Result<(), Unreadable> {
    match envelope.at("source").text() {
        Some(text) if envelope.at("detail").is_there() && text != source => {
            Err(Unreadable(format!("its source is not {source}")))
        }
        _ => Ok(()),
    }
}

fn finding<'v>(document: &'v Value, finding: Place<'v>) -> Vec<Draft<'v>> {
    let sequence = finding.at("service/detection/sequence");
    if sequence.is_there() {
        return attack_sequence(document, finding, sequence.at("resources"));
    }
    let mut draft = draft(document, finding);
    let resource = finding.at("resource");
    let kind = resource.at("resourceType").word();
    let is_node = is_container(&kind);
    draft.signal.shared_host =
        is_node || CONTAINER_DETAILS.iter().any(|details| resource.at(details).is_there());
    if is_node || kind == "instance" {
        let details = resource.at("instanceDetails");
        // A node is known by its id alone: the names and addresses may be those
        // of what runs on it.
        let facts = instance(details).filter(|host| !is_node || host.ec2_instance_id.is_some());
        let arns = ["arn", "instanceArn"].map(|path| details.at(path));
        let accounts = accounts_of([resource.at("accountId"), details.at("accountId")], arns);
        draft.hosts.extend(facts.map(|facts| Host { facts, accounts, refusal: None }));
    }
    vec![draft]
}

fn draft<'v>(document: &'v Value, finding: Place<'v>) -> Draft<'v> {
    let [id, updated, count] = ["id", "updatedAt", "service/count"].map(|path| finding.at(path));
    let mut draft = Draft::new(document, identity(id, [updated, count], "the finding has no id"));
    let signal = &mut draft.signal;
    signal.account = account(finding.at("accountId"));
    signal.severity = severity(finding.at("severity"));
    signal.title = finding.at("title").words().unwrap_or_default();
    signal.reason = finding.at("type").words();
    signal.observed_at = finding.first(&["service/eventLastSeen", "updatedAt"]).words();
    draft.refusal = refusal(finding);
    draft
}

/// The drafts of a finding about a sequence of actions: one for each account,
/// with each instance that the sequence has among its resources. Instances that
/// a cluster or a group merely consists of are not among them.
fn attack_sequence<'v>(document: &'v Value, finding: Place<'v>, resources: Place<'v>) -> Vec<Draft<'v>> {
    let kinds = || resources.items().map(|resource| resource.at("resourceType").word());
    let of_cluster = finding.at("type").word().ends_with("compromisedcluster");
    let is_shared = of_cluster || kinds().any(|kind| is_container(&kind));
    let mut accounts: BTreeMap<Option<String>, Vec<Host>> = BTreeMap::new();
    for resource in resources.items() {
        let Some(id) = instance_of_sequence(resource) else { continue };
        let facts = HostFacts { ec2_instance_id: Some(id), ..HostFacts::default() };
        let owner = account(resource.at("accountId")).or_else(|| account(finding.at("accountId")));
        let named = accounts_of([resource.at("accountId")], [resource.at("uid")]);
        let host = Host { facts, accounts: named, refusal: None };
        accounts.entry(owner).or_default().push(host);
    }
    let several = accounts.len() > 1;
    if accounts.is_empty() {
        accounts.insert(account(finding.at("accountId")), Vec::new());
    }
    let of_account = |(owner, hosts): (Option<String>, Vec<Host>)| {
        let mut draft = draft(document, finding);
        if several && let Ok(parts) = &mut draft.identity {
            draft.alert = Some(vec![parts[0].clone(), Value::from(owner.clone())]);
            parts.push(Value::from(owner.clone()));
        }
        draft.signal.shared_host = is_shared;
        draft.hosts = hosts;
        draft
    };
    accounts.into_iter().map(of_account).collect()
}

/// The id of the instance that a resource of a sequence is. Its `uid` is an ARN
/// or the id.
fn instance_of_sequence(resource: Place<'_>) -> Option<String> {
    let is_instance = resource.at("resourceType").word() == "ec2instance"
        || ["data/ec2Instance", "ec2Instance"].iter().any(|path| resource.at(path).is_there());
    let uid = resource.at("uid").fact();
    let of_arn = uid.as_deref().and_then(instance_of_arn).map(str::to_owned);
    of_arn.or_else(|| {
        let ids = [uid, resource.at("name").fact(), resource.at("data/ec2Instance/instanceId").fact()];
        ids.into_iter().flatten().find(|id| is_instance && id.starts_with("i-"))
    })
}

/// The id of an instance in its ARN.
pub(super) fn instance_of_arn(arn: &str) -> Option<&str> {
    let (service, resource) = arn.strip_prefix("arn:")?.split_once(":instance/")?;
    (service.split(':').nth(1) == Some("ec2") && resource.starts_with("i-")).then_some(resource)
}

/// The accounts in which a document puts a host: those that members name, and
/// those in the ARNs of instances.
pub(super) fn accounts_of<const N: usize, const M: usize>(
    members: [Place<'_>; N],
    arns: [Place<'_>; M],
) -> Vec<String> {
    let of_arn = |arn: String| instance_of_arn(&arn).and(arn.split(':').nth(4)).map(str::to_owned);
    let of_arns = arns.into_iter().filter_map(|place| place.fact().and_then(of_arn));
    let named = members.into_iter().filter_map(account).chain(of_arns);
    named.filter(|account| !account.is_empty()).collect()
}

/// Whether a kind of resource is something that runs on a node.
pub(super) fn is_container(kind: &str) -> bool {
    CONTAINERS.contains(&kind)
}

fn refusal(finding: Place<'_>) -> Option<NotActionable> {
    let service = finding.at("service");
    if is_sample(service.at("additionalInfo/sample"), service.at("additionalInfo/value"))
        || has_sample_title(finding.at("title"))
    {
        Some(NotActionable::Sample)
    } else if service.at("archived").is_true() {
        Some(NotActionable::Archived)
    } else {
        None
    }
}

/// Whether the tool says that it made this up: in a member, or in a text that
/// is JSON itself. Other members of that text have "sample" in their names.
pub(super) fn is_sample(sample: Place<'_>, value: Place<'_>) -> bool {
    let text = value.value().and_then(Value::as_str);
    let inner = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    sample.is_true()
        || value.at("sample").is_true()
        || inner.is_some_and(|inner| Place::from(&inner).at("sample").is_true())
}

pub(super) fn has_sample_title(title: Place<'_>) -> bool {
    title.words().is_some_and(|title| title.to_ascii_lowercase().starts_with("[sample]"))
}

/// The instance of a finding. Findings about keys carry the instance too that a
/// key belongs to. Names and addresses stand in only where the id is missing:
/// in another network, another machine has them.
fn instance(instance: Place<'_>) -> Option<HostFacts> {
    if let Some(id) = instance.at("instanceId").fact() {
        return Some(HostFacts { ec2_instance_id: Some(id), ..HostFacts::default() });
    }
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    for interface in instance.at("networkInterfaces").items() {
        names.extend(interface.at("privateDnsName").fact());
        addresses.extend(interface.at("privateIpAddress").fact());
    }
    let found = HostFacts {
        hostnames: facts(names.iter().map(String::as_str)),
        ip_addresses: facts(addresses.iter().map(String::as_str)),
        ..HostFacts::default()
    };
    (!found.is_empty()).then_some(found)
}

pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    place.number().map(|number| scale(number, [1.0, 4.0, 7.0, 9.0])).or_else(|| place.severity())
}
