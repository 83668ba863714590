//! The tests that need more than Rust. Cargo ignores them with a reason, and `cargo xtask test`
//! runs those whose tools are available.

use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

/// The tests that are ignored for one reason: the text of their attributes.
pub(crate) struct IgnoredTests {
    pub(crate) reason: &'static str,
    pub(crate) package: &'static str,
    /// The test binaries with such tests.
    binaries: &'static [&'static str],
    /// Parts of the names of tests in them that are ignored for another reason.
    skip: &'static [&'static str],
    /// Parts of the names of the tests to run; all tests if empty.
    only: &'static [&'static str],
}

/// The reason of the tests for `--hosts rust`.
pub(crate) const RUST_HOST_REASON: &str = "needs the host in Rust: `cargo xtask test --hosts rust` runs it";
/// The reason of the tests with recorded responses.
pub(crate) const RECORDED_REASON: &str =
    "needs recorded material beside the checkout: `cargo xtask test` runs it where that is";

pub(crate) const EMULATOR_TESTS: IgnoredTests = IgnoredTests {
    reason: "needs Python with an emulator of AWS: `cargo xtask test` runs it",
    package: "end-to-end",
    binaries: &[
        "cli_secrets_manager",
        "emulator",
        "export_queue_sqs",
        "export_secrets_manager",
        "isolation_approvals",
        "isolation_secrets_manager",
        "moto",
        "notices",
        "rotation",
        "secret_store",
        "secretsmanager",
        "stack",
    ],
    skip: &[],
    only: &[],
};

/// The reason of the test of the keyring.
pub(crate) const KEYRING_REASON: &str =
    "needs a keyring: dbus-run-session and gnome-keyring-daemon; `cargo xtask test` runs it where they are";

pub(crate) const KEYRING_TESTS: IgnoredTests = IgnoredTests {
    reason: KEYRING_REASON,
    package: "sophos-cli",
    binaries: &["keyring"],
    skip: &[],
    only: &[],
};

pub(crate) const HOST_TESTS: IgnoredTests = IgnoredTests {
    reason: "needs Node and Python with a host of the component: `cargo xtask test` runs it",
    package: "end-to-end",
    binaries: &["component_webhook", "hosts"],
    skip: &[RUST_HOST_SUFFIX],
    only: &[],
};

pub(crate) const RUST_HOST_TESTS: IgnoredTests = IgnoredTests {
    reason: RUST_HOST_REASON,
    package: "end-to-end",
    binaries: &["component_webhook"],
    skip: &[],
    only: &[RUST_HOST_SUFFIX],
};

pub(crate) const READER_TESTS: IgnoredTests = IgnoredTests {
    reason: "needs Python with readers of rows: `cargo xtask test` runs it",
    package: "end-to-end",
    binaries: &["duckdb", "lake", "readers"],
    skip: &[],
    only: &[],
};

pub(crate) const RECORDED_TESTS: IgnoredTests = IgnoredTests {
    reason: RECORDED_REASON,
    package: "sophos-api",
    binaries: &[LIBRARY, "published_operations", "recorded_responses"],
    skip: &[],
    only: &[],
};

pub(crate) const RECORDED_SIMULATOR_TESTS: IgnoredTests = IgnoredTests {
    package: "sophos-simulator",
    binaries: &["alerts", "all_operations", "endpoints", "feeds", "hosts"],
    ..RECORDED_TESTS
};

pub(crate) const RECORDED_WEBHOOK_TESTS: IgnoredTests =
    IgnoredTests { package: "sophos-isolation", binaries: &["adapters", "webhook"], ..RECORDED_TESTS };

/// Stands for the tests in a library's own source.
const LIBRARY: &str = "lib";

/// The suffix of the names of tests in the host in Rust.
const RUST_HOST_SUFFIX: &str = "_in_rust";

impl IgnoredTests {
    /// The arguments of `cargo`.
    pub(crate) fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = vec!["test", "--locked", "--no-fail-fast", "--package", self.package];
        for binary in self.binaries {
            if *binary == LIBRARY {
                arguments.push("--lib");
            } else {
                arguments.extend(["--test", binary]);
            }
        }
        arguments.extend(["--", "--ignored"]);
        arguments.extend(self.only);
        arguments.extend(self.skip.iter().flat_map(|other| ["--skip", other]));
        arguments
    }
}

/// Whether a test can start a keyring of its own.
pub(crate) fn has_keyring() -> bool {
    let folders: Vec<_> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    let is_installed = |program: &&str| folders.iter().any(|folder| folder.join(program).is_file());
    ["dbus-run-session", "gnome-keyring-daemon"].iter().all(is_installed)
}

/// The folder of the recorded material, if it exists.
pub(crate) fn recorded_material(workspace: &Workspace) -> Option<PathBuf> {
    let given = std::env::var_os("RECORDED_MATERIAL").map(PathBuf::from);
    let folder = given.or_else(|| Some(workspace.root.parent()?.join("shared")))?;
    Path::new(&folder).join("fixtures").is_dir().then_some(folder)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;

    /// The text of a file, or of all files of a folder.
    fn read_source(path: &Path) -> String {
        if !path.is_dir() {
            return fs::read_to_string(path).unwrap_or_default();
        }
        let files = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("a file").path());
        files.map(|file| read_source(&file)).collect()
    }

    /// The sources of a package's test binaries, by name: the library, and each file or folder
    /// of the tests.
    fn read_binaries(package: &str) -> BTreeMap<String, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = match package {
            "end-to-end" => root.join("tests"),
            package => root.join("crates").join(package),
        };
        let tests = fs::read_dir(folder.join("tests")).expect(package).map(|entry| {
            let path = entry.expect(package).path();
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
            (name, read_source(&path))
        });
        tests.chain([(LIBRARY.to_owned(), read_source(&folder.join("src")))]).collect()
    }

    /// Each reason of a test in the workspace belongs to a group that has its binary.
    #[test]
    fn every_ignored_test_is_in_the_group_of_its_reason() {
        let groups = [
            EMULATOR_TESTS,
            KEYRING_TESTS,
            HOST_TESTS,
            RUST_HOST_TESTS,
            READER_TESTS,
            RECORDED_TESTS,
            RECORDED_SIMULATOR_TESTS,
            RECORDED_WEBHOOK_TESTS,
        ];
        for package in groups.iter().map(|group| group.package) {
            let of_package = || groups.iter().filter(|group| group.package == package);
            for (binary, source) in read_binaries(package) {
                let reasons =
                    of_package().filter(|group| group.binaries.contains(&binary.as_str())).map(|group| {
                        let count = source.matches(&format!("#[ignore = \"{}\"]", group.reason)).count();
                        assert!(count > 0, "{package} {binary}: {}", group.reason);
                        count
                    });
                let count: usize = reasons.sum();
                assert_eq!(source.matches("#[ignore").count(), count, "{package} {binary}");
            }
        }
        for group in &groups {
            let known = read_binaries(group.package);
            for binary in group.binaries {
                assert!(known.contains_key(*binary), "{} {binary}", group.package);
            }
        }
    }
}
