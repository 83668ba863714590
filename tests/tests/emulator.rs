//! The tests of what is written in Python, which are in its language: the emulator of
//! AWS, and the checks of the templates.

use std::{env, path::Path, process::Command};

/// Runs one module of tests in its folder.
fn holds(folder: &str, module: &str) {
    let python = env::var_os("EMULATOR_PYTHON").expect("EMULATOR_PYTHON is set");
    let mut tests = Command::new(python);
    tests.args(["-B", "-m", "unittest", module]).env("AWS_DEFAULT_REGION", "eu-west-1");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let output = tests.current_dir(folder).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
fn policies_are_read_as_aws_reads_them() {
    holds("emulator", "test_policies");
}

#[test]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
fn requests_to_s3_are_read_as_aws_reads_them() {
    holds("emulator", "test_actions");
}

#[test]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
fn what_a_policy_allows_without_a_name_is_found() {
    holds("../infra/checks", "test_rights");
}
