//! The Python tests: the emulator of AWS, and the checks of the templates.

use std::{env, process::Command};

use end_to_end::package_dir;

/// Runs one test module in its folder.
fn run_python_tests(folder: &str, module: &str) {
    let python = env::var_os("EMULATOR_PYTHON").expect("EMULATOR_PYTHON is set");
    let mut tests = Command::new(python);
    tests.args(["-B", "-m", "unittest", module]).env("AWS_DEFAULT_REGION", "eu-west-1");
    let folder = package_dir().join(folder);
    let output = tests.current_dir(folder).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
fn emulator_evaluates_policies_like_aws() {
    run_python_tests("emulator", "test_policies");
}

#[test]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
fn emulator_maps_s3_requests_to_actions_like_aws() {
    run_python_tests("emulator", "test_actions");
}

#[test]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
fn rights_check_finds_unnamed_permissions() {
    run_python_tests("../infra/checks", "test_rights");
}
