//! The function that the tests start.

use std::{path::PathBuf, time::Duration};

use local_lambda::LambdaFunction;

/// The `echo` example, which cargo builds with the tests.
pub(crate) fn echo_function() -> LambdaFunction {
    let test = std::env::current_exe().expect("the path of this test");
    let binary: PathBuf = test.ancestors().nth(2).expect("the profile's folder").join("examples/echo");
    assert!(binary.exists(), "build it first: cargo build -p local-lambda --example echo");
    LambdaFunction::new(binary).timeout(Duration::from_secs(10))
}
