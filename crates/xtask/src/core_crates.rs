//! What keeps `sophos-api`, the decisions of `sophos-isolation` and what is made a
//! component of them a core: no runtime, no socket, no clock, no randomness.

use crate::{error::Error, setup, shell, workspace::Workspace};

/// The crates of the core, with the features that bring in more of it. Their default
/// features may tie them to a host.
const CORE_CRATES: [(&str, &str); 3] =
    [("sophos-api", ""), ("sophos-isolation", ""), ("sophos-component", WEBHOOK_FEATURE)];

/// The world that is made of the decisions; the others are of the client alone.
pub(crate) const WEBHOOK_FEATURE: &str = "webhook";

/// Crates that would tie the core to one host or one runtime.
const FORBIDDEN_CRATES: [&str; 10] =
    ["async-std", "getrandom", "hyper", "js-sys", "mio", "reqwest", "smol", "tokio", "wasi", "wasm-bindgen"];

/// Checks what the core depends on, directly or not, on any target.
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
                "{name} may not depend on {}; see how it came in with `{hint}`",
                found.join(", "),
            )))
        })?;
    }
    Ok(())
}

/// Builds the core where there is no socket, no thread and no clock.
pub(crate) fn check_wasm_build(workspace: &Workspace) -> Result<(), Error> {
    for target in setup::WASM_TARGETS {
        for (name, _) in CORE_CRATES {
            shell::step(&format!("check {name} for {target}"), || {
                let mut check = shell::cargo(&workspace.root);
                check.args(["check", "--quiet", "--package", name, "--no-default-features", "--locked"]);
                check.args(["--target", target]);
                let hint = format!("the core may not use what this target lacks; see `cargo tree -p {name}`");
                shell::run(&mut check, &hint)
            })?;
        }
    }
    Ok(())
}

/// The foreign crates among the lines of a dependency tree, such as `bytes v1.12.2`.
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
