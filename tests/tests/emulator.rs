//! The emulator's own tests, which are in its language.

use std::{env, process::Command};

#[test]
fn policies_are_read_as_aws_reads_them() {
    let Some(python) = env::var_os("EMULATOR_PYTHON") else {
        println!("skipped: EMULATOR_PYTHON is not set; `cargo xtask setup --emulator` says to what");
        return;
    };
    let mut tests = Command::new(python);
    tests.args(["-B", "-m", "unittest", "test_policies"]).env("AWS_DEFAULT_REGION", "eu-west-1");
    let output =
        tests.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/emulator")).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
