//! What keeps `sophos-api` a core: no runtime, no socket, no clock, no randomness.

use crate::{error::Error, setup, shell, workspace::Workspace};

const CORE: &str = "sophos-api";

/// Crates that would tie the core to one host or one runtime.
const FOREIGN: [&str; 10] =
    ["async-std", "getrandom", "hyper", "js-sys", "mio", "reqwest", "smol", "tokio", "wasi", "wasm-bindgen"];

/// Checks what the core depends on, directly or not, on any target.
pub(crate) fn independent(workspace: &Workspace) -> Result<(), Error> {
    shell::step(&format!("check the dependencies of {CORE}"), || {
        let mut tree = shell::cargo(&workspace.root);
        tree.args(["tree", "--package", CORE, "--edges", "normal", "--target", "all"]);
        tree.args(["--locked", "--prefix", "none", "--format", "{p}"]);
        let tree = shell::output(&mut tree, "check Cargo.lock")?;
        let found = foreign(&tree);
        if found.is_empty() {
            return Ok(());
        }
        Err(Error::new(format!(
            "{CORE} may not depend on {}; see how it came in with `cargo tree -p {CORE} --target all -i {}`",
            found.join(", "),
            found[0],
        )))
    })
}

/// Builds the core where there is no socket, no thread and no clock.
pub(crate) fn builds_for_wasm(workspace: &Workspace) -> Result<(), Error> {
    for target in setup::WASM_TARGETS {
        shell::step(&format!("check {CORE} for {target}"), || {
            let mut check = shell::cargo(&workspace.root);
            check.args(["check", "--quiet", "--package", CORE, "--locked", "--target", target]);
            shell::run(
                &mut check,
                &format!("the core may not use what this target lacks; see `cargo tree -p {CORE}`"),
            )
        })?;
    }
    Ok(())
}

/// The foreign crates among the lines of a dependency tree, such as `bytes v1.12.2`.
fn foreign(tree: &str) -> Vec<&str> {
    let mut found: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| FOREIGN.contains(name))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_crates_are_found_by_their_whole_name() {
        let tree =
            "sophos-api v0.1.0 (/w)\nbytes v1.12.2\ntokio v1.54.1 (*)\ntokio v1.54.1\njs-sys v0.3.107\n";
        assert_eq!(foreign(tree), ["js-sys", "tokio"]);
        assert!(foreign("tokio-util-like v1.0.0\nwasite v1.0.0\n").is_empty());
    }
}
