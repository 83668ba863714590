//! What commands do beside printing: exit codes, changes, secrets, streams.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use sophos_simulator::{FaultAction, FaultPlan, FaultRule, TenantState};
use support::{Fixture, stderr, stdout};

#[test]
fn exit_codes_tell_the_kind_of_failure() {
    let fixture = Fixture::start(1);
    let code = |arguments: &[&str]| fixture.run(arguments).status.code();
    assert_eq!(code(&["tenants", "list"]), Some(0));
    assert_eq!(code(&["endpoints", "list"]), Some(2), "no tenant is chosen");
    assert_eq!(code(&["no-such-command"]), Some(2));
    assert_eq!(code(&["endpoints", "list", "--tenant", "Nothing"]), Some(5));
    assert_eq!(code(&["endpoints", "get", "NOTHING", "--tenant", "Acme"]), Some(5));
    let tenants = fixture.simulator.tenants();
    let globex = tenants.iter().find(|tenant| tenant.name == "Globex").unwrap();
    fixture.simulator.set_tenant_state(&globex.id, TenantState::Forbidden);
    assert_eq!(code(&["endpoints", "list", "--tenant", "Globex"]), Some(6));
    let output = fixture.run(&["endpoints", "list", "--all-tenants"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("warning: Globex: "), "{}", stderr(&output));
    assert!(stdout(&output).contains("\"tenantName\":\"Acme\""), "{}", stdout(&output));
    let credentials = fixture.simulator.credentials();
    for credential in &credentials {
        fixture.simulator.expire_credential(&credential.client_id);
    }
    assert_eq!(code(&["tenants", "list"]), Some(4));
}

#[test]
fn isolate_needs_consent_without_a_terminal() {
    let fixture = Fixture::start(1);
    let arguments = ["endpoints", "isolate", "laptop-4711", "--tenant", "Acme", "--comment", "test"];
    let refused = fixture.run(&arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("add --yes"), "{}", stderr(&refused));
    let dry_run = fixture.run(&[&arguments[..], &["--dry-run"]].concat());
    assert!(stdout(&dry_run).contains("PATCH http://"), "{}", stdout(&dry_run));
    assert!(stdout(&dry_run).contains("\"enabled\": true"), "{}", stdout(&dry_run));
    assert!(fixture.simulator.isolation_changes().is_empty(), "nothing was sent");
    let done = fixture.run(&[&arguments[..], &["--yes"]].concat());
    assert_eq!(done.status.code(), Some(0), "{}", stderr(&done));
    assert_eq!(fixture.simulator.isolation_changes().len(), 1);
}

#[test]
fn ambiguous_host_name_changes_nothing() {
    let fixture = Fixture::start(1);
    let output = fixture.run(&["endpoints", "isolate", "TWIN", "--tenant", "Globex", "--yes"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("2 have this host name"), "{}", stderr(&output));
    assert!(fixture.simulator.isolation_changes().is_empty());
}

#[test]
fn debug_shows_requests_and_no_secret() {
    let fixture = Fixture::start(1);
    let output = fixture.run(&["alerts", "list", "--tenant", "Acme", "--debug"]);
    let text = stderr(&output) + &stdout(&output);
    assert!(text.contains("debug: GET http://"), "{text}");
    for credential in fixture.simulator.credentials() {
        assert!(!text.contains(&credential.client_secret));
    }
    assert!(!text.contains("Bearer"), "{text}");
}

#[test]
fn csv_neutralizes_formulas() {
    let fixture = Fixture::start(1);
    let output =
        fixture.run(&["endpoints", "list", "--tenant", "Acme", "-o", "csv", "--columns", "hostname"]);
    let text = stdout(&output);
    assert!(text.contains("\n'=HYPERLINK(1)\n"), "{text}");
}

#[test]
fn secret_file_must_be_private() {
    let fixture = Fixture::start(1);
    let environment = fixture.environment("partner");
    let config = fixture.home.path().join("config.toml");
    let text = format!(
        "[auth]\nclient_id = \"{}\"\nclient_secret = \"{}\"\n\n[api]\nregion = \"us\"\n",
        environment["SOPHOS_CLIENT_ID"], environment["SOPHOS_CLIENT_SECRET"]
    );
    fs::write(&config, text).unwrap();
    let run = || {
        Command::new(env!("CARGO_BIN_EXE_sophos"))
            .args(["tenants", "list", "--config"])
            .arg(&config)
            .env_clear()
            .envs(environment.iter().filter(|(name, _)| !name.starts_with("SOPHOS_CLIENT")))
            .output()
            .unwrap()
    };
    set_mode(&config, 0o644);
    let refused = run();
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("chmod 600"), "{}", stderr(&refused));
    assert!(!stderr(&refused).contains(&environment["SOPHOS_CLIENT_SECRET"]));
    set_mode(&config, 0o600);
    let accepted = run();
    assert_eq!(accepted.status.code(), Some(0), "{}", stderr(&accepted));
}

fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn secret_comes_from_standard_input_and_profiles() {
    let fixture = Fixture::start(1);
    let environment = fixture.environment("partner");
    let run = |arguments: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sophos"))
            .args(arguments)
            .env_clear()
            .envs(environment.iter().filter(|(name, _)| !name.starts_with("SOPHOS_CLIENT")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let id = environment["SOPHOS_CLIENT_ID"].as_str();
    let init = run(&["config", "init", "--profile", "piped", "--client-id", id, "--secret", "stdin"], "");
    assert_eq!(init.status.code(), Some(0), "{}", stderr(&init));
    let output =
        run(&["tenants", "list", "-o", "csv", "--columns", "name"], &environment["SOPHOS_CLIENT_SECRET"]);
    assert_eq!(stdout(&output), "name\nAcme\nGlobex\n", "{}", stderr(&output));
    let shown = run(&["config", "show", "-o", "json"], "");
    assert!(stdout(&shown).contains("\"secret\": \"stdin\""), "{}", stdout(&shown));
    let unknown = run(&["config", "use", "nothing"], "");
    assert_eq!(unknown.status.code(), Some(2));

    let secret = &environment["SOPHOS_CLIENT_SECRET"];
    assert!(secret.contains('='), "a secret that looks like a line of TOML");
    let file = fixture.home.path().join("secret");
    fs::write(&file, secret).unwrap();
    set_mode(&file, 0o600);
    let location = format!("file:{}", file.display());
    run(&["config", "init", "--profile", "file", "--client-id", id, "--secret", &location], "");
    let output = run(&["tenants", "list", "--profile", "file", "--jq", ".name"], "");
    assert_eq!(stdout(&output), "Acme\nGlobex\n", "{}", stderr(&output));
}

#[test]
fn listing_streams_every_endpoint_of_all_pages() {
    let fixture = Fixture::start(10_000);
    let output = fixture.run(&["endpoints", "list", "--tenant", "Acme", "--jq", ".id"]);
    let text = stdout(&output);
    let ids: std::collections::BTreeSet<_> = text.lines().collect();
    assert_eq!(ids.len(), 10_002, "{}", stderr(&output));
    let limited = fixture.run(&["endpoints", "list", "--tenant", "Acme", "--limit", "3"]);
    assert_eq!(stdout(&limited).lines().count(), 3);
}

#[test]
fn scripts_and_man_pages_are_generated() {
    let fixture = Fixture::start(1);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = fixture.run(&["completions", shell]);
        assert!(stdout(&output).contains("sophos"), "{shell}: {}", stderr(&output));
    }
    let folder = fixture.home.path().join("man");
    let output = fixture.run(&["man", &folder.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let page = fs::read_to_string(folder.join("sophos-endpoints-list.1")).unwrap();
    assert!(page.contains("health"), "{page}");
}

#[test]
fn completion_knows_tenants_of_the_last_listing() {
    let fixture = Fixture::start(1);
    fixture.run(&["tenants", "list"]);
    fixture.run(&["config", "test"]);
    let output = Command::new(env!("CARGO_BIN_EXE_sophos"))
        .args(["--", "sophos", "endpoints", "list", "--tenant", "Ac"])
        .env_clear()
        .envs(fixture.environment("partner"))
        .envs([("COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", "4"), ("_CLAP_IFS", "\n")])
        .output()
        .unwrap();
    assert!(stdout(&output).contains("Acme"), "{} {}", stdout(&output), stderr(&output));
}

#[test]
fn nouns_send_no_request_with_invalid_values() {
    let fixture = Fixture::start(1);
    let invalid: [(&[&str], &str); 4] = [
        (
            &["web-control", "create", "--url", "a.example", "--category-id", "999"],
            "invalid categoryId \"999\": expected 1 to 57",
        ),
        (&["endpoints", "list", "-f", "pageSize=0"], "expected 1 to 500"),
        (&["endpoints", "list", "-f", "noSuchField=1"], "unknown field `noSuchField`"),
        (&["endpoints", "get", "LAPTOP-4711", "-f", "view=1", "-f", "x=1"], "unknown field `x`"),
    ];
    for (arguments, expected) in invalid {
        let output = fixture.run(&[arguments, &["--tenant", "Acme", "--yes"]].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    let calls = fixture.simulator.calls();
    let sent: Vec<_> = calls.by_operation.keys().filter(|name| name.starts_with("endpoint")).collect();
    assert!(sent.is_empty(), "{sent:?}");
}

#[test]
fn listing_fails_when_a_page_names_itself() {
    let fixture = Fixture::start(1_200);
    let cursor = fixture.run(&["api", "ListSiemEvents", "--tenant", "Acme", "--jq", ".next_cursor"]);
    let cursor = stdout(&cursor);
    let by_key = ["endpoints", "list", "--tenant", "Acme", "--jq", ".id"];
    let by_cursor = ["events", "list", "--tenant", "Acme", "--cursor", cursor.trim()];
    let generic = ["api", "ListEndpoints", "--tenant", "Acme", "--paginate", "-f", "pageSize=500"];
    for (operation, arguments, records) in [
        ("endpoints.list", &by_key[..], 1_000),
        ("siem.events", &by_cursor[..], 0),
        ("endpoints.list", &generic[..], 1_000),
    ] {
        let rule = FaultRule::new(operation, FaultAction::RepeatPage);
        fixture.simulator.set_faults(FaultPlan::new([rule]));
        let output = fixture.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("the next page is this page"), "{}", stderr(&output));
        assert_eq!(stdout(&output).lines().count(), records, "{arguments:?}");
    }
}

/// The text names commands alone, and no path of the library.
#[test]
fn refused_operation_of_a_moved_tenant_names_the_command() {
    let fixture = Fixture::start(1);
    let new_case = "cases create --name x --type investigation --severity low --assignee Unassigned \
                    --initial-detection-id d";
    let refused = [
        ("cases list", "cases list"),
        ("cases get X-1", "cases get"),
        (new_case, "cases create"),
        ("cases update X-1 --status new", "cases update"),
        ("cases delete X-1", "cases update"),
        ("cases detections X-1", "cases evidence"),
        ("cases entities X-1", "cases evidence"),
        ("cases mitre X-1", "cases evidence"),
        ("detections list", "detections list"),
        ("detections groups", "detections list"),
        (
            "detections counts --from 2026-11-23T00:00:00.000Z --to 2026-11-24T00:00:00.000Z",
            "detections counts",
        ),
        ("detections results 1", "detections list"),
        ("api detections/GetDetectionsQuery -f runId=1", "detections list"),
    ];
    for (command, replacement) in refused {
        let mut arguments: Vec<_> = command.split_whitespace().collect();
        arguments.extend(["--tenant", "Globex", "--yes"]);
        let output = fixture.run(&arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {text}");
        assert!(text.ends_with(&format!(" next: use `sophos fusion {replacement}`\n")), "{command}: {text}");
        assert!(!text.contains("::"), "{command}: {text}");
    }
}

#[test]
fn failure_before_a_fusion_request_names_no_path_of_the_library() {
    let fixture = Fixture::start(1);
    let mut environment = fixture.environment("partner");
    environment.remove("SOPHOS_FUSION_URL");
    let arguments = ["fusion", "cases", "list", "--tenant", "Globex"];
    let sophos = env!("CARGO_BIN_EXE_sophos");
    let output = Command::new(sophos).args(arguments).env_clear().envs(environment).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("set `fusion_url` in the profile"), "{}", stderr(&output));
    let rule = FaultRule::new("graphql", FaultAction::Status { status: 403, retry_after: None });
    fixture.simulator.set_faults(FaultPlan::new([rule]));
    let output = fixture.run(&["cases", "list", "--tenant", "Globex"]);
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(stderr(&output).contains("the test whether the tenant has moved"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("::"), "{}", stderr(&output));
}
