//! `cargo xtask advisories`: known vulnerabilities and yanked releases of the crates in the
//! lock files.
//!
//! Vulnerabilities need cargo-deny and the RustSec database. Without either, the registry's
//! index still has the yanked releases, which are often broken or vulnerable.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
};

use crate::{error::Error, shell, workspace::Workspace};

/// The folders of all lock files of the repository.
const LOCK_FILE_DIRS: [&str; 3] =
    ["", "crates/sophos-component/examples/rust", "crates/sophos-isolation/fuzz"];

/// A release in a lock file.
#[derive(Debug, PartialEq)]
struct Release {
    name: String,
    version: String,
    /// The SHA-256 of its archive, which differs between registries.
    checksum: String,
}

pub(crate) fn run(workspace: &Workspace) -> Result<(), Error> {
    let skipped = check_vulnerabilities(workspace)?;
    for folder in LOCK_FILE_DIRS {
        let folder = workspace.root.join(folder);
        refresh_index(&folder);
        let lock = folder.join("Cargo.lock");
        shell::step(&format!("check {} for yanked releases", relative_path(workspace, &lock)), || {
            let text = fs::read_to_string(&lock)
                .map_err(|error| Error::new(format!("reading {} failed: {error}", lock.display())))?;
            check_not_yanked(&parse_lock_file(&text), &index_dirs()?)
        })?;
    }
    if let Some(why) = skipped {
        println!("skipped: vulnerabilities of the RustSec database: {why}");
    }
    Ok(())
}

/// Checks the crates against the RustSec database. Returns the reason if it is unavailable.
fn check_vulnerabilities(workspace: &Workspace) -> Result<Option<String>, Error> {
    let deny = |arguments: &[&str]| {
        let mut deny = shell::cargo(&workspace.root);
        deny.arg("deny").args(arguments);
        deny
    };
    if !matches!(shell::stderr(&mut deny(&["--version"])), Ok((true, _))) {
        return Ok(Some("cargo-deny is not installed; cargo install --locked cargo-deny".to_owned()));
    }
    let (fetched, expected) = shell::stderr(&mut deny(&["fetch", "db"]))?;
    if !fetched {
        let last = expected.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        return Ok(Some(format!("cargo-deny failed to fetch the database: {}", last.trim())));
    }
    shell::step("check the RustSec database", || {
        let hint = "update the crate, or add the advisory to deny.toml with the reason why it does not apply";
        shell::run(&mut deny(&["check", "--disable-fetch", "advisories"]), hint)
    })?;
    Ok(None)
}

/// Updates cargo's index for each crate of a lock file. The lock file does not change.
fn refresh_index(folder: &Path) {
    let mut update = shell::cargo(folder);
    update.args(["update", "--dry-run", "--quiet"]);
    if !matches!(shell::stderr(&mut update), Ok((true, _))) {
        println!("the registry is unreachable: yanked releases are those in cargo's cache");
    }
}

/// The folders of cargo's registry indexes.
fn index_dirs() -> Result<Vec<PathBuf>, Error> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let home = home.ok_or_else(|| Error::new("missing home folder; set CARGO_HOME"))?;
    let folder = home.join("registry/index");
    let entries = fs::read_dir(&folder).map_err(|error| {
        Error::new(format!("reading {} failed: {error}; run `cargo fetch`", folder.display()))
    })?;
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path().join(".cache"))).collect())
}

/// Fails if a release is yanked or missing in the index.
fn check_not_yanked(releases: &[Release], indexes: &[PathBuf]) -> Result<(), Error> {
    let mut wrong = Vec::new();
    let mut known: HashMap<&str, HashMap<(String, String), bool>> = HashMap::new();
    for release in releases {
        let Release { name, version, checksum } = release;
        let entries = known.entry(name).or_insert_with(|| {
            let path = index_path(name);
            indexes
                .iter()
                .filter_map(|index| fs::read(index.join(&path)).ok())
                .flat_map(|file| parse_index_file(&file))
                .collect()
        });
        match entries.get(&(version.clone(), checksum.clone())) {
            Some(false) => {}
            Some(true) => wrong.push(format!("{name} {version} is yanked; run `cargo update -p {name}`")),
            None => {
                wrong.push(format!("{name} {version} is missing in cargo's index cache; run `cargo fetch`"))
            }
        }
    }
    if releases.is_empty() {
        wrong.push("the lock file has no crate from a registry".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::new(wrong.join("\n"))) }
}

