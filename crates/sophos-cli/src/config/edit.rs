//! Changes of the configuration file, which keep its comments.

use std::{fs, io::Write, path::Path};

use toml_edit::{DocumentMut, Item, Table, value};

use crate::{config::file::DEFAULT_PROFILE, exit::Failure};

/// The values of a new or changed profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProfileValues {
    /// The client id.
    pub(crate) client_id: Option<String>,
    /// The location of the secret.
    pub(crate) secret: String,
    /// The expected data region.
    pub(crate) region: Option<String>,
    /// The default tenant.
    pub(crate) tenant: Option<String>,
}

/// Writes a profile, and makes it the current one if there is no other.
///
/// # Errors
/// When the file cannot be parsed or written.
pub(crate) fn write_profile(path: &Path, name: &str, values: &ProfileValues) -> Result<(), Failure> {
    let mut document = read(path)?;
    let first = document.get("profile").is_none() && document.get("auth").is_none();
    let root = document.as_table_mut();
    let section =
        if name == DEFAULT_PROFILE { root } else { table(table(root, "profiles", true), name, true) };
    let auth = table(section, "auth", false);
    auth.remove("client_secret");
    set(auth, "client_id", values.client_id.as_deref());
    set(auth, "secret", Some(&values.secret));
    if values.region.is_some() || values.tenant.is_some() {
        let api = table(section, "api", false);
        set(api, "region", values.region.as_deref());
        set(api, "tenant", values.tenant.as_deref());
    }
    if first && name != DEFAULT_PROFILE {
        document["profile"] = value(name);
    }
    write(path, &document)
}

/// Makes a profile the current one.
///
/// # Errors
/// As for [`write_profile`].
pub(crate) fn use_profile(path: &Path, name: &str) -> Result<(), Failure> {
    let mut document = read(path)?;
    document["profile"] = value(name);
    write(path, &document)
}

fn set(table: &mut Table, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        table[name] = value(text);
    }
}

fn table<'t>(parent: &'t mut Table, name: &str, implicit: bool) -> &'t mut Table {
    let item = parent.entry(name).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(implicit);
        Item::Table(table)
    });
    if !item.is_table() {
        *item = Item::Table(Table::new());
    }
    match item {
        Item::Table(table) => table,
        // Replaced above.
        _ => unreachable!("the item is a table"),
    }
}

fn read(path: &Path) -> Result<DocumentMut, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::usage(format!("reading {} failed: {error}", path.display()))),
    };
    // The parser's message may quote a secret.
    text.parse().map_err(|_| Failure::usage(format!("invalid TOML in {}: correct it first", path.display())))
}

fn write(path: &Path, document: &DocumentMut) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::other(format!("writing {} failed: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    // Replaced at once, so that an interruption leaves the old file.
    let new = path.with_extension("toml.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new).map_err(failed)?;
    file.write_all(document.to_string().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}
