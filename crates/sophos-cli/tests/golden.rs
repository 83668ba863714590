//! Golden tests: the commands in `tests/cmd`, and what they print.
//!
//! To add one, add a file there, and run the tests with `TRYCMD=overwrite`.

mod support;

use support::{Fixture, golden};

#[test]
fn partner_commands_print_as_recorded() {
    let fixture = Fixture::start(3);
    golden("partner", &fixture.environment("partner"));
}

#[test]
fn organization_commands_print_as_recorded() {
    let fixture = Fixture::start(3);
    golden("organization", &fixture.environment("organization"));
}

#[test]
fn tenant_commands_print_as_recorded() {
    let fixture = Fixture::start(3);
    golden("tenant", &fixture.environment("tenant"));
}

#[test]
fn commands_without_credential_print_as_recorded() {
    let fixture = Fixture::start(1);
    let mut environment = fixture.environment("partner");
    environment.remove("SOPHOS_CLIENT_ID");
    environment.remove("SOPHOS_CLIENT_SECRET");
    golden("offline", &environment);
}