/// The releases in a lock file from registries. Those of the workspace have no checksum.
fn parse_lock_file(lock: &str) -> Vec<Release> {
    let packages = lock.split("[[package]]").skip(1);
    packages
        .filter_map(|package| {
            let value = |key: &str| {
                let mut lines = package.lines();
                let found = lines.find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='))?;
                Some(found.trim().trim_matches('"').to_owned())
            };
            Some(Release { name: value("name")?, version: value("version")?, checksum: value("checksum")? })
        })
        .collect()
}

/// The path of a crate in an index.
fn index_path(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.len() {
        0..=2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// The releases in a file of cargo's index cache: version and checksum, and whether it is
/// yanked. The file has a JSON record for each release, separated by zero bytes.
fn parse_index_file(file: &[u8]) -> HashMap<(String, String), bool> {
    let records = file.split(|byte| *byte == 0).filter(|part| part.starts_with(b"{"));
    records
        .filter_map(|record| {
            let record: serde_json::Value = serde_json::from_slice(record).ok()?;
            let text = |key: &str| record[key].as_str().map(str::to_owned);
            Some(((text("vers")?, text("cksum")?), record["yanked"].as_bool()?))
        })
        .collect()
}

fn relative_path(workspace: &Workspace, path: &Path) -> String {
    path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\n\
        source = \"registry+x\"\nchecksum = \"aa\"\ndependencies = [\n \"name\",\n]\n\n\
        [[package]]\nname = \"xtask\"\nversion = \"0.1.0\"\n";

    fn index(entries: &[(&str, &str, bool)]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = b"\x03\x02\0\0\0etag: \"x\"\0".to_vec();
        for (version, checksum, yanked) in entries {
            let record = serde_json::json!({ "vers": version, "cksum": checksum, "yanked": yanked });
            file.extend(format!("{version}\0{record}\0").bytes());
        }
        fs::create_dir_all(folder.path().join("se/rd")).expect("a folder");
        fs::write(folder.path().join("se/rd/serde"), file).expect("a file");
        let indexes = vec![folder.path().to_owned()];
        (folder, indexes)
    }

    #[test]
    fn parse_lock_file_returns_registry_releases() {
        let serde = Release { name: "serde".into(), version: "1.0.0".into(), checksum: "aa".into() };
        assert_eq!(parse_lock_file(LOCK), [serde]);
    }

    #[test]
    fn check_rejects_yanked_and_unknown_releases() {
        for (entries, expected) in [
            (&[("1.0.0", "aa", false), ("1.0.1", "bb", true)][..], ""),
            (&[("1.0.0", "aa", true)], "serde 1.0.0 is yanked"),
            // From another registry.
            (&[("1.0.0", "cc", false)], "serde 1.0.0 is missing in"),
            (&[], "serde 1.0.0 is missing in"),
        ] {
            let (_folder, indexes) = index(entries);
            match check_not_yanked(&parse_lock_file(LOCK), &indexes) {
                Ok(()) => assert_eq!(expected, ""),
                Err(error) => {
                    assert!(!expected.is_empty() && error.to_string().contains(expected), "{error}")
                }
            }
        }
        assert!(check_not_yanked(&[], &[]).is_err());
    }

    #[test]
    fn index_path_matches_the_cargo_layout() {
        for (name, path) in
            [("a", "1/a"), ("cc", "2/cc"), ("url", "3/u/url"), ("Inflector", "in/fl/inflector")]
        {
            assert_eq!(index_path(name), path);
        }
    }

    #[test]
    fn every_lock_file_is_checked() {
        fn find(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
            {
                let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name == "Cargo.lock" {
                    found.push(folder.to_owned());
                } else if entry.is_dir() && !name.starts_with('.') && name != "target" {
                    find(&entry, found);
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = Vec::new();
        find(&root, &mut found);
        found.sort();
        assert_eq!(found, LOCK_FILE_DIRS.map(|folder| root.join(folder)));
    }
}
