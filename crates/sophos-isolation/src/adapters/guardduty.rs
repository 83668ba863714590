//! Amazon GuardDuty: findings in EventBridge's envelope, bare, or in a list,
//! with members in camel or Pascal case.

use serde_json::Value;

use super::{
    NotActionable, Unreadable,
    draft::{Draft, Host, account, identity},
    place::{Place, facts, scale},
};
use crate::signal::{HostFacts, Severity};

pub(super) fn read(root: &Value) -> Result<Vec<Draft<'_>>, Unreadable> {
    let place = Place::from(root);
    check_source(place, "aws.guardduty")?;
    let detail = place.at("detail");
    let body = if detail.is_object() { detail } else { place };
    Ok(match body.list(&["findings"]) {
        Some(list) => {
            list.items().filter_map(|item| item.value().map(|document| finding(document, item))).collect()
        }
        None => vec![finding(root, body)],
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

fn finding<'v>(document: &'v Value, finding: Place<'v>) -> Draft<'v> {
    let [id, updated, count] = ["id", "updatedAt", "service/count"].map(|path| finding.at(path));
    let mut draft = Draft::new(document, identity(id, [updated, count], "the finding has no id"));
    let signal = &mut draft.signal;
    signal.account = account(finding.at("accountId"));
    signal.severity = severity(finding.at("severity"));
    signal.title = finding.at("title").words().unwrap_or_default();
    signal.reason = finding.at("type").words();
    signal.observed_at = finding.first(&["service/eventLastSeen", "updatedAt"]).words();
    draft.refusal = refusal(finding);
    draft.hosts = host(finding.at("resource")).into_iter().map(Host::from).collect();
    draft
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

/// The instance, if the finding is about one. Findings about keys carry the
/// instance too that a key belongs to.
fn host(resource: Place<'_>) -> Option<HostFacts> {
    if resource.at("resourceType").word() != "instance" {
        return None;
    }
    let instance = resource.at("instanceDetails");
    let (mut names, mut addresses) = (Vec::new(), Vec::new());
    for interface in instance.at("networkInterfaces").items() {
        names.extend(interface.at("privateDnsName").fact());
        addresses.extend(interface.at("privateIpAddress").fact());
    }
    Some(HostFacts {
        ec2_instance_id: instance.at("instanceId").fact(),
        hostnames: facts(names.iter().map(String::as_str)),
        ip_addresses: facts(addresses.iter().map(String::as_str)),
        ..HostFacts::default()
    })
}

pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    place.number().map(|number| scale(number, [1.0, 4.0, 7.0, 9.0])).or_else(|| place.severity())
}
