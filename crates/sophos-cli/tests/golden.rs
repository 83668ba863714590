//! Golden tests: the commands in `tests/cmd`, and what they print.
//!
//! To add one, add a file there, and run the tests with `TRYCMD=overwrite`.

mod support;

use sophos_simulator::{ClockConfig, TenantState};
use support::{Fixture, golden};

#[test]
fn partner_commands_print_as_recorded() {
    let fixture = Fixture::start(3);
    golden(&fixture, "partner", &fixture.environment("partner"));
}

#[test]
fn organization_commands_print_as_recorded() {
    let fixture = Fixture::start(3);
    golden(&fixture, "organization", &fixture.environment("organization"));
}

#[test]
fn tenant_commands_print_as_recorded() {
    let fixture = Fixture::start(3);
    golden(&fixture, "tenant", &fixture.environment("tenant"));
}

/// Each file has a simulator of its own, since its commands change objects.
#[test]
fn noun_commands_print_as_recorded() {
    let mut files: Vec<_> = std::fs::read_dir("tests/cmd/nouns")
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    files.sort();
    for file in files {
        let running =
            ["queries.trycmd", "query-results.trycmd", "detections.trycmd"].contains(&file.as_str());
        let start = Some("2026-11-23T10:00:00Z".to_owned());
        let fixture = Fixture::start_with_clock(3, ClockConfig { start, running });
        let mut environment = fixture.environment("partner");
        environment.insert("SOPHOS_TENANT", "Acme".to_owned());
        golden(&fixture, &format!("nouns/{file}"), &environment);
    }
}

/// One of two tenants rejects every request.
#[test]
fn commands_of_all_tenants_print_as_recorded() {
    let fixture = Fixture::start(3);
    let tenants = fixture.simulator.tenants();
    let globex = tenants.iter().find(|tenant| tenant.name == "Globex").expect("the tenant");
    fixture.simulator.set_tenant_state(&globex.id, TenantState::Forbidden);
    golden(&fixture, "all-tenants", &fixture.environment("partner"));
}

#[test]
fn commands_without_credential_print_as_recorded() {
    let fixture = Fixture::start(1);
    let mut environment = fixture.environment("partner");
    environment.remove("SOPHOS_CLIENT_ID");
    environment.remove("SOPHOS_CLIENT_SECRET");
    golden(&fixture, "offline", &environment);
}

/// The commands write a configuration.
#[test]
fn profile_commands_print_as_recorded() {
    let fixture = Fixture::start(1);
    let mut environment = fixture.environment("partner");
    environment.remove("SOPHOS_CLIENT_ID");
    golden(&fixture, "profiles", &environment);
}

#[test]
fn config_test_prints_as_recorded_for_each_type() {
    for id_type in ["partner", "organization", "tenant"] {
        let fixture = Fixture::start_at(1, None);
        golden(&fixture, &format!("config-test/{id_type}"), &fixture.environment(id_type));
    }
}
