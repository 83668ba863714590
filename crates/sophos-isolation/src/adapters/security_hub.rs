//! AWS Security Hub findings in ASFF or OCSF. One event may hold several.

use serde_json::Value;

use super::{
    NotActionable, ParsedAlerts, ParserInput,
    guardduty::{
        check_source, has_sample_title, host_accounts, instance_id_from_arn, is_container, is_sample,
    },
    json_cursor::{JsonCursor, identifiers, severity_from_score},
    parsed_alert::{ParsedAlert, ParsedHost, digest, key_parts, parse_account},
    qualified_names::{dotted_domain, parse_hostname},
};
use crate::signal::{HostIdentifiers, Severity, clean};

/// The ASFF type of findings about configuration and installed software.
const CONFIGURATION_CHECKS: &str = "Software and Configuration Checks";

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let cursor = JsonCursor::from(root);
    check_source(cursor, "aws.securityhub")?;
    let findings = cursor.first_list(&["detail/findings", "findings"]).unwrap_or_else(|| {
        let detail = cursor.get("detail");
        if detail.is_object() { detail } else { cursor }
    });
    if ["insightArn", "insightResults"].iter().any(|member| cursor.get("detail").get(member).exists()) {
        // Insight results are counts of groups and contain no finding.
        return Ok(vec![ParsedAlert::new(root, Ok(vec![Value::from(digest(root))]))]);
    }
    let documents = findings.elements().filter_map(JsonCursor::value);
    Ok(documents.map(|document| parse_finding(document, JsonCursor::from(document), cursor)).collect())
}

fn parse_finding<'v>(
    document: &'v Value,
    finding: JsonCursor<'v>,
    envelope: JsonCursor<'v>,
) -> ParsedAlert<'v> {
    let mut parsed = if finding.get("finding_info").exists() || finding.get("class_uid").exists() {
        parse_ocsf(document, finding)
    } else {
        parse_asff(document, finding)
    };
    // The author of a finding chooses its id. The account keeps ids of different accounts apart.
    let sent_by = parse_account(envelope.get("account"));
    if sent_by.is_some()
        && sent_by != parsed.signal.account
        && let Ok(parts) = &mut parsed.event_key
    {
        parts.push(Value::from(vec![parsed.signal.account.clone()]));
    }
    if let Some(action) = envelope.get("detail/actionName").display_text() {
        apply_custom_action(&mut parsed, &action, envelope);
    }
    parsed
}

/// Marks a finding that a person sent by a custom action. It differs from the import of the same
/// finding in event and alert, so a request after a release is honoured.
fn apply_custom_action(parsed: &mut ParsedAlert<'_>, action: &str, envelope: JsonCursor<'_>) {
    let signal = &mut parsed.signal;
    let reason = signal.reason.take().map(|reason| format!(": {reason}")).unwrap_or_default();
    signal.reason = Some(clean(&format!("custom action {action}{reason}")));
    if let Ok(parts) = &mut parsed.event_key {
        let event = envelope.first_with_text(&["id", "time"]).text();
        parts.extend([Value::from(action), Value::from(event)]);
        parsed.alert_key = Some(parts.clone());
    }
}

fn parse_asff<'v>(document: &'v Value, finding: JsonCursor<'v>) -> ParsedAlert<'v> {
    let [id, updated] = ["Id", "UpdatedAt"].map(|path| finding.get(path));
    let mut parsed = ParsedAlert::new(document, key_parts(id, [updated], "the finding has no Id"));
    let signal = &mut parsed.signal;
    signal.account = parse_account(finding.get("AwsAccountId"));
    signal.severity = parse_severity(finding.get("Severity"));
    signal.title = finding.get("Title").display_text().unwrap_or_default();
    signal.reason = finding.get("Description").display_text();
    signal.observed_at = finding.first_with_text(&["LastObservedAt", "UpdatedAt"]).display_text();
    parsed.refusal = asff_refusal(finding);
    parsed.signal.shared_host = has_containers(finding.get("Resources"));
    // The details mix public and private addresses, so use the instance id alone.
    let resources = finding.get("Resources").elements();
    let owners = [JsonCursor::MISSING; 2];
    parsed.hosts =
        resources.filter_map(|resource| parse_instance(resource, resource.get("Id"), owners)).collect();
    parsed
}

