//! AWS Security Hub: findings in ASFF or OCSF, several in one event.

use serde_json::Value;

use super::{
    NotActionable, Unreadable,
    draft::{Draft, Host, account, digest, identity},
    guardduty::{accounts_of, check_source, has_sample_title, instance_of_arn, is_container, is_sample},
    names::{dotted_domain, name_of},
    place::{Place, facts, scale},
};
use crate::signal::{HostFacts, Severity, clean};

/// What ASFF calls findings about how something is set up, or about what is
/// installed on it.
const CHECKS: &str = "Software and Configuration Checks";

pub(super) fn read(root: &Value) -> Result<Vec<Draft<'_>>, Unreadable> {
    let place = Place::from(root);
    check_source(place, "aws.securityhub")?;
    let findings = place.list(&["detail/findings", "findings"]).unwrap_or_else(|| {
        let detail = place.at("detail");
        if detail.is_object() { detail } else { place }
    });
    if ["insightArn", "insightResults"].iter().any(|member| place.at("detail").at(member).is_there()) {
        // The results of an insight are counts of groups, with no finding.
        return Ok(vec![Draft::new(root, Ok(vec![Value::from(digest(root))]))]);
    }
    let documents = findings.items().filter_map(Place::value);
    Ok(documents.map(|document| finding(document, Place::from(document), place)).collect())
}

fn finding<'v>(document: &'v Value, finding: Place<'v>, envelope: Place<'v>) -> Draft<'v> {
    let mut draft = if finding.at("finding_info").is_there() || finding.at("class_uid").is_there() {
        ocsf(document, finding)
    } else {
        asff(document, finding)
    };
    // The author of a finding chooses its id: that of one account must not be
    // taken for the event of another.
    let sent_by = account(envelope.at("account"));
    if sent_by.is_some()
        && sent_by != draft.signal.account
        && let Ok(parts) = &mut draft.identity
    {
        parts.push(Value::from(vec![draft.signal.account.clone()]));
    }
    if let Some(action) = envelope.at("detail/actionName").words() {
        custom_action(&mut draft, &action, envelope);
    }
    draft
}

/// Marks the draft of a finding that a person sent by a custom action. It is
/// another event than the import of the same finding, and another alert: a
/// person who asks again after a release means it.
fn custom_action(draft: &mut Draft<'_>, action: &str, envelope: Place<'_>) {
    let signal = &mut draft.signal;
    let reason = signal.reason.take().map(|reason| format!(": {reason}")).unwrap_or_default();
    signal.reason = Some(clean(&format!("custom action {action}{reason}")));
    if let Ok(parts) = &mut draft.identity {
        let event = envelope.first(&["id", "time"]).text();
        parts.extend([Value::from(action), Value::from(event)]);
        draft.alert = Some(parts.clone());
    }
}

fn asff<'v>(document: &'v Value, finding: Place<'v>) -> Draft<'v> {
    let [id, updated] = ["Id", "UpdatedAt"].map(|path| finding.at(path));
    let mut draft = Draft::new(document, identity(id, [updated], "the finding has no Id"));
    let signal = &mut draft.signal;
    signal.account = account(finding.at("AwsAccountId"));
    signal.severity = severity(finding.at("Severity"));
    signal.title = finding.at("Title").words().unwrap_or_default();
    signal.reason = finding.at("Description").words();
    signal.observed_at = finding.first(&["LastObservedAt", "UpdatedAt"]).words();
    draft.refusal = asff_refusal(finding);
    draft.signal.shared_host = has_containers(finding.at("Resources"));
    // The addresses of the details are public and private ones mixed, and the
    // instance has an id.
    let resources = finding.at("Resources").items();
    let owners = [Place::NOWHERE; 2];
    draft.hosts = resources.filter_map(|resource| instance(resource, resource.at("Id"), owners)).collect();
    draft
}

fn asff_refusal(finding: Place<'_>) -> Option<NotActionable> {
    let [mut archived, mut sample] =
        [finding.at("RecordState").word() == "archived", finding.at("Sample").is_true()];
    // What GuardDuty says comes as texts under names that are paths.
    for (name, place) in finding.at("ProductFields").members() {
        let name = name.to_ascii_lowercase();
        archived |= name.ends_with("service/archived") && place.is_true();
        sample |= name.ends_with("additionalinfo/sample") && place.is_true();
        sample |= name.ends_with("additionalinfo/value") && is_sample(Place::NOWHERE, place);
    }
    let workflow = finding.first(&["Workflow/Status", "WorkflowState"]).word();
    let verified = finding.at("VerificationState").word();
    let mut types = finding.at("Types").items().filter_map(|item| item.value()?.as_str()).peekable();
    let is_check = match types.peek() {
        Some(_) => types.all(|kind| kind.trim_start().starts_with(CHECKS)),
        None => finding.at("Compliance").is_there(),
    };
    if sample || has_sample_title(finding.at("Title")) {
        Some(NotActionable::Sample)
    } else if archived {
        Some(NotActionable::Archived)
    } else if workflow == "suppressed" {
        Some(NotActionable::Suppressed)
    } else if workflow == "resolved" || ["falsepositive", "benignpositive"].contains(&verified.as_str()) {
        Some(NotActionable::Resolved)
    } else if is_check {
        Some(NotActionable::NotAThreat)
    } else {
        None
    }
}

