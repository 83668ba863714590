//! The case files.

use std::{fs, io};

use end_to_end::{
    isolation::{TENANT, machine_id, unix_now},
    package_dir,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sophos_simulator::MachineConfig;

/// The files of a folder, with the machines of all of them.
#[derive(Debug)]
pub(crate) struct CaseFolder {
    pub(crate) files: Vec<CaseFile>,
    pub(crate) machines: Vec<NamedMachine>,
}

/// A machine, and its name in expectations.
#[derive(Debug)]
pub(crate) struct NamedMachine {
    pub(crate) name: String,
    pub(crate) config: MachineConfig,
}

/// A file with one source and its payloads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    /// The name of the source, which is the file's.
    #[serde(skip)]
    pub(crate) source: String,
    /// The tool, or the preset of the tool `generic`.
    pub(crate) tool: String,
    /// The AWS account in the policy, for AWS tools.
    #[serde(default)]
    account: String,
    /// Additional keys of the source, as TOML.
    #[serde(default)]
    pub(crate) policy: String,
    /// The machines, in the format of the simulator's configuration. `as` is the name in
    /// expectations if several machines have the same host name.
    #[serde(default)]
    machines: Vec<Map<String, Value>>,
    pub(crate) cases: Vec<Case>,
}

/// A payload and its expected outcome.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Case {
    /// The description.
    pub(crate) name: String,
    /// The payload. A string with `$ago ` and a number of minutes stands for that time.
    pub(crate) payload: Value,
    /// The body as text, if it is not one JSON value.
    pub(crate) body: Option<String>,
    /// The machines to isolate.
    pub(crate) isolated: Vec<String>,
    /// The machines that wait for approval.
    pub(crate) waiting: Vec<String>,
    /// The reasons of refusals; `*` matches any.
    pub(crate) refused: Vec<String>,
    /// The status and a part of the response of a rejected request.
    pub(crate) rejected: Option<(u16, String)>,
    /// The error of a failed invocation.
    pub(crate) failure: Option<String>,
}

impl CaseFolder {
    /// Loads a folder of `cases/`.
    pub(crate) fn load(name: &str) -> io::Result<Self> {
        let folder = package_dir().join("tests/cases").join(name);
        let mut paths: Vec<_> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        paths.sort();
        let mut folder = Self { files: Vec::new(), machines: Vec::new() };
        for path in paths {
            let text = fs::read_to_string(&path)?;
            let invalid = |error: serde_json::Error| io::Error::other(format!("{}: {error}", path.display()));
            let mut file: CaseFile = serde_json::from_str(&text).map_err(invalid)?;
            let stem = path.file_stem().unwrap_or_default();
            file.source = stem.to_string_lossy().into_owned();
            for mut members in std::mem::take(&mut file.machines) {
                let name = members.remove("as").unwrap_or_else(|| members["hostname"].clone());
                members.insert("tenant".into(), json!(TENANT));
                members.insert("id".into(), json!(machine_id(folder.machines.len() + 1)));
                members.entry("online").or_insert(json!(true));
                members.entry("ipv4").or_insert(json!([]));
                let config = serde_json::from_value(Value::Object(members)).map_err(invalid)?;
                let name = name.as_str().unwrap_or_default().to_owned();
                folder.machines.push(NamedMachine { name, config });
            }
            file.cases.iter_mut().for_each(|case| fill_times(&mut case.payload));
            folder.files.push(file);
        }
        Ok(folder)
    }

    /// The policy with a source for each file.
    pub(crate) fn policy(&self) -> String {
        let mut policy = String::from(
            "version = 1\nmode = \"enforce\"\n\
             [limits]\nestate_share = 1.0\ntenant_per_hour = 1000\nsource_per_hour = 1000\n",
        );
        for file in &self.files {
            let verify = if file.is_eventbridge() {
                format!("accounts = {{ \"{}\" = \"{TENANT}\" }}", file.account)
            } else {
                "verify = { scheme = \"bearer\", secret = \"webhooks/generic\" }".to_owned()
            };
            // Times in the payloads are old.
            let age = if file.policy.contains("max_alert_age") { "" } else { "max_alert_age = \"never\"\n" };
            policy.push_str(&format!(
                "[sources.{}]\ntool = \"{}\"\ntenants = [\"{TENANT}\"]\n{verify}\n{age}{}\n",
                file.source, file.tool, file.policy
            ));
        }
        policy
    }

    /// The name of a machine in expectations.
    pub(crate) fn machine_name(&self, endpoint: &str) -> String {
        let machine = self.machines.iter().find(|machine| machine.config.id.as_deref() == Some(endpoint));
        machine.map_or_else(|| format!("the unnamed machine {endpoint}"), |machine| machine.name.clone())
    }
}

impl CaseFile {
    /// Whether the payloads are EventBridge events.
    pub(crate) fn is_eventbridge(&self) -> bool {
        ["guardduty", "security_hub"].contains(&self.tool.as_str())
    }
}

fn fill_times(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(minutes) = text.strip_prefix("$ago ").and_then(|minutes| minutes.parse::<u64>().ok())
            {
                let moment = unix_now().saturating_sub(minutes * 60) as i64;
                *text = jiff::Timestamp::from_second(moment).unwrap_or_default().to_string();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill_times),
        Value::Object(members) => members.values_mut().for_each(fill_times),
        _ => {}
    }
}