fn asff_refusal(finding: JsonCursor<'_>) -> Option<NotActionable> {
    let [mut archived, mut sample] =
        [finding.get("RecordState").normalized_text() == "archived", finding.get("Sample").is_true()];
    // GuardDuty's members arrive as texts, with paths as their names.
    for (name, cursor) in finding.get("ProductFields").members() {
        let name = name.to_ascii_lowercase();
        archived |= name.ends_with("service/archived") && cursor.is_true();
        sample |= name.ends_with("additionalinfo/sample") && cursor.is_true();
        sample |= name.ends_with("additionalinfo/value") && is_sample(JsonCursor::MISSING, cursor);
    }
    let workflow = finding.first_with_text(&["Workflow/Status", "WorkflowState"]).normalized_text();
    let verified = finding.get("VerificationState").normalized_text();
    let mut types = finding.get("Types").elements().filter_map(|item| item.value()?.as_str()).peekable();
    let is_check = match types.peek() {
        Some(_) => types.all(|kind| kind.trim_start().starts_with(CONFIGURATION_CHECKS)),
        None => finding.get("Compliance").exists(),
    };
    if sample || has_sample_title(finding.get("Title")) {
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

fn parse_ocsf<'v>(document: &'v Value, finding: JsonCursor<'v>) -> ParsedAlert<'v> {
    let info = finding.get("finding_info");
    let modified =
        finding.first_with_text(&["finding_info/modified_time_dt", "finding_info/modified_time", "time"]);
    let mut parsed = ParsedAlert::new(
        document,
        key_parts(info.get("uid"), [modified], "the finding has no finding_info.uid"),
    );
    let signal = &mut parsed.signal;
    signal.account = parse_account(finding.get("cloud/account/uid"));
    signal.severity = match finding.get("severity_id").text().as_deref() {
        Some("1") => Some(Severity::Informational),
        Some("2") => Some(Severity::Low),
        Some("3") => Some(Severity::Medium),
        Some("4") => Some(Severity::High),
        Some("5" | "6") => Some(Severity::Critical),
        _ => finding.get("severity").severity(),
    };
    signal.title = info.get("title").display_text().unwrap_or_default();
    signal.reason = info.get("desc").display_text();
    signal.observed_at = finding
        .first_with_text(&[
            "finding_info/last_seen_time_dt",
            "finding_info/modified_time_dt",
            "finding_info/modified_time",
            "time_dt",
            "time",
        ])
        .display_text();
    parsed.refusal = ocsf_refusal(finding);
    parsed.signal.shared_host = has_containers(finding.get("resources"));
    let resources = finding.get("resources").elements();
    let owners =
        |resource: JsonCursor<'v>| ["owner/account/uid", "account/uid"].map(|path| resource.get(path));
    parsed.hosts = resources
        .filter_map(|resource| parse_instance(resource, resource.get("uid"), owners(resource)))
        .collect();
    // The device repeats the instance unless it has an instance id of its own.
    parsed.hosts.extend(
        parse_device(finding.get("device"))
            .filter(|device| parsed.hosts.is_empty() || device.identifiers.ec2_instance_id.is_some()),
    );
    parsed
}

fn ocsf_refusal(finding: JsonCursor<'_>) -> Option<NotActionable> {
    let [status, activity, class] =
        ["status_id", "activity_id", "class_uid"].map(|path| finding.get(path).text().unwrap_or_default());
    if has_sample_title(finding.get("finding_info/title")) {
        Some(NotActionable::Sample)
    } else if status == "3" {
        Some(NotActionable::Suppressed)
    } else if status == "4" || activity == "3" {
        Some(NotActionable::Resolved)
    } else if ["2002", "2003"].contains(&class.as_str()) {
        // Vulnerability findings and compliance findings.
        Some(NotActionable::NotAThreat)
    } else {
        None
    }
}

/// Whether a container or cluster is among the resources, next to its node.
fn has_containers(resources: JsonCursor<'_>) -> bool {
    resources.elements().any(|resource| is_container(&resource.get("type").normalized_text()))
}

/// The instance of a resource, from its ARN or id. The members `owners` name its account, as an ARN
/// does.
fn parse_instance(
    resource: JsonCursor<'_>,
    id: JsonCursor<'_>,
    owners: [JsonCursor<'_>; 2],
) -> Option<ParsedHost> {
    if !["awsec2instance", "awsec2instances"].contains(&resource.get("type").normalized_text().as_str()) {
        return None;
    }
    let accounts = host_accounts(owners, [id]);
    let id = id.identifier()?;
    let id = if id.starts_with("arn:") { instance_id_from_arn(&id)?.to_owned() } else { id };
    let identifiers = HostIdentifiers { ec2_instance_id: Some(id), ..HostIdentifiers::default() };
    identifiers.ec2_instance_id.as_ref()?.starts_with("i-").then_some(ParsedHost {
        identifiers,
        accounts,
        refusal: None,
    })
}

/// The device of an OCSF event. Only its EC2 instance id is used as an id.
fn parse_device(device: JsonCursor<'_>) -> Option<ParsedHost> {
    let id = device.first_with_text(&["instance_uid", "uid"]);
    let owners = ["owner/account/uid", "account/uid", "cloud/account/uid"].map(|path| device.get(path));
    let accounts = host_accounts(owners, [id]);
    let id = id.identifier();
    let of_arn = id.as_deref().and_then(instance_id_from_arn).map(str::to_owned);
    let instance = of_arn.or_else(|| id.filter(|id| id.starts_with("i-")));
    if instance.is_some() {
        let identifiers = HostIdentifiers { ec2_instance_id: instance, ..HostIdentifiers::default() };
        return Some(ParsedHost { identifiers, accounts, refusal: None });
    }
    let own = |path: &str, list: &str| {
        let [mut texts, more] = [device.get(path).identifiers(), interface_values(device, list)];
        texts.extend(more);
        identifiers(texts.iter().map(String::as_str))
    };
    let found = HostIdentifiers {
        mac_addresses: own("mac", "mac"),
        hostnames: parse_hostname(device, &["hostname"], dotted_domain(device.get("domain")))
            .into_iter()
            .collect(),
        ip_addresses: own("ip", "ip"),
        ..HostIdentifiers::default()
    };
    (!found.is_empty()).then_some(ParsedHost { identifiers: found, accounts, refusal: None })
}

fn interface_values(device: JsonCursor<'_>, member: &str) -> Vec<String> {
    device
        .get("network_interfaces")
        .elements()
        .flat_map(|interface| interface.get(member).identifiers())
        .collect()
}

/// Parses ASFF's severity object: the label, or else the number from 0 to 100.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    let number = if cursor.is_object() { cursor.get("Normalized") } else { cursor };
    cursor
        .get("Label")
        .severity()
        .or_else(|| cursor.severity())
        .or_else(|| number.number().map(|number| severity_from_score(number, [1.0, 40.0, 70.0, 90.0])))
}