fn ocsf<'v>(document: &'v Value, finding: Place<'v>) -> Draft<'v> {
    let info = finding.at("finding_info");
    let modified = finding.first(&["finding_info/modified_time_dt", "finding_info/modified_time", "time"]);
    let mut draft =
        Draft::new(document, identity(info.at("uid"), [modified], "the finding has no finding_info.uid"));
    let signal = &mut draft.signal;
    signal.account = account(finding.at("cloud/account/uid"));
    signal.severity = match finding.at("severity_id").text().as_deref() {
        Some("1") => Some(Severity::Informational),
        Some("2") => Some(Severity::Low),
        Some("3") => Some(Severity::Medium),
        Some("4") => Some(Severity::High),
        Some("5" | "6") => Some(Severity::Critical),
        _ => finding.at("severity").severity(),
    };
    signal.title = info.at("title").words().unwrap_or_default();
    signal.reason = info.at("desc").words();
    signal.observed_at = finding
        .first(&[
            "finding_info/last_seen_time_dt",
            "finding_info/modified_time_dt",
            "finding_info/modified_time",
            "time_dt",
            "time",
        ])
        .words();
    draft.refusal = ocsf_refusal(finding);
    draft.signal.shared_host = has_containers(finding.at("resources"));
    let resources = finding.at("resources").items();
    let owners = |resource: Place<'v>| ["owner/account/uid", "account/uid"].map(|path| resource.at(path));
    draft.hosts =
        resources.filter_map(|resource| instance(resource, resource.at("uid"), owners(resource))).collect();
    // The device is the instance once more, unless it says that it is another.
    draft.hosts.extend(
        device(finding.at("device"))
            .filter(|device| draft.hosts.is_empty() || device.facts.ec2_instance_id.is_some()),
    );
    draft
}

fn ocsf_refusal(finding: Place<'_>) -> Option<NotActionable> {
    let [status, activity, class] =
        ["status_id", "activity_id", "class_uid"].map(|path| finding.at(path).text().unwrap_or_default());
    if has_sample_title(finding.at("finding_info/title")) {
        Some(NotActionable::Sample)
    } else if status == "3" {
        Some(NotActionable::Suppressed)
    } else if status == "4" || activity == "3" {
        Some(NotActionable::Resolved)
    } else if ["2002", "2003"].contains(&class.as_str()) {
        // A vulnerability, or a compliance check.
        Some(NotActionable::NotAThreat)
    } else {
        None
    }
}

/// Whether something that runs on a node is among the resources, beside the
/// instance that is the node.
fn has_containers(resources: Place<'_>) -> bool {
    resources.items().any(|resource| is_container(&resource.at("type").word()))
}

/// The instance that a resource is, by its ARN or its id. The members `owners`
/// name the account that it is in, as an ARN does.
fn instance(resource: Place<'_>, id: Place<'_>, owners: [Place<'_>; 2]) -> Option<Host> {
    if !["awsec2instance", "awsec2instances"].contains(&resource.at("type").word().as_str()) {
        return None;
    }
    let accounts = accounts_of(owners, [id]);
    let id = id.fact()?;
    let id = if id.starts_with("arn:") { instance_of_arn(&id)?.to_owned() } else { id };
    let facts = HostFacts { ec2_instance_id: Some(id), ..HostFacts::default() };
    facts.ec2_instance_id.as_ref()?.starts_with("i-").then_some(Host { facts, accounts, refusal: None })
}

/// The device of an OCSF event. Only an id of an instance is one for us.
fn device(device: Place<'_>) -> Option<Host> {
    let id = device.first(&["instance_uid", "uid"]);
    let owners = ["owner/account/uid", "account/uid", "cloud/account/uid"].map(|path| device.at(path));
    let accounts = accounts_of(owners, [id]);
    let id = id.fact();
    let of_arn = id.as_deref().and_then(instance_of_arn).map(str::to_owned);
    let instance = of_arn.or_else(|| id.filter(|id| id.starts_with("i-")));
    if instance.is_some() {
        let facts = HostFacts { ec2_instance_id: instance, ..HostFacts::default() };
        return Some(Host { facts, accounts, refusal: None });
    }
    let own = |path: &str, list: &str| {
        let [mut texts, more] = [device.at(path).facts(), interfaces(device, list)];
        texts.extend(more);
        facts(texts.iter().map(String::as_str))
    };
    let found = HostFacts {
        mac_addresses: own("mac", "mac"),
        hostnames: name_of(device, &["hostname"], dotted_domain(device.at("domain"))).into_iter().collect(),
        ip_addresses: own("ip", "ip"),
        ..HostFacts::default()
    };
    (!found.is_empty()).then_some(Host { facts: found, accounts, refusal: None })
}

fn interfaces(device: Place<'_>, member: &str) -> Vec<String> {
    device.at("network_interfaces").items().flat_map(|interface| interface.at(member).facts()).collect()
}

/// Of ASFF's object: the label, or else the number from 0 to 100.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    let number = if place.is_object() { place.at("Normalized") } else { place };
    place
        .at("Label")
        .severity()
        .or_else(|| place.severity())
        .or_else(|| number.number().map(|number| scale(number, [1.0, 40.0, 70.0, 90.0])))
}
