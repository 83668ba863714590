//! Presets, each with messages of its tool in `tests/presets/<preset>/`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use sophos_isolation::adapters::{Adapter, Alert, Message, Tool};

use super::summaries;

/// All presets, from the error of an unknown one.
fn presets() -> Vec<String> {
    let error = Adapter::parse(Tool::Generic, "preset = \"\"").expect_err("no preset").to_string();
    error.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn parse(preset: &str, body: &Value) -> Vec<Alert> {
    let adapter = Adapter::parse(Tool::Generic, &format!("preset = \"{preset}\"")).expect(preset);
    let body = body.to_string().into_bytes();
    adapter.parse_message(&Message { body: &body, idempotency_key: None }).expect(preset)
}

/// The messages of a preset, by file name.
fn messages(preset: &str) -> BTreeMap<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/presets").join(preset);
    let files = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON"))
        })
        .collect()
}

#[test]
fn presets_parse_the_messages_of_their_tools() {
    let presets = presets();
    assert_eq!(presets.len(), 15);
    for preset in &presets {
        let messages = messages(preset);
        let alerts: BTreeMap<_, _> =
            messages.iter().map(|(name, message)| (name, parse(preset, &message["body"]))).collect();
        for (name, message) in &messages {
            let place = format!("{preset}/{name}");
            let read = &alerts[name];
            let expected: Vec<String> = serde_json::from_value(message["expect"].clone()).expect("lines");
            assert_eq!(summaries(read), expected, "{place}");
            for (key, is_same_event) in [("update_of", false), ("repeats", true)] {
                let Some(of) = message[key].as_str() else { continue };
                let of = &alerts[&of.to_owned()];
                assert_eq!(read[0].alert_id, of[0].alert_id, "{place}");
                assert_eq!(read[0].event_id == of[0].event_id, is_same_event, "{place}");
            }
        }
        // Each has a message that acts, an update of it, a state that does not act, and one without
        // a host.
        let has = |test: &dyn Fn(&Value) -> bool| messages.values().any(test);
        let says =
            |word: &'static str| {
                move |message: &Value| {
                    message["expect"].as_array().expect("lines").iter().any(|line| {
                        line.as_str().is_some_and(|line| line.split(' ').next_back() == Some(word))
                    })
                }
            };
        assert!(has(&says("act")) && has(&says("NotSelected")) && has(&says("NoHost")), "{preset}");
        assert!(
            has(&|message| message["update_of"].is_string() || message["repeats"].is_string()),
            "{preset}"
        );
    }
}

#[test]
fn presets_exist_for_every_message_folder() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/presets");
    let mut folders: Vec<_> = fs::read_dir(path)
        .expect("folders")
        .map(|folder| folder.expect("a folder").file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, presets());
}

#[test]
fn preset_keys_are_overridden_by_explicit_keys() {
    let body = &messages("grafana")["acts"]["body"];
    let read = |more: &str| {
        let adapter = Adapter::parse(Tool::Generic, &format!("preset = \"grafana\"\n{more}")).expect(more);
        let body = body.to_string().into_bytes();
        summaries(&adapter.parse_message(&Message { body: &body, idempotency_key: None }).expect("readable"))
    };
    assert_eq!(
        read("fields = { severity_fixed = \"low\", ip = [] }"),
        ["low name:fin-07.corp.example act", "low NoHost", "low name:web-3 act"]
    );
    assert_eq!(
        read(
            "fields = { hostname = \"/labels/host\", ip = \"/labels/instance\", severity_default = \"high\" }"
        ),
        ["critical NoHost", "medium ip:10.4.0.9 act", "high name:web-3 act"]
    );
    assert_eq!(
        read("when = [{ pointer = \"/labels/severity\", equals = \"bad\" }]"),
        [
            "critical name:fin-07.corp.example NotSelected",
            "medium ip:10.4.0.9 NotSelected",
            "- name:web-3 act"
        ]
    );
    let wrong = |text: &str| Adapter::parse(Tool::Generic, text).expect_err(text).to_string();
    let error = wrong("preset = \"grafana\"\nfields = { hostname = [], ip = [] }");
    assert!(error.contains("line 2, fields: missing host"), "{error}");
    assert!(wrong("fields = { hostname = [] }").contains("expected 1 to 10"));
}
