//! The evidence of a finding: its file, process, connection and user.

use serde_json::{Value, json};

use super::{
    base::{Attributes, Source, file, sha256},
    device::{siem_device, siem_user},
    record::{self, int_of, ip, is_hostname, number_of, port_of, text, text_of},
};

/// The evidence of an event or an alert, if it has any.
pub(crate) fn siem_evidence(source: &Source<'_>) -> Option<Attributes> {
    let record = source.record;
    let data = record.get("data").unwrap_or(&Value::Null);
    let part = |names: &[&str]| names.iter().find_map(|name| record.get(name).or_else(|| data.get(name)));
    let amsi = part(&["amsi_threat_data"]);
    let ips = part(&["ips_threat_data", "ips_threat"]);
    let exploit = part(&["hmpa_exploit"]);
    let (process, path_without_process) = [amsi, ips, exploit]
        .into_iter()
        .flatten()
        .map(process)
        .find(|(process, path)| process.is_some() || path.is_some())
        .unwrap_or_default();
    let (remote_is_source, remote, local) = ips.map_or((false, None, None), |ips| endpoints(source, ips));
    let (src, dst) = if remote_is_source { (remote, local) } else { (local, remote) };
    let user = siem_user(source).map(|user| Attributes::new().object("user", user));
    Attributes::new()
        .object("file", finding_file(source, path_without_process).unwrap_or_default())
        .object("process", process.unwrap_or_default())
        .object("src_endpoint", src.unwrap_or_default())
        .object("dst_endpoint", dst.unwrap_or_default())
        .object("actor", user.unwrap_or_default())
        .non_empty()
}

/// The path in the text of an event or alert.
pub(crate) fn path(source: &Source<'_>) -> Option<String> {
    let from_text = |name| {
        let text = source.text(name)?;
        Some(record::detection_and_path(&text)?.1.to_owned())
    };
    let data = source.record.get("data").unwrap_or(&Value::Null);
    let member = || text_of(data, &["full_file_path", "file_path"]).map(|path| path.into_owned());
    from_text("name").or_else(|| from_text("description")).or_else(member)
}

fn finding_file(source: &Source<'_>, other_path: Option<String>) -> Option<Attributes> {
    let hash = source.text("appSha256");
    let object = match path(source).or(other_path) {
        Some(path) => file(&path),
        // A file needs a name.
        None => Attributes::new().text("name", Some(hash.as_ref()?)).with("type_id", Some(0)),
    };
    Some(object.list("hashes", hash.as_deref().map(sha256)))
}

/// The process, and its path if it has no id, which a process of OCSF needs.
fn process(data: &Value) -> (Option<Attributes>, Option<String>) {
    let path = text_of(data, &["processPath", "executablePath", "process_path", "executable_path"]);
    let pid = int_of(data, &["processId", "executablePid", "process_id", "executable_pid", "pid"]);
    let Some(pid) = pid else { return (None, path.map(|path| path.into_owned())) };
    let parent_path = text_of(data, &["parentProcessPath", "parent_process_path"]);
    let parent = int_of(data, &["parentProcessId", "parent_process_id"]).map(|pid| {
        let executable = parent_path.as_deref().map(file).unwrap_or_default();
        let name = parent_path.as_deref().map(record::file_name);
        Attributes::new().with("pid", Some(pid)).text("name", name).object("file", executable)
    });
    let executable = path.as_deref().map(file).unwrap_or_default();
    let process = Attributes::new()
        .with("pid", Some(pid))
        .text("name", path.as_deref().map(record::file_name))
        .text("cmd_line", text_of(data, &["commandLine", "command_line"]))
        .object("file", executable)
        .object("parent_process", parent.unwrap_or_default());
    (Some(process), None)
}

/// Whether the remote endpoint is the source, the remote and the local endpoint.
fn endpoints(source: &Source<'_>, ips: &Value) -> (bool, Option<Attributes>, Option<Attributes>) {
    let remote = text_of(ips, &["remoteIp", "remote_ip"]);
    let remote = remote.as_deref().and_then(ip).map(|address| {
        let port = port_of(ips, &["remotePort", "remote_port"]);
        Attributes::new().with("ip", Some(address)).with("port", port)
    });
    let device = siem_device(source).map(Value::from).unwrap_or_default();
    let (address, name) = (text(&device, "ip"), text(&device, "hostname"));
    let local = (address.is_some() || name.is_some()).then(|| {
        let port = port_of(ips, &["localPort", "local_port"]);
        let hostname = name.filter(|name| is_hostname(name));
        Attributes::new().text("ip", address).text("hostname", hostname).with("port", port)
    });
    // 0 is inbound, 1 is outbound.
    let is_inbound = match number_of(ips, &["detectionType", "detection_type"]) {
        Some(direction) => direction == 0,
        None => source.event_type().contains("IpsInbound"),
    };
    (is_inbound, remote, local)
}

/// The tactic and technique of the isolation of a device in MITRE D3FEND.
pub(crate) fn network_isolation() -> Value {
    json!({
        "d3f_tactic": { "name": "Isolate" },
        "d3f_technique": { "uid": "D3-NI", "name": "Network Isolation" },
    })
}
