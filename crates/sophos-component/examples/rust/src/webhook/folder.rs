//! A ledger in a folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{Error, ErrorKind, Result, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A ledger store with a file per object, on any file system with hard links.
#[derive(Debug)]
pub struct FolderStore {
    root: PathBuf,
    next_draft: AtomicU64,
}

impl FolderStore {
    /// Returns a store in this folder, which need not exist. Write access permits the
    /// isolation of endpoints.
    pub fn new(root: PathBuf) -> Self {
        Self { root, next_draft: AtomicU64::new(0) }
    }

    /// Creates an object if it does not exist. A hard link is atomic, also for programs on
    /// other machines that share the folder.
    pub(crate) fn create(&self, path: &str, body: &[u8]) -> Result<bool> {
        let file = self.file_path(path)?;
        let folder = file.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let number = self.next_draft.fetch_add(1, Ordering::Relaxed);
        let draft = folder.join(format!(".draft-{}-{number}", std::process::id()));
        let linked = write_draft(&draft, body).and_then(|()| fs::hard_link(&draft, &file));
        let removed = fs::remove_file(&draft);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error),
        }
        removed?;
        // This makes the name durable, too.
        File::open(folder)?.sync_all()?;
        Ok(true)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        found(fs::read(self.file_path(path)?))
    }

    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        found(fs::remove_file(self.file_path(path)?)).map(|_| ())
    }

    /// Returns the names directly in a folder, sorted.
    pub(crate) fn list_names(&self, folder: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in found(fs::read_dir(self.file_path(folder)?))?.into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_file() && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Returns the file of a path. Rejects a path outside the folder.
    fn file_path(&self, path: &str) -> Result<PathBuf> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        };
        if path.split('/').all(plain) {
            return Ok(self.root.join(path));
        }
        Err(Error::new(ErrorKind::InvalidInput, format!("invalid ledger path \"{}\"", path.escape_debug())))
    }
}

/// Writes a draft, whose name is unique in this process.
fn write_draft(draft: &Path, body: &[u8]) -> Result<()> {
    // An older process with the same id may have left a draft.
    found(fs::remove_file(draft))?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(draft)?;
    file.write_all(body)?;
    file.sync_all()
}

/// Converts "not found" to `None`.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A folder that is removed when dropped.
    struct TempFolder(Arc<FolderStore>);

    impl TempFolder {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("central-host-{}-{name}", std::process::id()));
            Self(Arc::new(FolderStore::new(root)))
        }
    }

    impl Drop for TempFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.root);
        }
    }

    #[test]
    fn concurrent_creates_succeed_once() {
        let scratch = TempFolder::new("once");
        let all: Vec<_> = (0..16_u8)
            .map(|body| {
                let folder = Arc::clone(&scratch.0);
                std::thread::spawn(move || (body, folder.create("decisions/iso-1/000001", &[body])))
            })
            .collect();
        let all = all.into_iter().map(|thread| thread.join().expect("a thread"));
        let winners: Vec<_> = all.filter(|(_, created)| *created.as_ref().expect("no failure")).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(scratch.0.get("decisions/iso-1/000001").expect("it is there"), Some(vec![winners[0].0]));
        assert_eq!(scratch.0.list_names("decisions/iso-1").expect("a folder"), ["000001"]);
    }

    #[test]
    fn missing_objects_are_none_and_names_are_sorted() {
        let scratch = TempFolder::new("names");
        let folder = &scratch.0;
        assert_eq!(folder.get("a/b").expect("none"), None);
        assert_eq!(folder.list_names("a").expect("none"), Vec::<String>::new());
        folder.delete("a/b").expect("nothing to do");
        for path in ["a/c", "a/b.json", "a/b/d"] {
            assert!(folder.create(path, b"x").expect(path));
        }
        assert_eq!(folder.list_names("a").expect("a folder"), ["b.json", "c"]);
        folder.delete("a/c").expect("it is there");
        assert!(folder.create("a/c", b"y").expect("it is gone"));
    }

    #[test]
    fn path_outside_the_folder_is_rejected() {
        let scratch = TempFolder::new("paths");
        for path in ["", "/etc/passwd", "a//b", "../a", "a/../b", "a/.b", "A", "a\\b", "a\0", "a b", "ä"] {
            assert!(scratch.0.create(path, b"x").is_err(), "{path}");
            assert!(scratch.0.get(path).is_err(), "{path}");
        }
    }
}
