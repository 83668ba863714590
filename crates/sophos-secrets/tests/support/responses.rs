//! The responses of Secrets Manager, after its API reference.

use serde_json::{Value, json};

use super::{BATCH, FakeState, GET, LIST, Secret, StoredValue};

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:";

pub(super) fn respond(inside: &FakeState, operation: &str, request: &Value) -> (u16, String) {
    if let Some((status, body)) = inside.faults.get(operation) {
        return (*status, body.clone());
    }
    let result = match operation {
        LIST => list(inside, request),
        BATCH => batch(inside, request),
        GET => value(inside, request),
        _ => Err(("UnknownOperationException", "no such operation".to_owned())),
    };
    match result {
        Ok(body) => (200, body.to_string()),
        Err((code, message)) => (400, json!({"__type": code, "Message": message}).to_string()),
    }
}

type OperationResult = Result<Value, (&'static str, String)>;

fn arn(name: &str) -> String {
    format!("{ARN}{name}-AbCdEf")
}

fn list(inside: &FakeState, request: &Value) -> OperationResult {
    let most = request["MaxResults"].as_u64().unwrap_or(100) as usize;
    if most > 100 {
        return Err(("ValidationException", "MaxResults is 100 at most".into()));
    }
    let from = match request["NextToken"].as_str() {
        Some(token) => token.parse().map_err(|_| ("InvalidNextTokenException", "no such page".to_owned()))?,
        None => 0,
    };
    let filters = request["Filters"].as_array().cloned().unwrap_or_default();
    // In another order than that of the names.
    let fit = inside.secrets.iter().rev().filter(|(name, secret)| {
        filters.iter().all(|filter| passes(name, secret, &filter["Key"], &filter["Values"][0]))
    });
    let fit: Vec<_> = fit.collect();
    let page = fit.iter().skip(from).take(most).map(|(name, secret)| {
        let labelled = [("AWSCURRENT", &secret.current), ("AWSPREVIOUS", &secret.previous)];
        let versions = labelled
            .into_iter()
            .filter_map(|(label, version)| version.as_ref().map(|(id, _)| (id.clone(), json!([label]))));
        let tags: Vec<_> =
            secret.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        json!({
            "Name": name, "ARN": arn(name), "Tags": tags,
            "SecretVersionsToStages": Value::Object(versions.collect()),
        })
    });
    let mut response = json!({"SecretList": page.collect::<Vec<_>>()});
    if inside.repeats {
        response["NextToken"] = json!(from.max(1).to_string());
    } else if from + most < fit.len() {
        response["NextToken"] = json!((from + most).to_string());
    }
    Ok(response)
}

/// The filters of the service match prefixes in any case, and the key of one tag with the
/// value of another.
fn passes(name: &str, secret: &Secret, key: &Value, wanted: &Value) -> bool {
    let wanted = wanted.as_str().unwrap_or_default().to_lowercase();
    let begins = |text: &str| text.to_lowercase().starts_with(&wanted);
    match key.as_str() {
        Some("name") => begins(name),
        Some("tag-key") => secret.tags.iter().any(|(key, _)| begins(key)),
        Some("tag-value") => secret.tags.iter().any(|(_, value)| begins(value)),
        _ => false,
    }
}

fn batch(inside: &FakeState, request: &Value) -> OperationResult {
    let ids = request["SecretIdList"].as_array().cloned().unwrap_or_default();
    if ids.is_empty() || ids.len() > 20 {
        return Err(("ValidationException", "SecretIdList holds 1 to 20 ids".into()));
    }
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for id in &ids {
        match value(inside, &json!({"SecretId": id, "VersionStage": "AWSCURRENT"})) {
            Ok(value) => values.push(value),
            Err((code, message)) => {
                errors.push(json!({"SecretId": id, "ErrorCode": code, "Message": message}));
            }
        }
    }
    Ok(json!({"SecretValues": values, "Errors": errors}))
}

fn value(inside: &FakeState, request: &Value) -> OperationResult {
    let id = request["SecretId"].as_str().unwrap_or_default();
    let Some(label) = request["VersionStage"].as_str() else {
        return Err(("InvalidParameterException", "these tests want the label".into()));
    };
    let found = inside.secrets.iter().find(|(name, _)| *name == id || arn(name) == id);
    if found.is_some_and(|(name, _)| inside.denied.contains(name)) {
        let message =
            format!("User: a-role is not authorized to perform: secretsmanager:GetSecretValue on {id}");
        return Err(("AccessDeniedException", message));
    }
    let Some((name, secret)) = found else {
        return Err(("ResourceNotFoundException", "Secrets Manager can't find the specified secret.".into()));
    };
    let version = if label == "AWSPREVIOUS" { &secret.previous } else { &secret.current };
    let Some((version, stored)) = version else {
        let message =
            format!("Secrets Manager can't find the specified secret value for staging label: {label}");
        return Err(("ResourceNotFoundException", message));
    };
    let mut response =
        json!({"Name": name, "ARN": arn(name), "VersionId": version, "VersionStages": [label]});
    match stored {
        StoredValue::Text(text) => response["SecretString"] = json!(text),
        StoredValue::Binary => response["SecretBinary"] = json!("aHVzaC1odXNo"),
    }
    Ok(response)
}
