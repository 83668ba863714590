//! Checks that the core crates (`sophos-api`, the decisions of `sophos-isolation`, and the
//! component) have no runtime, socket, clock or randomness.

use crate::{error::Error, setup, shell, workspace::Workspace};

/// The core crates, each with the features of the core. Default features may depend on a host.
const CORE_CRATES: [(&str, &str); 3] =
    [("sophos-api", ""), ("sophos-isolation", ""), ("sophos-component", WEBHOOK_FEATURE)];

/// The feature of the webhook world. The other worlds need only the client.
pub(crate) const WEBHOOK_FEATURE: &str = "webhook";

/// Crates that depend on a host or a runtime.
const FORBIDDEN_CRATES: [&str; 10] =
    ["async-std", "getrandom", "hyper", "js-sys", "mio", "reqwest", "smol", "tokio", "wasi", "wasm-bindgen"];

/// Checks the direct and indirect dependencies of the core on all targets.
pub(crate) fn check_dependencies(workspace: &Workspace) -> Result<(), Error> {
    for (name, features) in CORE_CRATES {
        shell::step(&format!("check the dependencies of {name}"), || {
            let mut tree = shell::cargo(&workspace.root);
            tree.args(["tree", "--package", name, "--no-default-features", "--features", features]);
            tree.args(["--edges", "normal"]);
            tree.args(["--target", "all", "--locked", "--prefix", "none", "--format", "{p}"]);
            let tree = shell::stdout(&mut tree, "check Cargo.lock")?;
            let found = find_forbidden(&tree);
            if found.is_empty() {
                return Ok(());
            }
            let hint = format!("cargo tree -p {name} --no-default-features --target all -i {}", found[0]);
            Err(Error::new(format!(
                "{name} may not depend on {}; find the dependency with `{hint}`",
                found.join(", "),
            )))
        })?;
    }
    Ok(())
}

/// Builds the core for targets without sockets, threads and clocks.
pub(crate) fn check_wasm_build(workspace: &Workspace) -> Result<(), Error> {
    for target in setup::WASM_TARGETS {
        for (name, _) in CORE_CRATES {
            shell::step(&format!("check {name} for {target}"), || {
                let mut check = shell::cargo(&workspace.root);
                check.args(["check", "--quiet", "--package", name, "--no-default-features", "--locked"]);
                check.args(["--target", target]);
                let hint = format!("the core must compile for this target; see `cargo tree -p {name}`");
                shell::run(&mut check, &hint)
            })?;
        }
    }
    Ok(())
}

/// The forbidden crates in a dependency tree with lines such as `bytes v1.12.2`.
fn find_forbidden(tree: &str) -> Vec<&str> {
    let mut found: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| FORBIDDEN_CRATES.contains(name))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_crates_are_matched_by_full_name() {
        let tree =
            "sophos-api v0.1.0 (/w)\nbytes v1.12.2\ntokio v1.54.1 (*)\ntokio v1.54.1\njs-sys v0.3.107\n";
        assert_eq!(find_forbidden(tree), ["js-sys", "tokio"]);
        assert!(find_forbidden("tokio-util-like v1.0.0\nwasite v1.0.0\n").is_empty());
    }
}
