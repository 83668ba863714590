//! A ledger in a folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{Error, ErrorKind, Result, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Objects as files, each written whole and created once, on any file system with
/// hard links.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    drafts: AtomicU64,
}

impl Folder {
    /// The folder, which need not be there yet. Whoever can write into it can have
    /// endpoints isolated.
    pub fn new(root: PathBuf) -> Self {
        Self { root, drafts: AtomicU64::new(0) }
    }

    /// Creates an object if there is none: a hard link is made by one of all who ask,
    /// also by programs on other machines that share the folder.
    pub(crate) fn create(&self, path: &str, body: &[u8]) -> Result<bool> {
        let file = self.place(path)?;
        let folder = file.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let draft = folder.join(format!(".draft-{}-{number}", std::process::id()));
        let linked = write(&draft, body).and_then(|()| fs::hard_link(&draft, &file));
        let removed = fs::remove_file(&draft);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error),
        }
        removed?;
        // The name is as lasting as the body.
        File::open(folder)?.sync_all()?;
        Ok(true)
    }

    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        there(fs::read(self.place(path)?))
    }

    pub(crate) fn remove(&self, path: &str) -> Result<()> {
        there(fs::remove_file(self.place(path)?)).map(|_| ())
    }

    /// The names in a folder itself, in order.
    pub(crate) fn names(&self, folder: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in there(fs::read_dir(self.place(folder)?))?.into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_file() && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The file of a path; refuses one that leads elsewhere.
    fn place(&self, path: &str) -> Result<PathBuf> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
        };
        if path.split('/').all(plain) {
            return Ok(self.root.join(path));
        }
        Err(Error::new(
            ErrorKind::InvalidInput,
            format!("`{}` is no path of the ledger", path.escape_debug()),
        ))
    }
}

/// Writes a draft that nobody else has.
fn write(draft: &Path, body: &[u8]) -> Result<()> {
    // One of that name is of a process that ended before it removed it.
    there(fs::remove_file(draft))?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(draft)?;
    file.write_all(body)?;
    file.sync_all()
}

/// Tells apart what is not there.
fn there<T>(result: Result<T>) -> Result<Option<T>> {
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

    /// A folder that is gone afterwards.
    struct Scratch(Arc<Folder>);

    impl Scratch {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("central-host-{}-{name}", std::process::id()));
            Self(Arc::new(Folder::new(root)))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.root);
        }
    }

    #[test]
    fn of_all_who_create_an_object_at_once_one_is_told_so() {
        let scratch = Scratch::new("once");
        let all: Vec<_> = (0..16_u8)
            .map(|body| {
                let folder = Arc::clone(&scratch.0);
                std::thread::spawn(move || (body, folder.create("decisions/iso-1/000001", &[body])))
            })
            .collect();
        let all = all.into_iter().map(|one| one.join().expect("a thread"));
        let first: Vec<_> = all.filter(|(_, created)| *created.as_ref().expect("no failure")).collect();
        assert_eq!(first.len(), 1);
        assert_eq!(scratch.0.read("decisions/iso-1/000001").expect("it is there"), Some(vec![first[0].0]));
        assert_eq!(scratch.0.names("decisions/iso-1").expect("a folder"), ["000001"]);
    }

    #[test]
    fn what_is_not_there_is_none_and_names_are_in_order() {
        let scratch = Scratch::new("names");
        let folder = &scratch.0;
        assert_eq!(folder.read("a/b").expect("none"), None);
        assert_eq!(folder.names("a").expect("none"), Vec::<String>::new());
        folder.remove("a/b").expect("nothing to do");
        for path in ["a/c", "a/b.json", "a/b/d"] {
            assert!(folder.create(path, b"x").expect(path));
        }
        assert_eq!(folder.names("a").expect("a folder"), ["b.json", "c"]);
        folder.remove("a/c").expect("it is there");
        assert!(folder.create("a/c", b"y").expect("it is gone"));
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        let scratch = Scratch::new("paths");
        for path in ["", "/etc/passwd", "a//b", "../a", "a/../b", "a/.b", "A", "a\\b", "a\0", "a b", "ä"] {
            assert!(scratch.0.create(path, b"x").is_err(), "{path}");
            assert!(scratch.0.read(path).is_err(), "{path}");
        }
    }
}
